"""The assistants that users talk to: a pool, one of which is locked for a conversation, and the scripted ones in it.

An assistant is handed the conversation and nothing else: what the user is like cannot reach it other than through their words.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Final

import yaml
from pydantic import Field

from kithe.errors import ConfigError, unknown
from kithe.gym import style
from kithe.gym.bank import bank
from kithe.gym.noise.meaning import extract
from kithe.gym.user import script
from kithe.records.base import Record
from kithe.records.chat import Message

HEARD: Final = 0.75  # of the words of a cue
_WORD: Final = re.compile(r"[a-z]+")
_SHORTENED: Final[Mapping[str, Mapping[str, str]]] = {  # what goes where an answer has to be short
    "terse": {"example_pref": "no examples", "explanation_depth": "left out", "citation_pref": "never"},
    "brief": {"example_pref": "one example", "explanation_depth": "in half a line"},
}


class House(Record):
    """One scripted assistant: its share of the conversations, how likely it does as asked, how it answers by itself."""

    weight: float = Field(gt=0)
    obeys: float = Field(ge=0, le=1)
    style: dict[str, str]


@dataclass(frozen=True)
class Pool:
    """Names of assistants with their shares."""

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            ConfigError: there are none, or one is not positive.
        """
        if not self.weights or any(weight <= 0 for weight in self.weights.values()):
            raise ConfigError("assistants: name at least one, each with a weight above 0")

    def locked(self, conversation: str, seed: int) -> str:
        """The assistant of a conversation: the same one for every turn, however often it is asked."""
        return Random(f"{seed}/assistant/{conversation}").choices(list(self.weights), list(self.weights.values()))[0]


def read_houses(text: str, where: str = "pool.yaml") -> dict[str, House]:
    """The scripted assistants of a YAML text.

    Raises:
        ConfigError: a style is incomplete or names what the bank does not hold.
    """
    houses = {name: House.model_validate(body) for name, body in yaml.safe_load(text).items()}
    for name, house in houses.items():
        bank().check(house.style, f"{where}: {name}")
        if set(house.style) != set(style.SHOWN):
            raise ConfigError(f"{where}: {name}: its style has a value for each of {', '.join(style.SHOWN)}")
    return houses


@cache
def houses() -> Mapping[str, House]:
    """The scripted assistants of the package."""
    return read_houses((files("kithe.gym") / "pool.yaml").read_text("utf-8"))


def scripted_pool() -> Pool:
    """All scripted assistants with their own weights."""
    return Pool({name: house.weight for name, house in houses().items()})


@cache
def _cues() -> tuple[tuple[str, str, frozenset[str]], ...]:
    cues: Any = script().cues
    return tuple(
        (name, value, frozenset(_WORD.findall(clause)))
        for name, values in cues.items()
        for value, clauses in values.items()
        for clause in clauses
    )


@cache
def _ears() -> tuple[Mapping[str, tuple[int, ...]], tuple[float, ...]]:
    """Word -> places of the cues that hold it, and how many words each cue needs."""
    found: dict[str, list[int]] = {}
    for place, (_, _, words) in enumerate(_cues()):
        for word in words:
            found.setdefault(word, []).append(place)
    return {word: tuple(places) for word, places in found.items()}, tuple(HEARD * len(words) for _, _, words in _cues())


def heard(text: str) -> dict[str, str]:
    """The wishes in a message: dimension -> value, of the cue of which the largest share of words is there.

    Clauses are read one by one; the last one that is about a dimension counts.
    """
    index, needs = _ears()
    wishes: dict[str, str] = {}
    for clause in re.split(r"[.!?]\s", text.lower()):
        hits: dict[int, int] = {}
        for word in dict.fromkeys(_WORD.findall(clause)):  # in order: draws follow the order in which wishes are heard
            for place in index.get(word, ()):
                hits[place] = hits.get(place, 0) + 1
        best: dict[str, tuple[float, int, str]] = {}
        for place, count in hits.items():
            name, value, words = _cues()[place]
            if count >= needs[place]:
                best[name] = max(best.get(name, (0.0, 0, "")), (count / len(words), count, value))
        if best:
            top = max(share for share, _, _ in best.values())
            wishes.update({name: value for name, (share, _, value) in best.items() if share == top})
    return wishes


@dataclass(frozen=True)
class ScriptedAssistant:
    """Answers in its house style, changed by the wishes it hears; sometimes it forgets one."""

    name: str

    def __post_init__(self) -> None:
        """Check the name.

        Raises:
            ConfigError: there is no such assistant.
        """
        if self.name not in houses():
            raise unknown("scripted assistant", self.name, houses())

    def answer(self, transcript: Sequence[Message], rng: Random) -> str:
        """The next message of a conversation whose last one is the user's."""
        house = houses()[self.name]
        spoken = [message.content for message in transcript if message.role == "user"]
        wishes: dict[str, str] = {}
        for text in spoken:
            wishes.update({name: value for name, value in heard(text).items() if rng.random() < house.obeys})
        own = {**house.style, **_SHORTENED.get(wishes.get("length_pref", ""), {}), **wishes}
        things = [slot for slot in extract(spoken[0]).slots if len(slot) > 2] or ["the first part", "the rest"]
        return style.write(own, things, rng)
