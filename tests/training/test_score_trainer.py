"""Judging under Lightning's Trainer leaves signals to who asked for them, also inside a SLURM job."""

import os
import signal
from collections.abc import Iterator, Sequence

import pytest

from kithe.errors import Stopped
from kithe.evaluation.judges import Scores
from kithe.launch.signals import SIGNALS, StopFlag
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.training.score import score


@pytest.fixture
def flag(monkeypatch: pytest.MonkeyPatch) -> Iterator[StopFlag]:
    """A flag that listens, in what looks like a task of a SLURM job."""
    for name, value in (("NTASKS", "1"), ("JOB_NAME", "kithe"), ("JOB_ID", "7"), ("PROCID", "0"), ("LOCALID", "0")):
        monkeypatch.setenv(f"SLURM_{name}", value)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield StopFlag().listen()
    for number, handler in before.items():
        signal.signal(number, handler)


class Stops:
    """A judge that gets a signal and stops."""

    def __init__(self, number: int, flag: StopFlag) -> None:
        self.number, self.flag = number, flag

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        assert all(signal.getsignal(number) == self.flag._take for number in SIGNALS)
        os.kill(os.getpid(), self.number)
        raise Stopped if self.flag() else AssertionError("nobody was told")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_judging_reaches_the_flag(number: int, flag: StopFlag) -> None:
    with pytest.raises(Stopped):
        score(Stops(number, flag), [], [])
