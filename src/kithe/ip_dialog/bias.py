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

SLACK = 1
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
    """Keeps the values of a protected attribute equally often beside each role, give or take `SLACK`.

    Attributes:
        protected: the attribute; None: everything is taken.
        values: its values.
        taken: (value, role) -> items so far.
    """

    protected: str | None
    values: Sequence[str] = ()
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)

    def open(self, question: Question) -> bool:
        """Whether an item may be taken: its value is not ahead of the others beside any of its roles."""
        if self.protected is None or self.protected not in question.persona:
            return True
        own = question.persona[self.protected]
        return all(
            self.taken[own, role] - min(self.taken[other, role] for other in self.values) < SLACK
            for role in roles(question, self.protected)
        )

    def take(self, question: Question) -> None:
        """Count an item."""
        if self.protected is not None and self.protected in question.persona:
            own = question.persona[self.protected]
            self.taken.update((own, role) for role in roles(question, self.protected))


def roles(question: Question, protected: str) -> list[str]:
    """What an item depends on, but for the protected attribute itself."""
    return [f"{name}={value}" for name, value in question.related.items() if name != protected]


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
