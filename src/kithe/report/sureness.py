"""What the confidences of a cell's items are worth: precision and recall by threshold, calibration (spec 2.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kithe.report.estimates import Estimate, read_estimate
from kithe.report.material import Answer
from kithe.report.slices import RESAMPLES
from kithe.report.text import fraction, p_value, with_interval
from kithe.report.writers import Table

if TYPE_CHECKING:
    from kithe.evaluation.confidence import Point, Reliability

SHOWN: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
EXPLAINED: Final = (
    "Only items at least as confident as the threshold are kept. ECE: the mean distance between confidence and accuracy over five"
    " bins of equal width; 'by chance': what it would be on average if every confidence were right; p: how often it would then be"
    " as large as it is. Items of all seeds are taken together. Confidence is the model's own, or comes from the probabilities of"
    " its words where it states none; items that were dropped for their low confidence are not here."
)


@dataclass(frozen=True)
class Sureness:
    """One cell: its curve over thresholds (none under a judge that knows no missed facts) and its calibration."""

    cell: str
    points: "tuple[Point, ...]"
    reliability: "Reliability"
    average_precision: float | None


def sureness(name: str, answers: Sequence[Answer]) -> Sureness | None:
    """What a cell's confidences are worth; None where an item has none, or nobody said whether it is right."""
    from kithe.evaluation import confidence
    from kithe.evaluation.outcomes import Outcome

    items = [
        Outcome(each.history.id, bool(call.right), item.confidence)
        for each in answers
        for item, call in zip(each.prediction.items, each.calls, strict=True)
        if call.right is not None
    ]
    if not items or any(item.confidence is None for item in items):
        return None
    gold: dict[str, int] = {}
    for each in answers:
        gold[each.history.id] = gold.get(each.history.id, 0) + len(each.history.items)
    complete = sum(gold.values()) > 0 and not any(each.judged for each in answers)
    return Sureness(
        name,
        tuple(confidence.curve(items, gold, resamples=RESAMPLES)) if complete else (),
        confidence.reliability(items, resamples=RESAMPLES),
        confidence.average_precision(items, sum(gold.values())) if complete else None,
    )


def thresholds_table(found: Sequence[Sureness]) -> Table:
    """Precision and recall of each cell at some thresholds."""
    body = tuple(
        (each.cell, f"{point.threshold:.1f}", with_interval(metric(point.precision)), with_interval(metric(point.recall)))
        for each in found
        for point in each.points
        if point.threshold in SHOWN
    )
    return Table(("cell", "confidence from", "precision", "recall"), (False, True, True, True), body)


def calibration_table(found: Sequence[Sureness]) -> Table:
    """The calibration error of each cell."""
    body = tuple(
        (
            each.cell,
            str(each.reliability.ece["n"]),
            with_interval(metric(each.reliability.ece)),
            fraction(each.reliability.by_chance),
            p_value(each.reliability.p),
            fraction(each.average_precision),
        )
        for each in found
    )
    header = ("cell", "items", "ECE", "by chance", "p", "average precision")
    return Table(header, (False, *(True,) * 5), body, EXPLAINED)


def metric(value: object) -> Estimate | None:
    """An estimate from `{value, low, high, n}`."""
    return read_estimate(value) if isinstance(value, dict) else None
