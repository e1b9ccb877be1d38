"""What is measured: corpora of histories, their words, and the passages that are embedded."""

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from kithe.records.history import History

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_END: Final = re.compile(r"(?<=[.!?])\s+|\n+")
PASSAGE: Final = 40  # words, a few turns: below the 256 tokens an encoder reads, and alike for short and long histories


@dataclass(frozen=True)
class Passage:
    """A few consecutive turns of the user as one text; `history` is the unit of resampling."""

    history: str
    text: str


@dataclass(frozen=True)
class Corpus:
    """Histories under one name.

    Attributes:
        seeds: history id -> the interest paths (names from the top down) that its persona was written from, where known.
    """

    name: str
    histories: tuple[History, ...]
    seeds: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @cached_property
    def distinct(self) -> list[History]:
        """The histories, but for second ones of a dialogue that stands in the set twice because both its speakers are users."""
        first: dict[tuple[str, ...], str] = {}
        said = ((history, tuple(turn.text for turn in history.turns)) for history in self.histories)
        return [history for history, turns in said if first.setdefault(turns, history.user) == history.user]

    @cached_property
    def tokens(self) -> list[list[str]]:
        """Lower-case words of each dialogue, every speaker."""
        return [[word for turn in history.turns for word in tokens(turn.text)] for history in self.distinct]

    @cached_property
    def utterances(self) -> list[Passage]:
        """What users said, turn by turn."""
        return [
            Passage(history.id, turn.text) for history in self.histories for turn in history.turns if turn.speaker == history.user
        ]

    @cached_property
    def passages(self) -> list[Passage]:
        """What users said in texts of about `PASSAGE` words."""
        return [passage for history in self.histories for passage in passages(history)]


def corpus(name: str, histories: Iterable[History], most: int | None = None, seed: int = 0) -> Corpus:
    """A corpus, or a seeded sample of `most` of its histories."""
    found = list(histories)
    if most is not None and len(found) > most:
        found = random.Random(f"{seed}/corpus").sample(found, most)
    return Corpus(name, tuple(found))


def tokens(text: str) -> list[str]:
    """Lower-case words; contractions stay whole."""
    return [found.replace("’", "'") for found in _WORD.findall(text.lower())]


def sentences(text: str) -> list[str]:
    """Sentences, split at end marks and line breaks; text without any is one."""
    return [part.strip() for part in _END.split(text) if part.strip()]


def ngrams(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    """Every run of n words."""
    return zip(*(words[start:] for start in range(n)), strict=False)


def said(history: History) -> str:
    """Everything the user said, a turn a line."""
    return "\n".join(turn.text for turn in history.turns if turn.speaker == history.user)


def passages(history: History) -> Iterator[Passage]:
    """The user's turns put together until they have `PASSAGE` words; a shorter rest stands alone only if nothing else does."""
    held: list[str] = []
    given = False
    for turn in history.turns:
        if turn.speaker != history.user:
            continue
        held.append(turn.text)
        if sum(len(text.split()) for text in held) >= PASSAGE:
            yield Passage(history.id, shortened("\n".join(held)))
            held, given = [], True
    if held and not given:
        yield Passage(history.id, shortened("\n".join(held)))


def shortened(text: str) -> str:
    """At most twice a passage's words, so that one endless turn weighs no more than others."""
    return " ".join(text.split()[: 2 * PASSAGE])


def sample(found: Sequence[Passage], most: int, seed: int) -> list[Passage]:
    """At most so many passages, each history's turn by turn, so that long histories do not crowd out short ones."""
    rng = random.Random(f"{seed}/passages")
    by_history: dict[str, list[Passage]] = {}
    for passage in found:
        by_history.setdefault(passage.history, []).append(passage)
    order = sorted(by_history)
    rng.shuffle(order)
    for own in by_history.values():
        rng.shuffle(own)
    taken: list[Passage] = []
    for depth in range(max((len(own) for own in by_history.values()), default=0)):
        taken += [by_history[name][depth] for name in order if depth < len(by_history[name])]
        if len(taken) >= most:
            break
    return taken[:most]
