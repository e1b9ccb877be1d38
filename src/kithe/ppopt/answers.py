"""The deployed model: frozen, seen from outside, sent a prompt and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Protocol

from kithe.errors import unknown
from kithe.gym.assistant import ScriptedAssistant, houses, scripted_pool
from kithe.llm.client import Ask, Client
from kithe.records.chat import Message


class Assistant(Protocol):
    """Whatever is deployed."""

    @property
    def name(self) -> str:
        """For results."""

    def answers(self, prompts: Sequence[tuple[str, str]]) -> list[str | None]:
        """An answer to each (id, prompt); None where the call failed.

        Asked the same again under the same id, it answers the same; with another number after a slash (`u1/2`) it draws anew.
        """


@dataclass(frozen=True)
class ScriptedHouse:
    """A scripted assistant, which does as it hears with a chance of its own.

    All prompts for one state meet the same random numbers, so that two answers differ by their prompts alone.

    Attributes:
        house: one of the pool; None: the one that the state is locked to.
        seed: root of the draws.
    """

    house: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the name.

        Raises:
            ConfigError: there is no such house.
        """
        if self.house is not None and self.house not in houses():
            raise unknown("scripted house (assistant.house)", self.house, houses())

    @property
    def name(self) -> str:
        """`scripted:<house>`."""
        return f"scripted:{self.house or 'pool'}"

    def answers(self, prompts: Sequence[tuple[str, str]]) -> list[str | None]:
        """See `Assistant.answers`."""
        played = [self.house or scripted_pool().locked(name.partition("/")[0], self.seed) for name, _ in prompts]
        return [_scripted(house, *prompt, self.seed) for house, prompt in zip(played, prompts, strict=True)]


def _sample(name: str) -> int:
    """The number of the draw in an id, 0 where it has none."""
    last = name.rpartition("/")[2]
    return int(last) if "/" in name and last.isdecimal() else 0


@lru_cache(maxsize=4096)
def _scripted(house: str, name: str, text: str, seed: int) -> str:
    return ScriptedAssistant(house).answer([Message(role="user", content=text)], Random(f"{seed}/answer/{name}"))


@dataclass(frozen=True)
class Deployed:
    """A language model behind a client; a cache around the client answers the original message once.

    Attributes:
        client: how it is reached.
        temperature: of the draws (paper: 0.7).
        max_tokens: longest answer.
    """

    client: Client
    temperature: float = 0.7
    max_tokens: int = 512

    @property
    def name(self) -> str:
        """The client's."""
        return self.client.name

    def answers(self, prompts: Sequence[tuple[str, str]]) -> list[str | None]:
        """See `Assistant.answers`."""
        asks = [
            Ask(str(number), (Message(role="user", content=text),), None, self.max_tokens, self.temperature, seed=_sample(name))
            for number, (name, text) in enumerate(prompts)
        ]
        found: list[str | None] = [None] * len(asks)
        for reply in self.client.complete(asks):
            found[int(reply.id)] = reply.text if reply.ok and reply.text.strip() else None
        return found
