"""What may be true of a person and how people say it: the traits of the YAML files beside this module."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Literal, TypeAlias
from zlib import crc32

import yaml
from pydantic import Field

from kithe.personas.grammar import Forms, article, expand, is_plural, plural
from kithe.records.base import Record
from kithe.records.history import Inference, Intensity, ItemType, Polarity

SMALLEST_SPLIT = 10  # a lexicon below this size is an enumeration, and all of it is shown in training
CueField: TypeAlias = Literal["say", "hint", "qa", "wish", "device", "repeat"]
_WORD = re.compile(r"[a-z]{4,}")
_OUTRIGHT = re.compile(  # a wish or request that says it outright
    r"\bI('m| am|'d| have| hate| like| can't| want| don't| never| always| prefer| enjoy| was|<| <| \()|[Cc]all me|\bat home we"
)
HELD_OUT = 5  # one value in five of the others is kept for validation


@dataclass(frozen=True)
class Value:
    """One entry of a lexicon: its plain text, word forms, content words, what it implies (`tags`) and rules out (`bars`)."""

    text: str
    forms: Forms
    words: frozenset[str]
    tags: frozenset[str]
    bars: frozenset[str]


@dataclass(frozen=True)
class Lexicon:
    """Values by their plain text; `shown` ones may stand in training personas, `kept` ones only in validation."""

    values: Mapping[str, Value]
    shown: tuple[Value, ...]
    kept: tuple[Value, ...]

    def pick(self, rng: Random, unseen: bool) -> Value:
        """A value: never a kept one, or, where `unseen`, one of those as often as not."""
        return rng.choice(self.kept if unseen and self.kept and rng.random() < 0.5 else self.shown)


@dataclass(frozen=True)
class Cue:
    """One way to reveal a trait; `question` is what the other speaker has just asked, or empty."""

    text: str
    intensity: Intensity = "medium"
    inference: Inference = "explicit"
    question: str = ""


class Trait(Record):
    """A kind of fact, as a YAML file describes it: one cue a line in every text field.

    A line may begin with its intensity ("high: "), and a line "question >> answer" needs the question.
    `say` are explicit cues, `hint` implicit ones, `qa` answers to a person's or an assistant's question,
    `wish` wishes in a talk with an adviser, `device` requests to a home assistant (">>" its reply), `repeat` requests
    that show a habit only when they come again, `state` the statements that any of the cues supports.
    """

    id: str
    topic: str
    key: str
    category: str
    type: ItemType
    polarity: Polarity = "positive"
    slots: dict[str, str]
    value: str = "$v"
    weight: float = 1.0
    many: int = 1
    slot: str = ""
    opposite: str = ""
    shared: bool = Field(default=False, description="'me too' makes sense as an answer to it")
    tags: frozenset[str] = frozenset()
    bars: frozenset[str] = frozenset()
    state: str
    say: str = ""
    hint: str = ""
    qa: str = ""
    wish: str = ""
    device: str = ""
    repeat: str = ""

    def cues(self, field: CueField) -> list[Cue]:
        """The cues of one field."""
        return _cues(getattr(self, field), field)


@cache
def _cues(text: str, field: CueField) -> list[Cue]:
    return [_cue(line.strip(), field) for line in text.splitlines() if line.strip()]


def _cue(line: str, field: CueField) -> Cue:
    explicit = field in ("say", "qa") or (field in ("wish", "device") and _OUTRIGHT.search(line))
    inference: Inference = "explicit" if explicit else "implicit"
    intensity: Intensity = "medium"
    if line.startswith("high: "):
        intensity, line = "high", line[6:]
    elif line.startswith("low: "):
        intensity, line = "low", line[5:]
    first, arrow, second = line.partition(" >> ")
    return Cue(second, intensity, inference, first) if arrow else Cue(first, intensity, inference)


@dataclass(frozen=True)
class Book:
    """All traits, lexicons and shared word lists."""

    traits: Mapping[str, Trait]
    lexicons: Mapping[str, Lexicon]
    words: Mapping[str, str]


def held_out(text: str) -> bool:
    """Whether a value of a large lexicon is kept for validation; by its name, so that a grown lexicon moves no value."""
    return crc32(text.encode()) % HELD_OUT == 0


@cache
def book() -> Book:
    """Everything in the YAML files, read once."""
    pages = [yaml.safe_load(text) for text in _pages()]
    keys = _keys()
    traits = [_trait(name, body, page["topic"], keys) for page in pages for name, body in (page.get("traits") or {}).items()]
    lexicons = {name: _lexicon(body) for page in pages for name, body in (page.get("lexicons") or {}).items()}
    words = {name: text for page in pages for name, text in (page.get("words") or {}).items()}
    return Book({trait.id: trait for trait in traits}, lexicons, words)


def _pages() -> Iterator[str]:
    folder = files("kithe.personas") / "traits"
    for page in sorted(folder.iterdir(), key=lambda path: path.name):
        yield page.read_text("utf-8")


def _keys() -> dict[str, str]:
    """The category of each of the 130 attribute keys."""
    tiers = yaml.safe_load((files("kithe.personas") / "attributes.yaml").read_text("utf-8"))
    return {key: category for categories in tiers.values() for category, keys in categories.items() for key in keys}


def _trait(name: str, body: dict[str, Any], topic: str, keys: Mapping[str, str]) -> Trait:
    slots = body.pop("of")
    named = {"v": slots} if isinstance(slots, str) else slots
    category = body.pop("category", None) or keys[body["key"]]
    return Trait(**{"id": name, "topic": topic, "category": category, "slots": named, **body})


def _lexicon(body: str | dict[str, str]) -> Lexicon:
    text, names = (body, "v") if isinstance(body, str) else (body["values"], body["forms"])
    entries = [_value(entry, names.split(" / ")) for entry in str(text).replace("\n", " ").split(";") if entry.strip()]
    values = {value.text: value for value in entries}
    kept = tuple(value for value in values.values() if len(values) >= SMALLEST_SPLIT and held_out(value.text))
    return Lexicon(values, tuple(value for value in values.values() if value not in kept), kept)


def _value(entry: str, names: list[str]) -> Value:
    words = entry.split()
    marks = [word for word in words if word[0] in "~!"]
    plain = " ".join(word for word in words if word[0] not in "~!")
    given = dict(zip(names, (part.strip() for part in plain.split(" / ")), strict=False))
    tags = frozenset(mark[1:] for mark in marks if mark[0] == "~")
    bars = frozenset(mark[1:] for mark in marks if mark[0] == "!")
    content = frozenset(word.rstrip("s") for word in _WORD.findall(given["v"].lower()))
    return Value(given["v"], {**_derived(given["v"]), **given}, content, tags, bars)


def _derived(text: str) -> dict[str, str]:
    many = is_plural(text)
    return {"v": text, "a": article(text), "pl": plural(text), "is": "are" if many else "is", "it": "them" if many else "it",
        "s": "" if many else "s",
            "cap": text[:1].upper() + text[1:]}  # fmt: skip


def words_of(template: str, rng: Random, slots: Mapping[str, Forms] | None = None) -> str:
    """A reading of a template with the shared word lists of the book."""
    return expand(template, rng, book().words, slots)
