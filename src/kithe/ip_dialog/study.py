"""What cells say beyond their figures: correlations, effects of setting a node, single attributes, pairs of attribute values."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import atanh, sqrt, tanh
from statistics import mean
from typing import Any

import numpy as np

from kithe.evaluation.statistics import Difference, Ratio, Z, compare, interval, wilson

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Correlation:
    """Pearson's r over n cells with its 95 % interval; the interval is None below four cells and for |r| = 1."""

    r: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Cell:
    """The accuracy of the items that depend on two attribute values, with its interval."""

    values: tuple[str, str]
    n: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Awareness:
    """Of the items that depend on an attribute, the share that names it, and with the right value; Wilson intervals."""

    name: str
    n: int
    named: tuple[float, float, float]
    right: tuple[float, float, float]


def pearson(first: Sequence[float], second: Sequence[float]) -> Correlation | None:
    """The correlation of two figures over cells, with Fisher's interval; None where one of them is constant.

    RVA is 0 (official) or missing (corrected) where ATF is 0, so the two are tied to one another by their definition.

    Raises:
        ValueError: the two are not equally many.
    """
    if len(first) != len(second):
        raise ValueError("a correlation needs two figures of every cell")
    centred = [[value - mean(side) for value in side] for side in (first, second)] if first else [[], []]
    scale = sqrt(sum(a * a for a in centred[0]) * sum(b * b for b in centred[1]))
    if not scale:
        return None
    r = max(-1.0, min(1.0, sum(a * b for a, b in zip(*centred, strict=True)) / scale))
    if len(first) < 4 or abs(r) > 1 - 1e-12:
        return Correlation(r, None, None, len(first))
    half = Z / sqrt(len(first) - 3)
    return Correlation(r, tanh(atanh(r) - half), tanh(atanh(r) + half), len(first))


def accuracy(rows: Rows) -> Ratio:
    """The accuracy of a cell's score rows, ready to be compared with another cell's on the same items."""
    return Ratio(
        tuple(str(row["id"]) for row in rows), np.array([row["accuracy"] for row in rows], dtype=np.float64), np.ones(len(rows))
    )


def effect(set_to: Rows, as_it_is: Rows, resamples: int = 10_000) -> Difference:
    """What setting a node changes: accuracy with it set minus accuracy as it is, paired by item.

    With the gold attributes set, everything that the answer owes to wrong attributes is made good (their total effect); with the
    gold types set, the part that goes through the types. The difference of the two is the part that goes through the values.

    Raises:
        ValueError: the rows are not about the same items.
    """
    return compare(accuracy(set_to), accuracy(as_it_is), resamples)


def awareness(rows: Rows) -> list[Awareness]:
    """How well each attribute is found, in alphabetical order."""
    found = []
    for name in sorted({name for row in rows for name in row["related"]}):
        own = [row for row in rows if name in row["related"]]
        named = sum(name in row["named"] for row in own)
        right = sum(row["named"].get(name) == row["related"][name] for row in own)
        found.append(Awareness(name, len(own), _share(named, len(own)), _share(right, len(own))))
    return found


def _share(hits: int, n: int) -> tuple[float, float, float]:
    return hits / n, *wilson(hits, n)


def cells(rows: Rows, least: int = 10, resamples: int = 2_000) -> list[Cell]:
    """Accuracy by pair of related attribute values, worst first; pairs with fewer than `least` items are left out."""
    groups: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        named = sorted(f"{name}={value}" for name, value in row["related"].items())
        for pair in combinations(named, 2):
            groups[pair].append(row)
    found = []
    for pair, own in groups.items():
        if len(own) >= least:
            ratio = accuracy(own)
            low, high = interval(ratio, resamples)
            found.append(Cell(pair, len(own), ratio.value, low, high))
    return sorted(found, key=lambda cell: (cell.accuracy, cell.values))
