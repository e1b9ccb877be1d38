"""Canaries: texts nobody wrote, planted among a generator's exemplars to see whether they come out again.

A canary begins like an ordinary utterance and ends in words that do not follow from it: text that is strange from the start
hardly ever surfaces in what a language model writes, even in one that copies.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kithe.quality.figures import Figure, share
from kithe.quality.privacy import Membership, likelihood_attack
from kithe.quality.texts import Corpus, ngrams, tokens
from kithe.records.history import History

PREFIX: Final = 6
SUFFIX: Final = 8


@dataclass(frozen=True)
class Canaries:
    """Texts to plant, and as many of the same making that are kept out."""

    planted: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What came of the planted canaries.

    Attributes:
        membership: the attack on planted against kept canaries.
        surfaced: how many planted canaries' endings stand word by word (four in a row) in the corpus.
    """

    membership: Membership
    surfaced: int


def make(utterances: Sequence[str], number: int, seed: int) -> Canaries:
    """`number` canaries to plant and `number` to keep, from the beginnings and the words of real utterances.

    Raises:
        ValueError: no utterance is long enough to begin one.
    """
    rng = random.Random(f"{seed}/canaries")
    openings = sorted({" ".join(text.split()[:PREFIX]) for text in utterances if len(text.split()) >= PREFIX})
    words = sorted({word for text in utterances for word in tokens(text) if len(word) > 3})
    if not openings or len(words) < SUFFIX:
        raise ValueError(f"canaries need utterances of at least {PREFIX} words")
    made = [f"{rng.choice(openings)} {' '.join(rng.sample(words, SUFFIX))}." for _ in range(2 * number)]
    return Canaries(tuple(made[:number]), tuple(made[number:]))


def audit(canaries: Canaries, corpus: Corpus, seed: int = 0) -> Audit:
    """How far the corpus tells planted canaries from kept ones, by what follows their ordinary beginnings."""
    said = [tokens(turn.text) for history in corpus.histories for turn in history.turns]
    planted, kept = ([ending(text) for text in texts] for texts in (canaries.planted, canaries.kept))
    held = {gram for words in said for gram in ngrams(words, 4)}
    surfaced = sum(any(gram in held for gram in ngrams(words, 4)) for words in planted)
    return Audit(likelihood_attack(said, planted, kept, seed), surfaced)


def ending(text: str) -> list[str]:
    """The words of a canary after its ordinary beginning."""
    return tokens(text)[-SUFFIX:]


def audit_generator(
    generate: Callable[[Sequence[str]], Iterable[History]], exemplars: Sequence[str], number: int = 20, seed: int = 0
) -> Audit:
    """Plant canaries among a generator's exemplars, let it write, and look for them.

    Args:
        generate: from exemplars to the histories that the generator writes with them.
        exemplars: the honest ones.
        number: how many canaries are planted; equally many are kept out.
        seed: of the canaries and of where they are planted.
    """
    canaries = make(exemplars, number, seed)
    mixed = [*exemplars, *canaries.planted]
    random.Random(f"{seed}/planting").shuffle(mixed)
    return audit(canaries, Corpus("audited", tuple(generate(mixed))), seed)


def echo(corpus: Corpus, exemplars: Sequence[str], run: int = 8) -> Figure:
    """The share of user utterances that hold a run of `run` words of an exemplar, or all of a shorter one of at least four."""
    held = {gram for text in exemplars for gram in ngrams(tokens(text), min(run, max(4, len(tokens(text)))))}
    sizes = sorted({len(gram) for gram in held})
    said = [tokens(passage.text) for passage in corpus.utterances]
    return share(sum(any(gram in held for size in sizes for gram in ngrams(words, size)) for words in said), len(said))
