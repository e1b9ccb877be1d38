"""Where an interest path of the taxonomy belongs in a persona, and how it is talked about (`anchors.yaml`)."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from kithe.personas.traits import Value

_WORD = re.compile(r"[\w'’-]+")


@dataclass(frozen=True)
class Anchor:
    """A path in a persona: the trait that talks about it, the keys it may stand under, and its words in a sentence.

    `adult`: nobody below 18 likes it; `meat`: no vegetarian likes to eat it.
    """

    trait: str
    keys: tuple[str, ...]
    text: str
    adult: bool
    meat: bool

    def free(self, taken: Container[str]) -> str | None:
        """The first key that is not taken."""
        return next((key for key in self.keys if key not in taken), None)

    @property
    def value(self) -> Value:
        """What it brings along into a life."""
        tags = frozenset(name for name, holds in (("alcohol", self.adult), ("meat", self.meat)) if holds)
        words = frozenset(word.lower().rstrip("s") for word in _WORD.findall(self.text) if len(word) > 3)
        return Value(self.text, {"v": self.text}, words, tags, frozenset())


@dataclass(frozen=True)
class _Page:
    spare: tuple[str, ...]
    adult: tuple[str, ...]
    meat: frozenset[str]
    prefixes: Mapping[tuple[str, ...], tuple[str, tuple[str, ...]]]
    proper: frozenset[str]


@cache
def _page() -> _Page:
    page = yaml.safe_load((files("kithe.personas") / "anchors.yaml").read_text("utf-8"))
    prefixes = {tuple(text.split(" > ")): (trait, tuple(keys)) for text, (trait, keys) in page["prefixes"].items()}
    words = (frozenset(page["meat"]), frozenset(page["proper"].split()))
    return _Page(tuple(page["spare"]), tuple(page["adult"]), words[0], prefixes, words[1])


def prefixes() -> tuple[tuple[str, ...], ...]:
    """The prefixes that have a rule of their own."""
    return tuple(_page().prefixes)


@cache
def anchor(path: tuple[str, ...]) -> Anchor:
    """The anchor of a path from its top category (or the root above it) to its leaf; one of no known category is a hobby."""
    page = _page()
    path = path if path[:1] in page.prefixes or path[1:2] not in page.prefixes else path[1:]
    fitting = [page.prefixes[path[:size]] for size in range(len(path), 0, -1) if path[:size] in page.prefixes]
    trait, keys = fitting[0] if fitting else ("path_like", ())
    line = " > ".join(path)
    eats = path[0] == "Food & Cooking" and bool({word.lower() for word in _WORD.findall(line)} & page.meat)
    adult = any(line.startswith(prefix) for prefix in page.adult)
    return Anchor(trait, tuple(dict.fromkeys((*keys, *page.spare))), in_a_sentence(path[-1]), adult, eats)


def in_a_sentence(name: str) -> str:
    """A name in title case as it stands inside a sentence: "Test Cricket" is "test cricket", "Nordic Noir" "Nordic noir"."""
    return _WORD.sub(lambda found: found[0] if _keeps(found[0]) else found[0].lower(), name)


def _keeps(word: str) -> bool:
    return word in _page().proper or (len(word) > 1 and word.isupper())
