"""What a model's confidences are worth: precision and recall by threshold, and how far they are from accuracy (ECE; spec 2.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.outcomes import Outcome
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES, by_user, divide, percentiles, totals

THRESHOLDS: Final = tuple(round(step / 20, 2) for step in range(20))
BINS: Final = 5
LEVEL: Final = 0.05
DRAWS: Final = 500
CHUNK: Final = 50


@dataclass(frozen=True)
class Point:
    """Precision and recall of the items at least this confident; without any, precision is undefined (None)."""

    threshold: float
    precision: Metric | None
    recall: Metric


@dataclass(frozen=True)
class Bin:
    """The items with a confidence in (low, high] (the first from 0): how many, how sure on average, how often right."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: Metric


@dataclass(frozen=True)
class Reliability:
    """The expected calibration error, and the bins it is made of (those that hold an item).

    `by_chance` is what it would be on average if every confidence were right, since chance alone keeps bins off their mark; `p`
    is how often it would be as large as it is.
    """

    ece: Metric
    by_chance: float
    p: float
    bins: tuple[Bin, ...]


def curve(
    outcomes: Sequence[Outcome],
    gold: Mapping[str, int],
    thresholds: Sequence[float] = THRESHOLDS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Point]:
    """Precision and recall as only the more confident items are kept, with intervals over users.

    Args:
        outcomes: inferred items with a confidence; a right one finds one gold fact.
        gold: user -> number of gold facts, of all users, also those nothing was inferred about.
        thresholds: kept are items with a confidence of at least this.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: if an item has no confidence, a user no count of gold facts, or there is no gold fact.
    """
    confidence, hit, users = _columns(outcomes)
    if missing := set(users) - gold.keys():
        raise ValueError(f"no number of gold facts for {len(missing)} users, such as {min(missing)}")
    kept = confidence[:, None] >= np.array(thresholds)[None, :]
    items = np.hstack([kept & hit[:, None], kept]).astype(np.float64)
    rows = np.vstack([items, np.zeros((len(gold), items.shape[1]))])
    facts = np.array([0.0] * len(users) + [float(count) for count in gold.values()])
    sums = by_user([*users, *gold], np.hstack([rows, facts[:, None]]))
    return [*_points(thresholds, sums.sum(axis=0), totals(sums, resamples, seed))]


def average_precision(outcomes: Sequence[Outcome], gold: int) -> float:
    """The area under the precision-recall curve in steps: the sum of precision times the recall each threshold adds.

    Raises:
        ValueError: if an item has no confidence or there is no gold fact.
    """
    if gold < 1:
        raise ValueError("recall of no gold fact is undefined")
    confidence, hit, _ = _columns(outcomes)
    order = np.argsort(-confidence, kind="stable")
    levels, hits = confidence[order], np.cumsum(hit[order])
    last = np.flatnonzero(np.append(levels[1:] != levels[:-1], True)) if len(levels) else np.array([], dtype=int)
    steps = np.diff(hits[last], prepend=0)
    return float((hits[last] / (last + 1) * steps).sum() / gold)


def reliability(outcomes: Sequence[Outcome], bins: int = BINS, resamples: int = RESAMPLES, seed: int = 0) -> Reliability:
    """The expected calibration error: the mean distance of confidence and accuracy over bins of equal width, by their items.

    Its interval is the basic one (2 x value minus the percentiles): chance can only push a distance up, so every resample is
    higher than what it was drawn from, and plain percentiles would be too high. It begins at 0 where right confidences would show
    as much in more than one of twenty cases. In simulations it holds the truth in about nine of ten.

    Raises:
        ValueError: if an item has no confidence, or there is none.
    """
    confidence, hit, users = _columns(outcomes)
    if not len(users):
        raise ValueError("without items there is no calibration error")
    number = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    rows = np.zeros((len(users), 3, bins))
    rows[np.arange(len(users)), :, number] = np.stack([np.ones(len(users)), confidence, hit], axis=1)
    sums = by_user(users, rows.reshape(len(users), -1))
    whole = sums.sum(axis=0).reshape(1, 3, bins)
    draws = totals(sums, resamples, seed).reshape(-1, 3, bins)
    value, (low, high) = float(_ece(whole)[0]), percentiles(_ece(draws))
    chance = _by_chance(confidence, number, bins, seed)
    p = float(((chance >= value - 1e-12).sum() + 1) / (len(chance) + 1))
    bottom = max(0.0, 2 * value - high) if p <= LEVEL else 0.0
    ece = Metric(value=value, low=min(bottom, value), high=min(1.0, max(value, 2 * value - low)), n=len(users))
    return Reliability(
        ece, float(chance.mean()), p, tuple(_bin(index, bins, whole[0], draws) for index in range(bins) if whole[0, 0, index])
    )


def _points(thresholds: Sequence[float], sums: NDArray[np.float64], draws: NDArray[np.float64]) -> list[Point]:
    if not sums[-1] > 0:
        raise ValueError("recall of no gold fact is undefined")
    n, found = len(thresholds), []
    for index, threshold in enumerate(thresholds):
        metrics = [
            Metric(value=float(sums[index] / sums[below]), low=low, high=high, n=int(sums[below])) if sums[below] > 0 else None
            for below in (n + index, -1)
            for low, high in [percentiles(divide(draws[:, index], draws[:, below])) if sums[below] > 0 else (0.0, 0.0)]
        ]
        precision, recall = metrics
        found.append(Point(threshold, precision, recall))  # type: ignore[arg-type]
    return found


def _ece(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """ECE [...] of counts, summed confidences and hits [..., 3, bins]."""
    gaps = np.abs(sums[:, 1] - sums[:, 2]).sum(axis=-1)
    return divide(gaps, sums[:, 0].sum(axis=-1))


def _by_chance(confidence: NDArray[np.float64], number: NDArray[np.int_], bins: int, seed: int) -> NDArray[np.float64]:
    """ECE [draws] of items that are right exactly as often as their confidence says (Broecker and Smith, 2007)."""
    random, member = np.random.default_rng((seed, 1)), np.eye(bins)[number]
    chunks = ((random.random((CHUNK, len(confidence))) < confidence).astype(np.float64) for _ in range(DRAWS // CHUNK))
    hits = np.concatenate([chunk @ member for chunk in chunks])
    return np.asarray(np.abs(hits - confidence @ member).sum(axis=1) / len(confidence))


def _bin(index: int, bins: int, sums: NDArray[np.float64], draws: NDArray[np.float64]) -> Bin:
    count, confidence, hits = sums[:, index]
    low, high = percentiles(divide(draws[:, 2, index], draws[:, 0, index]))
    accuracy = Metric(value=float(hits / count), low=low, high=high, n=int(count))
    return Bin(index / bins, (index + 1) / bins, int(count), float(confidence / count), accuracy)


def _columns(outcomes: Sequence[Outcome]) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str]]:
    sure = [each.confidence for each in outcomes if each.confidence is not None]
    if len(sure) < len(outcomes):
        raise ValueError(f"{len(outcomes) - len(sure)} of {len(outcomes)} items have no confidence")
    return (
        np.array(sure, dtype=np.float64),
        np.array([each.hit for each in outcomes], dtype=bool),
        [each.user for each in outcomes],
    )
