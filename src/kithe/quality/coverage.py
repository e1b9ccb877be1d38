"""Which interest categories a corpus touches: each item goes to its nearest taxonomy path."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kithe.personas.taxonomy import Taxonomy
from kithe.quality.figures import DRAWS, Figure, over_draws

# An item whose nearest path is farther than this is about no interest (the bar that personas use for a value and its path).
NEAR = 0.35

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Topics:
    """A taxonomy as coverage sees it: the names from the top category down to each leaf, without the root."""

    paths: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, tree: Taxonomy) -> Self:
        """The leaves' paths of the interest taxonomy."""
        return cls(tuple(tree.path(leaf.id)[1:] for leaf in tree.leaves))

    def nodes(self, depth: int) -> list[tuple[str, ...]]:
        """The nodes at a depth (1: top categories), each by its path from the top."""
        return sorted({path[:depth] for path in self.paths if len(path) >= depth})

    def texts(self) -> list[str]:
        """What is embedded for each path: its last two names, which say what it is about."""
        return list(map(spoken, self.paths))


def spoken(path: Sequence[str]) -> str:
    """A path as words: its own name and the one above."""
    return " ".join(reversed(path[-2:]))


def nearest(items: Vectors, paths: Vectors, near: float = NEAR) -> NDArray[np.int64]:
    """For each item the index of its nearest path, -1 where none is near; unit vectors [items, d], [paths, d]."""
    if not len(items):
        return np.empty(0, dtype=np.int64)
    similar = items @ paths.T
    best = similar.argmax(axis=1)
    return np.where(similar[np.arange(len(items)), best] >= near, best, -1).astype(np.int64)


def counts(topics: Topics, mapped: Sequence[int] | NDArray[np.int64], depth: int) -> dict[tuple[str, ...], int]:
    """Items at every node of a depth, 0 among them."""
    hits = Counter(topics.paths[path][:depth] for path in mapped if path >= 0 and len(topics.paths[path]) >= depth)
    return {node: hits[node] for node in topics.nodes(depth)}


def covered(topics: Topics, mapped: NDArray[np.int64], depth: int, least: int, budget: int, seed: int = 0) -> Figure:
    """The share of nodes at a depth that get at least `least` of `budget` randomly drawn items; n items drawn."""
    size = min(budget, len(mapped))

    def once(rng: np.random.Generator) -> float:
        found = counts(topics, rng.choice(mapped, size=size, replace=False), depth)
        return sum(count >= least for count in found.values()) / len(found)

    return over_draws(once, size, seed, 1 if size == len(mapped) else DRAWS) if size else Figure(0.0)


def evenness(hits: Sequence[int]) -> float:
    """The entropy of the items over the nodes, as a share of the highest possible; 0 where everything lies in one node."""
    total = sum(hits)
    parts = [count / total for count in hits if count] if total else []
    return -sum(part * log(part) for part in parts) / log(len(hits)) if len(hits) > 1 and parts else 0.0


def gini(hits: Sequence[int]) -> float:
    """The Gini coefficient of the nodes' items: 0 for equal shares, near 1 where one node has all."""
    ordered, total = sorted(hits), sum(hits)
    if not total:
        return 0.0
    ranks = sum((2 * rank - len(ordered) - 1) * count for rank, count in enumerate(ordered, start=1))
    return ranks / (len(ordered) * total)
