"""Attributes beside the twelve, by configuration alone: their values, what these mean in the rule world, how they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from kithe.errors import ConfigError
from kithe.ip_dialog.cues import Cues, cues, names, spellings
from kithe.ip_dialog.people import Rule
from kithe.ip_dialog.schema import Attribute, Schema, schema
from kithe.ip_dialog.world import Axis, Domain, Family, World, world
from kithe.records.base import Record

FREQUENCY: Final = 300


class Extra(Record):
    """One more attribute.

    Attributes:
        values: what it can be.
        weights: how often each value is drawn (None: equally often).
        rules: which values go with which of other attributes, as in `validity.yaml`.
        world: what its values mean to the scripted teacher, as in `world.yaml`; None: a model writes, and knows.
        features: how each feature in `world` is said, by family of wordings.
        domains: requests where it counts half as much again.
        cues: value -> sentences that show it without naming it, by family of wordings.
        frequency: how many of 1,000 items depend on it in official mode.
    """

    values: tuple[str, ...] = Field(min_length=2)
    weights: tuple[float, ...] | None = None
    rules: tuple[Rule, ...] = ()
    world: Axis | None = None
    features: dict[str, dict[Family, tuple[str, ...]]] = Field(default_factory=dict)
    domains: tuple[str, ...] = ()
    cues: dict[str, dict[Family, list[str]]] = Field(default_factory=dict)
    frequency: int = Field(default=FREQUENCY, ge=1)


@dataclass(frozen=True, eq=False)
class Space:
    """What people can be and how they speak: the twelve attributes, or those and more.

    Attributes:
        rules: what the further attributes add to who somebody can be.
    """

    schema: Schema
    world: World
    cues: Cues
    rules: tuple[Rule, ...] = ()


@cache
def usual() -> Space:
    """The twelve attributes."""
    return Space(schema(), world(), cues())


def space(extra: Mapping[str, Any], scripted: bool = False) -> Space:
    """The twelve attributes and those that a configuration adds.

    Args:
        extra: name -> the fields of `Extra`.
        scripted: whether the scripted teacher must be able to write about them.

    Raises:
        ConfigError: a field is missing or wrong, or the parts do not fit together.
    """
    if not extra:
        return usual()
    found = {name: _read(name, content, scripted) for name, content in extra.items()}
    known = schema()
    added = {name: Attribute(values=one.values, weights=one.weights) for name, one in found.items()}
    bank = {**cues().by_value, **{name: one.cues for name, one in found.items() if one.cues}}
    rules = tuple(rule for one in found.values() for rule in one.rules)
    whole = Schema({**known.attributes, **added})
    for rule in rules:
        for part in (rule.when, rule.then, rule.never):
            for name, values in part.items():
                for value in values:
                    whole.check({name: value})
    return Space(whole, _grown(found), Cues(bank, cues().neutral, cues().replies), rules)


def _grown(found: Mapping[str, Extra]) -> World:
    base, known = world(), {name: one for name, one in found.items() if one.world}
    return World(
        attributes={**base.axes, **{name: one.world for name, one in known.items() if one.world}},
        features={**base.features, **{feature: said for one in known.values() for feature, said in one.features.items()}},
        domains={
            name: Domain(
                factor=(*part.factor, *(other for other, one in known.items() if name in one.domains)), things=part.things
            )
            for name, part in base.domains.items()
        },
        requests=base.requests,
        sizes=base.sizes,
        frequency={**base.frequency, **{name: one.frequency for name, one in known.items()}},
    )


def _read(name: str, content: Any, scripted: bool) -> Extra:
    where = f"data.extra.{name}"
    if name in schema().names:
        raise ConfigError(f"{where}: this is one of the twelve attributes already; give it another name")
    try:
        one = TypeAdapter(Extra).validate_python(content)
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConfigError(f"{'.'.join([where, *map(str, problem['loc'])])}: {problem['msg']}") from None
    if one.weights is not None and len(one.weights) != len(one.values):
        raise ConfigError(f"{where}.weights: {len(one.weights)} weights for {len(one.values)} values")
    if unlike := set(one.domains) - set(world().domains):
        raise ConfigError(f"{where}.domains: no such domain: {min(unlike)}; there are {', '.join(world().domains)}")
    if scripted or one.world:
        _check_told(where, name, one)
    return one


def _check_told(where: str, name: str, one: Extra) -> None:
    """Whether the scripted teacher can write about it: it means something, can be said, and is shown without being named."""
    if one.world is None or set(one.world.values) != set(one.values) or set(one.cues) != set(one.values):
        raise ConfigError(f"{where}: the scripted teacher needs `world.values` and `cues` for each of {', '.join(one.values)}")
    if unsaid := one.world.features - set(one.features):
        raise ConfigError(f"{where}.features: how is it said that something is '{min(unsaid)}'? `world` speaks of it")
    if taken := one.world.features & set(world().features):
        raise ConfigError(f"{where}.world: '{min(taken)}' is a feature of another attribute already")
    for value, families in one.cues.items():
        if set(families) != {"a", "b"} or not all(families.values()):
            raise ConfigError(f"{where}.cues.{value}: sentences of both families, a (training) and b (benchmarks), are needed")
        for sentence in (text for texts in families.values() for text in texts):
            if any(names(text, name, value) for text in spellings(sentence)):
                raise ConfigError(f"{where}.cues.{value}: a sentence names the value, which it should only show: {sentence}")
