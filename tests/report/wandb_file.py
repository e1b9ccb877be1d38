"""A reader for offline `run-*.wandb` files: a 7-byte header, then 32 KiB blocks of a LevelDB log that holds protobuf records."""

import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK, HEADER, FRAME = 32768, 7, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and payload of every frame; a block's last bytes are padding where no frame header fits."""
    assert data[:4] == b":W&B"
    at = HEADER
    while at + FRAME <= len(data):
        if BLOCK - at % BLOCK < FRAME:
            at += BLOCK - at % BLOCK
            continue
        _, size, kind = struct.unpack_from("<IHB", data, at)
        yield kind, data[at + FRAME : at + FRAME + size]
        at += FRAME + size


def messages(path: Path) -> Iterator[bytes]:
    """The records, put together from their frames."""
    parts = b""
    for kind, payload in frames(path.read_bytes()):
        parts = payload if kind in (FULL, FIRST) else parts + payload
        if kind in (FULL, LAST):
            yield parts


@dataclass
class WandbFile:
    """What a file says about its run."""

    run: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    step_metrics: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    exit_code: int | None = None
    artifacts: list[tuple[str, str, list[tuple[str, str]]]] = field(default_factory=list)


def items(listed: Any) -> dict[str, Any]:
    """Key-value items as a dict."""
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in listed}


def read_wandb(path: Path) -> WandbFile:
    """Read a file."""
    from wandb.proto.wandb_internal_pb2 import Record

    found = WandbFile()
    for message in messages(path):
        record = Record.FromString(message)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found.run = record.run
            found.config |= items(record.run.config.update)
        elif kind == "config":
            found.config |= items(record.config.update)
        elif kind == "history":
            found.history.append(items(record.history.item))
        elif kind == "summary":
            found.summary |= items(record.summary.update)
        elif kind == "metric":
            found.step_metrics[record.metric.name or record.metric.glob_name] = record.metric.step_metric
        elif kind == "files":
            found.files += [file.path for file in record.files.files]
        elif kind in ("artifact", "request"):
            made = record.artifact if kind == "artifact" else record.request.log_artifact.artifact
            if made.name:
                found.artifacts.append((made.name, made.type, [(entry.path, entry.ref) for entry in made.manifest.contents]))
        elif kind == "exit":
            found.exit_code = record.exit.exit_code
    return found


def read_finished(folder: Path, patience: float = 30.0) -> WandbFile:
    """Read the folder of a run that was finished just now: W&B's own process writes the file a few milliseconds later."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = [read_wandb(path) for path in folder.glob("run-*.wandb") if path.stat().st_size > HEADER]
        if found and found[0].exit_code is not None:
            return found[0]
        time.sleep(0.02)
    raise TimeoutError(f"no finished run in {folder}")
