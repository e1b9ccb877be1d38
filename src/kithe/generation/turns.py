"""The plan of a dialogue that a model writes: which user turn shows which fact, how, and which turns show nothing."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from kithe.dialogues.draft import statement
from kithe.dialogues.facts import fact_of, speakable
from kithe.dialogues.mix import Mix
from kithe.dialogues.pen import Pen
from kithe.personas.ontology import ontology
from kithe.personas.persona import Persona
from kithe.records.history import Inference, Intensity, ItemType, Polarity

LENGTH: Final = (2, 12)  # user turns: 2 + Poisson(4), at most 12 (spec 2.3, step A5)
MEAN: Final = 4.0
MANNERS: Final[Mapping[Intensity, str]] = {"high": "strongly", "medium": "", "low": "mildly, in passing"}
TYPES: Final[Mapping[str, ItemType]] = {
    "Interest": "preference",
    "Background": "attribute",
    "Behavior": "behavior",
    "Lifestyle": "behavior",
    "Personality & Values": "attribute",
    "Social & Relationships": "relationship",
    "Goals & Assistant Preferences": "goal",
}
_ADVERBS: Final = frozenset(["always", "often", "mostly", "usually", "never", "sometimes", "rarely", "regularly", "hardly"])
_VERBS: Final[Mapping[str, str]] = {"is": "am", "has": "have", "does": "do", "goes": "go", "was": "was", "cannot": "cannot"}


@dataclass(frozen=True)
class Planned:
    """A fact of a persona on its way into a turn.

    `statement` is in the person's own voice, `value` names what it is about.
    """

    id: str
    key: str
    category: str
    type: ItemType
    value: str
    statement: str
    polarity: Polarity
    intensity: Intensity
    inference: Inference
    turn: int

    def line(self) -> str:
        """The fact as the prompt lists it."""
        return f"{self.id}: {self.statement} ({self.value})"

    def told(self) -> str:
        """How its turn is to show it."""
        how = "plainly" if self.inference == "explicit" else "between the lines"
        return " ".join(["shows", self.id, f"{how},", MANNERS[self.intensity]]).strip(" ,")


@dataclass(frozen=True)
class Plan:
    """So many user turns, numbered from 1, with facts for some; `topic` is an interest line to talk about, or empty."""

    count: int
    facts: tuple[Planned, ...]
    topic: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """What the prompt says of each user turn."""
        told = {number: [fact.told() for fact in self.facts if fact.turn == number] for number in range(1, self.count + 1)}
        return [f"{number}. {'; '.join(facts) or 'shows nothing'}" for number, facts in told.items()]


def plan(persona: Persona, mix: Mix, rng: Random) -> Plan:
    """A dialogue's plan: as many turns that show a fact as the mix leaves, a fact each, no key twice.

    Polarity follows the mix as far as the persona has values of either kind.
    """
    count = min(LENGTH[1], LENGTH[0] + _poisson(MEAN, rng))
    showing = max(1, round(count * (1 - mix.routine)))
    chosen = _chosen(_facts(persona, rng), showing, mix, rng)
    turns = sorted(rng.sample(range(1, count + 1), len(chosen)))
    facts = tuple(
        Planned(
            **vars(fact),
            id=f"F{place}",
            intensity=mix.strength(rng),
            inference="implicit" if rng.random() < mix.implicit else "explicit",
            turn=turn,
        )
        for place, (fact, turn) in enumerate(zip(chosen, turns, strict=True), 1)
    )
    return Plan(count, facts, rng.choice(persona.paths) if persona.paths else ())


@dataclass(frozen=True)
class _Fact:
    """What may be said of a persona."""

    key: str
    category: str
    type: ItemType
    value: str
    statement: str
    polarity: Polarity


def _facts(persona: Persona, rng: Random) -> list[_Fact]:
    """What may be said of a persona; nothing of the most sensitive kind."""
    known = ontology().by_key
    if not persona.values:
        facts = [fact_of(one, Mix(), rng) for one in speakable(persona) if one.key not in known or known[one.key].sensitivity < 2]
        return [
            _Fact(
                fact.attribute.key, fact.attribute.category, fact.trait.type, fact.value, statement(fact, Pen(rng)), fact.polarity
            )
            for fact in facts
        ]
    stated = [(known[key], value) for key, value in persona.values.items() if value and known[key].sensitivity < 2]
    return [
        _Fact(
            key=entity.key,
            category=entity.category,
            type="dislike" if value.polarity == "negative" and entity.tier == "Interest" else TYPES[entity.tier],
            value=value.value,
            statement=first_person(entity.phrase(value.value, value.polarity)),
            polarity=value.polarity,
        )
        for entity, value in stated
    ]


def first_person(phrase: str) -> str:
    """What is said of somebody, in their own voice: "plays or does judo" becomes "I play or do judo."."""
    words = phrase.split()
    place = next((place for place, word in enumerate(words) if word not in _ADVERBS), 0)
    words[place] = _own(words[place])
    if words[place + 1 : place + 2] == ["or"]:
        words[place + 2] = _own(words[place + 2])
    text = " ".join(words).replace(" their own ", " my own ")
    return f"I {text}{'' if text.endswith('.') else '.'}"


def _own(verb: str) -> str:
    """A verb that says "she …" as it says "I …"."""
    if verb in _VERBS:
        return _VERBS[verb]
    if re.search(r"(sh|ch|ss|x)es$", verb):
        return verb[:-2]
    return f"{verb[:-3]}y" if verb.endswith("ies") else verb.removesuffix("s")


def _chosen(facts: Sequence[_Fact], count: int, mix: Mix, rng: Random) -> list[_Fact]:
    kinds = {polarity: [fact for fact in facts if fact.polarity == polarity] for polarity in ("positive", "negative")}
    chosen: dict[str, _Fact] = {}
    for _ in range(4 * count):
        wanted = "negative" if rng.random() < mix.negative else "positive"
        fact = rng.choice(kinds[wanted] or facts)
        chosen.setdefault(fact.key, fact)
        if len(chosen) == count:
            break
    return list(chosen.values())


def _poisson(mean: float, rng: Random) -> int:
    """A draw by Knuth's product of uniforms."""
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count, product = count + 1, product * rng.random()
    return count
