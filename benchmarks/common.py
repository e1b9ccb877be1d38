"""The file every benchmark writes."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kithe.provenance import environment, git_state
from kithe.records.base import write_json

RESULTS = Path(__file__).parent / "results"


def processor() -> str:
    """The processor in words."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {"processor": processor(), "cores": os.cpu_count(), "system": platform.system(), "architecture": platform.machine()}


def write(name: str, command: str, rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any], **more: Any) -> Path:
    """Write `results/<name>.json`; returns its path.

    Args:
        command: what measured this.
        rows: every measurement.
        summary: the figures, by name.
        more: what else a reader must know, such as what is not measured yet.
    """
    path = RESULTS / f"{name}.json"
    versions = {**environment(), **git_state()}
    write_json(
        path,
        {"name": name, "command": command, "versions": versions, "machine": machine(), "rows": rows, "summary": summary, **more},
    )
    return path
