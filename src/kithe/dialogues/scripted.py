"""`teacher=scripted`: personas and dialogues from a seeded grammar, with exact labels and no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kithe.dialogues.advice import advice
from kithe.dialogues.device import device
from kithe.dialogues.draft import Draft, distinct
from kithe.dialogues.people import Person, Talk
from kithe.dialogues.script import page
from kithe.dialogues.voice import Voice
from kithe.personas.persona import Attribute, Persona, draw_persona
from kithe.personas.traits import book
from kithe.records.history import History

FIELDS = frozenset({"category", "key", "value", "type", "polarity", "intensity", "inference", "evidence"})
SIZE = 48  # attributes of a persona, of which a dialogue shows a few
COUNTS = (0.06, 0.03, 0.07, 0.12, 0.17, 0.19, 0.16, 0.12, 0.08)  # share of dialogues that set out to show 0, 1, 2 ... facts


@dataclass(frozen=True)
class Scripted:
    """A teacher that follows scripts.

    Attributes:
        people: the share of dialogues between two people; the others are with an assistant.
        name: the name in results and ids.
    """

    people: float = 0.55
    name: str = "scripted"

    @property
    def scripted(self) -> bool:
        """It is."""
        return True

    @property
    def fields(self) -> frozenset[str]:
        """Every optional field of an item but the confidence."""
        return FIELDS

    def persona(self, seed: int, index: int, unseen: bool = False) -> Persona:
        """The persona of this index (`Teacher.persona`)."""
        rng = Random(f"{seed}/persona/{index}")
        return draw_persona(f"{self.name}-{seed}-{index}", rng, SIZE, unseen)

    def dialogue(self, persona: Persona, seed: int, index: int) -> History:
        """The persona's dialogue of this index (`Teacher.dialogue`)."""
        rng = Random(f"{seed}/dialogue/{persona.id}/{index}")
        write = _people if rng.random() < self.people else _assistant
        return write(persona, rng).history(f"{persona.id}-{index}", "synthetic")


def _people(persona: Persona, rng: Random) -> Draft:
    tokens = rng.random() < 0.4
    draft = Draft(rng.choice("AB"), persona, {name: _voice(rng, tokens) for name in "AB"}, rng)
    facts = distinct(rng.sample(persona.attributes, rng.choices(range(len(COUNTS)), COUNTS)[0]))
    echoes = [fact for fact in facts if _echoable(fact) and rng.random() < 0.2]
    user = Person(draft.user, [fact for fact in facts if fact not in echoes], others=_others(persona, rng))
    partner = _apart(draw_persona("partner", rng, 6, persona.unseen).attributes, persona)[: rng.randint(0, 5)]
    other = Person("B" if draft.user == "A" else "A", partner, echoes)
    first, second = sorted((user, other), key=lambda person: person.name)
    sessions = rng.choices((1, 2, 3), (0.75, 0.18, 0.07))[0]
    Talk(draft, first, second, rng).write(2 * max(len(facts), len(partner)) + rng.randint(0, 3), sessions)
    return draft


def _others(persona: Persona, rng: Random) -> list[Attribute]:
    """Two things that are true of somebody whom the user mentions."""
    known = page("people")["other"]
    stranger = [fact for fact in draw_persona("stranger", rng, 16, persona.unseen).attributes if fact.trait in known]
    return _apart(stranger, persona)[:2]


def _apart(facts: Sequence[Attribute], persona: Persona) -> list[Attribute]:
    """The facts that could not be taken for the persona's."""
    values = [fact.value for fact in persona.attributes]
    return [fact for fact in facts if not any(fact.value in value or value in fact.value for value in values)]


def _echoable(fact: Attribute) -> bool:
    trait = book().traits[fact.trait]
    return trait.shared or bool(trait.opposite)


def _voice(rng: Random, tokens: bool) -> Voice:
    british = rng.random() < 0.2
    if tokens:
        return Voice(
            tokens=True, expand=rng.random() < 0.8, british=british, bare=rng.random() * 0.3, loud=0.1, chatty=0.18, typos=0.05
        )
    chatty, loud, expand = rng.random() * 0.35, rng.random() * 0.3, rng.random() < 0.2
    if rng.random() < 0.25:
        return Voice(lower=True, expand=expand, british=british, bare=0.5, loud=loud, chatty=chatty, typos=0.25)
    return Voice(expand=expand, british=british, bare=0.08, loud=loud, chatty=chatty, typos=0.03)


def _assistant(persona: Persona, rng: Random) -> Draft:
    draft = Draft("A", persona, {"A": _voice(rng, tokens=False), "B": Voice(loud=0.2)}, rng)
    if rng.random() < 0.6:
        advice(draft, persona, rng)
    else:
        device(draft, persona, rng)
    return draft
