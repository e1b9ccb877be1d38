"""The last two checkpoints of a run on disk: whole or not at all, known to be intact, and by whom they can be continued."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kithe.errors import ConfigError
from kithe.records.base import write_json

SEALS: Final = "seals.json"


@dataclass(frozen=True)
class Seal:
    """What a checkpoint is known by.

    Attributes:
        digest: of its bytes.
        strategy: `plain` (one file, which any number of processes can continue), `zero2` or `zero3` (a shard for every process).
        world: how many processes wrote it.
    """

    digest: str
    strategy: str
    world: int


@dataclass(frozen=True)
class Checkpoints:
    """`last.ckpt` and the one before it in a folder, written and read by so many processes of a strategy."""

    folder: Path
    strategy: str = "plain"
    world: int = 1

    @property
    def part(self) -> Path:
        """Where the next one is written before it counts."""
        return self.folder / ".last.ckpt.part"

    @property
    def last(self) -> Path:
        """The last one."""
        return self.folder / "last.ckpt"

    @property
    def before(self) -> Path:
        """The one before the last."""
        return self.folder / ".last.ckpt.old"

    def drop_part(self) -> None:
        """Remove what a failed or killed process left half written."""
        _remove(self.part)

    def put_in_place(self) -> None:
        """Make what was written the last one; whenever this is killed, an intact one is left."""
        seals = [*self._seals(), Seal(digest(self.part), self.strategy, self.world)]
        write_json(self.folder / SEALS, {"seals": [asdict(seal) for seal in seals]})
        if self.last.exists():
            _remove(self.before)
            os.replace(self.last, self.before)
        os.replace(self.part, self.last)

    def find(self, first: bool = True) -> Path | None:
        """The newest intact checkpoint; None for none.

        Args:
            first: whether this process speaks for all: it says what is damaged, and clears away what was left half written.

        Raises:
            ConfigError: this many processes of this strategy cannot continue it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if first:
            self.drop_part()
        seals = {seal.digest: seal for seal in self._seals()}
        there = [path for path in (self.last, self.before) if path.exists()]
        for path in there:
            seal = seals.get(digest(path))
            if seal is not None:
                self._fit(seal)
                return path
            if first:
                instead = "trying the one before it" if path != there[-1] else "starting over from step 0"
                sys.stderr.write(f"kithe: the checkpoint {path} is damaged; {instead}\n")
        return None

    def _fit(self, seal: Seal) -> None:
        if seal.strategy == self.strategy and (seal.strategy == "plain" or seal.world == self.world):
            return
        plain = "one process or ddp (runtime=cpu, gpu or ddp)"
        by = plain if seal.strategy == "plain" else f"runtime={seal.strategy} runtime.processes={seal.world}"
        raise ConfigError(
            f"the checkpoint in {self.folder} can be continued by {by}, not by {self.world} process(es) of "
            f"{'ddp' if self.strategy == 'plain' else self.strategy}; choose that, or delete the folder to start over"
        )

    def _seals(self) -> list[Seal]:
        file = self.folder / SEALS
        return [Seal(**seal) for seal in json.loads(file.read_text(encoding="utf-8"))["seals"]] if file.exists() else []


def digest(path: Path) -> str:
    """The hash of a file, or of the names and contents of a folder's files."""
    if path.is_file():
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256("".join(_lines(path)).encode()).hexdigest()


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield f"{path.relative_to(folder)} {digest(path)}\n"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
