"""What is true of a test set whatever a cell said: its topics, the labels of its facts, who used which words."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from kithe.corpora.expressed import Expressed
from kithe.corpora.words import stems
from kithe.knowledge import text
from kithe.records.history import History, KnowledgeItem

ALIKE: Final = 0.5
SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]?")
ABOUT_ME: Final = re.compile(r"\b(i|my|me|we|our)\b", re.I)
Part = tuple[float, float]

normalised = lru_cache(maxsize=1 << 16)(text.normalised)


@dataclass(frozen=True)
class Background:
    """A test set.

    Attributes:
        words: stem -> how many facts of the set hold it.
        bands: topic -> head or tail in the set.
        lengths: history -> band of its length.
        labels: history -> for each gold fact what it is sliced by.
        spoken: history -> the content words of the user, and of everybody else.
        copied: history -> what copying every first-person sentence of the user would score (`overlap`).
        verbatim: history -> how many of its facts stand word for word in a turn of the user, and how many there are.
    """

    words: Mapping[str, int]
    bands: Mapping[str, str] = field(default_factory=dict)
    lengths: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    spoken: Mapping[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    copied: Mapping[str, Part] = field(default_factory=dict)
    verbatim: Mapping[str, Part] = field(default_factory=dict)

    @classmethod
    def of(cls, histories: Iterable[History]) -> "Background":
        """The background of a test set's histories."""
        from kithe.evaluation.outcomes import frequency_bands, length_bands

        known = list(histories)
        items = [item for history in known for item in history.items]
        topics = cls(Counter(stem for item in items for stem in stems(item.statement)))
        bands, lengths = frequency_bands(map(topics.topic, items)), length_bands(known)
        return cls(
            topics.words,
            bands,
            lengths,
            {history.id: labels(history, topics, bands, lengths[history.id]) for history in known},
            {history.id: (said(history, own=True), said(history, own=False)) for history in known},
            {history.id: overlap(first_person(history), statements(history.items)) for history in known},
            {history.id: word_for_word(history) for history in known},
        )

    def topic(self, item: KnowledgeItem) -> str | None:
        """The category of a fact, or the most common of its content words where it has none."""
        if item.category is not None:
            return item.category
        return max(sorted(stems(item.statement)), key=lambda stem: self.words.get(stem, 0), default=None)

    def in_training(self, learnt: Sequence[KnowledgeItem]) -> dict[str, str]:
        """Topic of the set -> head or tail by how many training facts have it; those that none has are left out."""
        from kithe.evaluation.outcomes import frequency_bands

        wanted = set(self.bands)
        return frequency_bands(topic for item in learnt for topic in {item.category or "", *stems(item.statement)} & wanted)

    def said_by_other(self, history: str, item: KnowledgeItem) -> bool:
        """Whether the other speaker said all content words of an item and the user did not."""
        wanted = stems(item.statement)
        mine, theirs = self.spoken[history]
        return bool(wanted) and wanted <= theirs and not wanted <= mine


def labels(history: History, topics: Background, bands: Mapping[str, str], length: str) -> tuple[dict[str, str], ...]:
    """For each gold fact what it is sliced by."""
    from kithe.evaluation.outcomes import gold_outcomes

    rule = Expressed()
    return tuple(
        {
            **outcome.labels,
            "length": length,
            "wording": "own words" if rule.evidence(history, item.statement) else "other words",
            "topic": topics.topic(item) or "",
        }
        for item, outcome in zip(history.items, gold_outcomes(history, [], bands, topics.topic), strict=True)
    )


def statements(items: Iterable[KnowledgeItem]) -> list[str]:
    """What items say."""
    return [item.statement for item in items]


def said(history: History, own: bool) -> frozenset[str]:
    """The content words that the user, or everybody else, said."""
    return frozenset(word for turn in history.turns if (turn.speaker == history.user) == own for word in stems(turn.text))


def first_person(history: History) -> list[str]:
    """Every sentence of the user that speaks of themself: what a keyword rule would infer."""
    own = (turn.text for turn in history.turns if turn.speaker == history.user)
    return [sentence for text in own for sentence in SENTENCE.findall(text) if ABOUT_ME.search(sentence)]


def word_for_word(history: History) -> Part:
    """How many facts stand word for word in a turn of the user, and how many there are."""
    own = [f" {normalised(turn.text)} " for turn in history.turns if turn.speaker == history.user]
    stand = [any(f" {normalised(item.statement)} " in text for text in own) for item in history.items]
    return float(sum(stand)), float(len(stand))


def overlap(ours: Sequence[str], theirs: Sequence[str]) -> Part:
    """F1 of two lists of statements by content words, as twice the pairs and the size of both lists.

    Statements pair one to one, the most alike first, from half of their joint content words in common on.
    """
    mine, yours = [stems(text) for text in ours], [stems(text) for text in theirs]
    both = ((i, j) for i, one in enumerate(mine) for j, other in enumerate(yours) if not one.isdisjoint(other))
    alike = sorted((-found, i, j) for i, j in both if (found := likeness(mine[i], yours[j])) >= ALIKE)
    left: set[int] = set()
    right: set[int] = set()
    for _, i, j in alike:
        if i not in left and j not in right:
            left.add(i)
            right.add(j)
    return 2.0 * len(left), float(len(mine) + len(yours))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Words in common, as a share of all words of both."""
    return len(one & other) / len(one | other) if one or other else 0.0
