"""How the scripted writer says what a persona holds: values of the ontology and attributes of the trait files (`voices.yaml`)."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from kithe.personas.grammar import expand
from kithe.personas.ontology import ontology
from kithe.personas.persona import Attribute, Stated, attribute_of, regular_forms
from kithe.personas.skeleton import COUNTS, Skeleton
from kithe.personas.traits import Trait, Value, book

_MY = re.compile(r"\b(my|mine|myself|me|I)\b")
_THEIR = {"my": "their", "mine": "theirs", "myself": "themself", "me": "them", "I": "they"}
_ARTICLE = re.compile(r"^(a|an|the) ")


@cache
def _page() -> Mapping[str, Any]:
    page: Mapping[str, Any] = yaml.safe_load((files("kithe.personas") / "voices.yaml").read_text("utf-8"))
    return page


def said_values() -> Mapping[str, Mapping[str, Any]]:
    """For each enumerated key the values that can be said, and how."""
    found: Mapping[str, Mapping[str, Any]] = _page()["values"]
    return found


def fit(trait: Trait) -> bool:
    """Whether the words of a trait can stand as the value of its key."""
    return trait.key in ontology().by_key and trait.id not in _page()["unfit"] and not trait.id.startswith("path_")


def value_of(attribute: Attribute) -> str:
    """An attribute's value as the third-person phrase of its key takes it."""
    template = _page()["texts"].get(attribute.trait)
    text = attribute.value
    if template:
        text = expand(template, Random(0), {}, {slot: known(attribute.trait, slot, word).forms for slot, word in attribute.slots.items()})
    return _MY.sub(lambda found: _THEIR[found[1]], text)


def known(trait: str, slot: str, word: str) -> Value:
    """The entry of a trait's lexicon, or one made for a word that it does not hold."""
    lexicon = book().lexicons[book().traits[trait].slots[slot]]
    return lexicon.values.get(word) or Value(word, regular_forms(word), frozenset(), frozenset(), frozenset())


def voice(key: str, stated: Stated, rng: Random) -> tuple[Trait, dict[str, Value]] | None:
    """The trait and the slot values that say an enumerated, timed or counted value; None where no trait does."""
    if key in _page()["bare"]:
        return _slots(_page()["bare"][key], v=_ARTICLE.sub("", stated.value))
    ways = said_values().get(key, {}).get(stated.value)
    if not ways:
        return None
    trait, word = rng.choice(ways) if isinstance(ways[0], list) else ways
    return _slots(trait, v=word)


def voices_of_family(life: Skeleton) -> list[tuple[str, tuple[Trait, dict[str, Value]]]]:
    """What a skeleton says of age, children, vehicle, studies and language: words that are no fixed list."""
    found = [("age_band", _slots("age", v=str(life.age)))]
    if life.field_of_study:
        found.append(("field_of_study", _slots("studies" if life.employment_status == "a student" else "studied", v=life.field_of_study)))
    if life.vehicle_owned:
        bare = _ARTICLE.sub("", life.vehicle_owned)
        found.append(("vehicle_owned", _slots("car_owned", v=bare) if life.drives else _slots("no_car", v="a car")))
    if life.primary_language in book().lexicons["lang"].values:
        found.append(("primary_language", _slots("speaks", v=life.primary_language)))
    if not life.minor and not life.family:
        found.append(("children", _slots("no_kids", v="children")))
    if len(life.family) == 1 and 2 <= life.family[0].age <= 12:
        found.append(("children", _slots("kids_age", v=life.family[0].kind, n=_number(life.family[0].age))))
    if len(life.family) > 1:
        found.append(("children", _slots("kids_many", v=f"{COUNTS[len(life.family)]} children")))
    return found


def _number(count: int) -> str:
    return (*COUNTS, "seven", "eight", "nine", "ten", "eleven", "twelve")[count]


def _slots(trait: str, **words: str) -> tuple[Trait, dict[str, Value]]:
    return book().traits[trait], {slot: known(trait, slot, word) for slot, word in words.items()}


def spoken(key: str, way: tuple[Trait, dict[str, Value]], rng: Random) -> Attribute:
    """The attribute that says a key's value this way."""
    attribute = attribute_of(*way, rng)
    return attribute.model_copy(update={"key": key, "category": ontology().by_key[key].category})
