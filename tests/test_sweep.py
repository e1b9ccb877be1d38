"""A sweep's cells: each once, so many at a time, and an end that tells how they went."""

import io
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from kithe import experiment
from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.launch import local, processes
from kithe.launch.runtime import Placement
from kithe.launch.signals import AGAIN, StopFlag
from kithe.report.wandb import Wandb
from kithe.store import Folder, State


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many cells were at work whenever one began; a cell only waits and fails if it is of seed 1."""
    working, seen, lock = [0], [], threading.Lock()

    def work(cell: Cell, at_once: int) -> None:
        with lock:
            working[0] += 1
            seen.append(working[0])
        time.sleep(0.2)
        cell.folder.mark("failed" if cell.config["seed"] == 1 else "done", error="")
        with lock:
            working[0] -= 1

    monkeypatch.setattr(local, "run_apart", work)
    monkeypatch.setattr(local, "finish", lambda cells: None)
    return seen


def sweep(tmp_path: Path, at_once: int, *words: str) -> list[Cell]:
    composed = [compose([f"seed={seed}", "adapt=lora", f"paths.store={tmp_path}", *words]) for seed in (1, 2, 3, 4)]
    local.sweep([*composed, composed[0]], partial(local.here, at_once=at_once))
    return [Cell.of(config) for config in composed]


def test_one_after_the_other(tmp_path: Path, started: list[int]) -> None:
    cells = sweep(tmp_path, 1)
    assert started == [1, 1, 1, 1]
    assert [cell.folder.state for cell in cells] == ["failed", "done", "done", "done"]


def test_so_many_at_once(tmp_path: Path, started: list[int]) -> None:
    sweep(tmp_path, 2)
    assert len(started) == 4
    assert max(started) == 2


def test_a_sweep_can_stop_at_its_first_failure(tmp_path: Path, started: list[int]) -> None:
    cells = sweep(tmp_path, 1, "sweep.fail_fast=true")
    assert [cell.folder.state for cell in cells] == ["failed", "planned", "planned", "planned"]


def test_finished_cells_are_not_run_again(tmp_path: Path, started: list[int]) -> None:
    sweep(tmp_path, 1)
    started.clear()
    sweep(tmp_path, 1)
    assert len(started) == 1


def test_a_plan_says_why_it_has_fewer_lines_than_the_words_have_combinations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [["adapt=zero-shot", "data=synthetic"], ["adapt=zero-shot", "data=sample"], ["adapt=lora", "data=synthetic"]]
    local.sweep([compose([*some, f"paths.store={tmp_path}", "plan=true"]) for some in words], lambda runs: None)
    zero_shot, lora, why = capsys.readouterr().out.splitlines()
    assert "data=- " in zero_shot
    assert "teacher=- " in zero_shot
    assert "seed=- " in zero_shot
    assert "data=synthetic " in lora
    assert "seed=0 " in lora
    assert why.startswith("3 combinations are 2 runs")
    assert why.endswith(f"{zero_shot.split()[0]} is data=synthetic and data=sample")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_said_where_each_combination_is_a_run() -> None:
    assert local.merged([("a", ["seed=0"]), ("b", ["seed=1"])]) == []
    assert local.merged([("a", ["seed=0"]), ("a", ["seed=0"])])[0].endswith("a is asked for 2 times")


def test_what_a_user_can_mend_is_said_without_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell.of(compose(["model=tiny", "task/test=sample", f"paths.store={tmp_path}"]))
    said = "Traceback (most recent call last):\n  File\nkithe.errors.ConfigError: no training example is left\n"

    def worker(folder: Path, placement: object, stop: object) -> int:
        (folder / "error.0.txt").write_text(said, encoding="utf-8")
        return 1

    monkeypatch.setattr(experiment, "run_worker", worker)
    cell.prepare()
    with pytest.raises(SystemExit, match=r"failed: no training example is left$"):
        experiment.execute(cell)
    assert cell.folder.read("state.json")["error"] == "no training example is left"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("held", ["runs", "corpus", "predictions"])
def test_a_cell_that_waits_for_another_can_be_stopped(held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell.of(compose(["model=tiny", "adapt=lora", "task/test=sample", "corpus.facts=12", f"paths.store={tmp_path}"]))
    names = {"runs": cell.identity.run, "corpus": cell.identity.corpus, "predictions": cell.identity.predictions}
    folder = Folder(tmp_path / held / str(names[held]))

    class Terminal(io.StringIO):
        """Where the request to stop comes as soon as the cell says that it waits."""

        def write(self, text: str) -> int:
            if "waiting for it" in text:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().write(text)

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(experiment, "run_worker", lambda *given: pytest.fail("nothing may be started"))
    cell.prepare()
    with folder.lock(), pytest.raises(SystemExit) as ended:
        experiment.execute(cell)
    StopFlag().leave()
    assert ended.value.code == AGAIN
    assert cell.folder.state == ("planned" if held == "runs" else "interrupted")


def test_the_same_cell_on_another_runtime_leaves_a_running_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["model=tiny", "adapt=zero-shot", "task/test=sample", f"paths.store={tmp_path}"]
    two, one = (Cell.of(compose([*words, *more])) for more in (["runtime=ddp", "runtime.processes=2"], ["runtime=cpu"]))
    seen: list[int] = []

    def worker(folder: Path, placement: Placement, stop: object) -> int:
        one.prepare()
        seen.extend([placement.processes, Cell.load(folder).processes])
        return AGAIN

    monkeypatch.setattr(experiment, "run_worker", worker)
    assert two.name == one.name
    two.prepare()
    one.prepare()
    with pytest.raises(SystemExit):
        experiment.execute(two)
    assert seen == [2, 2]
    assert two.folder.state == "interrupted"


def test_a_process_that_dies_before_it_begins_is_not_told_by_an_earlier_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = Cell.of(compose(["model=tiny", "adapt=zero-shot", "task/test=sample", f"paths.store={tmp_path}"]))
    cell.folder.mark("failed", error="earlier")
    monkeypatch.setattr(processes, "run", lambda command, variables: -signal.SIGKILL)
    local.run_apart(cell, 1)
    assert cell.folder.read("state.json") == {"state": "failed", "error": "killed by SIGKILL"}


STOPPED = "kithe.errors.Stopped: stopped after step 3"
LEFT = "RuntimeError: Connection closed by peer"
FULL = "OSError: [Errno 28] No space left on device"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ((), "interrupted"),
        ((STOPPED,), "interrupted"),
        ((STOPPED, LEFT), "interrupted"),
        ((FULL,), "failed"),
        ((FULL, LEFT), "failed"),
    ],
)
def test_a_failure_while_stopping_is_a_failure(
    said: tuple[str, ...], state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = Cell.of(compose(["model=tiny", "adapt=zero-shot", "task/test=sample", f"paths.store={tmp_path}"]))

    def worker(folder: Path, placement: object, stop: object) -> int:
        for number, line in enumerate(said):
            file = folder / f"error.{len(said) - number}.txt"
            file.write_text(f"Traceback (most recent call last):\n  File\n{line}\n", encoding="utf-8")
            os.utime(file, ns=(number, number))
        return AGAIN

    monkeypatch.setattr(experiment, "run_worker", worker)
    cell.prepare()
    with pytest.raises(SystemExit):
        experiment.execute(cell)
    assert cell.folder.state == state
    assert ("No space left" in cell.folder.read("state.json").get("error", "")) == (state == "failed")


@pytest.fixture
def projected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """The runs that were written to W&B, each with its sweep."""
    found: list[tuple[str, str | None]] = []
    monkeypatch.setattr(Wandb, "project_run", lambda self, store, run, sweep: found.append((run, sweep)))
    monkeypatch.setattr(Wandb, "project_sweep", lambda self, store, sweep: found.append(("sweep", sweep)))
    monkeypatch.setattr(local, "report", lambda *given: [])
    return found


def test_a_failed_cell_of_a_sweep_is_shown_too_and_one_that_never_began_is_not(
    tmp_path: Path, projected: list[tuple[str, str | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["adapt=lora", "logger=wandb", "sweep.name=try", f"paths.store={tmp_path}"]
    cells = [Cell.of(compose([f"seed={seed}", *words])) for seed in (1, 2, 3)]
    cells[0].folder.mark("failed", error="no")
    cells[1].folder.mark("done")
    with pytest.raises(SystemExit) as ended:
        local.finish(cells)
    assert ended.value.code == 1
    assert projected == [(cells[0].name, "try"), (cells[1].name, "try"), ("sweep", "try")]
    assert capsys.readouterr().err == "kithe: 2 of 3 runs are not done; the same command does what is missing\n"


@pytest.mark.parametrize(("state", "shown"), [("failed", 1), ("running", 0)])
def test_a_failed_run_alone_is_shown_and_one_that_was_stopped_is_not(
    tmp_path: Path, projected: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch, state: State, shown: int
) -> None:
    def execute(cell: Cell) -> None:
        cell.folder.mark(state)
        raise SystemExit(1)

    monkeypatch.setattr(experiment, "execute", execute)
    composed = compose(["model=tiny", "task/test=sample", "logger=wandb", f"paths.store={tmp_path}"])
    with pytest.raises(SystemExit):
        local.single(composed)
    assert projected == [(Cell.of(composed).name, None)] * shown
