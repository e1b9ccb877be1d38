"""`task=atlas`: a corpus of simulated users, by the pipeline that writes every corpus: in shards, resumable, nothing lost."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from kithe.errors import ConfigError
from kithe.generation.pipeline import Block, Pipeline, blocks
from kithe.generation.plan import Origin, Work
from kithe.generation.stages import Outcome, Row
from kithe.gym.corpus import Atlas
from kithe.gym.export import write_release
from kithe.gym.players import Players, opening, place
from kithe.gym.records import Trajectory
from kithe.records.base import Record, write_lines


@dataclass(frozen=True)
class Conversations:
    """The sessions of each user.

    Attributes:
        teacher: who plays.
    """

    teacher: Players
    record: ClassVar[type[Record]] = Trajectory
    version: ClassVar[int] = 4

    def keys(self, key: str) -> tuple[str, ...]:
        """A row a session."""
        return tuple(f"{key}-{session}" for session in range(self.teacher.atlas.sessions))

    def write(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Stage.write`."""
        return self.teacher.play({row.key: opening(self.teacher.atlas, *place(row.key), seed) for row in rows}, seed)


@dataclass(frozen=True)
class Release:
    """What is published: the fields of PersonaAtlas, and beside them all that led to a conversation.

    Attributes:
        licence: of the text; an identifier as dataset cards use them.
    """

    licence: str = "apache-2.0"

    def write(self, folder: Path, pipeline: Pipeline, todo: Sequence[Block], atlas: Atlas, origin: Mapping[str, Any]) -> None:
        """Write every file and the card.

        Raises:
            ConfigError: every conversation is in quarantine.
        """

        def talks() -> Iterator[Trajectory]:
            for block in todo:
                for _, texts in pipeline.rows(block):
                    yield Trajectory.model_validate_json(texts["conversations"])

        failed = [{"row": row, "reason": why.reason, "raw": why.raw} for b in todo for _, row, _, why in pipeline.quarantine(b)]
        write_lines(folder / "rejected.jsonl", (json.dumps(entry, ensure_ascii=False) for entry in failed))
        rejected = dict(sorted(Counter(entry["reason"] for entry in failed).items()))
        if next(talks(), None) is None:
            raise ConfigError(_nothing(failed))
        write_release(talks, folder, atlas, {**origin, "licence": self.licence, "rejected": rejected})


def _nothing(failed: Sequence[Mapping[str, str]]) -> str:
    first = f", the first one since: {failed[0]['reason']}" if failed else ""
    return f"all {len(failed)} conversations are in quarantine{first}; players must be scripted, or a model that does as told"


@dataclass(frozen=True, kw_only=True)
class Plan(Work):
    """A corpus of conversations to be written; see `Work`.

    Attributes:
        stages: `conversations`, alone.
    """

    stages: Mapping[str, Conversations]
    export: Release
    texts: ClassVar[tuple[str, ...]] = ("gym/**/*.yaml", "gym/prompts/*")

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        super().__post_init__()
        if list(self.stages) != ["conversations"]:
            raise ConfigError(f"task.stages: conversations and nothing else; there are {', '.join(self.stages)}")

    @property
    def author(self) -> Players:
        """Who plays."""
        return self.stages["conversations"].teacher

    def slug(self, teacher: str) -> str:
        """See `Work.slug`; whoever the teacher is, players talk here."""
        return f"atlas-{'scripted' if self.author.scripted else 'model'}"

    def publish(self, folder: Path, pipeline: Pipeline, origin: Origin) -> None:
        """See `Work.publish`."""
        atlas = replace(self.author.atlas, personas=self.personas, seed=origin.config["seed"])
        own = {"id": origin.id, **origin.account, "config": origin.config}
        self.export.write(folder, pipeline, self.blocks(), atlas, own)

    def summary(self, card: Mapping[str, Any]) -> str:
        """See `Work.summary`."""
        counts = ", ".join(f"{count} {split}" for split, count in card["rows"].items())
        rejected = sum(card["rejected"].values())
        return f"{counts} conversations, {rejected} in quarantine; use it with data=atlas data.folder={card['id']}"

    def blocks(self) -> list[Block]:
        """All blocks; validation and test are splits of the users, so there are no others for them."""
        return [block for block in blocks(self.personas, self.rows_per_file) if block.split == "train"]
