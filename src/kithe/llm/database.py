"""SQLite files that several processes write to, each of which may be killed at any moment."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kithe.errors import ConfigError

_PATIENCE: Final = 60.0  # seconds to wait for another process's write


class Database:
    """One SQLite file, opened when first used, once in every process; used from any thread.

    A write that returned outlives the death of the process. The file's journal (WAL) needs a disk of this host: processes on
    several hosts need a file each.
    """

    def __init__(self, path: Path | None, schema: str) -> None:
        """Nothing is opened yet.

        Args:
            path: the file; None for one in memory.
            schema: statements that make its tables where they are missing.
        """
        self.path = path
        self._schema = schema
        self._lock = threading.RLock()
        self._owner = 0
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time; each statement is a transaction of its own."""
        with self._lock:
            if self._connection is None or self._owner != os.getpid():  # a connection must not cross a fork
                self._connection, self._owner = self._open(), os.getpid()
            yield self._connection

    def close(self) -> None:
        """Close the file; using it again opens it again."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path or ":memory:", timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(self._schema)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise ConfigError(f"{self.path}: {error}; fix: move the file away, or name another") from None
        return connection
