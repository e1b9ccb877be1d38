"""Drawing personas: which dimensions somebody has, and which values, diverse and coherent (spec B, 3.4)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from pydantic import Field

from kithe.errors import ConfigError
from kithe.gym.bank import OTHERS, Bank, Dimension, bank
from kithe.gym.coherence import Coherence, coherence
from kithe.gym.diversity import Neighbours
from kithe.records.base import Record

DEAD_ENDS = 1000


class GymPersona(Record):
    """A simulated user: a value for each dimension that is known of them.

    Attributes:
        near: no persona that differs enough from all before was found; this one is as it came.
        texts: what stands for the value `others`, where that is said.
    """

    id: str
    values: dict[str, str]
    near: bool = False
    texts: dict[str, str] = Field(default_factory=dict)

    def said(self, name: str) -> str:
        """The value in words."""
        return self.texts.get(name, self.values[name])


def named(identity: str, values: dict[str, str], seed: int, near: bool = False) -> GymPersona:
    """A persona of these values, with a text for each that is `others`."""
    rng = Random(f"{seed}/others/{identity}")
    texts = {name: rng.choice(bank().by_name[name].others) for name, value in values.items() if value == OTHERS}
    return GymPersona(id=identity, values=values, near=near, texts=texts)


class People(Protocol):
    """Where users come from."""

    def personas(self, count: int, seed: int) -> Iterator[GymPersona]:
        """So many, `u00000` and on; fewer are the beginning of more."""

    def __hash__(self) -> int:
        """The same for all that draw the same."""


class Strategy(Protocol):
    """How likely each value of a dimension is."""

    def weights(self, dimension: Dimension, drawn: Mapping[str, str], counts: Counter[tuple[str, str]]) -> list[float]:
        """A weight for each value.

        Args:
            drawn: the values this persona has already.
            counts: how many personas before have a value, by (dimension, value).
        """


@dataclass(frozen=True)
class Uniform:
    """Every value as likely as any other."""

    def weights(self, dimension: Dimension, drawn: Mapping[str, str], counts: Counter[tuple[str, str]]) -> list[float]:
        """See `Strategy`."""
        return [1.0] * len(dimension.values)


@dataclass(frozen=True)
class Stratified:
    """The values that fewest personas have come first, in the dimensions named.

    Attributes:
        strata: the dimensions whose values shall be equally frequent; uniform in the others.
    """

    strata: Sequence[str] = ("domain",)

    def __post_init__(self) -> None:
        """Check the names.

        Raises:
            ConfigError: one is no dimension.
        """
        object.__setattr__(self, "strata", tuple(bank().dimension(name).name for name in self.strata))

    def weights(self, dimension: Dimension, drawn: Mapping[str, str], counts: Counter[tuple[str, str]]) -> list[float]:
        """See `Strategy`."""
        if dimension.name not in self.strata:
            return [1.0] * len(dimension.values)
        seen = [counts[dimension.name, value] for value in dimension.values]
        return [float(count == min(seen)) for count in seen]


@dataclass(frozen=True)
class Preference:
    """Where dimension `given` has one of `among`, `then` has one of `values` with probability `p`; otherwise any."""

    given: str
    among: Sequence[str]
    then: str
    values: Sequence[str]
    p: float = 0.8

    def __post_init__(self) -> None:
        """Lists of a config become tuples, so that samplers can be told apart by what they hold."""
        for name in ("among", "values"):
            object.__setattr__(self, name, tuple(getattr(self, name)))


@dataclass(frozen=True)
class Rules:
    """Preferences between dimensions; uniform where none applies. The first that applies counts."""

    rules: Sequence[Preference]

    def __post_init__(self) -> None:
        """Check the rules.

        Raises:
            ConfigError: one is not of the bank, or its probability is none.
        """
        object.__setattr__(self, "rules", tuple(self.rules))
        for rule in self.rules:
            for name, values in ((rule.given, rule.among), (rule.then, rule.values)):
                for value in values:
                    bank().check({name: value}, "sampling rule")
            if bank().names.index(bank().dimension(rule.given).name) >= bank().names.index(bank().dimension(rule.then).name):
                raise ConfigError(
                    f"sampling rule {rule.given} -> {rule.then}: {rule.then} is drawn before {rule.given}; turn it round"
                )
            if not 0 <= rule.p <= 1 or not rule.values:
                raise ConfigError(
                    f"sampling rule {rule.given} -> {rule.then}: p={rule.p} must be from 0 to 1, and values not empty"
                )

    def weights(self, dimension: Dimension, drawn: Mapping[str, str], counts: Counter[tuple[str, str]]) -> list[float]:
        """See `Strategy`."""
        for rule in self.rules:
            if rule.then == dimension.name and drawn.get(rule.given) in rule.among:
                inside, rest = rule.p / len(rule.values), (1 - rule.p) / len(dimension.values)
                return [rest + inside * (value in rule.values) for value in dimension.values]
        return [1.0] * len(dimension.values)


@dataclass(frozen=True)
class Sampler:
    """Draws personas.

    Attributes:
        availability: how likely each dimension that is no constraint is kept.
        size: how many dimensions there are then, by dropping or adding at random.
        constraints: at least so many constraint dimensions, added after that.
        most_constraints: at most so many, unless more are given.
        distance: two personas differ in at least so many dimensions.
        tries: before one that is too near to another is taken as it is.
        strategy: how values are drawn.
        coherent: whether values have to go together; without, every dimension is drawn alone.
    """

    availability: float = 0.7
    size: int = 15
    constraints: int = 5
    most_constraints: int = 20
    distance: int = 3
    tries: int = 50
    strategy: Strategy = field(default_factory=Uniform)
    coherent: bool = True

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: one of them is impossible.
        """
        if not 0 <= self.availability <= 1:
            raise ConfigError(f"sampler.availability={self.availability}: it is a probability, from 0 to 1")
        if not 1 <= self.size <= len(bank().names):
            raise ConfigError(f"sampler.size={self.size}: from 1 to the {len(bank().names)} dimensions of the bank")
        most = min(self.most_constraints, len(bank().constraints))
        if not 0 <= self.constraints <= most:
            raise ConfigError(
                f"sampler.constraints={self.constraints}: from 0 to {most} (most_constraints={self.most_constraints}; "
                f"the bank has {len(bank().constraints)})"
            )
        if self.most_constraints < (least := len(set(bank().required) & set(bank().constraints))):
            raise ConfigError(f"sampler.most_constraints={self.most_constraints}: at least the {least} that everybody has")
        if self.tries < 1:
            raise ConfigError(f"sampler.tries={self.tries}: it must be at least 1")
        if not 0 <= self.distance <= len(bank().names):
            raise ConfigError(f"sampler.distance={self.distance}: from 0 to the {len(bank().names)} dimensions of the bank")

    def personas(self, count: int, seed: int) -> Iterator[GymPersona]:
        """So many personas, `u00000` and on; fewer are the beginning of more."""
        over, counts = bank(), Counter[tuple[str, str]]()
        before = Neighbours(over.names, self.distance)
        for index in range(count):
            near, values = True, {}
            for attempt in range(self.tries):
                values = self.values(over, Random(f"{seed}/persona/{index}/{attempt}"), {}, counts)
                if not (near := before.near(values)):
                    break
            before.add(values)
            counts.update(values.items())
            yield named(f"u{index:05d}", values, seed, near)

    def values(
        self, over: Bank, rng: Random, given: Mapping[str, str], counts: Counter[tuple[str, str]]
    ) -> dict[str, str]:  # fmt: skip
        """Values of one persona, in the order of the bank; those of `given` are kept as they are.

        Raises:
            ConfigError: what is given leaves no coherent value.
        """
        names = self.dimensions(over, rng, given)
        for _ in range(DEAD_ENDS):
            found = self._fill(over, rng, names, given, counts)
            if found is not None:
                return found
        raise ConfigError("persona: no coherent values beside what is given: " + ", ".join(f"{k}={v}" for k, v in given.items()))

    def dimensions(self, over: Bank, rng: Random, given: Iterable[str] = ()) -> list[str]:
        """Which dimensions a persona has: masked, padded or trimmed, then required ones and constraints added."""
        fixed = list(given)
        free = [name for name in over.names if name not in fixed]
        kept = self.masked(over, rng, free)
        want = max(0, self.size - len(fixed))
        kept = rng.sample(kept, want) if len(kept) > want else kept
        rest = [name for name in free if name not in kept]
        kept = [*fixed, *kept, *rng.sample(rest, want - len(kept))]
        kept += [name for name in over.required if name not in kept]
        constraints = [name for name in over.constraints if name in kept]
        spare = [name for name in over.constraints if name not in kept]
        kept += rng.sample(spare, min(len(spare), max(0, self.constraints - len(constraints))))
        loose = [name for name in constraints if name not in fixed and name not in over.required]
        surplus = loose[max(0, self.most_constraints - (len(constraints) - len(loose))) :]
        return [name for name in over.names if name in kept and name not in surplus]

    def masked(self, over: Bank, rng: Random, free: Sequence[str]) -> list[str]:
        """The dimensions of `free` that the mask keeps: each that is no constraint, with `availability`."""
        return [name for name in free if not over.by_name[name].constraint and rng.random() < self.availability]

    def _fill(
        self, over: Bank, rng: Random, names: Sequence[str], given: Mapping[str, str], counts: Counter[tuple[str, str]]
    ) -> dict[str, str] | None:
        rules = coherence() if self.coherent else Coherence()
        drawn = dict(given)
        for name in names:
            if name in drawn:
                continue
            dimension = over.by_name[name]
            weights = self.strategy.weights(dimension, drawn, counts)
            factors = rules.factors(name, drawn)
            options = [
                (value, weight * factors.get(value, 1.0))
                for value, weight in zip(dimension.values, weights, strict=True)
                if weight > 0 and rules.allowed(name, value, drawn)
            ]
            if not options:
                options = [(value, 1.0) for value in dimension.values if rules.allowed(name, value, drawn)]
            if not options:
                return None
            drawn[name] = rng.choices([value for value, _ in options], [weight for _, weight in options])[0]
        return {name: drawn[name] for name in names}
