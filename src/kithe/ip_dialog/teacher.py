"""Who writes: the seven things a teacher of IP-Dialog can be asked for, and the scripted one of the rule world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, Final, Protocol, runtime_checkable

from kithe.errors import ConfigError
from kithe.ip_dialog.asks import Asker, Mode, Request, closed_answer, family, held_out, open_answer
from kithe.ip_dialog.cues import Exchange, names
from kithe.ip_dialog.extra import Space, space
from kithe.ip_dialog.people import changed
from kithe.ip_dialog.schema import tasks
from kithe.ip_dialog.world import World, joined
from kithe.records.base import Record

Person = Mapping[str, str]
FILLERS: Final = 19  # tries to find one that is not in the history yet


class Teacher(Protocol):
    """Writes the parts of items; every answer is raw text that the pipeline reads and checks.

    `draw` names the call: equal draws give equal answers.
    """

    @property
    def name(self) -> str:
        """Who it is, as results name it."""

    @property
    def scripted(self) -> bool:
        """Whether a program writes, which every table says."""

    def subjects(self, task: str, domain: str, draw: str) -> list[str]:
        """Ten things of a domain that requests can be about, in a few words each, neutral towards attributes."""

    def requests(self, task: str, domain: str, subject: str, person: Person, draw: str) -> list[Request]:
        """Three or more requests in the first person, without hints at attributes."""

    def answer(self, request: Request, person: Person, draw: str) -> str:
        """At most five related attributes, an analysis and the answer, as labelled fields."""

    def exchange(self, name: str, value: str, related: Person, earlier: Sequence[Exchange], draw: str) -> Exchange:
        """An exchange that implies a value without stating it; the assistant's side does not speak of it."""

    def exam(self, exchange: Exchange, name: str, value: str, draw: str) -> str:
        """Yes or no: can the value be inferred from the exchange, without being stated?"""

    def improve(self, exchange: Exchange, name: str, value: str, related: Person, draw: str) -> Exchange:
        """The exchange, rewritten after it failed the exam."""

    def consistent(self, exchange: Exchange, person: Person, draw: str) -> str:
        """Yes or no: does the exchange fit all of these attributes?"""

    def filler(self, related: Person, earlier: Sequence[Exchange], draw: str) -> Exchange:
        """An exchange that shows nothing about the user."""


class Flip(Record):
    """A change of one attribute that changes the right answer."""

    name: str
    value: str
    analysis: str
    answer: tuple[str, ...]


@runtime_checkable
class Twins(Protocol):
    """A teacher that knows what would have to be different for the answer to be."""

    def flip(self, request: Request, person: Person) -> Flip | None:
        """The change of one related attribute, to a combination held out too, that flips the answer; None if there is none."""


@dataclass(frozen=True)
class Scripted:
    """The rule world: no model, no key, exact labels.

    Attributes:
        mode: how the attributes of a request are drawn, see `Asker`.
        leaks: share of first drafts that say the value outright, so that exam and improvement have work to do.
        contradictions: share of drafts that also show another value of an attribute, for the consistency check to find.
        per_call: requests for one subject and person.
        extra: attributes beside the twelve, as in `kithe.ip_dialog.extra.Extra`.
    """

    mode: Mode = "hard"
    leaks: float = 0.05
    contradictions: float = 0.01
    per_call: int = 8
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    name = "scripted"
    scripted = True

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        if self.mode not in ("official", "hard"):
            raise ConfigError(f"data.teacher.mode={self.mode}: allowed: official, hard")
        for name in ("leaks", "contradictions"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"data.teacher.{name}={getattr(self, name)}: it must be at least 0 and below 1")

    @cached_property
    def space(self) -> Space:
        """What it knows about."""
        return space(self.extra, scripted=True)

    def subjects(self, task: str, domain: str, draw: str) -> list[str]:
        """See `Teacher`."""
        things = list(self.space.world.domains[domain].things)
        Random(draw).shuffle(things)
        return things

    def requests(self, task: str, domain: str, subject: str, person: Person, draw: str) -> list[Request]:
        """See `Teacher`."""
        asker, random = Asker(self.mode, self.space.world), Random(draw)
        first = random.randrange(6)  # answers wanted in turn, from a random one on
        made = (asker.request(task, domain, subject, person, random, first + number) for number in range(self.per_call))
        return [request for request in made if request is not None]

    def answer(self, request: Request, person: Person, draw: str) -> str:
        """See `Teacher`."""
        related = {name: person[name] for name in request.types}
        known = self.space.world
        said = closed_answer(request, person, known) if request.features else open_answer(request, person, known, Random(draw))
        if said is None:  # too close to call: no answer is right
            return ""
        return answer_text(related, analysis(request, related, said, known), said, tasks()[request.task].form)

    def exchange(self, name: str, value: str, related: Person, earlier: Sequence[Exchange], draw: str) -> Exchange:
        """See `Teacher`."""
        random = Random(draw)
        made = self.space.cues.exchange(name, value, family(related), random)
        fate = random.random()
        if fate < self.leaks:
            return made.model_copy(update={"user": f"You know that my {name} is {value}. {made.user}"})
        if fate < self.leaks + self.contradictions:
            others = [other for other in self.space.cues.by_value[name] if other != value]
            also = self.space.cues.exchange(name, random.choice(others), family(related), random)
            return made.model_copy(update={"user": f"{made.user} // {also.user}"})
        return made

    def exam(self, exchange: Exchange, name: str, value: str, draw: str) -> str:
        """See `Teacher`; by the perfect reader."""
        if names(exchange.user, name, value):
            return "No, it is stated."
        return "Yes." if (name, value) in self.space.cues.shown(exchange.user) else "No, it cannot be told."

    def improve(self, exchange: Exchange, name: str, value: str, related: Person, draw: str) -> Exchange:
        """See `Teacher`; another sentence."""
        return self.space.cues.exchange(name, value, family(related), Random(draw))

    def consistent(self, exchange: Exchange, person: Person, draw: str) -> str:
        """See `Teacher`; by the perfect reader."""
        against = [value for name, value in self.space.cues.shown(exchange.user) if name in person and person[name] != value]
        return f"No, it shows {against[0]}." if against else "Yes."

    def filler(self, related: Person, earlier: Sequence[Exchange], draw: str) -> Exchange:
        """See `Teacher`; no sentence twice in a history."""
        random, used = Random(draw), {exchange.user for exchange in earlier}
        first = made = self.space.cues.filler(family(related), random)
        for _ in range(FILLERS):
            if made.user not in used:
                return made
            made = self.space.cues.filler(family(related), random)
        return first

    def flip(self, request: Request, person: Person) -> Flip | None:
        """See `Twins`."""
        own = closed_answer(request, person, self.space.world) if request.features else None
        for name in request.types if own else ():
            for other in changed(dict(person), name, self.space.schema, self.space.rules):
                related = {each: other[each] for each in request.types}
                said = closed_answer(request, other, self.space.world)
                if said and said != own and held_out(related):
                    why = analysis(request, related, said, self.space.world)
                    return Flip(name=name, value=other[name], analysis=why, answer=said)
        return None


def analysis(request: Request, related: Mapping[str, str], said: Sequence[str], known: World) -> str:
    """Why the answer follows, in two sentences."""
    who = f"This is somebody who is {known.says(related)}."
    form = tasks()[request.task].form
    if form == "yes_no":
        return f"{who} All in all it {'fits' if said[0] == 'yes' else 'does not fit'}."
    if form == "options":
        return f"{who} What suits them is {joined(list(said))}."
    if form == "order":
        return f"{who} {said[0]} suits them best and {said[-1]} least."
    return f"{who} The answer should follow from that."


def answer_text(related: Mapping[str, str], why: str, said: Sequence[str], form: str) -> str:
    """Attributes, analysis and answer as labelled fields, the way answers are asked for."""
    pairs = ", ".join(f"{name}: {value}" for name, value in related.items())
    return f"- Attributes: [{pairs}]\n- Analysis: [{why}]\n- Answer: [{spoken(said, form)}]"


def spoken(said: Sequence[str], form: str) -> str:
    """An answer as text in the form asked for."""
    if form == "list":
        return "\n".join(f"{number}. {item}" for number, item in enumerate(said, 1))
    return ", ".join(said)
