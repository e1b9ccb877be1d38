"""What every record shares: frozen, strict about unknown fields, versioned JSON lines on disk."""

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1


class Record(BaseModel):
    """A frozen record; an unknown field is an error, so that a typo in a file cannot pass silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def line(self) -> str:
        """One JSON line without fields that hold their default."""
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def read(cls, path: Path) -> Iterator[Self]:
        """The records of a `.jsonl` or `.jsonl.gz` file, one a line."""
        with open_text(path) as lines:
            for text in lines:
                if text.strip():
                    yield cls.model_validate_json(text)


def open_text(path: Path):  # type: ignore[no-untyped-def]  # gzip and open disagree about their return types
    """A text file for reading, gzipped or not."""
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a whole file or nothing: a killed writer leaves the old file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_json(path: Path, value: object) -> None:
    """Write one JSON value, whole or not at all, with sorted keys."""
    write_lines(path, [json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)])
