"""Single exchanges that show one attribute value without naming it, from the sentences of `cues.yaml`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from random import Random
from typing import Final

from kithe.ip_dialog.schema import read
from kithe.ip_dialog.world import Family
from kithe.records.base import Record

_CHOICE: Final = re.compile(r"\{([^{}]*)\}")


class Exchange(Record):
    """One turn of the user and the assistant's reply."""

    user: str
    assistant: str


@dataclass(frozen=True)
class Cues:
    """The sentences by attribute, value and family; `neutral` ones show nothing."""

    by_value: dict[str, dict[str, dict[Family, list[str]]]]
    neutral: dict[Family, list[str]]
    replies: dict[Family, list[str]]

    @cached_property
    def known(self) -> dict[str, tuple[str, str]]:
        """Every sentence there is, fully spelt -> the attribute and value it shows: the perfect reader."""
        return {
            text: (name, value)
            for name, values in self.by_value.items()
            for value, families in values.items()
            for sentences in families.values()
            for sentence in sentences
            for text in spellings(sentence)
        }

    def shown(self, text: str) -> list[tuple[str, str]]:
        """The attributes and values that the sentences in a user's turn show."""
        return [found for part in text.split(" // ") if (found := self.known.get(part)) is not None]

    def exchange(self, name: str, value: str, family: Family, random: Random) -> Exchange:
        """An exchange that shows a value."""
        return self._with_reply(self.by_value[name][value][family], family, random)

    def filler(self, family: Family, random: Random) -> Exchange:
        """An exchange that shows nothing."""
        return self._with_reply(self.neutral[family], family, random)

    def _with_reply(self, sentences: list[str], family: Family, random: Random) -> Exchange:
        return Exchange(
            user=spelt(random.choice(sentences), random), assistant=spelt(random.choice(self.replies[family]), random)
        )


@cache
def cues() -> Cues:
    """The sentences."""
    content = read("cues.yaml")
    return Cues(
        {name: content[name] for name in content if name not in ("neutral", "replies")}, content["neutral"], content["replies"]
    )


def spelt(sentence: str, random: Random) -> str:
    """A sentence with one of each {x|y}."""
    return _CHOICE.sub(lambda match: random.choice(match[1].split("|")), sentence)


def spellings(sentence: str) -> Iterator[str]:
    """Every way to spell a sentence."""
    parts = _CHOICE.split(sentence)
    for chosen in product(*(part.split("|") for part in parts[1::2])):
        yield "".join(text + (chosen[i] if i < len(chosen) else "") for i, text in enumerate(parts[::2]))


def names(text: str, name: str, value: str) -> bool:
    """Whether a text says a value outright: its words; with the attribute's name where the value is high, low or the like."""
    said = re.sub(r"[^a-z]+", " ", text.lower())
    plain = {other: re.sub(r"[^a-z]+", " ", other.lower()) for other in (name, value)}
    if value in ("high", "low", "middle"):
        return f" {plain[name].split()[0]}" in f" {said}" and f" {plain[value]} " in f" {said} "
    return f" {plain[value]} " in f" {said} "
