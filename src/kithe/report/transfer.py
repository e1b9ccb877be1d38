"""What the same answers are worth to other deployed models: a matrix of cells and models."""

from typing import Final

from kithe.report.curves import leading
from kithe.report.study import SetStudy
from kithe.report.text import with_interval
from kithe.report.writers import Table

EXPLAINED: Final = "The same answers of a cell, sent to other deployed models: {measure} with each."
OWN: Final = "deployed"


def transfer(part: SetStudy) -> Table | None:
    """A line for each cell, a column for each deployed model; None where only one was measured.

    Other models' figures are those named `<metric>@<model>`; shown is the gain over the original message where it is known.
    """
    rows = part.cells.values()
    measured = {name for row in rows for name in row.metrics if "@" in name}
    if not measured:
        return None
    first = leading(next(iter(rows)))
    measure = f"delta.{first}" if any(name.startswith(f"delta.{first}@") for name in measured) else first
    others = sorted(name.partition("@")[2] for name in measured if name.partition("@")[0] == measure)
    if not others:
        return None
    names = [measure, *(f"{measure}@{other}" for other in others)]
    body = tuple((cell, *(with_interval(row.metrics.get(name)) for name in names)) for cell, row in part.cells.items())
    return Table(("cell", OWN, *others), (False, *(True for _ in names)), body, EXPLAINED.format(measure=measure))
