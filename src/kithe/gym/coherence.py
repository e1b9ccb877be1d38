"""What goes together in a persona: hard rules, never broken, and pairs that are more or less likely (`coherence.yaml`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import yaml
from pydantic import Field, ValidationError

from kithe.errors import ConfigError
from kithe.gym.bank import Bank, bank
from kithe.records.base import Record

Values = Mapping[str, str]


class Hard(Record):
    """Where every dimension of `if` has one of its values, every one of `then` that is there has one of its."""

    given: dict[str, tuple[str, ...]] = Field(alias="if", min_length=1)
    then: dict[str, tuple[str, ...]] = Field(min_length=1)

    def concerns(self, values: Values) -> bool:
        """Whether the rule says something about these values."""
        return _holds(self.given, values) and any(name in values for name in self.then)

    def broken(self, values: Values) -> bool:
        """Whether these values go against it; dimensions that are not there never do."""
        return _holds(self.given, values) and any(values.get(name, own[0]) not in own for name, own in self.then.items())


class Soft(Record):
    """How many times as likely as by chance a value of `a` and a value of `b` are together."""

    a: dict[str, tuple[str, ...]] = Field(min_length=1, max_length=1)
    b: dict[str, tuple[str, ...]] = Field(min_length=1, max_length=1)
    times: float = Field(gt=0)

    def concerns(self, values: Values) -> bool:
        """Whether it calls a combination with what is there unlikely."""
        return self.times < 1 and _holds(self.a, values) and next(iter(self.b)) in values

    def broken(self, values: Values) -> bool:
        """Whether the unlikely combination is there."""
        return self.times < 1 and _holds(self.a, values) and _holds(self.b, values)


def _holds(wanted: Mapping[str, tuple[str, ...]], values: Values) -> bool:
    return all(values.get(name) in own for name, own in wanted.items())


@dataclass(frozen=True)
class Coherence:
    """The rules."""

    hard: tuple[Hard, ...] = ()
    soft: tuple[Soft, ...] = ()

    @cached_property
    def _hard_of(self) -> Mapping[str, tuple[Hard, ...]]:
        names = {name for rule in self.hard for name in (*rule.given, *rule.then)}
        return {name: tuple(rule for rule in self.hard if name in rule.given or name in rule.then) for name in names}

    @cached_property
    def _soft_of(self) -> Mapping[str, tuple[tuple[str, Mapping[str, Mapping[str, float]]], ...]]:
        """Dimension -> other dimensions, with factors by the other's value and the own one."""
        table: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
        for rule in self.soft:
            ((one, ones), (two, twos)) = (*rule.a.items(), *rule.b.items())
            for own, owns, other, others in ((one, ones, two, twos), (two, twos, one, ones)):
                for value in owns:
                    for context in others:
                        cell = table.setdefault(own, {}).setdefault(other, {}).setdefault(context, {})
                        cell[value] = cell.get(value, 1.0) * rule.times
        return {own: tuple(others.items()) for own, others in table.items()}

    def allowed(self, name: str, value: str, values: Values) -> bool:
        """Whether the value breaks no hard rule beside `values`."""
        rules = self._hard_of.get(name, ())
        if not rules:
            return True
        together = {**values, name: value}
        return not any(rule.broken(together) for rule in rules)

    def factors(self, name: str, values: Values) -> Mapping[str, float]:
        """By how much values of a dimension are more likely beside `values`; 1 for those that are not named."""
        found: dict[str, float] = {}
        for other, by_context in self._soft_of.get(name, ()):
            for value, times in by_context.get(values.get(other, ""), {}).items():
                found[value] = found.get(value, 1.0) * times
        return found

    def broken(self, values: Values) -> int:
        """How many hard rules these values go against."""
        return sum(rule.broken(values) for rule in self.hard)

    def score(self, values: Values) -> float:
        """The share of the rules that concern a persona which it keeps; unlikely pairs count like hard rules. 1 without any."""
        every: tuple[Hard | Soft, ...] = self.hard + self.soft
        rules = [rule for rule in every if rule.concerns(values)]
        return 1 - sum(rule.broken(values) for rule in rules) / len(rules) if rules else 1.0


def read_coherence(text: str, over: Bank, where: str = "coherence.yaml") -> Coherence:
    """The rules of a YAML text.

    Raises:
        ConfigError: a rule has the wrong fields, or names what the bank does not hold.
    """
    tree = yaml.safe_load(text) or {}
    try:
        hard = tuple(Hard.model_validate(rule) for rule in tree.get("hard", ()))
        soft = tuple(Soft.model_validate(rule) for rule in tree.get("soft", ()))
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}; in {first['input']}") from None
    sides = [*(side for rule in hard for side in (rule.given, rule.then)), *(side for rule in soft for side in (rule.a, rule.b))]
    for name, values in ((name, values) for side in sides for name, values in side.items()):
        for value in values:
            over.check({name: value}, where)
    return Coherence(hard, soft)


@cache
def coherence() -> Coherence:
    """The rules of the package over its bank."""
    return read_coherence((files("kithe.gym") / "coherence.yaml").read_text("utf-8"), bank())
