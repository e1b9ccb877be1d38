"""Test sets that are steps of one thing, such as `past_0` to `past_4` or `surface_50` and `surface_100`, as one curve."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kithe.report.differences import metric
from kithe.report.estimates import Estimate
from kithe.report.rows import Row
from kithe.report.study import SetStudy
from kithe.report.tables import ANSWERS
from kithe.report.text import with_interval
from kithe.report.writers import Table

EXPLAINED: Final = (
    "Test sets whose names end in a number are steps of one thing; a test set named 'clean' is step 0 of each that has none."
    " Lines are 95 % intervals over users."
)
CLEAN: Final = "clean"
_STEP: Final = re.compile(r"(?P<stem>.+?)_(?P<step>\d+)")


@dataclass(frozen=True)
class Curve:
    """A figure of each cell over the steps.

    Attributes:
        name: what the steps are of.
        measure: the figure.
        steps: in order.
        points: short name of a cell -> its figure at each step; None where there is none.
    """

    name: str
    measure: str
    steps: tuple[int, ...]
    points: Mapping[str, tuple[Estimate | None, ...]]

    @property
    def table(self) -> Table:
        """The same in figures."""
        head = ("cell", *(f"{self.name} {step}" for step in self.steps))
        body = [(cell, *(with_interval(each) for each in found)) for cell, found in self.points.items()]
        return Table(head, (False, *(True for _ in self.steps)), tuple(body))


def curves(parts: Sequence[SetStudy]) -> list[Curve]:
    """The curves there are: at least two steps, and at least one cell that has a figure at two of them."""
    by_name = {part.name: part for part in parts}
    steps: dict[str, dict[int, SetStudy]] = {}
    for name, part in by_name.items():
        if found := _STEP.fullmatch(name):
            steps.setdefault(found["stem"], {})[int(found["step"])] = part
    for own in steps.values():
        if CLEAN in by_name:
            own.setdefault(0, by_name[CLEAN])
    made = (_curve(stem, dict(sorted(own.items()))) for stem, own in steps.items() if len(own) > 1)
    return [curve for curve in made if curve.points]


def _curve(stem: str, steps: Mapping[int, SetStudy]) -> Curve:
    cells = dict.fromkeys(cell for part in steps.values() for cell in part.cells)
    measure = next((leading(row) for part in steps.values() for row in part.cells.values()), "f1")
    points = {cell: tuple(_at(part, cell, measure) for part in steps.values()) for cell in cells}
    kept = {cell: own for cell, own in points.items() if sum(each is not None for each in own) > 1}
    return Curve(stem.replace("_", " "), measure, tuple(steps), kept)


def leading(row: Row) -> str:
    """The figure a row is read for."""
    return next((name for name in (metric(row), *ANSWERS) if name in row.metrics), metric(row))


def _at(part: SetStudy, cell: str, measure: str) -> Estimate | None:
    row = part.cells.get(cell)
    return None if row is None else row.metrics.get(measure)
