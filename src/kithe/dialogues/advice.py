"""Advice talks with an assistant, as in LAPS: it asks for tastes and limits, suggests, and asks why; one to three sessions."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from kithe.dialogues.distract import distraction
from kithe.dialogues.draft import Draft
from kithe.dialogues.facts import Fact, companions
from kithe.dialogues.moments import moment
from kithe.dialogues.pen import Piece
from kithe.dialogues.script import page
from kithe.personas.grammar import half

_MOST_ASKED = 4  # questions in one turn
_FEW = 4  # facts that a session is given at least, where the persona has them


def advice(draft: Draft, facts: Sequence[Fact], others: list[Fact], sessions: int, turns: int | None) -> None:
    """Write sessions of advice into the draft.

    Args:
        draft: what is written to.
        facts: what comes out, as far as one of the sessions asks for it.
        others: facts about somebody else.
        sessions: how many.
        turns: how many turns the user should have, all sessions together; None: as many as come.
    """
    left = list(facts)
    for session in range(1, sessions + 1):
        draft.session = session
        share = max(_FEW, -(-len(left) // (sessions - session + 1)))
        fields = list(page("advice").values())
        weights = [0.2 + len(_fitting(left, field)) for field in fields]
        field = draft.pen.rng.choices(fields, weights)[0]
        chosen = _fitting(left, field)[:share]
        left = [fact for fact in left if fact not in chosen]
        wanted = None if turns is None else max(1, round((turns - draft.spoken()) / (sessions - session + 1)))
        if turns is not None and session == sessions:  # a log's number of facts counts more than what a talk is about
            chosen, left = [*chosen, *left], []
        _Session(draft, field, chosen, others, wanted).write()


def _fitting(facts: Sequence[Fact], field: dict[str, Any]) -> list[Fact]:
    """The facts that come up when one asks for this kind of advice."""
    return [fact for fact in facts if fact.trait.id in _traits(field["traits"])]


@cache
def _traits(names: str) -> frozenset[str]:
    return frozenset(names.split())


class _Session:
    """One talk about one thing."""

    def __init__(self, draft: Draft, field: dict[str, Any], facts: list[Fact], others: list[Fact], turns: int | None) -> None:
        self.draft, self.pen, self.field, self.facts, self.others = draft, draft.pen, field, facts, others
        self.situations = list(half(field["situation"], draft.pen.family))
        self.pen.rng.shuffle(self.situations)
        self.first = draft.spoken()
        self.turns = turns

    def write(self) -> None:
        """Opening, questions while there are facts or turns left, suggestions, end."""
        self._open()
        for _ in range(40):
            if self._left() <= 1:
                break
            self._question()
            if self._enough():
                break
        if self._left() > 0:
            self._suggest()
        if self._room():
            self._why()
        if self._room():
            self._close()

    def _left(self) -> int:
        """How many turns the user has left, where that is settled; otherwise more than enough."""
        return 99 if self.turns is None else self.turns - (self.draft.spoken() - self.first)

    def _enough(self) -> bool:
        """Whether it is time for a suggestion: the last facts go along with it."""
        if self.turns is not None:
            return self._left() <= 1
        return len(self.facts) < 2

    def _room(self) -> bool:
        """Whether a turn without facts is welcome."""
        if self.turns is not None:
            return self._left() > 0
        return self.draft.plain_share() < self.draft.mix.routine

    def _open(self) -> None:
        if self.pen.chance(0.6):
            self.draft.say("B", [Piece(self.draft.line(self.field["hello"]))])
        pieces = [Piece(self._request(self.draft.line(self.field["open"]) or "Hi, can you help me?"))]
        due = self.draft.due(len(self.facts))
        if self.facts and (self.pen.chance(0.7) if due is None else due):
            pieces.append(self._volunteer(self.facts.pop()))
        self.draft.say("A", pieces)

    def _request(self, text: str) -> str:
        return self.draft.voices["A"].request(text, self.pen)

    def _volunteer(self, fact: Fact) -> Piece:
        group = self._with(fact)
        if fact.implicit:
            return self.pen.tell([fact])
        return self.pen.show(group, "wish" if fact.trait.cues("wish", self.pen.family) and self.pen.chance(0.6) else "say")

    def _with(self, fact: Fact) -> list[Fact]:
        """The fact, perhaps with others that go into the same sentence."""
        group = companions(fact, self.facts) if self.pen.chance(0.6) and self.turns is None else [fact]
        self.facts = [other for other in self.facts if other not in group]
        return group

    def _question(self) -> None:
        """One or two questions in a turn, and their answers in the next, in the same order."""
        asks, answers = [], []
        due = self.draft.due(len(self.facts))
        for _ in range(max(1, min(due, _MOST_ASKED)) if due is not None else 2 if self.pen.chance(0.4) else 1):
            ask, answer = self._situation() if due == 0 else self._pair(due)
            if ask.text:
                asks.append(ask)
                answers.append(answer)
        if not asks:
            asks, answers = [Piece(self.draft.line(page_words("anything")))], [Piece(self.draft.line(page("people")["small"]))]
        self.draft.say("B", [Piece(self.draft.line(page_words("lead"))), *asks] if self.pen.chance(0.5) else asks)
        if self.facts and due != 0 and self.pen.chance(0.2):
            answers.append(self._volunteer(self.facts.pop()))
        self.draft.say("A", answers)

    def _pair(self, due: int | None) -> tuple[Piece, Piece]:
        """A question and its answer: about a fact, or about the situation, which nobody asks twice."""
        able = [fact for fact in self.facts if fact.trait.qa and not fact.implicit]
        implicit = [fact for fact in self.facts if fact.implicit]
        if self.facts and (due or not (self._room() and self.pen.chance(0.35))):
            if implicit and (not able or self.pen.chance(0.5)):
                return self._hinted(self.pen.pick(implicit))
            if able:
                fact = self.pen.pick(able)
                self.facts.remove(fact)
                return self.pen.ask(self._with(fact))
        return self._situation()

    def _hinted(self, fact: Fact) -> tuple[Piece, Piece]:
        """An open question, and an answer from which the fact can be inferred."""
        self.facts.remove(fact)
        return Piece(self.draft.line(page_words("anything"))), self.pen.tell([fact])

    def _situation(self) -> tuple[Piece, Piece]:
        if self.pen.chance(self.draft.mix.moments):
            found = moment(self.draft, self.field["moments"])
            if found[0].text:
                return found
        if not self.situations:
            return Piece(""), Piece("")
        question, answer = self.draft.exchange(self.situations.pop())
        if self.others and self.pen.chance(self.draft.mix.distract / 3):
            answer = f"{answer}. {distraction(self.draft, self.others.pop())}".rstrip(". ")
        return Piece(question), Piece(answer)

    def _suggest(self) -> None:
        """A suggestion, perhaps one that a dislike speaks against, and then a better one."""
        against = [fact for fact in self.facts if fact.polarity == "negative" and "how about" in fact.trait.qa]
        if against and self.pen.chance(0.7):
            fact = self.pen.pick(against)
            self.facts.remove(fact)
            question, answer = self.pen.ask([fact])
            if answer.text:
                self.draft.say("B", [question])
                self.draft.say("A", [answer])
        elif self._room() and self.pen.chance(0.3):
            self.draft.say("B", [Piece(self.draft.line(self.field["suggest"]))])
            self.draft.say("A", [Piece(self.draft.line(self.field["decline"]))])
        self.draft.say("B", [Piece(self.draft.line(self.field["suggest"]) or "Here is an idea that fits.")])
        pieces = [Piece(self.draft.line(self.field["accept"]))]
        while self.facts and len(pieces) < (4 if self.turns is None else 8):
            pieces.append(self._volunteer(self.facts.pop()))
        self.draft.say("A", pieces)

    def _why(self) -> None:
        question, answer = self.draft.exchange(self.field["why"])
        if question:
            self.draft.say("B", [Piece(question)])
            self.draft.say("A", [Piece(answer)])

    def _close(self) -> None:
        goodbye, thanks = self.draft.exchange(page_words("close"))
        self.draft.say("B", [Piece(goodbye)])
        self.draft.say("A", [Piece(thanks)])


def page_words(name: str) -> str:
    """The lines that every kind of advice shares."""
    return str(page("assistant")[name])
