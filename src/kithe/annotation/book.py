"""Where labels are kept: one SQLite file, append-only. Nothing that was answered once is ever overwritten or lost.

A label is on disk before whoever gave it is told so (WAL, synchronous=FULL), whatever process is killed afterwards. Of several
labels of one person on one task the last counts.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kithe.annotation.forms import Value
from kithe.llm.database import Database

_TABLE: Final = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS labels (
  number INTEGER PRIMARY KEY, task TEXT NOT NULL, annotator TEXT NOT NULL,
  answers TEXT NOT NULL, note TEXT NOT NULL, saved TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS whose ON labels (annotator, task);
"""
_LAST: Final = (
    "SELECT task, annotator, answers, note, saved, number FROM labels WHERE number IN "
    "(SELECT MAX(number) FROM labels GROUP BY annotator, task) {where} ORDER BY number"
)


@dataclass(frozen=True)
class Label:
    """What one person says of one task.

    Attributes:
        task: its id.
        answers: question -> answer.
        saved: when, in UTC; empty before it is saved.
        number: its place among all that was ever saved; 0 before.
    """

    task: str
    annotator: str
    answers: dict[str, Value]
    note: str = ""
    saved: str = ""
    number: int = 0

    def same(self, other: "Label | None") -> bool:
        """Whether two labels say the same."""
        return other is not None and (self.answers, self.note) == (other.answers, other.note)


class Book:
    """The labels of a package; used from any thread, by any number of processes."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self._database = Database(path, _TABLE)

    def add(self, labels: Iterable[Label]) -> None:
        """Write labels down, all or none; on return they are on disk."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows = [
            (label.task, label.annotator, json.dumps(label.answers, sort_keys=True), label.note, label.saved or now)
            for label in labels
        ]
        with self._database.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany("INSERT INTO labels (task, annotator, answers, note, saved) VALUES (?, ?, ?, ?, ?)", rows)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def labels(self, annotator: str | None = None) -> list[Label]:
        """What counts, in the order in which it was saved; everybody's or one person's."""
        query = _LAST.format(where="" if annotator is None else "AND annotator = ?")
        with self._database.connection() as connection:
            rows = connection.execute(query, () if annotator is None else (annotator,)).fetchall()
        return [Label(task, name, json.loads(answers), note, saved, n) for task, name, answers, note, saved, n in rows]

    def count(self) -> int:
        """How many labels were ever saved."""
        with self._database.connection() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM labels").fetchone()[0])

    def close(self) -> None:
        """Close the file; using it again opens it again."""
        self._database.close()


def by_task(labels: Sequence[Label]) -> dict[str, list[Label]]:
    """Labels by the task they are about."""
    found: dict[str, list[Label]] = {}
    for label in labels:
        found.setdefault(label.task, []).append(label)
    return found
