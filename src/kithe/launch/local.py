"""Runs on this machine: one in this process, or a sweep with a process tree for each.

A run is a cell of a results table, or a shard of a corpus to be written where the task is to write one.
"""

import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from omegaconf import DictConfig

from kithe import experiment, generate
from kithe.cell import Cell
from kithe.config.compose import overrides
from kithe.config.signatures import locate
from kithe.generate import Generation
from kithe.generation.plan import Work
from kithe.identity import digest
from kithe.launch import processes
from kithe.launch.runtime import cores
from kithe.launch.signals import AGAIN
from kithe.records.base import write_json
from kithe.report.build import AT_ONCE, report

Run = Cell | Generation


def described(composed: DictConfig) -> Run:
    """The run that a composed config describes."""
    target = locate(composed.task._target_)
    writes = isinstance(target, type) and issubclass(target, Work)
    return Generation.of(composed) if writes else Cell.of(composed)


def single(composed: DictConfig) -> None:
    """Run one cell or shard and show its result.

    Raises:
        SystemExit: it failed; its traceback stands in its run folder.
    """
    run = described(composed)
    if run.config["plan"]:
        sys.stdout.write(f"{run.line()}\n")
        return
    if isinstance(run, Generation):
        write(run)
        return
    if not run.folder.done:
        run.prepare()
        try:
            experiment.execute(run)
        finally:
            if run.folder.state == "failed":
                run.build("logger").project_run(run.store.root, run.name, None)
    report(run.store.root, [run.name], run.folder.path, AT_ONCE)
    run.build("logger").project_run(run.store.root, run.name, None)


def write(run: Generation) -> None:
    """Write a shard here, or say what it would take."""
    if run.plan.estimate:
        sys.stdout.write(generate.estimate(run))
        return
    if not run.folder.done:
        run.prepare()
        generate.execute(run)
    sys.stdout.write(run.summary())


def sweep(composed: Sequence[DictConfig], start: Callable[[Sequence[Run]], None]) -> None:
    """Run the cells or shards of a sweep and report; finished ones are not run again.

    Args:
        composed: their configs.
        start: runs those that are not done, each in its own process tree, and returns when all have ended.

    Raises:
        SystemExit: one failed. The others have run, and the report is written.
    """
    asked = [described(config) for config in composed]
    runs: dict[str, Run] = {}
    for run in asked:
        runs.setdefault(run.name, run)
    same = merged([(run.name, overrides(config)) for run, config in zip(asked, composed, strict=True)])
    if any(run.config["plan"] for run in runs.values()):
        sys.stdout.writelines(f"{line}\n" for line in (*(run.line() for run in runs.values()), *same))
        return
    sys.stderr.writelines(f"{line}\n" for line in same)
    start([run for run in runs.values() if not run.folder.done])
    finish(list(runs.values()))


def merged(asked: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """A line on why there are fewer runs than combinations of words; none where each combination is a run of its own.

    Args:
        asked: the run's name and the words of each combination.
    """
    groups: dict[str, list[Sequence[str]]] = {}
    for name, words in asked:
        groups.setdefault(name, []).append(words)
    if len(groups) == len(asked):
        return []
    several = "; ".join(f"{name} is {' and '.join(apart(group))}" for name, group in groups.items() if len(group) > 1)
    return [f"{len(asked)} combinations are {len(groups)} runs, as what cannot change a result makes no other run: {several}"]


def apart(group: Sequence[Sequence[str]]) -> list[str]:
    """The words that set combinations apart, such as `data=real`; how many there are where no word does."""
    shared = set.intersection(*map(set, group))
    found = [" ".join(word for word in words if word not in shared) for words in group]
    return found if all(found) else [f"asked for {len(group)} times"]


def here(waiting: Sequence[Run], at_once: int = 1) -> None:
    """Run on this machine, so many at a time; they share the cores evenly."""
    from joblib import Parallel, delayed

    stopped = Event()

    def start(number: int, run: Run) -> None:
        if stopped.is_set():
            return
        sys.stderr.write(f"[{number}/{len(waiting)}] {run.name}\n")
        run_apart(run, at_once)
        if run.folder.state == "failed" and run.config["sweep"]["fail_fast"]:
            stopped.set()

    Parallel(n_jobs=at_once, prefer="threads")(delayed(start)(number, run) for number, run in enumerate(waiting, 1))


def run_apart(run: Run, at_once: int) -> None:
    """Run in a process tree of its own and note how it ended, also where it could not say so itself."""
    threads = max(1, cores() // (at_once * run.processes))
    share = {"OMP_NUM_THREADS": str(threads)} if at_once > 1 else {}
    code = processes.run([run.module, str(run.prepare())], share)
    if code not in (0, AGAIN) and run.folder.state not in ("done", "failed"):
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code} before it began"
        run.folder.mark("failed", error=how)


def finish(runs: Sequence[Run]) -> None:
    """Report what there is, and say by the exit status whether every run is done."""
    cells = [run for run in runs if isinstance(run, Cell)]
    if cells:
        tabulate(cells)
    corpora = {run.id: run for run in runs if isinstance(run, Generation)}
    sys.stdout.writelines(run.summary() for run in corpora.values())
    if missing := sum(not run.folder.done for run in runs):
        sys.stderr.write(f"kithe: {missing} of {len(runs)} runs are not done; the same command does what is missing\n")
        raise SystemExit(1)


def tabulate(cells: Sequence[Cell]) -> None:
    """Write a sweep's list and report, and show its tables."""
    names = sorted(cell.name for cell in cells)
    name = cells[0].config["sweep"]["name"] or f"sweep-{digest(names)}"
    folder = cells[0].store.sweep(name)
    tables = cells[0].config["sweep"]["tables"]
    write_json(folder.path / "sweep.json", {"sweep_id": name, "runs": names, "command": command(), "tables": tables})
    report(cells[0].store.root, names, folder.path, AT_ONCE)
    for cell in cells:
        if cell.folder.state in ("done", "failed"):
            cell.build("logger").project_run(cell.store.root, cell.name, name)
    cells[0].build("logger").project_sweep(cells[0].store.root, name)


def command() -> str:
    """What was typed, without where Python and the program lie."""
    return shlex.join(["python", Path(sys.argv[0]).name, *sys.argv[1:]])
