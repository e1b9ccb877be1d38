"""What may be true of a person and how people say it: the traits of the YAML files beside this module."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from random import Random
from typing import Any, Literal, TypeAlias
from zlib import crc32

import yaml
from pydantic import Field

from kithe.personas.grammar import Family, Forms, Grammar, article, half, half_list, is_plural, plural
from kithe.personas.ontology import ontology
from kithe.records.base import Record
from kithe.records.history import Inference, Intensity, ItemType, Polarity

SMALLEST_SPLIT = 9  # a lexicon below this size is an enumeration, and all of it is shown in training
FEWEST_KEPT = 3  # of every lexicon that is split
CueField: TypeAlias = Literal["say", "hint", "qa", "wish", "device", "repeat"]
_WORD = re.compile(r"[a-z]{4,}")
_OUTRIGHT = re.compile(  # a wish or request that says it outright
    r"\bI('m| am|'d| have| hate| like| can't| want| don't| never| always| prefer| enjoy| was|<| <| \()|[Cc]all me|\bat home we"
)
HELD_OUT = 5  # one value in five of the others is kept for validation
_LEVELS: Mapping[Intensity, Mapping[str, str]] = {  # which lists say the same thing more or less strongly
    "high": {"like": "Ilove", "do": "dolove", "dis": "Ihate"},
    "medium": {"like": "Ilike", "do": "dolike", "dis": "Idis"},
    "low": {"like": "Imeh", "do": "domeh", "dis": "Idismeh"},
}
_GRADED = re.compile("|".join(f"<{name}>" for level in _LEVELS.values() for name in level.values()))
_KIND = {f"<{name}>": kind for level in _LEVELS.values() for kind, name in level.items()}
STRONG = re.compile(
    r"\b(love|adore|hate|despise|loathe|can't stand|favorite|obsessed|crazy about|addicted|best|worst|huge fan|disgusting|gross"
    r"|can't get enough|terrified|can't live without|hands down|without a doubt|passion|die hard|lifelong|every single)\b",
    re.IGNORECASE,
)
WEAK = re.compile(
    r"\b(don't mind|I guess|kind of|sort of|now and then|once in a while|a little|a bit|is(n't| not) really|maybe one day)\b",
    re.IGNORECASE,
)


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

    @cached_property
    def ways(self) -> tuple[str, ...]:
        """The wordings of its statement."""
        return half(self.state, "all")

    def cues(self, field: CueField, family: Family = "all") -> tuple[Cue, ...]:
        """The cues of one field in a wording family."""
        return _cues(getattr(self, field), field, family)

    def graded(self, field: CueField, family: Family = "all") -> Mapping[Intensity, tuple[Cue, ...]]:
        """The cues of one field by how strongly they put it; a line with a list such as `<Ilike>` is in all three."""
        return _graded(getattr(self, field), field, family)

    def implicit(self, family: Family = "all") -> tuple[Cue, ...]:
        """The cues, of statements and requests, that only let the fact be inferred."""
        every = (*self.cues("hint", family), *self.cues("device", family))
        return tuple(cue for cue in every if cue.inference == "implicit")


@cache
def _cues(text: str, field: CueField, family: Family) -> tuple[Cue, ...]:
    return tuple(_cue(line, field) for line in half(text, family))


@cache
def _graded(text: str, field: CueField, family: Family) -> Mapping[Intensity, tuple[Cue, ...]]:
    every = [level for cue in _cues(text, field, family) for level in _levels(cue)]
    return {intensity: tuple(cue for cue in every if cue.intensity == intensity) for intensity in _LEVELS}


def _levels(cue: Cue) -> Iterator[Cue]:
    """The cue at every strength that its lists allow."""
    rest = _GRADED.sub("", cue.text)
    if rest == cue.text or STRONG.search(rest) or WEAK.search(rest):
        yield cue
        return
    for intensity, lists in _LEVELS.items():
        text = _GRADED.sub(lambda found, lists=lists: f"<{lists[_KIND[found[0]]]}>", cue.text)  # type: ignore[misc]
        yield replace(cue, text=text, intensity=intensity)


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
    cues, values = _merged(pages, "cues"), _merged(pages, "values")
    bodies = [(name, body, page["topic"]) for page in pages for name, body in (page.get("traits") or {}).items()]
    traits = [_trait(name, _joined(body, cues.get(name, {})), topic, keys) for name, body, topic in bodies]
    lexicons = {name: _lexicon(body, values.get(name, "")) for name, body in _merged(pages, "lexicons").items()}
    return Book({trait.id: trait for trait in traits}, lexicons, _merged(pages, "words"))


def _merged(pages: Iterable[Mapping[str, Any]], section: str) -> dict[str, Any]:
    return {name: body for page in pages for name, body in (page.get(section) or {}).items()}


def _joined(body: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, Any]:
    """A trait's description with the further cues of another file."""
    return {**body, **{field: f"{body.get(field, '')}\n{lines}".strip() for field, lines in more.items()}}


def _pages() -> Iterator[str]:
    folder = files("kithe.personas") / "traits"
    for page in sorted(folder.iterdir(), key=lambda path: path.name):
        yield page.read_text("utf-8")


def _keys() -> dict[str, str]:
    """The category of each of the 130 attribute keys."""
    return {key: entity.category for key, entity in ontology().by_key.items()}


def _trait(name: str, body: dict[str, Any], topic: str, keys: Mapping[str, str]) -> Trait:
    slots = body.pop("of")
    named = {"v": slots} if isinstance(slots, str) else slots
    category = body.pop("category", None) or keys[body["key"]]
    return Trait(**{"id": name, "topic": topic, "category": category, "slots": named, **body})


def _lexicon(body: str | dict[str, str], more: str) -> Lexicon:
    text, names = (body, "v") if isinstance(body, str) else (body["values"], body["forms"])
    entries = [_value(entry, names.split(" / ")) for entry in f"{text};{more}".replace("\n", " ").split(";") if entry.strip()]
    values = {value.text: value for value in entries}
    kept = _kept(values)
    return Lexicon(values, tuple(value for value in values.values() if value.text not in kept),
                   tuple(value for value in values.values() if value.text in kept))  # fmt: skip


def _kept(values: Mapping[str, Value]) -> frozenset[str]:
    """What is kept for validation: what `held_out` says, and in a lexicon where that is little, the next by hash."""
    if len(values) < SMALLEST_SPLIT:
        return frozenset()
    by_hash = sorted(values, key=lambda text: (not held_out(text), crc32(text.encode())))
    most = len(values) - max(6, len(values) // 2)
    return frozenset(by_hash[: min(most, max(FEWEST_KEPT, sum(map(held_out, values))))])


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


@cache
def grammar(family: Family = "all") -> Grammar:
    """The grammar with the shared word lists, those of a wording family."""
    return Grammar({name: half_list(text, family) for name, text in book().words.items()})


def words_of(template: str, rng: Random, slots: Mapping[str, Forms] | None = None, family: Family = "all") -> str:
    """A reading of a template with the shared word lists of the book."""
    return grammar(family).expand(template, rng, slots)
