"""Baselines without a language model: what people who said something alike said of themselves (features, row 47).

They read the same training corpus as a fine-tuned model, and copy the facts of the training turn that is most like what a user
says. A model that is hardly better than these has learnt little.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path
from random import Random
from typing import ClassVar, Final, Literal, NoReturn, Protocol, runtime_checkable

from kithe.corpora.words import stems
from kithe.errors import ConfigError, unknown
from kithe.llm.models import ModelSpec
from kithe.records.chat import Prediction
from kithe.records.history import Evidence, History, KnowledgeItem
from kithe.training.adapters import Prompt

Likeness = Literal["meaning", "words", "chance"]
LIKENESSES: Final[tuple[Likeness, ...]] = ("meaning", "words", "chance")


@runtime_checkable
class Infers(Protocol):
    """An option of `adapt` that infers items itself, from the training corpus alone; the model is not asked."""

    def infer(self, train: Sequence[History], people: Sequence[History], seed: int) -> list[Prediction]:
        """What is inferred about each of these people."""


@dataclass(frozen=True)
class Known:
    """A turn of the training corpus and the facts it tells; most tell none."""

    text: str
    items: tuple[KnowledgeItem, ...]


@dataclass(frozen=True)
class Nearest:
    """Copies the facts of the nearest training turn, if it tells any.

    Attributes:
        likeness: how turns are compared: by `meaning` (cosine of sentence embeddings), by their `words` (cosine of content words,
            rare ones counting more), or not at all (`chance`: any training turn).
        floor: turns less alike than this tell nothing.
    """

    likeness: Likeness = "meaning"
    floor: float = 0.5
    trains: ClassVar[bool] = False
    trains_base: ClassVar[bool] = False
    reads: ClassVar[bool] = True
    parts: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        if self.likeness not in LIKENESSES:
            raise unknown("value of adapt.likeness", self.likeness, LIKENESSES)
        if not 0 <= self.floor <= 1:
            raise ConfigError(f"adapt.floor={self.floor}: a cosine between 0 and 1")

    def prompts(self) -> list[Prompt]:
        """None: nothing is asked."""
        return []

    def load(self, model: ModelSpec, folder: Path, dtype: str) -> NoReturn:
        """There is nothing to load.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("a baseline without a model has none to load")

    def infer(self, train: Sequence[History], people: Sequence[History], seed: int) -> list[Prediction]:
        """See `Infers.infer`."""
        known = turns_of(train)
        if not known:
            raise ConfigError("adapt.likeness: the training corpus holds no turn of a user; choose another data=…")
        said = [said_by(person) for person in people]
        best = iter(self._best([text for turns in said for _, text in turns], known, seed))
        return [
            prediction(person, [(turn, *next(best)) for turn, _ in turns]) for person, turns in zip(people, said, strict=True)
        ]

    def _best(self, texts: Sequence[str], known: Sequence[Known], seed: int) -> list[tuple[tuple[KnowledgeItem, ...], float]]:
        """For every text the facts of the training turn most like it, and how alike the two are."""
        if self.likeness == "chance":
            draw = Random(f"{seed}/baseline")
            return [(draw.choice(known).items, 0.0) for _ in texts]
        found = by_meaning(texts, known) if self.likeness == "meaning" else by_words(texts, known)
        return [(known[place].items if cosine >= self.floor else (), cosine) for place, cosine in found]


def turns_of(train: Sequence[History]) -> list[Known]:
    """Every different user turn of a corpus with the facts whose evidence stands there."""
    found: dict[str, Known] = {}
    for history in train:
        facts: dict[int, list[KnowledgeItem]] = {}
        for item in history.items:
            for part in item.evidence:
                facts.setdefault(part.turn, []).append(item)
        for turn, text in said_by(history):
            found.setdefault(text, Known(text, tuple(facts.get(turn, ()))))
    return list(found.values())


def said_by(history: History) -> list[tuple[int, str]]:
    """The user's turns with their numbers."""
    return [(number, turn.text) for number, turn in enumerate(history.turns) if turn.speaker == history.user]


def by_meaning(texts: Sequence[str], known: Sequence[Known]) -> list[tuple[int, float]]:
    """The nearest training turn of each text by sentence embeddings, and the cosine."""
    from kithe.llm.embed import Embedder

    encoder = Embedder()
    ours, theirs = encoder.encode(texts), encoder.encode([each.text for each in known])
    cosines = ours @ theirs.T
    places = cosines.argmax(axis=1)
    return [(int(place), max(0.0, float(row[place]))) for place, row in zip(places, cosines, strict=True)]


def by_words(texts: Sequence[str], known: Sequence[Known]) -> list[tuple[int, float]]:
    """The nearest training turn of each text by content words, and the cosine of their weights (log of how rare a word is)."""
    bags = [stems(each.text) for each in known]
    counts = Counter(word for bag in bags for word in bag)
    weights = {word: log((1 + len(bags)) / count) for word, count in counts.items()}
    rarest = log(1 + len(bags))
    places: dict[str, list[int]] = {}
    for place, bag in enumerate(bags):
        for word in bag:
            places.setdefault(word, []).append(place)
    norms = [length(bag, weights, rarest) for bag in bags]
    return [nearest(stems(text), weights, rarest, places, norms) for text in texts]


def length(bag: frozenset[str], weights: Mapping[str, float], rarest: float) -> float:
    """The length of a bag of words as a vector of weights."""
    return sqrt(sum(weights.get(word, rarest) ** 2 for word in bag))


def nearest(
    bag: frozenset[str],
    weights: Mapping[str, float],
    rarest: float,
    places: Mapping[str, Sequence[int]],
    norms: Sequence[float],
) -> tuple[int, float]:
    """The training turn with the largest cosine; the first one, with 0, where no word is shared."""
    dots: dict[int, float] = {}
    for word in sorted(bag):
        for place in places.get(word, ()):
            dots[place] = dots.get(place, 0.0) + weights[word] ** 2
    own = length(bag, weights, rarest)
    best = max(dots, key=lambda place: (dots[place] / norms[place], -place), default=None)
    return (0, 0.0) if best is None else (best, dots[best] / (own * norms[best]))


def prediction(person: History, found: Sequence[tuple[int, Sequence[KnowledgeItem], float]]) -> Prediction:
    """The facts copied for each turn, each statement once, where it was most alike."""
    items: dict[str, KnowledgeItem] = {}
    for turn, facts, cosine in sorted(found, key=lambda each: -each[2]):
        for item in facts:
            copied = item.model_copy(update={"evidence": (Evidence(turn=turn),), "confidence": min(1.0, cosine)})
            items.setdefault(item.statement, copied)
    return Prediction(id=person.id, items=tuple(items.values()), units=len(found))
