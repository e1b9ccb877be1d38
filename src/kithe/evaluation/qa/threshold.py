"""From which cosine on two answers agree: Youden's J on labelled pairs, with its ROC (spec 2.10).

The pairs are those of `evaluation/pairs.yaml`: every other one of each kind chooses, the rest report. Guards come first, so a
pair that a guard keeps apart is below every threshold. The matcher of the gold judge has a stricter threshold: there every item
meets every other one and most are different facts; here both answer the same question.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.calibration import halves, pairs, scores
from kithe.evaluation.matching import Encoder
from kithe.evaluation.statistics import wilson

FILE = Path(__file__).with_name("threshold.json")


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % Wilson interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Chosen:
    """A threshold and what it is worth.

    Attributes:
        threshold: the cosine.
        youden_choose: sensitivity + specificity - 1 on the pairs that chose it, flattering by construction.
        youden: the same on the others.
        sensitivity: of the other pairs' same facts, the share found.
        specificity: of their different facts, the share kept apart.
        auc: area under the ROC of the other pairs.
        roc: [share of different facts taken for the same, share of same facts found, threshold] of the other pairs.
    """

    threshold: float
    youden_choose: float
    youden: float
    sensitivity: Rate
    specificity: Rate
    auc: float
    roc: list[list[float]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as in `threshold.json`."""
        return asdict(self)


def choose(encoder: Encoder) -> Chosen:
    """The threshold that half of the labelled pairs chooses, measured on the other half."""
    first, second = halves(pairs())
    threshold, best = youden([pair.same for pair in first], scores(first, encoder))
    same, cosines = np.array([pair.same for pair in second]), scores(second, encoder)
    found = cosines >= threshold
    sensitivity, specificity = _rate(found[same]), _rate(~found[~same])
    points = roc(same.tolist(), cosines)
    return Chosen(
        threshold=threshold,
        youden_choose=round(best, 4),
        youden=round(sensitivity.value + specificity.value - 1, 4),
        sensitivity=sensitivity,
        specificity=specificity,
        auc=round(area(points), 4),
        roc=[[round(float(value), 3) for value in point] for point in points[:: max(1, len(points) // 30)]],
    )


def chosen_threshold() -> float:
    """The threshold in `threshold.json`."""
    return float(json.loads(FILE.read_text(encoding="utf-8"))["threshold"])


def youden(same: Sequence[bool], cosines: NDArray[np.float64]) -> tuple[float, float]:
    """The threshold with the largest sensitivity + specificity - 1, midway between neighbouring cosines, and that value.

    Raises:
        ValueError: if all pairs are of one kind.
    """
    labels = np.array(same, dtype=bool)
    if labels.all() or not labels.any():
        raise ValueError("a threshold needs labelled pairs of both kinds, same and different")
    levels = np.unique(cosines[cosines > 0])
    candidates = np.round((levels[1:] + levels[:-1]) / 2, 3) if len(levels) > 1 else levels
    found = cosines[None, :] >= candidates[:, None]
    values = found[:, labels].mean(axis=1) - found[:, ~labels].mean(axis=1)
    best = int(values.argmax())
    return float(candidates[best]), float(values[best])


def roc(same: Sequence[bool], cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """[points, 3]: false and true positive rate at every threshold from the strictest, from (0, 0) to (1, 1)."""
    labels, levels = np.array(same, dtype=bool), np.append(np.inf, np.unique(cosines)[::-1])
    found = cosines[None, :] >= levels[:, None]
    levels[0] = max(1.0, levels[1:].max())
    return np.stack([found[:, ~labels].mean(axis=1), found[:, labels].mean(axis=1), levels], axis=1)


def area(points: NDArray[np.float64]) -> float:
    """The area under a ROC."""
    return float(np.trapezoid(points[:, 1], points[:, 0]))


def _rate(found: NDArray[np.bool_]) -> Rate:
    low, high = wilson(int(found.sum()), len(found))
    return Rate(round(float(found.mean()), 4), round(low, 4), round(high, 4), len(found))
