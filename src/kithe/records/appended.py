"""Files that grow by whole lines: a line counts once it ends in a newline, and what a killed writer left after it does not."""

import os
from collections.abc import Iterable
from pathlib import Path


def whole_lines(path: Path) -> list[bytes]:
    """The complete lines of a file, without their ends; none where there is no file."""
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]


def cut(path: Path) -> None:
    """Drop, in place, what stands after the last complete line, so that the next line does not continue it."""
    if path.exists():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def append(path: Path, lines: Iterable[str]) -> None:
    """Add lines to a file; they are on the disk when this returns."""
    with open(path, "ab") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())
