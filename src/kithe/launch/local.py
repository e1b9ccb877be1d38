"""Cells on this machine: one in this process, or a sweep with a process tree for each."""

import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from joblib import Parallel, delayed
from omegaconf import DictConfig

from kithe import experiment
from kithe.cell import Cell
from kithe.identity import digest
from kithe.launch import processes
from kithe.launch.runtime import cores
from kithe.launch.signals import AGAIN
from kithe.records.base import write_json
from kithe.report.build import report


def single(composed: DictConfig) -> None:
    """Run one cell and show its result.

    Raises:
        SystemExit: the cell failed; its traceback stands in its run folder.
    """
    cell = Cell.of(composed)
    if cell.config["plan"]:
        sys.stdout.write(f"{cell.line()}\n")
        return
    if not cell.folder.done:
        cell.prepare()
        experiment.execute(cell)
    report(cell.store.root, [cell.identity.run], cell.folder.path)
    cell.build("logger").project_run(cell.store.root, cell.identity.run, None)


def sweep(composed: Sequence[DictConfig], at_once: int = 1) -> None:
    """Run the cells of a sweep, each in its own process tree; finished ones are not run again.

    Args:
        composed: the cells' configs.
        at_once: how many cells run at a time; they share the cores evenly.

    Raises:
        SystemExit: a cell failed. The others have run, and the report is written.
    """
    cells: dict[str, Cell] = {}
    for cell in map(Cell.of, composed):
        cells.setdefault(cell.identity.run, cell)
    if any(cell.config["plan"] for cell in cells.values()):
        sys.stdout.writelines(f"{cell.line()}\n" for cell in cells.values())
        return
    waiting = [cell for cell in cells.values() if not cell.folder.done]
    stopped = Event()

    def run(number: int, cell: Cell) -> None:
        if stopped.is_set():
            return
        sys.stderr.write(f"[{number}/{len(waiting)}] {cell.identity.run}\n")
        run_apart(cell, at_once)
        if cell.folder.state == "failed" and cell.config["sweep"]["fail_fast"]:
            stopped.set()

    Parallel(n_jobs=at_once, prefer="threads")(delayed(run)(number, cell) for number, cell in enumerate(waiting, 1))
    finish(list(cells.values()))


def run_apart(cell: Cell, at_once: int) -> None:
    """Run a cell in a process tree of its own and note how it ended, also where it could not say so itself."""
    threads = max(1, cores() // (at_once * cell.placement.processes))
    share = {"OMP_NUM_THREADS": str(threads)} if at_once > 1 else {}
    code = processes.run(["kithe.experiment", str(cell.prepare())], share)
    if code not in (0, AGAIN) and cell.folder.state not in ("done", "failed"):
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code} before it began"
        cell.folder.mark("failed", error=how)


def finish(cells: Sequence[Cell]) -> None:
    """Write the sweep's list and report, show its tables, and say by the exit status whether every cell is done."""
    runs = sorted(cell.identity.run for cell in cells)
    config = cells[0].config
    name = config["sweep"]["name"] or f"sweep-{digest(runs)}"
    folder = cells[0].store.sweep(name)
    write_json(folder.path / "sweep.json", {"sweep_id": name, "runs": runs, "command": command()})
    report(cells[0].store.root, runs, folder.path)
    for cell in cells:
        if cell.folder.done:
            cell.build("logger").project_run(cell.store.root, cell.identity.run, name)
    if not all(cell.folder.done for cell in cells):
        raise SystemExit(1)


def command() -> str:
    """What was typed, without where Python and the program lie."""
    return shlex.join(["python", Path(sys.argv[0]).name, *sys.argv[1:]])
