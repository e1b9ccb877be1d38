"""`task=generate`: what to write, in which stages, which part of it here, and what to publish."""

from collections.abc import Mapping
from dataclasses import dataclass

from kithe.corpora.synthetic import VALIDATION_START
from kithe.errors import ConfigError
from kithe.generation.export import Export
from kithe.generation.pipeline import Block, blocks
from kithe.generation.stages import Stage


@dataclass(frozen=True)
class Plan:
    """A corpus to be written.

    Attributes:
        stages: name -> stage, in order; each reads what those before it wrote.
        export: what is published at the end.
        personas: training personas; an eighth of that, of other people, validates.
        rows_per_file: indexes a block, the part of the work that one process does.
        together: indexes under way at once in a process: what bounds its memory, and what a model is asked at once.
        shard: which part of the blocks to write here, from 0.
        shards: in how many parts.
        estimate: print calls, tokens and cost of what is missing, and write nothing.
    """

    stages: Mapping[str, Stage]
    export: Export
    personas: int
    rows_per_file: int = 1000
    together: int = 200
    shard: int = 0
    shards: int = 1
    estimate: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name in ("personas", "rows_per_file", "together", "shards"):
            if getattr(self, name) < 1:
                raise ConfigError(f"task.{name}={getattr(self, name)}: it must be at least 1")
        if self.personas > VALIDATION_START:
            raise ConfigError(
                f"task.personas={self.personas}: at most {VALIDATION_START}, where the validation personas begin; "
                "for more dialogues raise task.stages.dialogues.each"
            )
        if not 0 <= self.shard < self.shards:
            raise ConfigError(f"task.shard={self.shard}: with task.shards={self.shards} it is one of 0 to {self.shards - 1}")
        if "personas" not in self.stages or "dialogues" not in self.stages:
            raise ConfigError(f"task.stages: personas and dialogues must be among them; there are {', '.join(self.stages)}")

    def blocks(self) -> list[Block]:
        """All blocks."""
        return blocks(self.personas, self.rows_per_file)

    def own(self) -> list[Block]:
        """The blocks of this shard."""
        return self.blocks()[self.shard :: self.shards]
