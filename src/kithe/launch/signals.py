"""A scheduler's request to stop: a flag that is read at the next moment when stopping loses nothing."""

import os
import signal
from collections.abc import Callable
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
    """Ask every process of a group to stop; one that has ended meanwhile needs no telling."""
    try:
        os.killpg(leader, signal.SIGUSR1)
    except ProcessLookupError:
        return
