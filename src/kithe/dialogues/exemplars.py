"""Utterances that lend a dialogue their style: three are drawn, their manner is copied, their words are not."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice
from random import Random
from typing import Protocol

import yaml

from kithe.corpora.source import Split
from kithe.records.history import History

DRAWN = 3
NGRAM = 8  # so many words in a row are an echo
NEAR = 0.9  # of an exemplar's words (at least four), in order, so much in one sentence is one too
_WORD = re.compile(r"[a-z0-9']+")
_POLITE = re.compile(r"\b(please|thanks?|thank you|kindly|could you|would you)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_MASKS = (
    (re.compile(r"\S+@\S+|https?://\S+|www\.\S+"), "somewhere"),
    (re.compile(r"\d[\d.,:/-]*"), "some"),
    (re.compile(r"(?<=[a-z,;] )(?!I\b|I')[A-Z][\w'-]*(?: [A-Z][\w'-]*)*"), "someone"),
)


class Exemplars(Protocol):
    """Where exemplars come from."""

    def lines(self) -> tuple[str, ...]:
        """All of them, the same at every call."""
        ...


@dataclass(frozen=True)
class HandWritten:
    """The bank of this package: requests, follow-ups, corrections and commands, each written for it."""

    def lines(self) -> tuple[str, ...]:
        """The bank."""
        return _bank()


class TrainingSource(Hashable, Protocol):
    """Anything hashable that can be asked for the histories of a training split (`kithe.corpora.source.DataSource`)."""

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The histories of a split."""
        ...


def mask(text: str) -> str:
    """A text without addresses, numbers and capitalised names inside a sentence: the least that de-identification takes.

    It knows no lists of names or places; pass a PII scan's own function where real people's words are used in earnest.
    """
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return " ".join(text.split())


@dataclass(frozen=True)
class FromReal:
    """De-identified user utterances of a real source's training split (`exemplars=real`).

    Attributes:
        source: the real source; only its training split is read.
        scrub: takes names, numbers, e-mail addresses and places out of an utterance; one that it empties is not used.
        most: how many utterances are drawn.
        seed: of the draw.
    """

    source: TrainingSource
    scrub: Callable[[str], str] = mask
    most: int = 400
    seed: int = 0

    def lines(self) -> tuple[str, ...]:
        """The utterances."""
        return _from_real(self.source, self.scrub, self.most, self.seed)


@dataclass(frozen=True)
class Manner:
    """How some utterances are written: their words each, and the shares that are lower case, without a stop, loud, polite, and
    commands of at most four words.
    """

    words: float
    lower: float
    bare: float
    loud: float
    polite: float
    terse: float


def draw(exemplars: Exemplars, rng: Random) -> tuple[str, ...]:
    """Three exemplars for one dialogue."""
    lines = exemplars.lines()
    return tuple(rng.sample(lines, min(DRAWN, len(lines))))


@lru_cache(maxsize=4096)
def manner(lines: tuple[str, ...]) -> Manner:
    """How these utterances are written."""

    def share(holds: Callable[[str], object]) -> float:
        return sum(bool(holds(line)) for line in lines) / max(1, len(lines))

    return Manner(
        words=sum(len(line.split()) for line in lines) / max(1, len(lines)),
        lower=share(lambda line: line[:1].islower()),
        bare=share(lambda line: line[-1:] not in ".!?"),
        loud=share(lambda line: line.endswith("!")),
        polite=share(_POLITE.search),
        terse=share(lambda line: len(line.split()) <= 4),
    )


def echoes(text: str, exemplars: Iterable[str]) -> bool:
    """Whether a text repeats an exemplar: eight of its words in a row, or nearly all of one that has at least four."""
    said = _WORD.findall(text.lower())
    grams = {tuple(said[place : place + NGRAM]) for place in range(len(said) - NGRAM + 1)}
    sentences = [_WORD.findall(part.lower()) for part in _SENTENCE.split(text)]
    for exemplar in exemplars:
        words = _WORD.findall(exemplar.lower())
        if any(tuple(words[place : place + NGRAM]) in grams for place in range(len(words) - NGRAM + 1)):
            return True
        if len(words) >= 4 and any(_shared(words, part) >= NEAR * max(len(words), len(part)) for part in sentences):
            return True
    return False


def echo_share(histories: Iterable[History], exemplars: Sequence[str]) -> float:
    """The share of the users' turns that repeat an exemplar."""
    turns = [turn.text for history in histories for turn in history.turns if turn.speaker == history.user]
    return sum(echoes(text, exemplars) for text in turns) / max(1, len(turns))


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence of two word lists."""
    if abs(len(one) - len(other)) > 0.2 * max(len(one), len(other)) + 1 or not set(one) & set(other):
        return 0
    row = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for place, match in enumerate(other, start=1):
            before, row[place] = row[place], before + 1 if word == match else max(row[place], row[place - 1])
    return row[-1]


@cache
def _bank() -> tuple[str, ...]:
    groups = yaml.safe_load((files("kithe.dialogues") / "exemplars.yaml").read_text("utf-8"))
    return tuple(line for lines in groups.values() for line in lines)


@lru_cache(maxsize=4)
def _from_real(source: TrainingSource, scrub: Callable[[str], str], most: int, seed: int) -> tuple[str, ...]:
    spoken = (turn.text for history in source.histories("train", seed) for turn in history.turns if turn.speaker == history.user)
    pool = list(islice((text for text in spoken if 1 < len(text.split()) <= 40), 20 * most))
    drawn = Random(f"{seed}/exemplars").sample(pool, min(most, len(pool)))
    return tuple(text for text in dict.fromkeys(scrub(text) for text in drawn) if text)
