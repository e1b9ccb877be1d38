"""The facts of a dialogue: what of a persona comes out, how strongly and how openly."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from kithe.dialogues.mix import Mix
from kithe.personas.grammar import Forms
from kithe.personas.persona import Attribute, Persona, draw_persona, forms
from kithe.personas.traits import Trait, book
from kithe.records.history import Intensity, Polarity

CROWD = 300  # strangers that partners and third parties are taken from
_STRANGER = 40  # attributes of each
_WORD = re.compile(r"[a-z0-9']+")
_SMALL = frozenset(
    ("a", "an", "the", "my", "i", "in", "on", "at", "of", "to", "and", "or", "for", "with", "from", "by", "every", "is")
)


@dataclass(eq=False, slots=True)
class Fact:
    """One attribute on its way into a dialogue; two facts are the same only if they are one object.

    `intensity` is how strongly its wording should put it, `implicit` whether it is only to be inferred.
    """

    attribute: Attribute
    trait: Trait
    forms: Mapping[str, Forms]
    intensity: Intensity = "medium"
    implicit: bool = False

    @property
    def value(self) -> str:
        """The attribute's value."""
        return self.attribute.value

    @property
    def polarity(self) -> Polarity:
        """The attribute's polarity."""
        return self.attribute.polarity

    @property
    def simple(self) -> bool:
        """Whether it is a thing to like or do, named by one slot of its trait."""
        return self.trait.type in ("preference", "interest") and set(self.trait.slots) == {"v"}


def fact_of(attribute: Attribute, mix: Mix, rng: Random) -> Fact:
    """A fact of an attribute, put as the mix wants."""
    implicit = rng.random() < mix.implicit
    return Fact(attribute, book().traits[attribute.trait], forms(attribute), mix.strength(rng), implicit)


def speakable(persona: Persona) -> list[Attribute]:
    """The attributes that the grammar has words for."""
    traits = book().traits
    return [attribute for attribute in persona.attributes if attribute.trait in traits]


def choose_facts(
    attributes: Iterable[Attribute], count: int, mix: Mix, rng: Random, weights: Mapping[str, float] | None = None
) -> list[Fact]:
    """So many facts whose values are not part of one another's, in the polarities of the mix.

    Args:
        attributes: what may be chosen, all with traits.
        count: how many; fewer where the attributes run out.
        mix: shares of polarity, strength and openness.
        rng: where every choice comes from.
        weights: of each category; None: all attributes alike.
    """
    pools: dict[str, list[Attribute]] = {"positive": [], "negative": []}
    for attribute in attributes:
        pools[attribute.polarity].append(attribute)
    for pool in pools.values():
        _shuffle(pool, rng, weights)
    chosen: list[Fact] = []
    while len(chosen) < count and (pools["positive"] or pools["negative"]):
        wanted = "negative" if rng.random() < mix.negative else "positive"
        pool = pools[wanted] or pools["positive"] or pools["negative"]
        attribute = pool.pop()
        if not any(overlap(attribute.value, other.value) for other in chosen):
            chosen.append(fact_of(attribute, mix, rng))
    return chosen


def _shuffle(pool: list[Attribute], rng: Random, weights: Mapping[str, float] | None) -> None:
    """In random order, the likelier to be taken (from the end) the greater the weight."""
    if weights is None:
        rng.shuffle(pool)
        return
    counts: dict[str, int] = {}
    for attribute in pool:
        counts[attribute.category] = counts.get(attribute.category, 0) + 1
    keyed = [
        (rng.random() ** (counts[attribute.category] / max(weights.get(attribute.category, 0.0), 1e-6)), place)
        for place, attribute in enumerate(pool)
    ]
    pool[:] = [pool[place] for _, place in sorted(keyed)]


def overlap(one: str, other: str) -> bool:
    """Whether one value is part of the other, so that a word could show either."""
    one, other = one.lower(), other.lower()
    return one in other or other in one


def companions(fact: Fact, facts: Sequence[Fact]) -> list[Fact]:
    """The fact with up to two others of the same trait that can be said in one breath with it."""
    if fact.trait.many < 2 or set(fact.trait.slots) != {"v"} or fact.implicit:
        return [fact]
    return [fact, *[other for other in facts if other.trait is fact.trait and other is not fact and not other.implicit][:2]]


@lru_cache(maxsize=2 * CROWD)
def _stranger(index: int, unseen: bool) -> tuple[tuple[Attribute, frozenset[str]], ...]:
    """Somebody's attributes, each with the words of its value."""
    someone = draw_persona(f"stranger-{index}", Random(f"stranger/{index}/{unseen}"), _STRANGER, unseen)
    return tuple((attribute, words(attribute.value)) for attribute in speakable(someone))


def words(text: str) -> frozenset[str]:
    """The words of a text that could name a thing."""
    return frozenset(_WORD.findall(text.lower())) - _SMALL


def strangers(persona: Persona, count: int, mix: Mix, rng: Random) -> list[Fact]:
    """Facts about somebody else, none of which shares a word with one of the persona's or with one another."""
    someone = _stranger(int(rng.random() * CROWD), persona.unseen)
    taken = set(words("\n".join(attribute.value for attribute in persona.attributes)))
    found: list[Fact] = []
    start = int(rng.random() * len(someone))
    for attribute, named in (*someone[start:], *someone[:start]):
        if len(found) >= count:
            break
        if not named & taken:
            taken |= named
            found.append(fact_of(attribute, mix, rng))
    return found
