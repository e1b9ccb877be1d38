"""Cells of a grid against each other: a bootstrap over users and over seeds, Holm over all pairs (spec 7.3).

A cell is one ratio per training seed, all over the same users. Users and seeds cross: every seed was asked about every user, so
both are drawn, and a cell's figure is that of the drawn users in the drawn seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES, Difference, Ratio, compare, divide, holm, percentiles, totals

Cell: TypeAlias = Sequence[Ratio]


@dataclass(frozen=True)
class Pair:
    """Two cells by name, the first minus the second, and its p value adjusted over all pairs."""

    first: str
    second: str
    difference: Difference
    p_holm: float


def pooled(cell: Cell) -> Ratio:
    """The cell as one ratio: the sums of all its seeds.

    Raises:
        ValueError: if the seeds were not asked about the same users in the same order, or there is none.
    """
    if not cell or any(ratio.ids != cell[0].ids for ratio in cell):
        raise ValueError("a cell needs at least one seed, and all its seeds the same users in the same order")
    numerator, denominator = (np.sum([getattr(ratio, side) for ratio in cell], axis=0) for side in ("numerator", "denominator"))
    return Ratio(cell[0].ids, numerator, denominator)


def seeded(cell: Cell, resamples: int = RESAMPLES, seed: int = 0) -> Metric:
    """The cell's figure with its interval over users and seeds.

    Raises:
        ValueError: if the seeds' users differ, or there is nothing below the line.
    """
    whole = pooled(cell)
    low, high = percentiles(drawn(cell, resamples, seed))
    return Metric(value=whole.value, low=low, high=high, n=int(cell[0].denominator.sum()))


def compare_seeded(first: Cell, second: Cell, resamples: int = RESAMPLES, seed: int = 0) -> Difference:
    """The paired difference of two cells on the same users.

    The interval draws users for both cells together and each cell's seeds apart. The p value is that of the permutation within
    users of the summed seeds: it is about these trained models, and with few seeds says nothing of others.

    Raises:
        ValueError: if the two are not about the same users in the same order.
    """
    return _difference(pooled(first), pooled(second), drawn(first, resamples, seed), drawn(second, resamples, seed, 1), seed)


def every_pair(cells: Mapping[str, Cell], resamples: int = RESAMPLES, seed: int = 0) -> list[Pair]:
    """Every two cells of a grid, in the order given, with p values adjusted by Holm's method over all of them.

    Raises:
        ValueError: if two are not about the same users in the same order.
    """
    figures = {name: (pooled(cell), drawn(cell, resamples, seed, place)) for place, (name, cell) in enumerate(cells.items())}
    found = [
        (one, other, _difference(figures[one][0], figures[other][0], figures[one][1], figures[other][1], seed))
        for one, other in combinations(figures, 2)
    ]
    adjusted = holm([difference.p for _, _, difference in found])
    return [Pair(one, other, difference, p) for (one, other, difference), p in zip(found, adjusted, strict=True)]


def drawn(cell: Cell, resamples: int, seed: int, place: int = 0) -> NDArray[np.float64]:
    """The cell's figure [resamples] in users drawn with replacement (the same for equal `seed`) and seeds drawn likewise.

    Of k seeds k - 1 are drawn: that gives their mean the variance s^2 / k with s^2 the unbiased variance of the seeds, where
    drawing k would give (k - 1) / k of it (Rao and Wu, 1988). With two or three seeds the interval is still too short, as any is
    that does not know the spread of seeds beforehand. One seed is taken as it is.
    """
    sums = np.hstack([np.stack([ratio.numerator, ratio.denominator], axis=1) for ratio in cell])
    each = totals(sums.astype(np.float64), resamples, seed).reshape(resamples, len(cell), 2)
    taken = max(1, len(cell) - 1)
    weights = np.random.default_rng((seed, 2, place)).multinomial(taken, np.full(len(cell), 1 / len(cell)), size=resamples)
    summed = (each * weights[:, :, None]).sum(axis=1)
    return divide(summed[:, 0], summed[:, 1])


def _difference(first: Ratio, second: Ratio, ours: NDArray[np.float64], theirs: NDArray[np.float64], seed: int) -> Difference:
    tested = compare(first, second, len(ours), seed)
    low, high = percentiles(ours - theirs)
    return Difference(tested.value, low, high, tested.p)
