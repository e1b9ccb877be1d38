"""`metrics.jsonl`: one row a step, each exactly once, however often a run was killed and taken up again."""

import json
import os
from pathlib import Path
from typing import Any


class MetricsLog:
    """Appends rows to a file; a row of a stage and step that is there already is not written again.

    Training that goes on from a checkpoint repeats the steps since then, and gets the same numbers.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        rows = whole_lines(path)
        self.known = {(row["stage"], row["step"]) for row in map(json.loads, rows)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")

    def __call__(self, row: dict[str, Any]) -> None:
        """Write a row, to the disk."""
        if (row["stage"], row["step"]) in self.known:
            return
        self.known.add((row["stage"], row["step"]))
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{json.dumps(row, sort_keys=True)}\n")
            file.flush()
            os.fsync(file.fileno())


def whole_lines(path: Path) -> list[str]:
    """The complete lines of a file; what a killed writer left of its last one is dropped."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()
