"""The flag that a request to stop sets: while it listens nothing is lost, and afterwards a signal is a signal again."""

import signal
import subprocess
import sys

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
