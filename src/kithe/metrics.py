"""`metrics.jsonl`: one row a step, each exactly once, however often a run was killed and taken up again."""

import json
import os
from pathlib import Path
from typing import Any

from kithe.records.appended import append, cut, whole_lines


class MetricsLog:
    """Appends rows to a file that is never rewritten; a row that is there already is not written again.

    Training that goes on from a checkpoint repeats the steps since then, and gets the same numbers. Where it gets others, it was
    begun anew: the earlier row of that stage and step, and all that follow it, are of a training that led nowhere.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        cut(path)
        lines = [(line.decode(), json.loads(line)) for line in whole_lines(path)]
        self.lines = {(row["stage"], row["step"]): line for line, row in lines}

    def __call__(self, row: dict[str, Any]) -> None:
        """Write a row, to the disk."""
        key, line = (row["stage"], row["step"]), json.dumps(row, sort_keys=True)
        if self.lines.get(key) == line:
            return
        if key in self.lines:
            self._drop_from(key)
        append(self.path, [line])
        self.lines[key] = line

    def _drop_from(self, key: tuple[str, int]) -> None:
        kept = list(self.lines.items())[: list(self.lines).index(key)]
        os.truncate(self.path, sum(len(f"{line}\n".encode()) for _, line in kept))
        self.lines = dict(kept)
