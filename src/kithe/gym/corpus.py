"""The corpus of conversations: personas times sessions, in blocks that any process can write and none writes twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Literal

from kithe.corpora.source import Split
from kithe.errors import ConfigError
from kithe.gym.noise.distractor import Distractor
from kithe.gym.queries import query_at
from kithe.gym.records import Trajectory
from kithe.gym.sampling import GymPersona, Sampler
from kithe.gym.scripted import cast, played
from kithe.gym.talk import Opening, Rules, converse
from kithe.gym.user import ScriptedUser, drifted
from kithe.records.base import write_lines

BLOCK = 50  # personas in a file
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def split_of(persona_id: str) -> Split:
    """The split of a user, by its id alone: a tenth each for validation and test, so no user is in two splits."""
    place = int(sha256(persona_id.encode()).hexdigest(), 16) % 10
    return "test" if place == 0 else "validation" if place == 1 else "train"


@dataclass(frozen=True)
class Atlas:
    """A corpus by the scripted cast.

    Attributes:
        personas: how many users.
        sessions: conversations of each, one after the other.
        seed: root of every draw.
        drift: how likely each wish about answers changes between two sessions.
        sampler: how users are drawn.
        rules: how conversations go.
        distractor: how noise is put into messages.
        stray: how often users mention wishes that are fulfilled.
    """

    personas: int = 2000
    sessions: int = 5
    seed: int = 0
    drift: float = 0.05
    sampler: Sampler = field(default_factory=Sampler)
    rules: Rules = field(default_factory=Rules)
    distractor: Distractor = field(default_factory=Distractor)
    stray: float = 0.1

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: one of them is impossible.
        """
        if self.personas < 1 or self.sessions < 1:
            raise ConfigError(f"atlas: personas={self.personas} and sessions={self.sessions} must be at least 1")
        for name in ("drift", "stray"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"atlas.{name}={getattr(self, name)}: it is a probability, from 0 to 1")

    @cached_property
    def users(self) -> tuple[GymPersona, ...]:
        """All users."""
        return tuple(self.sampler.personas(self.personas, self.seed))

    def openings(self, index: int) -> Iterator[Opening]:
        """Who talks about what, session by session, of one user."""
        persona, changed = self.users[index], tuple[str, ...]()
        for session in range(self.sessions):
            if session:
                values, changed = drifted(persona.values, self.drift, Random(f"{self.seed}/drift/{persona.id}/{session}"))
                persona = persona.model_copy(update={"values": values})
            query = query_at(index * self.sessions + session, self.seed)
            yield Opening(f"{persona.id}-s{session + 1}", persona, session + 1, query, changed)

    def trajectories(self, index: int) -> Iterator[Trajectory]:
        """The conversations of one user."""
        parts = cast(self.distractor, ScriptedUser(self.stray))
        for opening in self.openings(index):
            yield played(converse(opening, parts, self.rules, self.seed))

    def blocks(self) -> list[range]:
        """Which users are written into one file each."""
        return [range(start, min(start + BLOCK, self.personas)) for start in range(0, self.personas, BLOCK)]

    def write(self, folder: Path, shard: int = 0, shards: int = 1) -> int:
        """Write the blocks of a shard that are not there yet; returns how many were written.

        A block is there whole or not at all, and depends on nothing but the options, so a killed run goes on where it was.

        Raises:
            ConfigError: there is no such shard.
        """
        if not 0 <= shard < shards:
            raise ConfigError(f"shard={shard}: from 0 to {shards - 1}, as there are shards={shards}")
        written = 0
        for number, block in enumerate(self.blocks()):
            path = block_path(folder, number)
            if number % shards == shard and not path.exists():
                write_lines(path, (trajectory.line() for index in block for trajectory in self.trajectories(index)))
                written += 1
        return written

    def read(self, folder: Path, split: Split | Literal["all"] = "all") -> Iterator[Trajectory]:
        """What is written, in order.

        Raises:
            ConfigError: a block is missing.
        """
        for number in range(len(self.blocks())):
            path = block_path(folder, number)
            if not path.exists():
                raise ConfigError(f"{folder}: block {number} of {len(self.blocks())} is missing; write every shard first")
            for trajectory in Trajectory.read(path):
                if split in ("all", split_of(trajectory.persona_id)):
                    yield trajectory


def block_path(folder: Path, number: int) -> Path:
    """The file of a block."""
    return folder / "trajectories" / f"block-{number:05d}.jsonl"
