"""The flag that a request to stop sets: while it listens nothing is lost, and afterwards a signal is a signal again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kithe.launch import processes
from kithe.launch.runtime import Placement
from kithe.launch.signals import AGAIN, StopFlag, tell_group

BEGIN = "import os, signal; from kithe.launch.signals import StopFlag; flag = StopFlag().listen(); "
TERM = "os.kill(os.getpid(), signal.SIGTERM); "


def ended(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=False)


def test_a_signal_sets_the_flag_while_it_listens() -> None:
    done = ended(TERM + "print(flag())")
    assert (done.returncode, done.stdout.strip()) == (0, "True")


def test_whoever_has_finished_is_ended_by_the_next_signal() -> None:
    done = ended("flag.leave(); " + TERM + "print('still here')")
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "")


LATE = """
import sys, time
from pathlib import Path
from kithe.launch.signals import AGAIN, StopFlag
while not Path(sys.argv[1], "told").exists():
    time.sleep(0.01)
stop = StopFlag().listen()
for _ in range(6000):
    if stop():
        sys.exit(AGAIN)
    time.sleep(0.01)
"""


# As torchrun starts its workers.
BEHIND = """
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "-c", *sys.argv[1:]], start_new_session=True).returncode)
"""


@pytest.mark.parametrize("before", [(), (BEHIND,)])
def test_a_worker_that_listens_only_after_it_was_told_is_told_again(
    before: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(leader: int) -> None:
        tell_group(leader)
        (tmp_path / "told").touch()

    stop = StopFlag()
    stop._asked = True
    monkeypatch.setattr(processes, "started", lambda count, words: [sys.executable, "-c", *before, LATE, str(tmp_path)])
    monkeypatch.setattr(processes, "tell_group", tell)
    assert processes.run_worker(tmp_path, Placement("cpu", 1, "single"), stop) == AGAIN
