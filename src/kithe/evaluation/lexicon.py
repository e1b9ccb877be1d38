"""The word lists behind the guards (`lexicon.yaml`, `kinds.yaml`) as one table from phrases to what they tell."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

Label = tuple[Literal["negator", "privative", "status", "pole", "person", "kind"], str, int]
LONGEST_PHRASE = 4
KIND_ITSELF = -1


@dataclass(frozen=True)
class Lexicon:
    """What words tell.

    Attributes:
        labels: for every phrase of one to four words what it tells: the sort of label, a name (status, person, kind of thing,
            axis of opposites) and a number (the end of the axis, +1 or -1; the member of the kind, KIND_ITSELF for its name).
        harmless: phrases with a negator that negate nothing.
        wider: for a wide word for people the names it covers.
    """

    labels: dict[str, frozenset[Label]]
    harmless: tuple[str, ...]
    wider: dict[str, list[str]]

    def find(self, text: str) -> Iterator[Label]:
        """The labels of all phrases in a text (lower case, words apart by single spaces), one by one."""
        words = text.split()
        for start in range(len(words)):
            for end in range(start + 1, min(start + LONGEST_PHRASE, len(words)) + 1):
                yield from self.labels.get(" ".join(words[start:end]), ())


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The word lists, read once."""
    words, kinds = _yaml("lexicon.yaml"), _yaml("kinds.yaml")
    labels: defaultdict[str, set[Label]] = defaultdict(set)
    for phrase, label in (*_guard_words(words), *_kind_words(kinds)):
        labels[phrase].add(label)
    table = {phrase: frozenset(found) for phrase, found in labels.items()}
    return Lexicon(labels=table, harmless=tuple(words["harmless"]), wider=words["wider"])


def _yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return content


def _guard_words(words: dict[str, Any]) -> Iterator[tuple[str, Label]]:
    yield from ((phrase, ("negator", "", 0)) for phrase in words["negators"])
    yield from ((phrase, ("privative", "", 0)) for phrase in words["privative"])
    yield from ((phrase, ("status", status, 0)) for status in ("former", "future", "past") for phrase in words[status])
    yield from ((phrase, ("person", name, 0)) for name, phrases in words["relations"].items() for phrase in phrases)
    for axis, ends in enumerate(words["opposites"]):
        for end, phrases in zip((1, -1), ends, strict=True):
            yield from ((phrase, ("pole", str(axis), end)) for phrase in phrases)


def _kind_words(kinds: dict[str, dict[str, str]]) -> Iterator[tuple[str, Label]]:
    for kind, lists in kinds.items():
        members = [lists["named"].split(", "), *(member.split("/") for member in re.split(r",\s+", lists["members"]))]
        for number, forms in enumerate(members, start=KIND_ITSELF):
            for form in forms:
                yield from ((form + ending, ("kind", kind, number)) for ending in ("", "s", "es"))
