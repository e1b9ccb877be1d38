"""One figure of a report: a value, its 95 % interval and what it was measured on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.statistics import Ratio, interval, wilson

Floats = NDArray[np.float64]
RESAMPLES = 1000
DRAWS = 20


@dataclass(frozen=True)
class Figure:
    """A measured value.

    Attributes:
        value: the figure.
        low, high: ends of its 95 % interval; None where one would mean nothing (a count over a whole corpus).
        n: what it was measured on: histories, turns, texts, as the metric says.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0


def share(hits: int, n: int) -> Figure:
    """A share of n independent things with its Wilson interval; of nothing, the share is 0 in [0, 1]."""
    low, high = wilson(hits, n) if n else (0.0, 1.0)
    return Figure(hits / n if n else 0.0, low, high, n)


def ratio(ids: Sequence[str], above: Sequence[float], below: Sequence[float]) -> Figure:
    """A ratio of sums over histories with the interval of a cluster bootstrap; n is the sum below the line."""
    sums = Ratio(tuple(ids), np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    if not sums.denominator.sum() > 0:
        return Figure(0.0, None, None, 0)
    low, high = interval(sums, RESAMPLES)
    return Figure(sums.value, low, high, int(sums.denominator.sum()))


def mean(values: Sequence[float], seed: int = 0) -> Figure:
    """The mean of independent values with a bootstrap interval; of none, 0 without an interval."""
    found = np.asarray(values, dtype=np.float64)
    if not len(found):
        return Figure(0.0)
    draws = np.random.default_rng(seed).choice(found, size=(RESAMPLES, len(found))).mean(axis=1)
    return Figure(float(found.mean()), *ends(draws), len(found))


def over_draws(statistic: Callable[[np.random.Generator], float], n: int, seed: int = 0, draws: int = DRAWS) -> Figure:
    """The mean of a statistic over random draws and the 2.5 % and 97.5 % points of what the draws gave.

    For statistics that depend on the size of a sample: every corpus is measured on draws of the same size n.
    """
    found = np.asarray([statistic(np.random.default_rng((seed, draw))) for draw in range(draws)])
    return Figure(float(found.mean()), *ends(found), n)


def ends(draws: Floats) -> tuple[float, float]:
    """The 2.5 % and 97.5 % points."""
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)


def minus(first: Figure, second: Figure) -> Figure:
    """The difference of two independent figures; half-widths add in squares. Without an interval of both there is none."""
    value, n = first.value - second.value, min(first.n, second.n)
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Figure(value, None, None, n)
    below = float(np.hypot(first.value - first.low, second.high - second.value))
    above = float(np.hypot(first.high - first.value, second.value - second.low))
    return Figure(value, value - below, value + above, n)


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The chance that a positive scores above a negative, ties counting half (Mann-Whitney); 0.5 where one side is empty."""
    from scipy.stats import rankdata

    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return 0.5
    return float((rankdata(scores)[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def auc_figure(scores: Floats, positive: NDArray[np.bool_], groups: Sequence[str], seed: int = 0) -> Figure:
    """An AUC with a bootstrap interval over groups (histories), which are drawn within the positives and the negatives apart."""
    random = np.random.default_rng(seed)
    rows = [_members(groups, positive == side) for side in (True, False)]
    draws = []
    for _ in range(RESAMPLES // 2):
        taken = np.concatenate([np.concatenate([side[i] for i in random.integers(len(side), size=len(side))]) for side in rows])
        draws.append(auc(scores[taken], positive[taken]))
    return Figure(auc(scores, positive), *ends(np.asarray(draws)), len(scores))


def _members(groups: Sequence[str], chosen: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """The rows of each group among the chosen ones."""
    found: dict[str, list[int]] = {}
    for row in np.flatnonzero(chosen):
        found.setdefault(groups[int(row)], []).append(int(row))
    return [np.asarray(rows) for rows in found.values()]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values that control the false discovery rate (Benjamini and Hochberg 1995), in the given order."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)[::-1]
    scaled = p[order] * len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled))
    return [float(value) for value in adjusted]
