"""A scheduler's request to stop: a flag that is read at the next moment when stopping loses nothing."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

# What schedulers send before they take a machine away.
SIGNALS: Final = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)
# "Stopped on request, start me again": the exit status of a process that has saved where it was.
AGAIN: Final = 85


class StopFlag:
    """Whether this process was asked to stop; calling it answers."""

    def __init__(self) -> None:
        self._asked, self._tell = False, _nobody

    def __call__(self) -> bool:
        """Whether a signal has come."""
        return self._asked

    def listen(self) -> "StopFlag":
        """Take the signals from now on; to be called in the main thread."""
        for number in SIGNALS:
            signal.signal(number, self._take)
        release()
        return self

    def leave(self) -> None:
        """Take the signals no longer: from now on they end the process, as they do others."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def tell(self, who: Callable[[], None]) -> None:
        """Whom to tell as well, at the first request or at once where it has come already."""
        self._tell = who
        if self._asked:
            who()

    def _take(self, number: int, frame: FrameType | None) -> None:
        first, self._asked = not self._asked, True
        if first:
            self._tell()


def _nobody() -> None:
    """The one to tell while nobody has to know."""


def defer() -> None:
    """Have a program that is about to start ignore what only its children understand (torchrun would die of it)."""
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)


def hold() -> None:
    """Have the program that is about to start get these signals only once it listens or releases them; until then they wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def release() -> None:
    """Take what `hold` kept waiting."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def tell_group(leader: int) -> None:
    """Ask every process of a group to stop, and all that its leader has started: torchrun's workers have sessions of their own.

    One that has ended meanwhile needs no telling.
    """
    apart = [pid for pid in _started_by(leader) if _group(pid) != leader]
    for tell, number in ((os.killpg, leader), *((os.kill, pid) for pid in apart)):
        with suppress(ProcessLookupError):
            tell(number, signal.SIGUSR1)


def _started_by(process: int) -> list[int]:
    """All processes below one, where the kernel says so (Linux)."""
    found: list[int] = []
    with suppress(OSError):
        for file in Path(f"/proc/{process}/task").glob("*/children"):
            found += [int(child) for child in file.read_text(encoding="ascii").split()]
    return [pid for child in found for pid in (child, *_started_by(child))]


def _group(process: int) -> int:
    with suppress(ProcessLookupError):
        return os.getpgid(process)
    return 0
