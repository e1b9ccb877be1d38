"""The rule world: what a person likes follows from their attributes by a sum, so that every answer is exact (`world.yaml`).

u(thing | person) = Σ over the thing's features: weight of the attribute × factor of the domain × taste of the person's value,
with taste +2 for a liked feature, -2 for a disliked one, and `others` for further features of the same attribute.
"""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property

from pydantic import Field

from kithe.ip_dialog.schema import read
from kithe.records.base import Record

Family = str  # of wordings: `a` or `b`
FACTOR, TASTE = 1.5, 2.0


class Taste(Record):
    """What one value of an attribute means: features liked and disliked, and how it is spoken of."""

    likes: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()
    says: str
    goal: str
    risk: str


class Axis(Record):
    """An attribute in the world: how much it weighs, what it decides about, what its values mean."""

    weight: float
    others: float = 0.0
    aspect: dict[Family, tuple[str, ...]]
    values: dict[str, Taste]

    @property
    def features(self) -> frozenset[str]:
        """Every feature that one of its values likes or dislikes."""
        return frozenset(feature for taste in self.values.values() for feature in (*taste.likes, *taste.dislikes))


class Domain(Record):
    """What requests can be about: things, and the attributes that count more there."""

    factor: tuple[str, ...]
    things: tuple[str, ...]


class World(Record):
    """The content of `world.yaml`."""

    axes: dict[str, Axis] = Field(alias="attributes")
    features: dict[str, dict[Family, tuple[str, ...]]]
    domains: dict[str, Domain]
    requests: dict[str, dict[Family, tuple[str, ...]]]
    sizes: dict[str, dict[int, int]]
    frequency: dict[str, int]

    @property
    def deciding(self) -> tuple[str, ...]:
        """The attributes that anything depends on; the others must not matter."""
        return tuple(name for name, axis in self.axes.items() if axis.weight > 0)

    @cached_property
    def owner(self) -> dict[str, str]:
        """The attribute that a feature belongs to."""
        return {feature: name for name, axis in self.axes.items() for feature in axis.features}

    def taste(self, name: str, value: str, feature: str) -> float:
        """What somebody with this value makes of a feature of the same attribute."""
        own = self.axes[name].values[value]
        return TASTE if feature in own.likes else -TASTE if feature in own.dislikes else self.axes[name].others

    def utility(self, features: Sequence[str], person: Mapping[str, str], domain: str) -> float:
        """What a thing with these features is worth to a person."""
        return sum(self.worth(self.owner[feature], feature, person, domain) for feature in features)

    def worth(self, name: str, feature: str, person: Mapping[str, str], domain: str) -> float:
        """What one feature adds."""
        factor = FACTOR if domain in self.domains and name in self.domains[domain].factor else 1.0
        return self.axes[name].weight * factor * self.taste(name, person[name], feature)

    def liked(self, name: str, value: str, wanted: bool) -> tuple[str, ...]:
        """The features of an attribute that this value likes, or else those it does not."""
        return tuple(feature for feature in sorted(self.axes[name].features) if wanted == (self.taste(name, value, feature) > 0))

    def says(self, related: Mapping[str, str]) -> str:
        """The person's attributes in words."""
        return joined([self.axes[name].values[value].says for name, value in related.items()])


@cache
def world() -> World:
    """The world of the twelve attributes."""
    return World.model_validate(read("world.yaml"))


def joined(parts: Sequence[str]) -> str:
    """Parts of a sentence, the last one after "and"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def order(utilities: Sequence[float]) -> tuple[str, ...]:
    """Option letters by falling utility."""
    return tuple("ABCDE"[i] for i in sorted(range(len(utilities)), key=lambda i: -utilities[i]))


def kept(utilities: Sequence[float]) -> tuple[str, ...]:
    """Letters of the options with a utility above zero."""
    return tuple("ABCDE"[i] for i, utility in enumerate(utilities) if utility > 0)
