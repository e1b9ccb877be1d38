"""The ontology of a persona: 7 tiers, 30 categories, 130 attributes, as `ontology.yaml` beside this module lists them."""

import re
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from kithe.errors import ConfigError, unknown
from kithe.records.base import Record
from kithe.records.history import Polarity

Kind = Literal["open", "list", "enum", "number", "time", "date"]
OTHER: Final = "other"  # the way out of every enumeration
MAX_WORDS: Final = 12  # of one value
_TIME = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_NUMBER = re.compile(r"\d{1,3}(\.\d+)?")
_DATE = re.compile(
    r"\b((january|february|march|april|may|june|july|august|september|october|november|december)|\d{4}-\d\d-\d\d)\b",
    re.IGNORECASE,
)


class Entity(Record):
    """One attribute: where it belongs, what it may hold, and how its value is said in the third person."""

    key: str
    tier: str
    category: str
    kind: Kind
    says: str
    denies: str = ""
    values: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    sensitivity: int = Field(default=0, ge=0, le=2)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.kind == "enum") != bool(self.values):
            raise ValueError("an enum, and nothing else, lists its `values`")
        if self.kind != "enum" and not self.hints:
            raise ValueError("what is no enum gives `hints`")
        if len(set(self.values)) < len(self.values) or OTHER in self.values:
            raise ValueError(f"`values` are distinct, and '{OTHER}' is added to them by itself")
        if any(text.count("_") != 1 for text in (self.says, self.denies) if text):
            raise ValueError("`says` and `denies` mark the value's place with one '_'")
        if wrong := [hint for hint in self.hints if self.problem(hint)]:
            raise ValueError(f"hint '{wrong[0]}': {self.problem(wrong[0])}")
        return self

    @property
    def allowed(self) -> tuple[str, ...]:
        """The values of an enumeration, with its way out; empty for the other kinds."""
        return (*self.values, OTHER) if self.values else ()

    def problem(self, text: str) -> str:
        """Why the text cannot be this attribute's value, or "" where it can."""
        if not text.strip():
            return "empty (null says that nothing is stated)"
        if len(text.split()) > MAX_WORDS:
            return f"{len(text.split())} words; at most {MAX_WORDS}"
        if self.kind == "enum" and text not in self.allowed:
            return f"'{text}' is not one of: {', '.join(self.allowed)}"
        if self.kind == "time" and not _TIME.fullmatch(text):
            return f"'{text}' is not a time of day (HH:MM)"
        if self.kind == "number" and not _NUMBER.fullmatch(text):
            return f"'{text}' is not a number"
        if self.kind == "date" and not _DATE.search(text):
            return f"'{text}' names no month and no ISO date"
        return ""

    def phrase(self, text: str, polarity: Polarity = "positive", grounded: bool = False) -> str:
        """The value in the third person, without its subject: "loves to eat pho".

        A grounded value of the interest tier is the name of an interest and is said in the way that fits them all.
        """
        if grounded and self.tier == "Interest":
            return f"is into {text}" if polarity == "positive" else f"does not care for {text}"
        return (self.says if polarity == "positive" else self.denies or "does not like _").replace("_", text)


class Ontology(Record):
    """All attributes, in the order of the file."""

    entities: tuple[Entity, ...]

    @cached_property
    def by_key(self) -> Mapping[str, Entity]:
        """The attributes by their keys."""
        return {entity.key: entity for entity in self.entities}

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers, in order."""
        return tuple(dict.fromkeys(entity.tier for entity in self.entities))

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, in order."""
        return tuple(dict.fromkeys(entity.category for entity in self.entities))

    @property
    def keys(self) -> tuple[str, ...]:
        """The attribute keys, in order."""
        return tuple(self.by_key)

    def of(self, tier: str) -> tuple[Entity, ...]:
        """The attributes of a tier.

        Raises:
            ConfigError: there is no such tier.
        """
        if tier not in self.tiers:
            raise unknown("tier of the ontology", tier, self.tiers)
        return tuple(entity for entity in self.entities if entity.tier == tier)


def read_ontology(text: str, where: str = "ontology.yaml") -> Ontology:
    """The ontology of a YAML text.

    Raises:
        ConfigError: what is wrong with which attribute.
    """
    tree = yaml.safe_load(text)
    rows = [
        (tier, category, key, body)
        for tier, page in tree.items()
        for category, keys in page.items()
        for key, body in keys.items()
    ]
    keys = [key for _, _, key, _ in rows]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ConfigError(f"{where}: {', '.join(twice)} stands there more than once; a key belongs to one category")
    return Ontology(entities=tuple(_entity(where, *row) for row in rows))


def _entity(where: str, tier: str, category: str, key: str, body: Mapping[str, Any]) -> Entity:
    try:
        return Entity(**{"key": key, "tier": tier, "category": category, **body})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (key, *first["loc"])))
        raise ConfigError(f"{where}: {place}: {first['msg'].removeprefix('Value error, ')}") from None


@cache
def ontology() -> Ontology:
    """The ontology of the package."""
    return read_ontology((files("kithe.personas") / "ontology.yaml").read_text("utf-8"))
