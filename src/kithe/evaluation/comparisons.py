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
from kithe.evaluation.statistics import RESAMPLES, Difference, Ratio, compare, divide, holm, percentiles, permutations, totals

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
    if len(cells) < 2:
        return []
    whole = {name: pooled(cell) for name, cell in cells.items()}
    chosen = list(combinations(whole, 2))
    tested = permutations([(whole[one], whole[other]) for one, other in chosen], resamples, seed)
    draws = dict(zip(cells, _all_drawn(list(cells.values()), resamples, seed), strict=True))
    found = [
        Difference(whole[one].value - whole[other].value, *percentiles(draws[one] - draws[other]), p)
        for (one, other), p in zip(chosen, tested, strict=True)
    ]
    adjusted = holm(tested)
    return [Pair(*names, difference, p) for names, difference, p in zip(chosen, found, adjusted, strict=True)]


def drawn(cell: Cell, resamples: int, seed: int, place: int = 0) -> NDArray[np.float64]:
    """The cell's figure [resamples] in users drawn with replacement (the same for equal `seed`) and seeds drawn likewise.

    Of k seeds k - 1 are drawn: that gives their mean the variance s^2 / k with s^2 the unbiased variance of the seeds, where
    drawing k would give (k - 1) / k of it (Rao and Wu, 1988). With two or three seeds the interval is still too short, as any is
    that does not know the spread of seeds beforehand. One seed is taken as it is.
    """
    return _seeds_drawn(totals(_columns(cell), resamples, seed), len(cell), seed, place)


def _all_drawn(cells: Sequence[Cell], resamples: int, seed: int) -> list[NDArray[np.float64]]:
    """`drawn` of every cell, at its place in the list, from one draw of users."""
    each = totals(np.hstack([_columns(cell) for cell in cells]), resamples, seed)
    ends = np.cumsum([2 * len(cell) for cell in cells])
    return [
        _seeds_drawn(each[:, end - 2 * len(cell) : end], len(cell), seed, place)
        for place, (cell, end) in enumerate(zip(cells, ends, strict=True))
    ]


def _columns(cell: Cell) -> NDArray[np.float64]:
    """[users, 2 x seeds]: numerator and denominator of every seed."""
    return np.hstack([np.stack([ratio.numerator, ratio.denominator], axis=1) for ratio in cell]).astype(np.float64)


def _seeds_drawn(each: NDArray[np.float64], seeds: int, seed: int, place: int) -> NDArray[np.float64]:
    resamples, taken = len(each), max(1, seeds - 1)
    weights = np.random.default_rng((seed, 2, place)).multinomial(taken, np.full(seeds, 1 / seeds), size=resamples)
    summed = (each.reshape(resamples, seeds, 2) * weights[:, :, None]).sum(axis=1)
    return divide(summed[:, 0], summed[:, 1])


def _difference(first: Ratio, second: Ratio, ours: NDArray[np.float64], theirs: NDArray[np.float64], seed: int) -> Difference:
    tested = compare(first, second, len(ours), seed)
    low, high = percentiles(ours - theirs)
    return Difference(tested.value, low, high, tested.p)
