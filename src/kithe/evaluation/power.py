"""How small a difference a test set can show: power of the paired comparison of two systems over users (spec 7.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

import numpy as np

from kithe.evaluation.statistics import Ratio

USERS: Final = (25, 50, 100, 150, 200, 400, 800)


@dataclass(frozen=True)
class Detectable:
    """With so many users, the difference found with the asked power, and how likely the observed one would be found."""

    users: int
    difference: float
    power_of_observed: float


def spread(first: Ratio, second: Ratio) -> float:
    """The standard deviation over users of what each adds to the difference of two ratios of sums.

    Linearised (delta method): user u adds (n_u - r d_u) / mean(d) for each ratio r = sum n / sum d, paired.

    Raises:
        ValueError: if the two are not about the same users, or there are fewer than two.
    """
    if first.ids != second.ids or len(first.ids) < 2:
        raise ValueError("the spread of a difference needs the same users in both systems, two or more")
    ours, theirs = ((r.numerator - r.value * r.denominator) / r.denominator.mean() for r in (first, second))
    return float(np.std(ours - theirs, ddof=1))


def power(difference: float, deviation: float, users: int, alpha: float = 0.05) -> float:
    """The chance to find a true difference with a two-sided test at level alpha, by the normal approximation."""
    if deviation == 0:
        return 1.0 if difference else alpha
    shift, bound = abs(difference) * sqrt(users) / deviation, _quantile(1 - alpha / 2)
    return _normal(shift - bound) + _normal(-shift - bound)


def detectable(deviation: float, users: int, chance: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest difference that is found with this chance: (z_{1 - alpha / 2} + z_chance) x deviation / sqrt(users)."""
    return (_quantile(1 - alpha / 2) + _quantile(chance)) * deviation / sqrt(users)


def needed(difference: float, deviation: float, chance: float = 0.8, alpha: float = 0.05) -> int:
    """How many users it takes to find a difference with this chance.

    Raises:
        ValueError: if there is no difference to find.
    """
    if difference == 0:
        raise ValueError("no number of users finds a difference of 0")
    return ceil(((_quantile(1 - alpha / 2) + _quantile(chance)) * deviation / difference) ** 2)


def power_table(
    first: Ratio, second: Ratio, users: Iterable[int] = USERS, chance: float = 0.8, comparisons: int = 1
) -> list[Detectable]:
    """What larger or smaller test sets of the same kind could show, at level 0.05 over a family of so many comparisons."""
    deviation, observed, alpha = spread(first, second), first.value - second.value, 0.05 / comparisons
    return [Detectable(n, detectable(deviation, n, chance, alpha), power(observed, deviation, n, alpha)) for n in users]


def _quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def _normal(value: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(value))
