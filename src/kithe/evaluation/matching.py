"""Which inferred items are which gold items: one-to-one, by meaning, never across a guard."""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.guards import conflicts
from kithe.records.history import KnowledgeItem

BLOCKED = -1.0


class Encoder(Protocol):
    """Whatever turns texts into unit vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [len(texts), dimensions]."""


@cache
def default_encoder() -> Encoder:
    """The sentence encoder of this process, which remembers what it has encoded."""
    from kithe.llm.embed import Embedder

    return Embedder()


def match(
    gold: Sequence[KnowledgeItem], predicted: Sequence[KnowledgeItem], encoder: Encoder, threshold: float
) -> list[tuple[int, int, float]]:
    """Pairs (index into gold, index into predicted, cosine) of items that state the same fact, each item in one pair at most.

    A pair is admissible when its cosine reaches the threshold and no guard forbids it. Among the ways to pair items one with the
    most admissible pairs is taken, and among those one with the largest sum of cosines.
    """
    return assign(similarity(gold, predicted, encoder, threshold), threshold)


def similarity(
    gold: Sequence[KnowledgeItem], predicted: Sequence[KnowledgeItem], encoder: Encoder, threshold: float
) -> NDArray[np.float64]:
    """Cosines of statements [len(gold), len(predicted)]; -1 where a guard forbids a pair that would reach the threshold."""
    ours, theirs = [as_statement(item) for item in gold], [as_statement(item) for item in predicted]
    if not ours or not theirs:
        return np.empty((len(ours), len(theirs)))
    cosines = encoder.encode(ours).astype(np.float64) @ encoder.encode(theirs).astype(np.float64).T
    for i, j in np.argwhere(cosines >= threshold):
        if conflicts(ours[i], theirs[j]):
            cosines[i, j] = BLOCKED
    return cosines


def assign(similarities: NDArray[np.float64], threshold: float) -> list[tuple[int, int, float]]:
    """The one-to-one pairs (row, column, similarity) at or above the threshold: as many as possible, then as similar as possible.

    Args:
        similarities: at most 1; [rows, columns].
        threshold: above 0.
    """
    from scipy.optimize import linear_sum_assignment

    admissible = similarities >= threshold
    one_more_pair = min(similarities.shape) + 1.0  # outweighs any sum of similarities
    rows, columns = linear_sum_assignment(np.where(admissible, one_more_pair + similarities, 0.0), maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(i, j, float(similarities[i, j])) for i, j in pairs if admissible[i, j]]


def as_statement(item: KnowledgeItem) -> str:
    """The item's statement with single spaces and a full stop, so that neither counts as a difference."""
    text = " ".join(item.statement.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
