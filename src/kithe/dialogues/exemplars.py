"""Utterances that lend a dialogue their style: three are drawn, their manner is copied, their words are not."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from itertools import islice
from random import Random
from typing import Protocol

import yaml

from kithe.corpora.source import Split
from kithe.quality.pii import names_in_any_case, scrub
from kithe.records.history import History

DRAWN = 3
LONGEST = 40  # words of an utterance that is drawn
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


class TrainingSource(Protocol):
    """Anything that can be asked for the histories of a training split (`kithe.corpora.source.DataSource`)."""

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


def deidentified(text: str) -> str:
    """A text without personal data: empty where it says a given name in any case, else scrubbed and masked.

    The scan (`kithe.quality.pii.scrub`) takes out addresses, numbers and how people introduce themselves; `mask` takes out other
    numbers and whatever is capitalised inside a sentence, such as places and employers.
    """
    return "" if names_in_any_case(text) else mask(scrub(text))


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
    scrub: Callable[[str], str] = deidentified
    most: int = 400
    seed: int = 0

    def lines(self) -> tuple[str, ...]:
        """The utterances."""
        return self._lines

    @cached_property
    def _lines(self) -> tuple[str, ...]:
        drawn = self._drawn()
        return tuple(text for text in dict.fromkeys(self.scrub(text) for text in drawn) if text)

    def _drawn(self) -> list[str]:
        read = self.source.histories("train", self.seed)
        spoken = (turn.text for history in read for turn in history.turns if turn.speaker == history.user)
        pool = list(islice((text for text in spoken if 1 < len(text.split()) <= LONGEST), 20 * self.most))
        return Random(f"{self.seed}/exemplars").sample(pool, min(self.most, len(pool)))


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


@dataclass(frozen=True)
class Echoes:
    """Many exemplars, arranged so that a text is compared with those only that it can repeat; it finds what `echoes` finds."""

    exemplars: tuple[str, ...]

    @cached_property
    def _by_word(self) -> Mapping[str, frozenset[int]]:
        rows: dict[str, set[int]] = {}
        for place, line in enumerate(self.exemplars):
            for word in _WORD.findall(line.lower()):
                rows.setdefault(word, set()).add(place)
        return {word: frozenset(places) for word, places in rows.items()}

    def found(self, text: str) -> bool:
        """Whether a text repeats one of the exemplars: one that shares less than three words with it cannot be."""
        shared = Counter(place for word in set(_WORD.findall(text.lower())) for place in self._by_word.get(word, ()))
        near = (self.exemplars[place] for place, count in shared.items() if count >= min(3, self._kinds[place]))
        return echoes(text, near)

    @cached_property
    def _kinds(self) -> tuple[int, ...]:
        return tuple(len(set(_WORD.findall(line.lower()))) for line in self.exemplars)


def echo_share(histories: Iterable[History], exemplars: Sequence[str]) -> float:
    """The share of the users' turns that repeat an exemplar."""
    bank = Echoes(tuple(exemplars))
    turns = [turn.text for history in histories for turn in history.turns if turn.speaker == history.user]
    return sum(map(bank.found, turns)) / max(1, len(turns))


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
