"""Who somebody is: combinations of attribute values that go together, drawn as the official code does or evenly by age."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from math import prod
from random import Random
from typing import Final, Literal

from pydantic import Field

from kithe.errors import ConfigError
from kithe.ip_dialog.schema import Schema, read, schema
from kithe.records.base import Record

Sampling = Literal["official", "fixed"]
Person = dict[str, str]
DRAWN: Final = "health"  # by weight, in both samplings; the official enumeration leaves it out
KEPT: Final = 20_000


class Rule(Record):
    """Where all of `when` holds, each of `then` must hold and none of `never` may."""

    when: dict[str, tuple[str, ...]] = Field(alias="if")
    then: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    never: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def broken(self, person: Mapping[str, str]) -> bool:
        """Whether a person breaks the rule; attributes that are not known break nothing."""
        if any(person.get(name) not in values for name, values in self.when.items()):
            return False
        wrong = any(name in person and person[name] not in values for name, values in self.then.items())
        return wrong or any(person.get(name) in values for name, values in self.never.items())


@cache
def rules(sampling: Sampling) -> tuple[Rule, ...]:
    """The rules of a sampling; `official` has those that its typo adds (defect U13)."""
    listed = read("validity.yaml")
    return tuple(
        Rule.model_validate(rule) for rule in [*listed["rules"], *(listed["official_only"] if sampling == "official" else ())]
    )


def problems(person: Mapping[str, str], sampling: Sampling = "fixed", more: Sequence[Rule] = ()) -> list[Rule]:
    """The rules that a person breaks, `more` of them for attributes beside the twelve."""
    return [rule for rule in (*rules(sampling), *more) if rule.broken(person)]


@cache
def bound(sampling: Sampling) -> tuple[tuple[tuple[str, str], ...], ...]:
    """All valid combinations of the attributes that rules speak of, in the schema's order."""
    named = {name for rule in rules(sampling) for part in (rule.when, rule.then, rule.never) for name in part}
    names = [name for name in schema().names if name in named]
    tried = (dict(zip(names, values, strict=True)) for values in product(*(schema().attributes[name].values for name in names)))
    return tuple(tuple(person.items()) for person in tried if not problems(person, sampling))


def count(sampling: Sampling) -> int:
    """How many combinations the official enumeration has: all attributes but health."""
    free = [part for name, part in schema().attributes.items() if name not in dict(bound(sampling)[0]) and name != DRAWN]
    return len(bound(sampling)) * prod(len(part.values) for part in free)


def people(sampling: Sampling, seed: int, known: Schema | None = None, more: Sequence[Rule] = ()) -> Iterator[Person]:
    """People without end, always the same for a seed; with `known`, with attributes beside the twelve, whose rules are `more`.

    Those who break one of `more` are drawn again.

    official: every combination once, in random order, the first 20,000 of them, then again. Uniform over combinations, so that
    nearly everybody is an adult (defect U13).
    fixed: age uniform, then what depends on it, then the rest.
    """
    random, known = Random(f"{seed}/people/{sampling}"), known or schema()
    yield from (person for person in _drawn(sampling, random, known) if not any(rule.broken(person) for rule in more))


def _drawn(sampling: Sampling, random: Random, known: Schema) -> Iterator[Person]:
    if sampling == "official":
        order = random.sample(range(count(sampling)), KEPT)
        while True:
            yield from (_filled(_combination(number), known, random) for number in order)
    by_age: dict[str, list[Person]] = {}
    for pairs in bound(sampling):
        by_age.setdefault(dict(pairs)["age"], []).append(dict(pairs))
    while True:
        age = random.choice(known.attributes["age"].values)
        profession = random.choice(sorted({person["profession"] for person in by_age[age]}))
        some = random.choice([person for person in by_age[age] if person["profession"] == profession])
        yield _filled(some, known, random)


def changed(person: Person, name: str, known: Schema | None = None, more: Sequence[Rule] = ()) -> list[Person]:
    """The person with each other value of one attribute that leaves them valid."""
    others = ({**person, name: value} for value in (known or schema()).attributes[name].values if value != person[name])
    return [other for other in others if not problems(other, more=more)]


def checked(name: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a setting that is not among those allowed.

    Raises:
        ConfigError: naming them.
    """
    if value not in allowed:
        raise ConfigError(f"{name}={value}: allowed: {', '.join(allowed)}")


def _combination(number: int) -> Person:
    """The combination with a number: mixed-radix digits over the free attributes, the rest picks among the bound ones."""
    found: Person = {}
    for name, part in schema().attributes.items():
        if name not in dict(bound("official")[0]) and name != DRAWN:
            number, digit = divmod(number, len(part.values))
            found[name] = part.values[digit]
    return {**found, **dict(bound("official")[number])}


def _filled(person: Person, known: Schema, random: Random) -> Person:
    """The person with a value for every attribute, in the schema's order."""
    return {
        name: person[name] if name in person else random.choices(part.values, part.weights)[0]
        for name, part in known.attributes.items()
    }
