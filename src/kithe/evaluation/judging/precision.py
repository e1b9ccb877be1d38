"""Judged precision: micro and per user, with what was not scored kept apart (paper A; spec 2.9)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.judging.verdicts import Duplicate, Scored, Unscored, Verdict
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES, Ratio, by_user, intervals

FIGURES = (
    "precision",
    "precision_per_user",
    "precision_worst",
    "precision_best",
    "precision_strict",
    "relevance",
    "sensibility",
    "unscored_rate",
)


def judged_precision(verdicts: Sequence[Verdict], resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Metric]:
    """Every share that is defined, with its interval over users.

    `precision`: correct among the scored items of all users; `precision_per_user`: the mean of users' own shares;
    `precision_worst` and `precision_best`: if everything unscored were wrong, or right; `precision_strict`: repeated items count
    as wrong (they count once otherwise); `relevance`, `sensibility`: each criterion alone; `unscored_rate`: of the items asked.

    Args:
        verdicts: of all users' items, in any order.
        resamples: of the bootstrap over users.
        seed: of the bootstrap.
    """
    ratios = {name: ratio for name, ratio in shares(verdicts).items() if ratio.denominator.sum() > 0}
    bounds = intervals(list(ratios.values()), resamples, seed) if ratios else []
    return {
        name: Metric(value=ratio.value, low=low, high=high, n=int(ratio.denominator.sum()))
        for (name, ratio), (low, high) in zip(ratios.items(), bounds, strict=True)
    }


def shares(verdicts: Sequence[Verdict]) -> dict[str, Ratio]:
    """The figures as ratios of sums over users, ready to be compared with another system's."""
    if not verdicts:
        return {}
    ids = tuple(dict.fromkeys(verdict.user for verdict in verdicts))
    counts = by_user([verdict.user for verdict in verdicts], np.array([_row(verdict) for verdict in verdicts], dtype=np.float64))
    correct, relevant, sensible, scored, unscored, repeated = counts.T
    pairs: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...] = (
        (correct, scored),
        (correct / np.maximum(scored, 1), np.minimum(scored, 1)),
        (correct, scored + unscored),
        (correct + unscored, scored + unscored),
        (correct, scored + repeated),
        (relevant, scored),
        (sensible, scored),
        (unscored, scored + unscored),
    )
    return {name: Ratio(ids, above, below) for name, (above, below) in zip(FIGURES, pairs, strict=True)}


def reasons(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Why items were not scored, and how many for each reason."""
    found = [verdict.reason for verdict in verdicts if isinstance(verdict, Unscored)]
    return {reason: found.count(reason) for reason in sorted(set(found))}


def _row(verdict: Verdict) -> tuple[bool, bool, bool, bool, bool, bool]:
    """Correct, relevant, sensible, scored, unscored, repeated."""
    if isinstance(verdict, Scored):
        return verdict.correct, verdict.relevance, verdict.sensibility, True, False, False
    return False, False, False, False, isinstance(verdict, Unscored), isinstance(verdict, Duplicate)
