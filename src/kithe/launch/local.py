"""Cells on this machine: one in this process, or a sweep with a process tree for each."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig

from kithe import experiment
from kithe.cell import Cell
from kithe.identity import digest
from kithe.records.base import write_json
from kithe.report.build import report

# What an outer launcher says of its own process group, or W&B of its own service, must not reach a cell's.
RENDEZVOUS = (
    "WANDB_SERVICE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "RANK",
    "LOCAL_RANK",
    "NODE_RANK",
    "GROUP_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
)


def environment() -> dict[str, str]:
    """This process's environment without another process group's rendezvous."""
    return {key: value for key, value in os.environ.items() if key not in RENDEZVOUS and not key.startswith("TORCHELASTIC")}


def single(composed: DictConfig) -> None:
    """Run one cell and show its result.

    Raises:
        SystemExit: the cell failed; its traceback stands in its run folder.
    """
    cell = Cell.of(composed)
    if cell.config["plan"]:
        sys.stdout.write(f"{cell.line()}\n")
        return
    cell.prepare()
    if not cell.folder.done:
        experiment.execute(cell)
    report(cell.store.root, [cell.identity.run], cell.folder.path)
    cell.build("logger").project_run(cell.store.root, cell.identity.run, None)


def sweep(composed: Sequence[DictConfig]) -> None:
    """Run the cells of a sweep, each in its own process tree; finished ones are not run again.

    Raises:
        SystemExit: a cell failed. The others have run, and the report is written.
    """
    cells: dict[str, Cell] = {}
    for cell in map(Cell.of, composed):
        cells.setdefault(cell.identity.run, cell)
    if any(cell.config["plan"] for cell in cells.values()):
        sys.stdout.writelines(f"{cell.line()}\n" for cell in cells.values())
        return
    for number, cell in enumerate(cells.values(), 1):
        if not cell.folder.done:
            sys.stderr.write(f"[{number}/{len(cells)}] {cell.identity.run}\n")
            run_apart(cell)
        if cell.folder.state == "failed" and cell.config["sweep"]["fail_fast"]:
            break
    finish(list(cells.values()))


def run_apart(cell: Cell) -> None:
    """Run a cell in a process tree of its own and note how it ended, also where it was killed."""
    command = [sys.executable, "-m", "kithe.experiment", str(cell.prepare())]
    code = subprocess.run(command, env=environment(), check=False).returncode
    if code < 0 and cell.folder.state != "done":
        cell.folder.mark("failed", error=f"killed by {signal.Signals(-code).name}")


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


def worker(cell: Cell) -> None:
    """Run the stages of a prepared cell that need a model, in as many processes as its placement says.

    Raises:
        subprocess.CalledProcessError: a process failed; what it raised stands in `error.<rank>.txt` of the run folder.
    """
    placement = cell.placement
    variables: Mapping[str, str] = placement.environment()
    many = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(placement.processes), "-m"]
    command = [sys.executable, "-m", *(many if placement.processes > 1 else []), "kithe.worker", str(cell.folder.path)]
    subprocess.run(command, env={**environment(), **variables}, check=True)
