"""Tables for a terminal: the scores of a run, the states of a sweep's cells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kithe.report.rows import Result, error_line, finished, name_variants
from kithe.report.tables import short_table
from kithe.report.text import NONE
from kithe.report.writers import Table, terminal

if TYPE_CHECKING:
    import rich.table


@dataclass(frozen=True)
class CellState:
    """One cell of a sweep: where it stands, what was chosen, and the error if it failed."""

    run_id: str
    state: str
    choices: Mapping[str, str | int | None] = field(default_factory=dict)
    error: str = ""


def cell_states(results: Sequence[Result]) -> list[CellState]:
    """Where cells stand, from their results or from what stands in for them; values that tell cells apart are choices too."""
    variants = name_variants([result for result in results if result.get("config")])
    found = []
    for result in results:
        run, state = str(result["run_id"]), "done" if finished(result) else str(result.get("state", "failed"))
        variant = {"variant": variants.get(run) or None}
        found.append(CellState(run, state, {**result.get("cell", {}), **variant}, str(result.get("error") or "")))
    return found


def terminal_table(results: Sequence[Result]) -> "rich.table.Table":
    """Scores with their 95 % intervals, n and seconds per history."""
    return terminal(short_table(results))


def cells_table(cells: Iterable[CellState]) -> "rich.table.Table":
    """Every cell with its state, the choices in which the cells differ, and what went wrong in one line."""
    listed = list(cells)
    groups = [group for group in dict.fromkeys(group for cell in listed for group in cell.choices) if differs(listed, group)]
    wrong = ["error"] if any(cell.error for cell in listed) else []
    header = ("run", "state", *groups, *wrong)
    body = [
        (cell.run_id, cell.state, *(option(cell, group) for group in groups), *(error_line(cell.error) for _ in wrong))
        for cell in listed
    ]
    return terminal(Table(header, (False,) * len(header), tuple(body)))


def differs(cells: Sequence[CellState], group: str) -> bool:
    """Whether a group's option is not the same in all cells."""
    return len({option(cell, group) for cell in cells}) > 1


def option(cell: CellState, group: str) -> str:
    """An option, or a dash for a group that falls out."""
    value = cell.choices.get(group)
    return NONE if value is None else str(value)
