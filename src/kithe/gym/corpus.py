"""The corpus of conversations: personas times sessions; which of them are written where is the pipeline's."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from random import Random

from kithe.corpora.source import Split
from kithe.errors import ConfigError
from kithe.gym.noise.distractor import Distractor
from kithe.gym.queries import query_at
from kithe.gym.records import Trajectory
from kithe.gym.sampling import GymPersona, People, Sampler
from kithe.gym.scripted import cast, played
from kithe.gym.talk import Opening, Rules, converse
from kithe.gym.user import ScriptedUser, drifted

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
        sampler: where users come from.
        rules: how conversations go.
        distractor: how noise is put into messages.
        stray: how often users mention wishes that are fulfilled.
    """

    personas: int = 2000
    sessions: int = 5
    seed: int = 0
    drift: float = 0.05
    sampler: People = field(default_factory=Sampler)
    rules: Rules = field(default_factory=Rules)
    distractor: Distractor = field(default_factory=Distractor)
    stray: float = 0.1

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name in ("personas", "sessions"):
            if getattr(self, name) < 1:
                raise ConfigError(f"atlas.{name}={getattr(self, name)}: it must be at least 1")
        for name in ("drift", "stray"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"atlas.{name}={getattr(self, name)}: it is a probability, from 0 to 1")

    @cached_property
    def users(self) -> tuple[GymPersona, ...]:
        """All users."""
        return tuple(self.sampler.personas(self.personas, self.seed))

    def openings(self, index: int, user: GymPersona | None = None) -> Iterator[Opening]:
        """Who talks about what, session by session, of one user; `user` spares drawing all before this one."""
        persona, changed = user or self.users[index], tuple[str, ...]()
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

    def talks(self) -> Iterator[Trajectory]:
        """The conversations of all users."""
        return (trajectory for index in range(self.personas) for trajectory in self.trajectories(index))
