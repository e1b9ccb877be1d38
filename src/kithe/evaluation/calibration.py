"""From which cosine on two statements are the same fact: chosen on one half of `pairs.yaml`, measured on the other."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from kithe.evaluation.guards import conflicts
from kithe.evaluation.matching import BLOCKED, Encoder
from kithe.evaluation.statistics import wilson

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Pair:
    """Two statements, whether they are the same fact, and in what way they are alike or differ."""

    a: str
    b: str
    same: bool
    kind: str


@dataclass(frozen=True)
class Accuracy:
    """The share of pairs decided rightly, with its 95 % Wilson interval."""

    n: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """A threshold and how good it is.

    Attributes:
        threshold: the cosine from which two statements that no guard keeps apart are the same fact.
        choose: accuracy on the half that chose it, flattering by construction.
        report: accuracy on the other half.
        sensitivity: of the report half's same facts, the share found the same.
        specificity: of the report half's different facts, the share found different.
        kinds: accuracy on the report half, kind by kind.
        without_guards: accuracy on the report half of a cosine threshold alone, chosen in the same way.
    """

    threshold: float
    choose: Accuracy
    report: Accuracy
    sensitivity: Accuracy
    specificity: Accuracy
    kinds: dict[str, Accuracy]
    without_guards: Accuracy

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as in `threshold.json`."""
        return asdict(self)


def calibrate(encoder: Encoder) -> Calibration:
    """Choose the threshold on the choose half and measure it on the report half."""
    choose, report = halves(pairs())
    threshold = best_threshold(scores(choose, encoder), choose)
    guarded, bare = scores(report, encoder) >= threshold, scores(report, encoder, guarded=False)
    alone = best_threshold(scores(choose, encoder, guarded=False), choose)
    kinds = dict.fromkeys(pair.kind for pair in report)
    return Calibration(
        threshold=threshold,
        choose=_accuracy(scores(choose, encoder) >= threshold, choose),
        report=_accuracy(guarded, report),
        sensitivity=_accuracy(guarded, report, [pair.same for pair in report]),
        specificity=_accuracy(guarded, report, [not pair.same for pair in report]),
        kinds={kind: _accuracy(guarded, report, [pair.kind == kind for pair in report]) for kind in kinds},
        without_guards=_accuracy(bare >= alone, report),
    )


def calibrated_threshold() -> float:
    """The threshold in `threshold.json`."""
    return float(json.loads((FOLDER / "threshold.json").read_text(encoding="utf-8"))["threshold"])


def pairs() -> list[Pair]:
    """All hand-written pairs, in the order of `pairs.yaml`."""
    kinds: dict[str, list[list[str]]] = yaml.safe_load((FOLDER / "pairs.yaml").read_text(encoding="utf-8"))
    return [Pair(a, b, kind.startswith("same"), kind) for kind, rows in kinds.items() for a, b in rows]


def halves(rows: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """The pairs that choose and the pairs that report: of each kind every other one, beginning with one that chooses."""
    kinds: dict[str, list[Pair]] = {}
    for pair in rows:
        kinds.setdefault(pair.kind, []).append(pair)
    return [pair for kind in kinds.values() for pair in kind[0::2]], [pair for kind in kinds.values() for pair in kind[1::2]]


def scores(rows: Sequence[Pair], encoder: Encoder, guarded: bool = True) -> NDArray[np.float64]:
    """The cosine of each pair [len(rows)], -1 where a guard keeps it apart."""
    ours, theirs = (encoder.encode(side).astype(np.float64) for side in ([pair.a for pair in rows], [pair.b for pair in rows]))
    blocked = [guarded and bool(conflicts(pair.a, pair.b)) for pair in rows]
    return np.where(blocked, BLOCKED, (ours * theirs).sum(axis=1))


def best_threshold(similarities: NDArray[np.float64], rows: Sequence[Pair]) -> float:
    """The strictest threshold whose accuracy is within one standard error of the best.

    Accuracy hardly changes over a wide range of thresholds, and in use many more of the compared pairs are different facts.
    Thresholds lie midway between neighbouring cosines, so that rounding errors of an encoder decide nothing.
    """
    same = np.array([pair.same for pair in rows])
    levels = np.unique(similarities[similarities > 0])
    candidates = np.round((levels[1:] + levels[:-1]) / 2, 3)
    accuracy = ((similarities[None, :] >= candidates[:, None]) == same[None, :]).mean(axis=1)
    best = accuracy.max()
    return float(candidates[accuracy >= best - sqrt(best * (1 - best) / len(rows))].max())


def _accuracy(decided: NDArray[np.bool_], rows: Sequence[Pair], among: Sequence[bool] | None = None) -> Accuracy:
    right = decided == np.array([pair.same for pair in rows])
    right = right if among is None else right[np.array(among)]
    low, high = wilson(int(right.sum()), len(right))
    return Accuracy(len(right), round(float(right.mean()), 4), round(low, 4), round(high, 4))
