"""A run inside a cluster's job: how it ends, how it is told to stop, and whether its job comes back."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from kithe.errors import ConfigError, Stopped
from kithe.launch import local, nodes, processes, runtime
from kithe.launch.signals import AGAIN
from kithe.launch.task import Task
from kithe.store import Folder


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the module `program`, on the path of child processes; and an empty run folder beside it."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    (tmp_path / "run").mkdir()
    return tmp_path / "program.py"


def task(program: Path, again: int = 0) -> Task:
    return Task("program", str(program.parent / "run"), again)


def test_a_run_that_ends_well(program: Path) -> None:
    program.write_text("import os, pathlib, sys\npathlib.Path(sys.argv[1], 'nodes').write_text(os.environ['KITHE_NODES'])\n")
    task(program).run()
    assert (program.parent / "run" / "nodes").read_text() == "1"


def test_a_run_that_fails_without_a_word_is_noted(program: Path) -> None:
    program.write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(RuntimeError, match="ended with status 3"):
        task(program).run()
    assert "left no traceback" in Folder(program.parent / "run").read("state.json")["error"]


def test_what_a_run_says_of_its_failure_stands(program: Path) -> None:
    Folder(program.parent / "run").mark("failed", error="its own words")
    program.write_text("import os\nos.kill(os.getpid(), 9)\n")
    with pytest.raises(RuntimeError, match="killed by SIGKILL"):
        task(program).run()
    assert Folder(program.parent / "run").read("state.json")["error"] == "its own words"


LISTENS = """
import sys, time
from pathlib import Path
from kithe.launch.signals import StopFlag
Path(sys.argv[1], "begun").touch()
while not Path(sys.argv[1], "go").exists():
    time.sleep(0.01)
stop = StopFlag().listen()
while not stop():
    time.sleep(0.01)
sys.exit(85)
"""
INSIDE = "import sys\nfrom kithe.launch.task import Task\nTask('program', sys.argv[1], int(sys.argv[2])).in_slurm()\n"
SCONTROL = """#!/bin/sh
case "$1" in
  requeue) echo "$2" > "$KITHE_SAID/requeued"; kill -9 $PPID ;;
  *) echo "JobId=7 JobState=$(cat "$KITHE_SAID/state") Reason=None" ;;
esac
"""


def in_slurm(program: Path, state: str, again: int, restarts: int) -> int:
    """Start a run as a SLURM job of that state (`scontrol` is a stand-in), ask it to stop before it listens; its exit status."""
    folder, tools = program.parent / "run", program.parent / "tools"
    tools.mkdir()
    (tools / "scontrol").write_text(SCONTROL)
    (tools / "scontrol").chmod(stat.S_IRWXU)
    (folder / "state").write_text(state)
    program.write_text(LISTENS)
    job = {"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": str(restarts), "KITHE_SAID": str(folder)}
    environment = {**os.environ, **job, "PATH": f"{tools}:{os.environ['PATH']}"}
    process = subprocess.Popen([sys.executable, "-c", INSIDE, str(folder), str(again)], env=environment)
    while not (folder / "begun").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR2)
    # The signal has come by now or waits; the program listens only from here on.
    time.sleep(0.1)
    (folder / "go").touch()
    return process.wait()


def test_a_job_that_was_told_to_stop_queues_itself_again(program: Path) -> None:
    assert in_slurm(program, "RUNNING", again=2, restarts=1) == -signal.SIGKILL
    assert (program.parent / "run" / "requeued").read_text() == "7\n"
    assert Folder(program.parent / "run").read("state.json") == {}


def test_a_job_that_is_cancelled_does_not(program: Path) -> None:
    assert in_slurm(program, "CANCELLED", again=2, restarts=0) == AGAIN
    assert not (program.parent / "run" / "requeued").exists()


def test_a_job_that_was_stopped_too_often_says_so(program: Path) -> None:
    assert in_slurm(program, "RUNNING", again=2, restarts=2) == AGAIN
    assert "may not start again (hydra.launcher.requeue=2)" in Folder(program.parent / "run").read("state.json")["error"]


def test_a_program_that_does_not_listen_is_ended_by_the_signal(program: Path) -> None:
    program.write_text(
        textwrap.dedent("""
        import os, time
        from kithe.launch.signals import release
        release()
        os.kill(os.getppid(), 10)
        time.sleep(600)
        """)
    )
    with pytest.raises(Stopped):
        task(program).run()


def test_the_command_for_one_process_one_node_and_two(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nodes.started(1, ["kithe.worker", "x"])[1:] == ["-m", "kithe.worker", "x"]
    alone = nodes.started(4, ["kithe.worker", "x"])
    assert alone[1:] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "4", "-m", "kithe.worker", "x"]
    monkeypatch.setenv(nodes.NODES, "2")
    assert nodes.started(1, ["kithe.worker", "x"])[0] == sys.executable
    words = nodes.started(4, ["kithe.worker", "x"])
    assert words[:8] == ["srun", "--overlap", "--nodes", "2", "--ntasks", "2", "--ntasks-per-node", "1"]
    assert words[words.index("--nproc-per-node") + 1] == "2"
    assert words[words.index("--rdzv-conf") + 1] == "join_timeout=60,timeout=60"
    with pytest.raises(ConfigError, match="3 processes do not divide evenly among 2 nodes"):
        nodes.started(3, ["kithe.worker", "x"])


def test_a_cell_has_the_gpus_and_cores_of_all_its_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv(nodes.NODES, "2")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(runtime, "cores", lambda: 8)
    placement = runtime.Auto().place(trains=True, copy=1, parts=8)
    assert (placement.accelerator, placement.processes) == ("gpu", 4)
    assert placement.environment()["OMP_NUM_THREADS"] == "4"


@pytest.mark.parametrize(("at_once", "count", "threads"), [(1, 2, None), (2, 1, "4"), (2, 2, "2"), (16, 1, "1")])
def test_cells_that_run_at_once_share_the_cores(
    at_once: int, count: int, threads: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Run:
        module, processes, folder = "kithe.experiment", count, Folder(tmp_path)

        def prepare(self) -> Path:
            return tmp_path

    given: dict[str, str] = {}
    monkeypatch.setattr(local, "cores", lambda: 8)
    monkeypatch.setattr(processes, "run", lambda command, variables: given.update(variables) or 0)
    local.run_apart(Run(), at_once)  # type: ignore[arg-type]
    assert given.get("OMP_NUM_THREADS") == threads
