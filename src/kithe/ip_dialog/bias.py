"""Who gets which role: stereotypes put into a population on purpose, a constraint that takes them out, and how much is left.

A role is an attribute value that an item depends on. Where a protected attribute such as gender goes with roles in the training
items, a model can learn to answer by it although no right answer depends on it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from random import Random
from statistics import mean

from kithe.ip_dialog.people import Person, Rule, problems
from kithe.records.question import Question

PERMUTATIONS = 200
Stereotypes = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]  # protected -> its value -> attribute -> values


def stereotyped(
    people: Iterator[Person], stereotypes: Stereotypes, share: float, seed: int, more: Sequence[Rule] = ()
) -> Iterator[Person]:  # fmt: skip
    """The people, of whom a share is made what is said of their kind, as far as that leaves them possible."""
    random = Random(f"{seed}/stereotypes")
    for person in people:
        changed = dict(person)
        for name, kinds in stereotypes.items():
            for attribute, values in kinds.get(person[name], {}).items():
                other = {**changed, attribute: random.choice(values)}
                if random.random() < share and not problems(other, more=more):
                    changed = other
        yield changed


@dataclass
class Balance:
    """Deals out the values of a protected attribute so that each stands as often beside every role as the others.

    Attributes:
        protected: the attribute; None: people stay as they are.
        values: its values.
        taken: (value, role) -> items so far.
    """

    protected: str | None
    values: Sequence[str] = ()
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)

    def settled(self, person: Person, related: Mapping[str, str], more: Sequence[Rule] = ()) -> Person:
        """The person with the value that is furthest behind beside these roles, among those that leave them possible.

        Where an item depends on the protected attribute itself, the person stays as they are.
        """
        if self.protected is None or self.protected in related:
            return person
        others = ({**person, self.protected: value} for value in self.values if value != person[self.protected])
        possible = [person, *(other for other in others if not problems(other, more=more))]
        return min(possible, key=lambda one: sum(self.taken[one[self.protected or ""], role] for role in roles(related)))

    def take(self, question: Question) -> None:
        """Count an item."""
        if self.protected is not None and self.protected not in question.related:
            self.taken.update((question.persona[self.protected], role) for role in roles(question.related))


def roles(related: Mapping[str, str]) -> list[str]:
    """The attribute values that an item depends on."""
    return [f"{name}={value}" for name, value in related.items()]


@dataclass(frozen=True)
class Information:
    """Mutual information of a protected attribute and the values of a role's attribute.

    Attributes:
        bits: in bits, as counted.
        chance: the mean of the same after the protected values were dealt out anew: what so few items give by chance.
        n: items that depend on the attribute.
    """

    bits: float
    chance: float
    n: int

    @property
    def excess(self) -> float:
        """Bits beyond chance."""
        return self.bits - self.chance


def information(questions: Sequence[Question], protected: str, seed: int = 0) -> dict[str, Information]:
    """For each attribute that items depend on, how much its value says about the protected one, and the other way round."""
    found = {}
    names = sorted({name for one in questions for name in one.related if name != protected})
    random = Random(seed)
    for name in names:
        pairs = [
            (one.persona[protected], one.related[name]) for one in questions if name in one.related and protected in one.persona
        ]
        own, values = [first for first, _ in pairs], [second for _, second in pairs]
        dealt = [bits(random.sample(own, len(own)), values) for _ in range(PERMUTATIONS)]
        found[name] = Information(bits(own, values), mean(dealt), len(pairs))
    return found


def bits(first: Sequence[str], second: Sequence[str]) -> float:
    """Mutual information of two aligned sequences in bits: Σ p(a, b) log2 p(a, b) / (p(a) p(b)); 0 for empty ones."""
    n, both, ones, twos = len(first), Counter(zip(first, second, strict=True)), Counter(first), Counter(second)
    return max(0.0, sum(count / n * log2(count * n / (ones[a] * twos[b])) for (a, b), count in both.items()))
