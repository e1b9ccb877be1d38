"""`task=generate`: what to write, in which stages, which part of it here, and what to publish."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from kithe.corpora.synthetic import VALIDATION_START
from kithe.dialogues.teacher import Teacher
from kithe.errors import ConfigError
from kithe.generation.card import card, readme
from kithe.generation.export import SPLITS, Export
from kithe.generation.pipeline import Block, Pipeline, blocks
from kithe.generation.stages import Stage
from kithe.records.base import write_json, write_lines


class Author(Protocol):
    """Who writes a corpus."""

    @property
    def name(self) -> str:
        """As cards call it."""

    @property
    def scripted(self) -> bool:
        """Whether it is a program, which cards and tables say."""


@dataclass(frozen=True)
class Origin:
    """Where a corpus comes from, for its card.

    Attributes:
        id: of the corpus.
        config: the resolved task and seed it was made with.
        account: who wrote it: `source`, `teacher`, `scripted`, `fields`, `stages` (ids), `versions`.
    """

    id: str
    config: Mapping[str, Any]
    account: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Work(ABC):
    """So much to be written, and which part of it here.

    Attributes:
        personas: people who talk.
        rows_per_file: indexes a block, the part of the work that one process does.
        together: indexes under way at once in a process: what bounds its memory, and what a model is asked at once.
        shard: which part of the blocks to write here, from 0.
        shards: in how many parts.
        estimate: print calls, tokens and cost of what is missing, and write nothing.
    """

    personas: int
    rows_per_file: int = 1000
    together: int = 200
    shard: int = 0
    shards: int = 1
    estimate: bool = False

    texts: ClassVar[tuple[str, ...]]  # patterns of the package's files that are drawn from

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name in ("personas", "rows_per_file", "together", "shards"):
            if getattr(self, name) < 1:
                raise ConfigError(f"task.{name}={getattr(self, name)}: it must be at least 1")
        if not 0 <= self.shard < self.shards:
            raise ConfigError(f"task.shard={self.shard}: with task.shards={self.shards} it is one of 0 to {self.shards - 1}")

    @property
    @abstractmethod
    def author(self) -> Author:
        """Who writes."""

    @abstractmethod
    def slug(self, teacher: str) -> str:
        """How the id begins, given the option of the group `teacher`."""

    @abstractmethod
    def publish(self, folder: Path, pipeline: Pipeline, origin: Origin) -> None:
        """Write the corpus with its card, once every block is complete."""

    @abstractmethod
    def summary(self, card: Mapping[str, Any]) -> str:
        """What a published corpus holds and how it is used, in a line."""

    def blocks(self) -> list[Block]:
        """All blocks."""
        return blocks(self.personas, self.rows_per_file)

    def own(self) -> list[Block]:
        """The blocks of this shard."""
        return self.blocks()[self.shard :: self.shards]


@dataclass(frozen=True, kw_only=True)
class Plan(Work):
    """A corpus of dialogues with knowledge items; see `Work`. An eighth as many personas again, other people, validate.

    Attributes:
        stages: name -> stage, in order; each reads what those before it wrote.
        export: what is published at the end.
    """

    stages: Mapping[str, Stage]
    export: Export
    texts: ClassVar[tuple[str, ...]] = ("personas/**/*.yaml", "dialogues/**/*.yaml", "generation/prompts/*.txt")

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        super().__post_init__()
        if self.personas > VALIDATION_START:
            raise ConfigError(
                f"task.personas={self.personas}: at most {VALIDATION_START}, where the validation personas begin; "
                "for more dialogues raise task.stages.dialogues.each"
            )
        if "personas" not in self.stages or "dialogues" not in self.stages:
            raise ConfigError(f"task.stages: personas and dialogues must be among them; there are {', '.join(self.stages)}")

    @property
    def author(self) -> Teacher:
        """Who writes the dialogues."""
        teacher: Teacher = self.stages["dialogues"].teacher  # type: ignore[attr-defined]  # the stage of this name has one
        return teacher

    def slug(self, teacher: str) -> str:
        """See `Work.slug`."""
        return teacher

    def publish(self, folder: Path, pipeline: Pipeline, origin: Origin) -> None:
        """See `Work.publish`."""
        written = self.export.write(folder, pipeline, self.blocks())
        found = card(origin.id, origin.config, {**origin.account, "fields": sorted(self.author.fields)}, self.export, written)
        write_json(folder / "card.json", found)
        write_lines(folder / "README.md", readme(found, self.export).splitlines())

    def summary(self, card: Mapping[str, Any]) -> str:
        """See `Work.summary`."""
        counts = ", ".join(f"{card[split]['dialogues']} {split}" for split in SPLITS)
        rejected = sum(sum(reasons.values()) for reasons in card["rejected"].values())
        return f"{counts} dialogues, {rejected} rows in quarantine; use it with data.folder={card['id']}"
