"""Estimates with intervals, and their mean over seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import mean, stdev
from typing import Any, Final

# Of tasks that name items, and of those that rewrite: metrics whose n is the number of test users.
OF_USERS: Final = ("items_per_history", "personalisation")


@dataclass(frozen=True)
class Estimate:
    """A metric with its 95 % interval; `n` is what it is a share of (for a mean per user: users)."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


def read_estimate(metric: Mapping[str, Any]) -> Estimate | None:
    """The estimate in `{value, low, high, n}`; None where the value is undefined (a precision without predictions)."""
    if metric.get("value") is None:
        return None
    return Estimate(metric["value"], metric.get("low"), metric.get("high"), metric.get("n"))


def mean_over_seeds(estimates: Sequence[Estimate], least: float = 0.0, most: float = 1.0) -> Estimate:
    """The mean of one metric over cells that differ in the seed only, with a 95 % interval for the mean of all seeds.

    Two things are uncertain: which users were asked (each seed's own interval) and which seeds were drawn (their spread s over k
    seeds). The seeds share their users, so errors of the first kind do not average out and the mean of the half-widths bounds
    them from above; the second has the half-width t(.975, k-1) s / sqrt(k). The two are independent: half-widths add in squares,
    below and above the mean apart, and the ends are cut at `least` and `most`. With two seeds t is 12.7: such an interval is
    wide, since so little is known. Without an interval of each seed there is none of the mean.

    Args:
        estimates: one per seed, at least one.
        least, most: the lowest and the highest value there can be.
    """
    if len(estimates) == 1:
        return estimates[0]
    values = [estimate.value for estimate in estimates]
    middle, seeds = mean(values), t_quantile(len(values) - 1) * stdev(values) / sqrt(len(values))
    below = [e.value - e.low for e in estimates if e.low is not None]
    above = [e.high - e.value for e in estimates if e.high is not None]
    known = len(below) == len(above) == len(values)
    low = max(least, middle - hypot(mean(below), seeds)) if known else None
    high = min(most, middle + hypot(mean(above), seeds)) if known else None
    return Estimate(middle, low, high, min((e.n for e in estimates if e.n is not None), default=None))


def t_quantile(freedom: int) -> float:
    """The 97.5 % point of Student's t with so many degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
