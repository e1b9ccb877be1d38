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


class Auc:
    """The AUC of fixed scores for any labels and weights of their rows; the scores are sorted once."""

    def __init__(self, scores: Floats) -> None:
        self._order = np.argsort(scores, kind="stable")
        ordered = scores[self._order]
        self._ties = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))

    def __call__(self, positive: NDArray[np.bool_], weights: Floats | None = None) -> float:
        """The chance that a positive scores above a negative, ties counting half (Mann-Whitney); 0.5 where one side is empty."""
        held = (np.ones(len(self._order)) if weights is None else weights)[self._order]
        side = positive[self._order]
        ones = np.add.reduceat(held * side, self._ties)
        zeros = np.add.reduceat(held * ~side, self._ties)
        pairs = ones.sum() * zeros.sum()
        return float((ones * (np.cumsum(zeros) - zeros / 2)).sum() / pairs) if pairs else 0.5


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The AUC of scores of which `positive` says which should be high."""
    return Auc(scores)(positive)


def auc_figure(scores: Floats, positive: NDArray[np.bool_], groups: Sequence[str], seed: int = 0) -> Figure:
    """An AUC with a bootstrap interval over groups (histories), which are drawn within the positives and the negatives apart."""
    random, measured = np.random.default_rng(seed), Auc(scores)
    names, place = np.unique([f"{side}/{group}" for side, group in zip(positive, groups, strict=True)], return_inverse=True)
    ones = np.char.startswith(names, "True")
    draws = np.empty(RESAMPLES // 2)
    for draw in range(len(draws)):
        taken = np.zeros(len(names))
        for side in filter(np.any, (ones, ~ones)):
            taken[side] = random.multinomial(side.sum(), np.full(side.sum(), 1 / side.sum()))
        draws[draw] = measured(positive, taken[place])
    return Figure(measured(positive), *ends(draws), len(scores))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values that control the false discovery rate (Benjamini and Hochberg 1995), in the given order."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)[::-1]
    scaled = p[order] * len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled))
    return [float(value) for value in adjusted]
