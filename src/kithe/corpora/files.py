"""The files outside the repository that histories are read from: which they were, and whether they are the same still."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from kithe.corpora.download import checksum
from kithe.corpora.source import FromFiles, Split

SHOWN: Final = 12  # digits of a checksum that a message shows

Stamps = Mapping[str, Mapping[str, Any]]


def files_of(sources: Iterable[object], *splits: Split) -> dict[str, Path]:
    """The files that these splits of the sources are read from, by name; none for a source that reads none."""
    return {
        name: path
        for source in sources
        if isinstance(source, FromFiles)
        for split in splits
        for name, path in source.files(split).items()
    }


def stamps(files: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 checksum of those files that are there, by name."""
    found = {name: (path, path.stat()) for name, path in sorted(files.items()) if path.is_file()}
    return {
        name: {"bytes": known.st_size, "sha256": _checksum(path, known.st_size, known.st_mtime_ns)}
        for name, (path, known) in found.items()
    }


def changes(recorded: Stamps, present: Stamps) -> list[str]:
    """The files that are others than those recorded, each with both checksums; a file that one side lacks is no change."""
    both = sorted(recorded.keys() & present.keys())
    pairs = [(name, str(recorded[name]["sha256"]), str(present[name]["sha256"])) for name in both]
    return [f"{name} (SHA-256 {old[:SHOWN]}…, now {new[:SHOWN]}…)" for name, old, new in pairs if old != new]


@cache
def _checksum(path: Path, size: int, changed_ns: int) -> str:
    """Once a process, unless the file changes meanwhile."""
    return checksum(path)
