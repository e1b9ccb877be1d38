"""What a stage has written so far, a line a row, safe to kill at any byte.

    {"row":"17","value":{...}}
    {"row":"18","rejected":{"reason": "...", "raw": "..."}}
    {"row":"19","dropped":{"reason": "...", "raw": "..."}}     a part that had to be left out of the row that follows
    {"row":"19","value":{...}}

A row counts once its line is whole: it ends in a newline and is a JSON object, which no proper beginning of it is. Each row goes
to the operating system as it is written, so a killed process loses none; every few seconds, and when a file is complete, it goes
to the disk, so a power cut loses seconds. When a file is opened again, it is cut at the first line that is not whole.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from filelock import FileLock

from kithe.records.base import Record, write_json

SYNC_EVERY: Final = 5.0  # seconds between writes to the disk


class Rejected(Record):
    """Why a row was put into quarantine, and the text that could not be used."""

    reason: str
    raw: str = ""


class Log:
    """One stage's rows of one block, held by one process at a time.

    Use as a context manager; `path` ends in `.jsonl`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}  # row -> where its line begins and how long it is
        self._rejected: set[str] = set()
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.path.with_suffix(".lock"))
        self._lock.acquire()
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._size = self._index()
        os.ftruncate(self._file, self._size)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._file)
        self._lock.release()

    def __contains__(self, row: str) -> bool:
        """Whether the row is there, used or rejected."""
        return row in self._places

    def value(self, row: str) -> bytes | None:
        """The JSON text of a row's value; None for a rejected row."""
        if row in self._rejected:
            return None
        start, length = self._places[row]
        return _value(os.pread(self._file, length, start), row)

    def add(self, row: str, value: str, dropped: Sequence[Rejected] = ()) -> None:
        """Write a row with what was left out of it; `value` is one line of JSON."""
        self._append(row, f"{_head(row)}{value}}}\n", "".join(_faulty(row, "dropped", part) for part in dropped))

    def reject(self, row: str, rejected: Rejected) -> None:
        """Write a row that is not to be used."""
        self._rejected.add(row)
        self._append(row, _faulty(row, "rejected", rejected))

    def complete(self, indexes: int) -> None:
        """Note that everything is there that so many indexes lead to."""
        os.fsync(self._file)
        write_json(_mark(self.path), {"indexes": indexes, "rows": len(self._places), "bytes": self._size})

    def _index(self) -> int:
        """Find the whole rows; returns where they end."""
        end = place = 0
        with open(self.path, "rb") as file:
            for line in file:
                entry = _entry(line)
                if entry is None:
                    break
                place += len(line)
                if "dropped" in entry:
                    continue
                self._places[entry["row"]] = (place - len(line), len(line))
                if "rejected" in entry:
                    self._rejected.add(entry["row"])
                end = place
        return end

    def _append(self, row: str, line: str, before: str = "") -> None:
        head, data = before.encode(), line.encode()
        written = os.write(self._file, head + data)
        if written != len(head) + len(data):
            raise OSError(f"{self.path}: the disk took {written} of {len(head) + len(data)} bytes")
        self._places[row] = (self._size + len(head), len(data))
        self._size += written
        if time.monotonic() - self._synced > SYNC_EVERY:
            os.fsync(self._file)
            self._synced = time.monotonic()


def is_complete(path: Path, indexes: int) -> bool:
    """Whether a log was noted to hold everything of so many indexes, and has not changed since."""
    mark = _mark(path)
    if not mark.exists() or not path.exists():
        return False
    noted = json.loads(mark.read_text(encoding="utf-8"))
    return bool(noted["indexes"] == indexes and noted["bytes"] == path.stat().st_size)


def lines(path: Path) -> int:
    """How many rows a log seems to hold, without opening it for writing."""
    if not path.exists():
        return 0
    with open(path, "rb") as file:
        return sum(line.endswith(b"\n") and not line.startswith(b'"dropped"', line.index(b",") + 1) for line in file)


def quarantined(path: Path) -> Iterator[tuple[str, str, Rejected]]:
    """Row, `rejected` or `dropped`, and why: everything in a complete log that is not used."""
    with open(path, "rb") as file:
        for line in file:
            row = line[8 : line.index(b'"', 8)].decode()
            if not line.startswith(_head(row).encode()):
                _, (what, value) = json.loads(line).items()
                yield row, what, Rejected.model_validate(value)


def _faulty(row: str, what: str, value: Rejected) -> str:
    return f'{{"row":"{row}","{what}":{json.dumps(value.model_dump(), ensure_ascii=False)}}}\n'


def _head(row: str) -> str:
    return f'{{"row":"{row}","value":'


def _value(line: bytes, row: str) -> bytes:
    return line[len(_head(row)) : -2]


def _mark(path: Path) -> Path:
    return path.with_suffix(".complete.json")


def _entry(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a whole line; None for any other."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "row" in entry else None
