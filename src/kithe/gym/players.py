"""Who plays in the conversations of a corpus: rules, or language models with many conversations under way at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar, Final, Protocol

from kithe.generation.asking import LATER
from kithe.generation.log import Rejected
from kithe.generation.stages import Outcome, Unanswered, Written
from kithe.gym.asked import Account, Clients, run
from kithe.gym.asked import cast as asked_cast
from kithe.gym.assistant import Pool
from kithe.gym.corpus import Atlas
from kithe.gym.records import Trajectory
from kithe.gym.rehearsal import rehearsed
from kithe.gym.sampling import GymPersona, People
from kithe.gym.scripted import cast, played
from kithe.gym.talk import Discarded, Opening, Steps, converse
from kithe.gym.user import ScriptedUser
from kithe.llm.client import Ask, Client

FEWEST: Final = 1024  # users drawn at once; they are drawn one after the other, so that they differ from each other


class Players(Protocol):
    """Everybody in a conversation but the plan of it.

    Attributes:
        atlas: who the users are and how conversations go; its number of users and its seed are those of the run.
    """

    @property
    def atlas(self) -> Atlas:
        """See above."""

    @property
    def name(self) -> str:
        """Who they are."""

    @property
    def scripted(self) -> bool:
        """Whether a program plays, which every card says."""

    def play(self, openings: Mapping[str, Opening], seed: int) -> Iterator[tuple[str, Outcome]]:
        """The conversation of each opening, in any order."""


@dataclass(frozen=True)
class ScriptedPlayers:
    """Rules: it is known exactly what was violated, said and changed."""

    atlas: Atlas = field(default_factory=Atlas)
    name: ClassVar[str] = "scripted"
    scripted: ClassVar[bool] = True

    def play(self, openings: Mapping[str, Opening], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Players`."""
        parts = cast(self.atlas.distractor, ScriptedUser(self.atlas.stray))
        for key, opening in openings.items():
            yield key, Written(played(converse(opening, parts, self.atlas.rules, seed)))


@dataclass(frozen=True)
class Answering:
    """A model that answers users, and how often it is locked for a conversation compared with the others."""

    client: Client
    weight: float = 1.0


@dataclass(frozen=True)
class ModelPlayers:
    """Language models.

    Attributes:
        client: writes what users say: it adapts queries, reacts to answers, and adds noise.
        assistants: name -> who answers; best of other families than the client.
        together: conversations that wait for a model at once.
    """

    client: Client
    assistants: Mapping[str, Answering]
    atlas: Atlas = field(default_factory=Atlas)
    together: int = 64
    scripted: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Who writes."""
        return self.client.name

    def play(self, openings: Mapping[str, Opening], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Players`; whom nobody answered stays to be done, a conversation with a part that failed twice is rejected."""
        pool = Pool({name: each.weight for name, each in self.assistants.items()})
        parts = asked_cast(pool, self.atlas.distractor, self.name)
        answering = {name: each.client for name, each in self.assistants.items()}
        clients = Clients(dict.fromkeys(("formulator", "stylist", "user", "distractor"), self.client), answering)
        talks = (_keyed(key, converse(opening, parts, self.atlas.rules, seed)) for key, opening in openings.items())
        for found in run(talks, clients, Account(), self.together):
            assert not isinstance(found, Discarded)
            key, talk = found
            yield key, _outcome(talk)

    def asks(self, stage: str, key: str, seed: int) -> list[Ask]:
        """What a conversation takes at least: as scripted users and assistants would talk, each message asked of a model."""
        index, session = place(key)
        return rehearsed(opening(self.atlas, index, session, seed), self.atlas, seed)


def place(key: str) -> tuple[int, int]:
    """Which user's which session a row is, both from 0."""
    index, session = key.split("-")
    return int(index), int(session)


def opening(atlas: Atlas, index: int, session: int, seed: int) -> Opening:
    """Who talks about what in a session, whatever number of users there are."""
    sized = replace(atlas, personas=index + 1, seed=seed)
    return list(sized.openings(index, users(atlas.sampler, seed, _enough(index))[index]))[session]


@lru_cache(maxsize=2)
def users(sampler: People, seed: int, count: int) -> tuple[GymPersona, ...]:
    """The first `count` users; fewer are the beginning of more."""
    return tuple(sampler.personas(count, seed))


def _enough(index: int) -> int:
    count = FEWEST
    while count <= index:
        count *= 2
    return count


def _keyed(key: str, steps: Steps[Trajectory]) -> Steps[tuple[str, Trajectory | Discarded]]:
    try:
        return key, (yield from steps)
    except Discarded as why:
        return key, why


def _outcome(talk: Trajectory | Discarded) -> Outcome:
    if isinstance(talk, Trajectory):
        return Written(talk)
    return Unanswered(talk.reason) if talk.reason in LATER else Rejected(reason=f"{talk.part}: {talk.reason}", raw=talk.raw)
