"""How far work is: lines for a log, a bar for a terminal."""

import io
import sys

import pytest

from kithe.training.shown import EVERY_S, Lines, OnTerminal, shown


class Clock:
    """Seconds that pass when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_now_and_then_and_a_last_one() -> None:
    out, clock = io.StringIO(), Clock()
    lines = Lines("train", "step", 100, 10, out, clock)
    for step in range(90):
        clock.now += 1.0
        lines.update(note=f"loss={1 / (step + 1):.2f}")
    lines.close()
    assert out.getvalue().splitlines() == [
        "train: goes on after 10 of 100 steps",
        "train: 40 of 100 steps, 30 s, 60 s to go, loss=0.03",
        "train: 70 of 100 steps, 60 s, 30 s to go, loss=0.02",
        "train: 100 of 100 steps, 90 s, loss=0.01",
    ]


def test_the_last_line_is_not_said_twice() -> None:
    out, clock = io.StringIO(), Clock()
    lines = Lines("predict", "request", 4, 0, out, clock)
    clock.now += EVERY_S
    lines.update(4)
    lines.close()
    assert out.getvalue() == "predict: 4 of 4 requests, 30 s\n"


def test_work_that_was_given_up_says_how_far_it_came() -> None:
    out = io.StringIO()
    Lines("predict", "request", 4, 1, out, Clock()).close()
    assert out.getvalue().splitlines() == ["predict: goes on after 1 of 4 requests", "predict: 1 of 4 requests, 0 s"]


def test_short_work_is_one_line_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown("predict", "request", 2)
    lines.update()
    lines.update()
    lines.close()
    assert capsys.readouterr().err == "predict: 2 of 2 requests, 0 s\n"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    bar = shown("train", "step", 2)
    bar.update(2, "loss=0.50")
    bar.close()
    assert isinstance(bar, OnTerminal)
    assert "\r" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()
    assert "loss=0.50" in terminal.getvalue()
