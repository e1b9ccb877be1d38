"""Best of n: several candidates are written, critics score them, the best one stays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kithe.personas.contradictions import conflicts
from kithe.personas.persona import Persona

GENERIC = frozenset(
    {"music", "films", "movies", "food", "sports", "books", "games", "travel", "reading", "things", "stuff", "various"}
)


class Critic(Protocol):
    """Somebody who scores a candidate between 0 and 1."""

    @property
    def name(self) -> str:
        """The name in reports."""
        ...

    def score(self, persona: Persona) -> float:
        """How good it is."""
        ...


@dataclass(frozen=True)
class Faithfulness:
    """The share of interest paths with a value, times the share of the background's facts that the values still say."""

    name: str = "faithfulness"

    def score(self, persona: Persona) -> float:
        """See the class."""
        linked = {value.path for value in persona.values.values() if value}
        paths = sum(place in linked for place in range(len(persona.paths))) / max(1, len(persona.paths))
        facts = persona.skeleton.facts() if persona.skeleton else {}
        said = {key: value.value if (value := persona.values.get(key)) else None for key in facts}
        return paths * sum(said[key] == facts[key] for key in facts) / max(1, len(facts))


@dataclass(frozen=True)
class Consistency:
    """One, halved by every contradiction."""

    name: str = "consistency"

    def score(self, persona: Persona) -> float:
        """See the class."""
        return float(0.5 ** len(conflicts(persona.values)))


@dataclass(frozen=True)
class Specificity:
    """The share of stated values that are more than a word for a whole field."""

    name: str = "specificity"

    def score(self, persona: Persona) -> float:
        """See the class."""
        stated = [value.value.lower() for value in persona.values.values() if value]
        return sum(text not in GENERIC for text in stated) / max(1, len(stated))


@dataclass(frozen=True)
class Chosen:
    """The best candidate, which one it was, and every candidate's scores by critic."""

    persona: Persona
    place: int
    scores: tuple[Mapping[str, float], ...]


CRITICS: tuple[Critic, ...] = (Faithfulness(), Consistency(), Specificity())


def best_of(n: int, draw: Callable[[int], Persona], critics: Sequence[Critic] = CRITICS) -> Chosen:
    """The candidate with the highest product of scores, the first among equals.

    Args:
        n: how many candidates, at least one.
        draw: the candidate of this number.
        critics: who scores.
    """
    drawn = [draw(place) for place in range(n)]
    scores = tuple({critic.name: critic.score(persona) for critic in critics} for persona in drawn)
    place = max(range(n), key=lambda index: (_product(scores[index]), -index))
    return Chosen(drawn[place], place, scores)


def _product(scores: Mapping[str, float]) -> float:
    total = 1.0
    for score in scores.values():
        total *= score
    return total
