"""Uncertainty of ratios of sums over users (spec 7.3): cluster bootstrap, paired comparison, Holm, McNemar, Wilson.

A ratio of sums is a share such as precision = sum of hits / sum of inferred items; a user's rows belong together, so users are
what is resampled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
CHUNK = 500
KEPT = 2_000_000  # numbers; 16 MB
LEVEL = 0.95
Z = 1.959964  # of the normal distribution at 97.5 %


@dataclass(frozen=True)
class Ratio:
    """A ratio of sums over users.

    Attributes:
        ids: the users, each once.
        numerator: what each adds above the line [users].
        denominator: what each adds below it [users].
    """

    ids: tuple[str, ...]
    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the lengths.

        Raises:
            ValueError: if they differ or a user stands there twice.
        """
        if not len(set(self.ids)) == len(self.ids) == len(self.numerator) == len(self.denominator):
            raise ValueError("a ratio needs one numerator and one denominator per user, and every user once")

    @property
    def value(self) -> float:
        """The ratio.

        Raises:
            ValueError: if there is nothing below the line.
        """
        if not self.denominator.sum() > 0:
            raise ValueError("a ratio with nothing below the line has no value")
        return float(self.numerator.sum() / self.denominator.sum())


@dataclass(frozen=True)
class Difference:
    """The first system minus the second, with its interval and the two-sided p value of the permutation test."""

    value: float
    low: float
    high: float
    p: float


def interval(ratio: Ratio, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of a ratio by cluster bootstrap; resamples with an empty denominator are left out.

    Raises:
        ValueError: if there is nothing below the line.
    """
    return percentiles(_resampled(_sums(ratio), resamples, seed)[:, 0])


def intervals(ratios: Sequence[Ratio], resamples: int = RESAMPLES, seed: int = 0) -> list[tuple[float, float]]:
    """As `interval`, for several ratios over the same users with the same resamples, at the cost of little more than one.

    Raises:
        ValueError: if their users differ.
    """
    _aligned(*ratios)
    return [percentiles(column) for column in _resampled(np.hstack([_sums(r) for r in ratios]), resamples, seed).T]


def compare(first: Ratio, second: Ratio, resamples: int = RESAMPLES, seed: int = 0) -> Difference:
    """The paired difference of two systems on the same users.

    The interval resamples users, each with both systems' rows; the test exchanges the two systems' rows of a user at random, for
    every user anew. Its p value counts the observed labelling too, so it is never 0.

    Raises:
        ValueError: if the two are not about the same users in the same order.
    """
    _aligned(first, second)
    sums = np.hstack([_sums(first), _sums(second)])
    drawn = _resampled(sums, resamples, seed)
    low, high = percentiles(drawn[:, 0] - drawn[:, 1])
    return Difference(first.value - second.value, low, high, _permutations(sums[:, None], resamples, seed)[0])


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment of a family of p values, in the given order."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p value of paired yes-no outcomes, from how often only the one or only the other was right."""
    from scipy.stats import binomtest

    return float(binomtest(only_first, only_first + only_second).pvalue) if only_first + only_second else 1.0


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share of n > 0 independent trials."""
    share, correction = successes / n, Z**2 / n
    middle = (share + correction / 2) / (1 + correction)
    half = Z * sqrt(share * (1 - share) / n + correction / (4 * n)) / (1 + correction)
    return (max(0.0, middle - half) if successes else 0.0), (min(1.0, middle + half) if successes < n else 1.0)


def totals(sums: NDArray[np.float64], resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.float64]:
    """What users drawn with replacement add up to [resamples, columns]; `sums` is what each user adds [users, columns].

    Any statistic of sums (a rate, kappa, a calibration error) has its cluster bootstrap as that statistic of these totals.
    """
    users = len(sums)
    draws = _kept(users, resamples, seed) if users * resamples <= KEPT else _draws(users, resamples, seed)
    return np.concatenate([chunk @ sums for chunk in draws])


def percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """The ends of the middle 95 % of the defined values.

    Raises:
        ValueError: if none is defined.
    """
    defined = values[~np.isnan(values)]
    if not len(defined):
        raise ValueError("a ratio with nothing below the line has no interval")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def divide(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ratios, NaN where there is nothing below the line."""
    ratios = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    np.divide(above, below, out=ratios, where=below > 0)
    return ratios


def by_user(users: Sequence[str], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sums of each user's rows [users, columns], users in order of first appearance; `values` is [rows, columns]."""
    place = {user: index for index, user in enumerate(dict.fromkeys(users))}
    sums = np.zeros((len(place), values.shape[1]))
    np.add.at(sums, [place[user] for user in users], values)
    return sums


def _sums(ratio: Ratio) -> NDArray[np.float64]:
    """[users, 2]: numerators, denominators."""
    return np.stack([ratio.numerator, ratio.denominator], axis=1).astype(np.float64)


def _resampled(sums: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Ratios [resamples, ratios] of users drawn with replacement, NaN where undefined; `sums` is [users, 2 ratios]."""
    drawn = totals(sums, resamples, seed)
    return divide(drawn[:, 0::2], drawn[:, 1::2])


def permutations(pairs: Sequence[tuple[Ratio, Ratio]], resamples: int = RESAMPLES, seed: int = 0) -> list[float]:
    """The two-sided p values of `compare` for several pairs over the same users, at the cost of little more than one.

    Raises:
        ValueError: if their users differ.
    """
    _aligned(*(ratio for pair in pairs for ratio in pair))
    return _permutations(np.stack([np.hstack([_sums(one), _sums(other)]) for one, other in pairs], axis=1), resamples, seed)


def _permutations(sums: NDArray[np.float64], resamples: int, seed: int) -> list[float]:
    """The two-sided p values; `sums` is [users, pairs, 4]."""
    random = np.random.default_rng((seed, 1))
    users, pairs, _ = sums.shape
    first, second = sums[..., :2], sums[..., 2:]
    middle, half = (first + second).sum(axis=0) / 2, ((first - second) / 2).reshape(users, -1)
    whole = sums.sum(axis=0)
    observed = np.abs(whole[:, 0] / whole[:, 1] - whole[:, 2] / whole[:, 3])
    extreme, defined = np.zeros(pairs, dtype=int), np.zeros(pairs, dtype=int)
    for size in _chunks(resamples):
        shift = (random.choice((-1.0, 1.0), size=(size, users)) @ half).reshape(size, pairs, 2)
        above, below = middle + shift, middle - shift
        differences = divide(above[..., 0], above[..., 1]) - divide(below[..., 0], below[..., 1])
        extreme += (np.abs(differences) >= observed - 1e-12).sum(axis=0)
        defined += (~np.isnan(differences)).sum(axis=0)
    return [float((more + 1) / (all_ + 1)) for more, all_ in zip(extreme, defined, strict=True)]


@lru_cache(maxsize=4)
def _kept(users: int, resamples: int, seed: int) -> tuple[NDArray[np.float64], ...]:
    """The draws of a moderate bootstrap, which a report asks for again and again."""
    return tuple(_draws(users, resamples, seed))


def _draws(users: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often every user was drawn [resamples in chunks, users]."""
    random = np.random.default_rng(seed)
    for size in _chunks(resamples):
        yield random.multinomial(users, np.full(users, 1 / users), size=size).astype(np.float64)


def _aligned(*ratios: Ratio) -> None:
    if any(ratio.ids != ratios[0].ids for ratio in ratios):
        raise ValueError("only ratios over the same users in the same order can be compared")


def _chunks(total: int) -> Iterator[int]:
    yield from (min(CHUNK, total - start) for start in range(0, total, CHUNK))
