"""Who speaks: personas, and how the scripted teacher draws one that does not contradict itself."""

from collections.abc import Iterator, Mapping
from functools import cache
from random import Random

from pydantic import Field

from kithe.personas.grammar import Forms, article, is_plural, plural
from kithe.personas.skeleton import Skeleton
from kithe.personas.traits import Trait, Value, book, words_of
from kithe.records.base import SCHEMA_VERSION, Record
from kithe.records.history import Intensity, Polarity

STAGES: Mapping[str, tuple[float, tuple[str, ...], tuple[str, ...]]] = {
    # stage of life: share, what it implies, what it rules out
    "pupil": (0.06, ("minor", "pupil"), ("adult", "grown", "old", "working", "student", "parent", "alcohol")),
    "student": (0.16, ("adult", "student", "young"), ("minor", "old", "grown", "pupil", "parent")),
    "worker": (0.64, ("adult", "working"), ("minor", "pupil", "student", "old", "retired")),
    "retired": (0.14, ("adult", "old", "retired", "grown"), ("minor", "pupil", "student", "young", "working")),
}

WEIGHT: Mapping[Polarity, float] = {"positive": 1.0, "negative": 1.7}  # so that about a quarter of all facts is negative


class Attribute(Record):
    """One thing that is true of a persona; `trait` and `slots` say which words it was drawn from."""

    key: str
    category: str
    value: str
    polarity: Polarity
    trait: str = ""
    slots: dict[str, str] = Field(default_factory=dict)


class Stated(Record):
    """What a complete persona holds under one key: `path` is the place in `Persona.paths` of the interest it comes from."""

    value: str
    polarity: Polarity = "positive"
    intensity: Intensity = "medium"
    path: int | None = None


class Persona(Record):
    """A person by attributes. `unseen` marks one that may hold values kept for validation.

    `attributes` are what the scripted writer can talk about. A complete persona (`complete.py`) also has `values` for all 130
    keys of the ontology (null: not stated), the skeleton and the interest paths that they were written from, and a summary.
    """

    id: str
    attributes: tuple[Attribute, ...]
    unseen: bool = False
    skeleton: Skeleton | None = None
    paths: tuple[tuple[str, ...], ...] = ()
    values: dict[str, Stated | None] = Field(default_factory=dict)
    summary: str = ""
    schema_version: int = SCHEMA_VERSION


def forms(attribute: Attribute) -> dict[str, Forms]:
    """The word forms behind each slot of a scripted attribute; a text that its lexicon does not hold gets the regular ones."""
    trait = book().traits[attribute.trait]
    return {slot: _forms(trait.slots[slot], text) for slot, text in attribute.slots.items()}


def _forms(lexicon: str, text: str) -> Forms:
    known = book().lexicons[lexicon].values.get(text)
    return known.forms if known else regular_forms(text)


def regular_forms(text: str) -> Forms:
    """The word forms that a noun has by its spelling."""
    many = is_plural(text)
    regular = {"v": text, "a": article(text), "pl": plural(text), "cap": text[:1].upper() + text[1:]}
    return {**regular, "is": "are" if many else "is", "it": "them" if many else "it", "s": "" if many else "s"}


class Life:
    """What is already settled about a persona while it is drawn."""

    def __init__(self, tags: tuple[str, ...], bars: tuple[str, ...]) -> None:
        self.tags, self.bars = set(tags), set(bars)
        self.taken: set[str] = set()
        self.filled: dict[str, int] = {}
        self.words: dict[Polarity, set[str]] = {"positive": set(), "negative": set()}

    def agrees(self, trait: Trait, values: Mapping[str, Value]) -> bool:
        """Whether the trait with these values contradicts nothing that is settled."""
        tags, bars, words = _marks(trait, values)
        other: Polarity = "negative" if trait.polarity == "positive" else "positive"
        return not (tags & self.bars or bars & self.tags or words & self.words[other])

    def take(self, trait: Trait, values: Mapping[str, Value]) -> bool:
        """Settle the trait with these values, unless it contradicts what is settled or says it again; whether it was."""
        slot = trait.slot or trait.id
        own = {values["v"].text}
        if self.filled.get(slot, 0) >= trait.many or own & self.taken or not self.agrees(trait, values):
            return False
        tags, bars, words = _marks(trait, values)
        self.tags |= tags
        self.bars |= bars
        self.words[trait.polarity] |= words
        self.taken |= own
        self.filled[slot] = self.filled.get(slot, 0) + 1
        return True


def _marks(trait: Trait, values: Mapping[str, Value]) -> tuple[set[str], set[str], set[str]]:
    """What it implies, what it rules out, its words; disliking a thing implies nothing that liking it would."""
    own = values.values() if trait.polarity == "positive" else ()
    tags = set(trait.tags).union(*(value.tags for value in own))
    bars = set(trait.bars).union(*(value.bars for value in values.values()))
    return tags, bars, set().union(*(value.words for value in values.values()))


def draw_persona(identity: str, rng: Random, size: int, unseen: bool = False) -> Persona:
    """A persona of about `size` attributes that agree with each other.

    Args:
        identity: its id.
        rng: where every choice comes from.
        size: how many attributes to aim at.
        unseen: whether values kept for validation may be used.
    """
    stage = rng.choices(list(STAGES), [share for share, _, _ in STAGES.values()])[0]
    life = Life(*STAGES[stage][1:])
    attributes: list[Attribute] = []
    for trait in order(rng):
        if len(attributes) >= size:
            break
        values = {slot: book().lexicons[lexicon].pick(rng, unseen) for slot, lexicon in trait.slots.items()}
        if life.take(trait, values):
            attributes.append(attribute_of(trait, values, rng))
    return Persona(id=identity, attributes=tuple(attributes), unseen=unseen)


def order(rng: Random) -> Iterator[Trait]:
    """Traits in an order of weighted chance; one that may hold several times stands there several times."""
    keyed = sorted((rng.random() ** exponent, place) for place, (_, exponent) in enumerate(_pool()))
    return (_pool()[place][0] for _, place in reversed(keyed))


@cache
def _pool() -> list[tuple[Trait, float]]:
    """Every trait as often as it may hold, with the exponent that makes a uniform draw a weighted one."""
    traits = book().traits.values()
    return [(trait, 1 / (trait.weight * WEIGHT[trait.polarity])) for trait in traits for _ in range(trait.many)]


def attribute_of(trait: Trait, values: Mapping[str, Value], rng: Random) -> Attribute:
    """The trait with these values as an attribute."""
    slots = {slot: value.forms for slot, value in values.items()}
    text = values["v"].text if trait.value == "$v" else words_of(trait.value, rng, slots)
    return Attribute(key=trait.key, category=trait.category, value=text, polarity=trait.polarity, trait=trait.id,
                     slots={slot: value.text for slot, value in values.items()})  # fmt: skip
