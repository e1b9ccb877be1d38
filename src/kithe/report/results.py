"""What a report starts from: the runs of a sweep, and the result of each or what stands in for one."""

import json
from pathlib import Path
from typing import Any

from kithe.errors import unknown
from kithe.store import Folder, Store


def sweep_runs(store: Path, sweep_id: str) -> list[str]:
    """The runs of a sweep."""
    sweeps = Store(store).root / "sweeps"
    if not (sweeps / sweep_id / "sweep.json").exists():
        raise unknown(f"sweep in {sweeps}", sweep_id, (path.parent.name for path in sweeps.glob("*/sweep.json")))
    return [str(run) for run in Store(store).sweep(sweep_id).read("sweep.json")["runs"]]


def read_result(store: Path, run_id: str) -> dict[str, Any]:
    """A run's result; for a run that has none, `{run_id, cell, config, state, error}`."""
    folder = Store(store).run(run_id)
    try:
        if not folder.done:
            return {**prepared(folder, run_id), "state": folder.state, "error": folder.read("state.json").get("error", "")}
        found = folder.read("result.json")
        return found or {**prepared(folder, run_id), "state": "missing", "error": "done, but there is no result.json"}
    except json.JSONDecodeError as broken:
        return {"run_id": run_id, "cell": {}, "state": "unreadable", "error": str(broken)}


def prepared(folder: Folder, run_id: str) -> dict[str, Any]:
    """What was chosen for a run, as its result will have it; nothing where it was never prepared."""
    cell = folder.read("cell.json")
    return {"run_id": run_id, "cell": cell.get("counted", cell.get("choices", {})), "config": cell.get("config", {})}
