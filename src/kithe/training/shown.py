"""How far work has come: a bar on a terminal, and in a log a line now and then."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from tqdm import tqdm  # type: ignore[import-untyped]

EVERY_S = 30.0


class Shown(Protocol):
    """What counts along."""

    def update(self, number: int = 1, note: str = "") -> None:
        """So many more are done; `note` stands beside them."""

    def close(self) -> None:
        """No more will come."""


def shown(what: str, unit: str, total: int, done: int = 0) -> Shown:
    """A bar on standard error where that is a terminal; otherwise lines, at most one every `EVERY_S` seconds and a last one."""
    return OnTerminal(what, unit, total, done) if sys.stderr.isatty() else Lines(what, unit, total, done)


class OnTerminal:
    """A bar that is drawn anew in its place."""

    def __init__(self, what: str, unit: str, total: int, done: int) -> None:
        self._bar = tqdm(total=total, initial=done, desc=what, unit=unit, dynamic_ncols=True)

    def update(self, number: int = 1, note: str = "") -> None:
        """See `Shown`."""
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(number)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


@dataclass
class Lines:
    """Lines for a file.

    Attributes:
        what, unit: what is done, and what is counted: `train: 12 of 40 steps`.
        total: so many in all.
        done: so many before this process began.
        out: where lines go; by default standard error.
        clock: seconds.
    """

    what: str
    unit: str
    total: int
    done: int = 0
    out: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        """Begin to count; say so where an earlier process began."""
        if self.done:
            self.out.write(f"{self.what}: goes on after {self.done} of {self.total} {self.unit}s\n")
        self._first, self._begun = self.done, self.clock()
        self._told, self._told_at = -1, self._begun
        self._note = ""

    def update(self, number: int = 1, note: str = "") -> None:
        """See `Shown`; a line if the last one is old enough."""
        self.done, self._note = self.done + number, note
        if self.clock() - self._told_at >= EVERY_S:
            self._tell()

    def close(self) -> None:
        """The last line, unless it is there."""
        if self._told != self.done:
            self._tell()

    def _tell(self) -> None:
        self._told, self._told_at = self.done, self.clock()
        spent, made = self._told_at - self._begun, self.done - self._first
        left = self.total - self.done
        ahead = f"{spent / made * left:.0f} s to go" if made and left else ""
        parts = (f"{self.done} of {self.total} {self.unit}s", f"{spent:.0f} s", ahead, self._note)
        self.out.write(f"{self.what}: {', '.join(filter(None, parts))}\n")
        self.out.flush()
