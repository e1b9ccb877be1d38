"""Folders by id: states, locks that die with their owner, whole-or-nothing writes.

    <root>/corpus/<id>  weights/<id>  predictions/<id>  runs/<id>  sweeps/<id>

A folder's state is planned (nothing there), running, done or failed. A running folder whose lock nobody holds was killed;
whoever asks for it next goes on from what is there.
"""

import fcntl
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from filelock import FileLock, Timeout

from kithe.errors import Stopped
from kithe.records.base import write_json

LOOK_S: Final = 1.0
State = Literal["planned", "running", "interrupted", "done", "failed"]


@dataclass(frozen=True)
class Folder:
    """One stage's folder."""

    path: Path

    @property
    def state(self) -> State:
        """planned | running | interrupted (its owner was killed) | done | failed."""
        state: State = self.read("state.json").get("state", "planned")
        return "interrupted" if state == "running" and not self.locked() else state

    @property
    def done(self) -> bool:
        """Whether the stage is complete."""
        return self.state == "done"

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder; empty where there is none."""
        file = self.path / name
        value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return value

    def mark(self, state: State, **details: object) -> None:
        """Write the state with what belongs to it (an error, a report)."""
        write_json(self.path / "state.json", {"state": state, **details})

    def locked(self) -> bool:
        """Whether a living process holds the folder. Looking takes no right to write, and hinders nobody else who looks."""
        try:
            with open(self.path / ".lock", "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # there is none, or others may not read it
            return False
        return False

    @contextmanager
    def lock(self, stop: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Hold the folder; waits for another owner and says so. The operating system frees the lock of a killed process.

        Raises:
            Stopped: `stop` said so before the folder was there to be held.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if self.locked():
            sys.stderr.write(f"kithe: {self.path} is in another process's hands; waiting for it\n")
        with _taken(FileLock(self.path / ".lock"), stop):
            yield

    def begin(self, write: Callable[[], None]) -> None:
        """Have `write` say what is to be done in the folder, and forget how an earlier attempt ended.

        Nothing is written where it is done or somebody is at it, for longer than it takes to look whether anybody is.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with suppress(Timeout), FileLock(self.path / ".lock", timeout=LOOK_S):
            if self.read("state.json").get("state") != "done":
                write()
                self.mark("planned")


def _taken(lock: FileLock, stop: Callable[[], bool]) -> AbstractContextManager[object]:
    while not stop():
        with suppress(Timeout):
            return lock.acquire(timeout=LOOK_S)
    raise Stopped


@dataclass(frozen=True)
class Store:
    """All folders under one root."""

    root: Path

    def corpus(self, name: str) -> Folder:
        """The training corpus of that id."""
        return Folder(self.root / "corpus" / name)

    def weights(self, name: str) -> Folder:
        """The adapted weights of that id."""
        return Folder(self.root / "weights" / name)

    def predictions(self, name: str) -> Folder:
        """The predictions of that id, one folder a test set."""
        return Folder(self.root / "predictions" / name)

    def run(self, name: str) -> Folder:
        """The run (one cell) of that id."""
        return Folder(self.root / "runs" / name)

    def sweep(self, name: str) -> Folder:
        """The sweep of that id: its list of runs and its report."""
        return Folder(self.root / "sweeps" / name)

    @contextmanager
    def hold(self, *folders: Folder | None, stop: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Hold several folders; taken by every cell in the order of its stages, so that no two wait for each other.

        Raises:
            Stopped: see `Folder.lock`.
        """
        with ExitStack() as stack:
            for folder in folders:
                if folder is not None:
                    stack.enter_context(folder.lock(stop))
            yield
