"""`data=atlas`: conversations of simulated users as histories, with the preferences that came to light as knowledge items."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, Final

from kithe.corpora.source import DataSource, Split
from kithe.errors import ConfigError
from kithe.gym.assistant import heard
from kithe.gym.bank import bank
from kithe.gym.corpus import Atlas, split_of
from kithe.gym.crosswalk import attribute_of
from kithe.gym.records import Spoken, Trajectory
from kithe.gym.user import script
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

CATEGORY: Final = "Communication Preference"
NOISED_AWAY: Final = "said, but noise made it unreadable"
FIELDS: Final = frozenset({"category", "value", "type", "polarity", "inference", "evidence"})
FILE: Final = "trajectories.jsonl"


def source(atlas: Atlas, folder: str | None = None, root: str = "outputs/generated") -> DataSource:
    """The source that a config describes.

    Args:
        atlas: what is drawn on the fly, by scripted players.
        folder: a corpus that `task=atlas` wrote: its path, or its id under `root`; None: drawn on the fly.
        root: where generated corpora lie.

    Raises:
        ConfigError: there is no such corpus.
    """
    if folder is None:
        return AtlasSource(atlas)
    return WrittenAtlas(Path(root) / folder if (Path(root) / folder).exists() else Path(folder))


@dataclass(frozen=True)
class WrittenAtlas:
    """The conversations of a corpus that was written before, by whoever played.

    Attributes:
        folder: where it lies.
        name: the name in results.
    """

    folder: Path
    name: str = "atlas"

    def __post_init__(self) -> None:
        """Look whether the corpus is there.

        Raises:
            ConfigError: it is not there, or not whole.
        """
        if not (self.folder / "card.json").exists() or FILE not in self.card["files"]:
            raise ConfigError(f"data.folder: no corpus of conversations at {self.folder}; `python run.py task=atlas` writes one")
        if (self.folder / FILE).stat().st_size != self.card["files"][FILE]["bytes"]:
            raise ConfigError(f"data.folder: {FILE} in {self.folder} changed since its card was written; write it again")

    @cached_property
    def card(self) -> dict[str, Any]:
        """What the corpus says of itself."""
        card: dict[str, Any] = json.loads((self.folder / "card.json").read_text(encoding="utf-8"))
        return card

    @property
    def content(self) -> str:
        """A hash of the conversations, which identifies what is trained on wherever the folder lies."""
        return str(self.card["files"][FILE]["sha256"][:20])

    @property
    def scripted(self) -> bool:
        """Whether a program wrote it."""
        return bool(self.card["scripted"])

    @property
    def fields(self) -> frozenset[str]:
        """What every item carries."""
        return FIELDS

    def users(self, split: Split) -> Iterator[list[Trajectory]]:
        """The conversations of each user of a split, as written."""
        for persona, own in groupby(Trajectory.read(self.folder / FILE), key=lambda talk: talk.persona_id):
            if split_of(persona) == split:
                yield list(own)

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The histories of a split; `seed` orders the train split."""
        found = [history(own, self.name) for own in self.users(split)]
        if split == "train":
            Random(f"{seed}/atlas").shuffle(found)
        yield from found

    def losses(self, split: Split) -> Mapping[str, int]:
        """Preferences that were said and cannot be read."""
        return Counter({NOISED_AWAY: sum(map(unreadable, (talk for own in self.users(split) for talk in own)))})


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
        return FIELDS

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
        talks = (trajectory for index in users for trajectory in self.atlas.trajectories(index))
        return Counter({NOISED_AWAY: sum(map(unreadable, talks))})


def unreadable(trajectory: Trajectory) -> int:
    """How many preferences a user brought up in words that cannot be read as such."""
    return sum(name not in _readable(trajectory, said) for said in trajectory.said for name in said.reveals)


def history(trajectories: Sequence[Trajectory], source: str) -> History:
    """The conversations of one user, in order, as a history."""
    turns: list[Turn] = []
    items: dict[str, KnowledgeItem] = {}
    for trajectory in trajectories:
        for message in trajectory.messages:
            if message.role == "user":
                for name in message.reveals:
                    if name in _readable(trajectory, message):
                        items[name] = item(name, trajectory.persona[name], message.clean, len(turns))
            turns.append(Turn(speaker=message.role, text=message.content, session=trajectory.session))
    first = trajectories[0]
    return History(id=f"{source}-{first.persona_id}", source=source, user="user", turns=tuple(turns), items=tuple(items.values()))


def _readable(trajectory: Trajectory, said: Spoken) -> set[str]:
    """The wishes that a message still shows: scripted ones by their words; others unless noise took something out of it."""
    if trajectory.backend == "scripted":
        return {name for name, value in heard(said.content).items() if trajectory.persona.get(name) == value}
    return set(said.reveals) if said.noise is None or said.noise.layer == "surface" else set()


def item(name: str, value: str, text: str, turn: int) -> KnowledgeItem:
    """A preference as the user said it, or else in the bank's words; key and value of the ontology where it has them."""
    known = attribute_of(name, value)
    cues = script().cues.get(name, {}).get(value, ())
    clause = next((own for own in cues if own in text.lower()), next(iter(cues), ""))
    statement = f"I want you to {clause}." if clause else f"The user {bank().by_name[name].phrase(value)}."
    return KnowledgeItem(
        statement=statement, category=CATEGORY, key=known[0] if known else None,
        value=known[1] if known else value,
        type="preference", polarity="positive", inference="explicit", evidence=(Evidence(turn=turn),),
    )  # fmt: skip
