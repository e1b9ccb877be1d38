"""`teacher=scripted`: personas and dialogues from a seeded grammar, with exact labels and no model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from kithe.dialogues.advice import advice
from kithe.dialogues.device import device
from kithe.dialogues.draft import Aim, Draft
from kithe.dialogues.exemplars import Exemplars, HandWritten, Manner, draw, manner
from kithe.dialogues.facts import Fact, choose_facts, speakable, strangers
from kithe.dialogues.mix import Mix
from kithe.dialogues.pen import Pen
from kithe.dialogues.people import Person, Talk
from kithe.dialogues.script import page
from kithe.dialogues.targets import FromLog, Targets
from kithe.dialogues.voice import Voice
from kithe.errors import ConfigError, unknown
from kithe.personas.grammar import Family
from kithe.personas.paths import Sampling, sampler
from kithe.personas.persona import Persona, draw_persona
from kithe.personas.repair import write_persona
from kithe.records.history import History

FIELDS = frozenset({"category", "key", "value", "type", "polarity", "intensity", "inference", "evidence"})
ATTEMPTS = 5  # at a complete persona, each of a few drafts; in thousands none needed a second
SIZE = 48  # attributes of a persona, of which a dialogue shows a few
COUNTS = (0.06, 0.03, 0.07, 0.12, 0.17, 0.19, 0.16, 0.12, 0.08)  # share of dialogues that set out to show 0, 1, 2 ... facts
SESSIONS = (0.65, 0.22, 0.13)
PACE = (0.9, 1.6)  # turns of each of two people for every fact of the one who tells more
_FAMILIES = ("a", "b", "all")


@dataclass(frozen=True)
class Scripted:
    """A teacher that follows scripts.

    Attributes:
        people: the share of dialogues between two people; the others are with an assistant.
        mix: what they are made of.
        family: the wording: "a" and "b" share no template, "all" uses both.
        exemplars: utterances whose manner (not wording) the user of an assistant takes on.
        targets: distributions fitted from a real log, which replace this teacher's own; None: its own.
        complete: personas have a background, a value or none for each of 130 keys and no contradictions; otherwise they are so
            many attributes that agree with each other.
        paths: how the interest paths of complete personas are drawn; None: they have none.
        name: the name in results and ids.
    """

    people: float = 0.55
    mix: Mix = field(default_factory=Mix)
    family: Family = "all"
    exemplars: Exemplars = field(default_factory=HandWritten)
    targets: Targets | FromLog | None = None
    complete: bool = False
    paths: Sampling | None = None
    name: str = "scripted"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: there is no such family, or paths for personas that have no place for them.
        """
        if self.paths is not None and not self.complete:
            raise ConfigError("teacher.paths: only complete personas have interest paths; set teacher.complete=true as well")
        if self.family not in _FAMILIES:
            raise unknown("value of teacher.family", self.family, _FAMILIES)

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
        identity = f"{self.name}-{seed}-{index}"
        if self.complete:
            return _complete(identity, seed, sampler(self.paths, seed).paths(index) if self.paths else (), unseen)
        return draw_persona(identity, Random(f"{seed}/persona/{index}"), SIZE, unseen)

    def dialogue(self, persona: Persona, seed: int, index: int) -> History:
        """The persona's dialogue of this index (`Teacher.dialogue`)."""
        rng = Random(f"{seed}/dialogue/{persona.id}/{index}")
        writer = _Writer(self, persona, rng)
        draft = writer.people() if rng.random() < self.people else writer.assistant()
        return draft.history(f"{persona.id}-{index}", "synthetic")


class _Writer:
    """One dialogue: its size, its facts and its voices are drawn here, and handed to the script that writes it."""

    def __init__(self, teacher: Scripted, persona: Persona, rng: Random) -> None:
        self.teacher, self.persona, self.rng = teacher, persona, rng
        self.pen = Pen(rng, teacher.family)
        self.targets = teacher.targets.fitted() if teacher.targets else None
        self.mix = self.targets.mixed(teacher.mix) if self.targets else teacher.mix
        self.shape = self.targets.draw(rng) if self.targets else None
        self.seed = _seed(persona, rng)

    def people(self) -> Draft:
        """Two people."""
        tokens = self.rng.random() < 0.4
        draft = self._draft(self.pen.pick("AB"), {name: _voice(self.rng, tokens, self.mix.noise) for name in "AB"})
        facts = self._facts()
        echoes = [fact for fact in facts if _echoable(fact) and self.rng.random() < 0.2]
        user = Person(
            draft.user, [fact for fact in facts if fact not in echoes], others=strangers(self.persona, 4, self.mix, self.rng)
        )
        partner = strangers(self.persona, self.rng.randint(0, 5), self.mix, self.rng)
        other = Person("B" if draft.user == "A" else "A", partner, echoes)
        first, second = sorted((user, other), key=lambda person: person.name)
        turns = 2 * self.shape.turns if self.shape else self._length(max(len(facts), len(partner)))
        sessions = self.shape.sessions if self.shape else self.rng.choices((1, 2, 3), (0.75, 0.18, 0.07))[0]
        Talk(draft, first, second, self.seed).write(turns, sessions)
        return draft

    def _length(self, facts: int) -> int:
        """Turns of a talk in which the more talkative of the two tells so many facts."""
        return 2 * (round(facts * self.rng.uniform(*PACE)) + self.rng.randint(1, 3))

    def assistant(self) -> Draft:
        """Somebody and an assistant."""
        style = manner(draw(self.teacher.exemplars, self.rng))
        draft = self._draft("A", {"A": _mannered(style, self.rng, self.mix.noise), "B": Voice(loud=0.2)})
        sessions = self.shape.sessions if self.shape else self.rng.choices((1, 2, 3), SESSIONS)[0]
        turns = self.shape.turns if self.shape else None
        others = strangers(self.persona, 6, self.mix, self.rng)
        if self.rng.random() < 0.6:
            asked = frozenset(trait for field in page("advice").values() for trait in field["traits"].split())
            advice(draft, self._facts(asked, extra=1 + 3 * sessions), others, sessions, turns)
        else:
            facts = self._facts()
            habits = any(fact.implicit and fact.trait.repeat for fact in facts)
            device(draft, facts, others, sessions if self.shape or not habits else max(2, sessions), turns, self.seed)
        return draft

    def _draft(self, user: str, voices: dict[str, Voice]) -> Draft:
        aim = Aim(self.targets.words, self.shape.turns, self.shape.revealing) if self.targets and self.shape else None
        return Draft(user, self.persona, voices, self.pen, self.mix, aim)

    def _facts(self, traits: frozenset[str] | None = None, extra: int = 0) -> list[Fact]:
        """What is to come out, of these traits only if there are any."""
        count = self.rng.choices(range(len(COUNTS)), COUNTS)[0]
        count = self.shape.facts if self.shape else count + extra if count else 0
        wanted = None if self.shape else traits
        able = [attribute for attribute in speakable(self.persona) if wanted is None or attribute.trait in wanted]
        return choose_facts(able, count, self.mix, self.rng, self.targets.categories if self.targets else None)


def _complete(identity: str, seed: int, paths: Sequence[tuple[str, ...]], unseen: bool) -> Persona:
    """A complete persona; one that is given up because of contradictions is drawn anew."""
    outcomes = (write_persona(identity, Random(f"{seed}/{identity}/{attempt}"), paths, unseen) for attempt in range(ATTEMPTS))
    found = next((outcome.persona for outcome in outcomes if outcome.persona), None)
    if found is None:
        raise ValueError(f"no persona without contradictions for {identity} in {ATTEMPTS} attempts")
    return found


def _seed(persona: Persona, rng: Random) -> str:
    """The last name of one of the persona's paths through the taxonomy, where it has any: what a talk may also be about."""
    paths = getattr(persona, "paths", ())
    names = rng.choice(paths) if paths else ()
    return str(names[-1]).lower() if names else ""


def _echoable(fact: Fact) -> bool:
    return (fact.trait.shared or bool(fact.trait.opposite)) and not fact.implicit


def _voice(rng: Random, tokens: bool, noise: float) -> Voice:
    british = rng.random() < 0.2
    if tokens:
        return Voice(
            tokens=True, expand=rng.random() < 0.8, british=british, bare=rng.random() * 0.3, loud=0.1, chatty=0.18, typos=noise
        )
    chatty, loud, expand = rng.random() * 0.35, rng.random() * 0.3, rng.random() < 0.2
    if rng.random() < 0.25:
        return Voice(lower=True, expand=expand, british=british, bare=0.5, loud=loud, chatty=chatty, typos=min(1.0, 5 * noise))
    return Voice(expand=expand, british=british, bare=0.08, loud=loud, chatty=chatty, typos=0.6 * noise)


def _mannered(style: Manner, rng: Random, noise: float) -> Voice:
    """A voice in the manner of some utterances."""
    lower = rng.random() < style.lower
    return Voice(
        lower=lower, expand=rng.random() < 0.2, british=rng.random() < 0.2, bare=style.bare, loud=0.05 + 0.5 * style.loud,
        chatty=min(0.4, style.words / 30), typos=min(1.0, (5 if lower else 0.6) * noise), polite=style.polite, terse=style.terse,
    )  # fmt: skip
