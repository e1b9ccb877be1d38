"""Do dialogues show the person they were written for? Ranks by embeddings; all vectors unit length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kithe.quality.figures import Figure, mean, share
from kithe.quality.texts import Passage
from kithe.records.history import History

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Retrieval:
    """How often the right candidate is first, and the mean reciprocal rank, beside what chance gives."""

    top1: Figure
    mrr: Figure
    candidates: int

    @property
    def chance(self) -> float:
        """Top-1 of a random order."""
        return 1 / self.candidates if self.candidates else 0.0

    @property
    def chance_mrr(self) -> float:
        """The mean reciprocal rank of a random order: the harmonic number of the candidates over their number."""
        return sum(1 / rank for rank in range(1, self.candidates + 1)) / self.candidates if self.candidates else 0.0


def retrieval(similar: NDArray[np.floating], right: Sequence[int]) -> Retrieval:
    """Ranks from similarities [queries, candidates]; `right` names each query's candidate. A tie counts half a place."""
    own = similar[np.arange(len(right)), list(right)][:, None] if len(right) else np.empty((0, 1))
    ranks = 1 + (similar > own).sum(axis=1) + ((similar == own).sum(axis=1) - 1) / 2
    return Retrieval(share(int((ranks == 1).sum()), len(ranks)), mean(list(1 / ranks)), similar.shape[1])


def persona_retrieval(texts: Sequence[Passage], vectors: Vectors, people: Sequence[History], facts: Vectors) -> Retrieval:
    """Rank the personas of all histories given one history's text.

    A query is the mean of a history's passages, a candidate the mean of a history's items, whose statements are embedded in the
    order of `people`. Histories without items or passages take no part.
    """
    held = _means([passage.history for passage in texts], vectors)
    owners = [history.id for history in people for _ in history.items]
    candidates = _means(owners, facts)
    shared = sorted(held.keys() & candidates.keys())
    if not shared:
        return Retrieval(Figure(0.0), Figure(0.0), 0)
    similar = np.stack([held[name] for name in shared]) @ np.stack([candidates[name] for name in shared]).T
    return retrieval(similar, range(len(shared)))


def _means(owners: Sequence[str], vectors: Vectors) -> dict[str, Vectors]:
    rows: dict[str, list[int]] = {}
    for row, owner in enumerate(owners):
        rows.setdefault(owner, []).append(row)
    return {owner: _unit(vectors[own].mean(axis=0)) for owner, own in rows.items()}


def _unit(vector: Vectors) -> Vectors:
    length = float(np.linalg.norm(vector))
    scaled: Vectors = vector / length if length else vector
    return scaled


@dataclass(frozen=True)
class Recovery:
    """How often the path nearest to a dialogue is one its persona was seeded with, beside what chance gives."""

    hit: Figure
    chance: float


def seed_recovery(texts: Sequence[Passage], vectors: Vectors, paths: Vectors, seeds: Mapping[str, frozenset[int]]) -> Recovery:
    """Look for seeds among all paths; a dialogue is as near to a path as the nearest of its passages.

    Args:
        texts: passages.
        vectors: theirs.
        paths: of every path that anybody was seeded with.
        seeds: history -> its paths; histories without any take no part.
    """
    rows: dict[str, list[int]] = {}
    for row, passage in enumerate(texts):
        if seeds.get(passage.history):
            rows.setdefault(passage.history, []).append(row)
    best = {name: int((vectors[own] @ paths.T).max(axis=0).argmax()) for name, own in rows.items()}
    hits = sum(place in seeds[name] for name, place in best.items())
    chance = sum(len(seeds[name]) for name in best) / (len(paths) * len(best)) if best else 0.0
    return Recovery(share(hits, len(best)), chance)
