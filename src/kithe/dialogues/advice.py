"""Advice talks with an assistant, as in LAPS: it asks for tastes and limits, suggests, and asks why; one to three sessions."""

from collections.abc import Sequence
from random import Random
from typing import Any

from kithe.dialogues.draft import Draft, Piece, ask, choose, companions, distinct, show
from kithe.dialogues.script import lines, page
from kithe.personas.persona import Attribute, Persona, forms
from kithe.personas.traits import book, words_of

SESSIONS = (0.6, 0.25, 0.15)


def advice(draft: Draft, persona: Persona, rng: Random) -> None:
    """Write one to three sessions of advice into the draft."""
    facts = distinct(rng.sample(persona.attributes, len(persona.attributes)))
    for session in range(1, rng.choices((1, 2, 3), SESSIONS)[0] + 1):
        draft.session = session
        fields = page("advice")
        weights = [1 + 2 * len(_fitting(facts, field)) for field in fields.values()]
        field = rng.choices(list(fields.values()), weights)[0]
        fitting = _fitting(facts, field)
        chosen = rng.sample(fitting, min(len(fitting), rng.choice((0, 2, 3, 3, 4, 5, 6))))
        facts = [fact for fact in facts if fact not in chosen]
        _Session(draft, field, chosen, rng).write()


def _fitting(facts: Sequence[Attribute], field: dict[str, Any]) -> list[Attribute]:
    """The facts that come up when one asks for this kind of advice."""
    return [fact for fact in facts if fact.trait in field["traits"].split()]


class _Session:
    """One talk about one thing."""

    def __init__(self, draft: Draft, field: dict[str, Any], facts: list[Attribute], rng: Random) -> None:
        self.draft, self.field, self.facts, self.rng = draft, field, facts, rng
        self.situations = rng.sample(lines(field["situation"]), len(lines(field["situation"])))

    def write(self) -> None:
        """Opening, questions, suggestions, end."""
        self._open()
        for _ in range(self.rng.choice((1, 2, 2, 3, 3))):
            self._question()
        self._suggest()
        if self.rng.random() < 0.45:
            self._why()
        if self.rng.random() < 0.6:
            self._close()

    def _open(self) -> None:
        if self.rng.random() < 0.6:
            self.draft.say("B", [Piece(self.draft.line(self.field["hello"]))])
        pieces = [Piece(self.draft.line(self.field["open"]) or "Hi, can you help me?")]
        if self.facts and self.rng.random() < 0.4:
            pieces.append(self._volunteer(self.facts.pop()))
        self.draft.say("A", pieces)

    def _volunteer(self, fact: Attribute) -> Piece:
        trait = book().traits[fact.trait]
        cues = trait.cues("wish") if trait.wish and self.rng.random() < 0.6 else trait.cues("say")
        return show(self._with(fact), choose(cues, self.rng), self.rng)

    def _with(self, fact: Attribute) -> list[Attribute]:
        """The fact, perhaps with others that go into the same sentence."""
        group = companions(fact, self.facts) if self.rng.random() < 0.6 else [fact]
        self.facts = [other for other in self.facts if other not in group]
        return group

    def _question(self) -> None:
        """One or two questions in a turn, and their answers in the next, in the same order."""
        asks, answers = [], []
        for _ in range(2 if self.rng.random() < 0.4 else 1):
            ask, answer = self._pair()
            if ask.text:
                asks.append(ask)
                answers.append(answer)
        if not asks:
            return
        self.draft.say("B", [Piece(self.draft.line(page_words("lead"))), *asks] if self.rng.random() < 0.5 else asks)
        if self.facts and self.rng.random() < 0.12:
            answers.append(self._volunteer(self.facts.pop()))
        self.draft.say("A", answers)

    def _pair(self) -> tuple[Piece, Piece]:
        """A question and its answer: about a fact, or about the situation, which nobody asks twice."""
        able = [fact for fact in self.facts if book().traits[fact.trait].qa]
        if not able or self.rng.random() < 0.25:
            question, answer = self.draft.exchange(self.situations.pop()) if self.situations else ("", "")
            return Piece(question), Piece(answer)
        fact = self.rng.choice(able)
        self.facts.remove(fact)
        cue = choose(book().traits[fact.trait].cues("qa"), self.rng)
        return ask([fact] if "$" in cue.question else self._with(fact), cue, self.rng)

    def _suggest(self) -> None:
        """A suggestion, perhaps one that a dislike speaks against, and then a better one."""
        against = [fact for fact in self.facts if fact.polarity == "negative" and "how about" in book().traits[fact.trait].qa]
        if against and self.rng.random() < 0.7:
            fact = self.rng.choice(against)
            self.facts.remove(fact)
            cue = self.rng.choice([cue for cue in book().traits[fact.trait].cues("qa") if "how about" in cue.question])
            question, answer = ask([fact], cue, self.rng)
            self.draft.say("B", [question])
            self.draft.say("A", [answer])
        elif self.rng.random() < 0.25:
            self.draft.say("B", [Piece(self.draft.line(self.field["suggest"]))])
            self.draft.say("A", [Piece(self.draft.line(self.field["decline"]))])
        self.draft.say("B", [Piece(self.draft.line(self.field["suggest"]) or "Here is an idea that fits.")])
        pieces = [Piece(self.draft.line(self.field["accept"]))]
        likes = [fact for fact in self.facts if fact.polarity == "positive"]
        if likes and self.rng.random() < 0.35:
            fact = self.rng.choice(likes)
            self.facts.remove(fact)
            pieces.append(self._volunteer(fact))
        self.draft.say("A", pieces)

    def _why(self) -> None:
        question, answer = self.draft.exchange(self.field["why"])
        self.draft.say("B", [Piece(question)])
        self.draft.say("A", [Piece(answer)])

    def _close(self) -> None:
        goodbye, thanks = self.draft.exchange(page_words("close"))
        self.draft.say("B", [Piece(goodbye)])
        self.draft.say("A", [Piece(thanks)])


def page_words(name: str) -> str:
    """The lines that every kind of advice shares."""
    return str(page("assistant")[name])


def reading(text: str, fact: Attribute, rng: Random) -> str:
    """A line about the value of a fact."""
    return words_of(text, rng, forms(fact))
