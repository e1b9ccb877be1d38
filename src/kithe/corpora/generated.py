"""`data=synthetic`: drawn on the fly by a scripted teacher, or read from a corpus that `task=generate` wrote."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from kithe.corpora.source import DataSource, Split
from kithe.corpora.synthetic import Synthetic
from kithe.dialogues.teacher import Teacher
from kithe.errors import ConfigError
from kithe.records.history import History


def source(teacher: Teacher, personas: int = 300, folder: str | None = None, root: str = "outputs/generated") -> DataSource:
    """The synthetic source that a config describes.

    Args:
        teacher: who writes, or who wrote what lies in the folder.
        personas: how many personas to train on, at most.
        folder: a generated corpus: its path, or its id under `root`; None: drawn on the fly.
        root: where generated corpora lie.

    Raises:
        ConfigError: there is no such corpus, somebody else wrote it, or the teacher cannot write on the fly.
    """
    if folder is not None:
        return Generated(teacher, personas, Path(root) / folder if (Path(root) / folder).exists() else Path(folder))
    if not teacher.scripted:
        raise ConfigError(
            f"data=synthetic: teacher '{teacher.name}' writes a corpus first (`python run.py task=generate teacher=…`); "
            "then name it with data.folder=<its id>"
        )
    return Synthetic(teacher, personas)


@dataclass(frozen=True)
class Generated:
    """A corpus that was written before."""

    teacher: Teacher
    personas: int
    folder: Path
    name: str = "synthetic"

    def __post_init__(self) -> None:
        """Look whether the corpus is what it should be.

        Raises:
            ConfigError: it is not there, not whole, or by somebody else.
        """
        if not (self.folder / "card.json").exists():
            known = ", ".join(sorted(card.parent.name for card in self.folder.parent.glob("*/card.json"))[:8]) or "none"
            raise ConfigError(
                f"data.folder: no generated corpus at {self.folder}; there: {known}; `python run.py task=generate` writes one"
            )
        if self._card["teacher"] != self.teacher.name:
            raise ConfigError(
                f"data.folder: '{self._card['teacher']}' wrote {self.folder.name}, not '{self.teacher.name}'; choose that teacher"
            )
        changed = [name for name in self._files if (self.folder / name).stat().st_size != self._card["files"][name]["bytes"]]
        if changed:
            raise ConfigError(
                f"data.folder: {', '.join(changed)} in {self.folder} changed since the card was written; generate it again"
            )

    @cached_property
    def _card(self) -> dict[str, Any]:
        card: dict[str, Any] = json.loads((self.folder / "card.json").read_text(encoding="utf-8"))
        return card

    @property
    def _files(self) -> tuple[str, ...]:
        return ("train.jsonl", "validation.jsonl")

    @property
    def content(self) -> str:
        """A hash of the histories, which identifies what is trained on wherever the folder lies."""
        return "-".join(self._card["files"][name]["sha256"][:10] for name in self._files)

    @property
    def scripted(self) -> bool:
        """Whether a program wrote it."""
        return bool(self._card["scripted"])

    @property
    def fields(self) -> frozenset[str]:
        """What its labels carry."""
        return frozenset(self._card["fields"])

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The histories of a split: train as written for the seed it was written with, in an order drawn from any other.

        Raises:
            ConfigError: for "test": a system is measured on what people wrote.
        """
        if split == "test":
            raise ConfigError("data=synthetic has no test split; measure on real text instead: data=sample or data=real")
        if split == "validation":
            yield from History.read(self.folder / "validation.jsonl")
            return
        people: set[str] = set()
        for history in self._ordered(seed):
            people.add(history.id.rsplit("-", 1)[0])
            if len(people) > self.personas:
                return
            yield history

    def _ordered(self, seed: int) -> Iterator[History]:
        with open(self.folder / "train.jsonl", "rb") as file:
            places = [0]
            places += [file.tell() for _ in iter(file.readline, b"")]
            starts = places[:-1]
            if seed != self._card["seed"]:
                Random(f"{seed}/order").shuffle(starts)
            for start in starts:
                file.seek(start)
                yield History.model_validate_json(file.readline())
