"""Measurements that are kept one by one, so that a stopped benchmark goes on where it was."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.common import RESULTS


class Rows:
    """Rows by key in a file beside the results; a row that is there is not measured again.

    Args:
        published: whether a row that stands in the result of that name counts as measured too.
    """

    def __init__(self, name: str, small: bool, published: bool = False) -> None:
        self.path = RESULTS / f".{name}{'.small' if small else ''}.rows.jsonl"
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        result = RESULTS / f"{name}.json"
        told = json.loads(result.read_text(encoding="utf-8"))["rows"] if published and not small and result.exists() else []
        self.found: dict[str, dict[str, Any]] = {row["key"]: row for row in [*told, *map(json.loads, lines)]}

    def measure(self, key: str, known: Mapping[str, Any], work: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """The row of that key, measured if it is missing; every row says how busy the machine was."""
        if key not in self.found:
            before = os.getloadavg()[0]
            row = {"key": key, **known, **work(), "load": [round(before, 1), round(os.getloadavg()[0], 1)]}
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            self.found[key] = row
        return self.found[key]

    def close(self) -> list[dict[str, Any]]:
        """All rows, whose file is removed: they stand in the result now."""
        self.path.unlink(missing_ok=True)
        return list(self.found.values())
