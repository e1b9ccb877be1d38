"""Who speaks: personas, and how the scripted teacher draws one that does not contradict itself."""

from collections.abc import Iterator, Mapping
from functools import cache
from random import Random

from pydantic import Field

from kithe.personas.grammar import Forms
from kithe.personas.traits import Trait, Value, book, words_of
from kithe.records.base import SCHEMA_VERSION, Record
from kithe.records.history import Polarity

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


class Persona(Record):
    """A person by attributes. `unseen` marks one that may hold values kept for validation."""

    id: str
    attributes: tuple[Attribute, ...]
    unseen: bool = False
    schema_version: int = SCHEMA_VERSION


def forms(attribute: Attribute) -> dict[str, Forms]:
    """The word forms behind each slot of a scripted attribute."""
    trait = book().traits[attribute.trait]
    return {slot: book().lexicons[trait.slots[slot]].values[text].forms for slot, text in attribute.slots.items()}


class _Life:
    """What is already settled about a persona while it is drawn."""

    def __init__(self, tags: tuple[str, ...], bars: tuple[str, ...]) -> None:
        self.tags, self.bars = set(tags), set(bars)
        self.taken: set[str] = set()
        self.filled: dict[str, int] = {}
        self.words: dict[Polarity, set[str]] = {"positive": set(), "negative": set()}

    def take(self, trait: Trait, values: Mapping[str, Value]) -> bool:
        """Settle the trait with these values, unless it contradicts what is settled; whether it was."""
        slot = trait.slot or trait.id
        own = {values["v"].text}
        if self.filled.get(slot, 0) >= trait.many or own & self.taken:
            return False
        tags, bars, words = _marks(trait, values)
        other: Polarity = "negative" if trait.polarity == "positive" else "positive"
        if tags & self.bars or bars & self.tags or words & self.words[other]:
            return False
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
    life = _Life(*STAGES[stage][1:])
    attributes: list[Attribute] = []
    for trait in _order(rng):
        if len(attributes) >= size:
            break
        values = {slot: book().lexicons[lexicon].pick(rng, unseen) for slot, lexicon in trait.slots.items()}
        if life.take(trait, values):
            attributes.append(_attribute(trait, values, rng))
    return Persona(id=identity, attributes=tuple(attributes), unseen=unseen)


def _order(rng: Random) -> Iterator[Trait]:
    """Traits in an order of weighted chance; one that may hold several times stands there several times."""
    keyed = sorted((rng.random() ** exponent, place) for place, (_, exponent) in enumerate(_pool()))
    return (_pool()[place][0] for _, place in reversed(keyed))


@cache
def _pool() -> list[tuple[Trait, float]]:
    """Every trait as often as it may hold, with the exponent that makes a uniform draw a weighted one."""
    traits = book().traits.values()
    return [(trait, 1 / (trait.weight * WEIGHT[trait.polarity])) for trait in traits for _ in range(trait.many)]


def _attribute(trait: Trait, values: Mapping[str, Value], rng: Random) -> Attribute:
    slots = {slot: value.forms for slot, value in values.items()}
    text = values["v"].text if trait.value == "$v" else words_of(trait.value, rng, slots)
    return Attribute(key=trait.key, category=trait.category, value=text, polarity=trait.polarity, trait=trait.id,
                     slots={slot: value.text for slot, value in values.items()})  # fmt: skip
