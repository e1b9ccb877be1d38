"""Who speaks: personas, and how the scripted teacher draws one that does not contradict itself."""

import re
from collections.abc import Iterator, Mapping
from random import Random

from kithe.personas.grammar import Forms
from kithe.personas.traits import Book, Trait, Value, book, words_of
from kithe.records.base import SCHEMA_VERSION, Record
from kithe.records.history import Polarity

STAGES: Mapping[str, tuple[float, tuple[str, ...], tuple[str, ...]]] = {
    # stage of life: share, what it implies, what it rules out
    "pupil": (0.06, ("minor", "pupil"), ("adult", "grown", "old", "working", "student", "parent", "alcohol")),
    "student": (0.16, ("adult", "student", "young"), ("minor", "old", "grown", "pupil", "parent")),
    "worker": (0.64, ("adult", "working"), ("minor", "pupil", "student", "old", "retired")),
    "retired": (0.14, ("adult", "old", "retired", "grown"), ("minor", "pupil", "student", "young", "working")),
}
_WORD = re.compile(r"[a-z]{4,}")


class Attribute(Record):
    """One thing that is true of a persona; `trait` and `slots` say which words it was drawn from."""

    key: str
    category: str
    value: str
    polarity: Polarity
    trait: str = ""
    slots: dict[str, str] = {}


class Persona(Record):
    """A person by attributes. `unseen` marks one that may hold values kept for validation."""

    id: str
    attributes: tuple[Attribute, ...]
    unseen: bool = False
    schema_version: int = SCHEMA_VERSION


def forms(attribute: Attribute) -> dict[str, Forms]:
    """The word forms behind each slot of a scripted attribute."""
    trait = book().traits[attribute.trait]
    return {slot: book().find(trait.slots[slot], text).forms for slot, text in attribute.slots.items()}


class _Life:
    """What is already settled about a persona while it is drawn."""

    def __init__(self, tags: tuple[str, ...], bars: tuple[str, ...]) -> None:
        self.tags, self.bars = set(tags), set(bars)
        self.taken: set[tuple[str, str]] = set()
        self.filled: dict[str, int] = {}
        self.words: dict[Polarity, set[str]] = {"positive": set(), "negative": set()}

    def admits(self, trait: Trait, values: Mapping[str, Value]) -> bool:
        """Whether the trait with these values contradicts nothing so far."""
        tags, bars = _marks(trait, values)
        other: Polarity = "negative" if trait.polarity == "positive" else "positive"
        free = self.filled.get(trait.slot or trait.id, 0) < trait.many
        fresh = not any((trait.slots[slot], value.text) in self.taken for slot, value in values.items() if slot == "v")
        return free and fresh and not (tags & self.bars or bars & self.tags or _content(values) & self.words[other])

    def add(self, trait: Trait, values: Mapping[str, Value]) -> None:
        """Settle it."""
        tags, bars = _marks(trait, values)
        self.tags |= tags
        self.bars |= bars
        self.words[trait.polarity] |= _content(values)
        self.taken |= {(trait.slots[slot], value.text) for slot, value in values.items()}
        slot = trait.slot or trait.id
        self.filled[slot] = self.filled.get(slot, 0) + 1


def _marks(trait: Trait, values: Mapping[str, Value]) -> tuple[set[str], set[str]]:
    """What it implies and rules out; disliking a thing implies nothing that liking it would."""
    own = values.values() if trait.polarity == "positive" else ()
    return set(trait.tags).union(*(value.tags for value in own)), set(trait.bars).union(*(value.bars for value in own))


def _content(values: Mapping[str, Value]) -> set[str]:
    return {word.rstrip("s") for value in values.values() for word in _WORD.findall(value.text.lower())}


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
    for trait in _order(book(), rng):
        if len(attributes) >= size:
            break
        values = {slot: book().pick(lexicon, rng, unseen) for slot, lexicon in trait.slots.items()}
        if life.admits(trait, values):
            life.add(trait, values)
            attributes.append(_attribute(trait, values, rng))
    return Persona(id=identity, attributes=tuple(attributes), unseen=unseen)


def _order(pages: Book, rng: Random) -> Iterator[Trait]:
    """Traits by weighted chance, those that may hold more than once up to that often, without end in sight of `size`."""
    pool = [trait for trait in pages.traits.values() for _ in range(trait.many)]
    keyed = [(rng.random() ** (1 / trait.weight), place) for place, trait in enumerate(pool)]
    return (pool[place] for _, place in sorted(keyed, reverse=True))


def _attribute(trait: Trait, values: Mapping[str, Value], rng: Random) -> Attribute:
    text = words_of(trait.value, rng, {slot: value.forms for slot, value in values.items()})
    return Attribute(key=trait.key, category=trait.category, value=text, polarity=trait.polarity, trait=trait.id,
                     slots={slot: value.text for slot, value in values.items()})  # fmt: skip
