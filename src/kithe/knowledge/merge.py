"""The same item found more than once, in several windows or in other words, becomes one item (spec 2.7)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from kithe.evaluation.guards import conflicts
from kithe.knowledge.text import normalised
from kithe.records.history import KnowledgeItem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Encoder(Protocol):
    """Whatever turns texts into unit vectors."""

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Unit vectors [len(texts), dimensions]."""


def merge(items: Sequence[KnowledgeItem], threshold: float, encoder: Encoder) -> tuple[KnowledgeItem, ...]:
    """Items without repetitions, in the order of their first appearance.

    Two items are one when their statements are the same but for case, punctuation and spacing, or when the cosine of their
    embeddings is at least `threshold` and neither their polarity nor what the guards see in the statements (sign, numbers,
    person, time, things) conflicts. An item is compared with the first of each group, so the result does not depend on what
    joined a group meanwhile. The group's most confident item speaks for it (the first of equals), with the evidence of all.
    """
    groups: list[list[KnowledgeItem]] = []
    alike = _Alike(items, threshold, encoder)
    for item in items:
        group = next((group for group in groups if alike(group[0], item)), None)
        if group is None:
            groups.append([item])
        else:
            group.append(item)
    return tuple(_union(group) for group in groups)


def conflict(first: KnowledgeItem, second: KnowledgeItem) -> bool:
    """Whether two items that sound alike say different things: another polarity, or statements that a guard keeps apart."""
    if first.polarity and second.polarity and first.polarity != second.polarity:
        return True
    return bool(conflicts(first.statement, second.statement))


class _Alike:
    """Whether two of the items are one; their statements are embedded together, and only where they differ."""

    def __init__(self, items: Sequence[KnowledgeItem], threshold: float, encoder: Encoder) -> None:
        self._threshold = threshold
        self._plain = {item.statement: normalised(item.statement) or item.statement for item in items}
        statements = sorted(self._plain) if len(set(self._plain.values())) > 1 else []
        self._vectors = dict(zip(statements, encoder.encode(statements), strict=True)) if statements else {}

    def __call__(self, first: KnowledgeItem, second: KnowledgeItem) -> bool:
        if self._plain[first.statement] == self._plain[second.statement]:
            return True
        cosine = float(self._vectors[first.statement] @ self._vectors[second.statement])
        return cosine >= self._threshold and not conflict(first, second)


def _union(group: Sequence[KnowledgeItem]) -> KnowledgeItem:
    best = max(group, key=lambda item: -1.0 if item.confidence is None else item.confidence)
    evidence = {(part.turn, part.quote): part for item in group for part in item.evidence}
    return best.model_copy(update={"evidence": tuple(evidence[key] for key in sorted(evidence))})
