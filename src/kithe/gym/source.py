"""`data=atlas`: conversations of simulated users as histories, with the preferences that came to light as knowledge items."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from kithe.corpora.source import Split
from kithe.gym.assistant import heard
from kithe.gym.corpus import Atlas, split_of
from kithe.gym.crosswalk import attribute_of
from kithe.gym.records import Trajectory
from kithe.gym.user import script
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

CATEGORY: Final = "Communication Preference"
NOISED_AWAY: Final = "said, but noise made it unreadable"


@dataclass(frozen=True)
class AtlasSource:
    """The scripted conversations of simulated users: one user, one history of several sessions.

    A preference is an item where a follow-up brought it up in words that can still be read after noise. Where it changed between
    sessions, what was said last counts.

    Attributes:
        atlas: the corpus.
        name: the name in results.
    """

    atlas: Atlas = field(default_factory=Atlas)
    name: str = "atlas"

    @property
    def scripted(self) -> bool:
        """A program wrote it, which every table says."""
        return True

    @property
    def fields(self) -> frozenset[str]:
        """What every item carries."""
        return frozenset({"category", "value", "type", "polarity", "inference", "evidence"})

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The histories of a split; the corpus has a seed of its own, `seed` orders the train split."""
        users = [index for index in range(self.atlas.personas) if split_of(f"u{index:05d}") == split]
        if split == "train":
            Random(f"{seed}/atlas").shuffle(users)
        for index in users:
            yield history(list(self.atlas.trajectories(index)), self.name)

    def losses(self, split: Split) -> Mapping[str, int]:
        """Preferences that were said and cannot be read."""
        users = (index for index in range(self.atlas.personas) if split_of(f"u{index:05d}") == split)
        lost = sum(
            name not in _readable(trajectory, message.content)
            for index in users
            for trajectory in self.atlas.trajectories(index)
            for message in trajectory.said
            for name in message.reveals
        )
        return Counter({NOISED_AWAY: lost})


def history(trajectories: Sequence[Trajectory], source: str) -> History:
    """The conversations of one user, in order, as a history."""
    turns: list[Turn] = []
    items: dict[str, KnowledgeItem] = {}
    for trajectory in trajectories:
        for message in trajectory.messages:
            if message.role == "user":
                for name in message.reveals:
                    if name in _readable(trajectory, message.content):
                        items[name] = item(name, trajectory.persona[name], message.clean, len(turns))
            turns.append(Turn(speaker=message.role, text=message.content, session=trajectory.session))
    first = trajectories[0]
    return History(id=f"{source}-{first.persona_id}", source=source, user="user", turns=tuple(turns), items=tuple(items.values()))


def _readable(trajectory: Trajectory, text: str) -> set[str]:
    return {name for name, value in heard(text).items() if trajectory.persona.get(name) == value}


def item(name: str, value: str, text: str, turn: int) -> KnowledgeItem:
    """A preference in the words in which the user said it; key and value of the ontology where it has them."""
    known = attribute_of(name, value)
    clause = next(own for own in script().cues[name][value] if own in text.lower())
    return KnowledgeItem(
        statement=f"I want you to {clause}.", category=CATEGORY, key=known[0] if known else None,
        value=known[1] if known else value,
        type="preference", polarity="positive", inference="explicit", evidence=(Evidence(turn=turn),),
    )  # fmt: skip
