"""Two people get to know each other, as in PersonaChat and MSC: both ask, answer, agree and tell things about themselves."""

import re
from dataclasses import dataclass, field, replace
from random import Random

from kithe.dialogues.draft import Draft, Piece, ask, choose, companions, former, show
from kithe.dialogues.script import line, page
from kithe.personas.persona import Attribute, forms
from kithe.personas.traits import book, words_of

_LIKES = re.compile(r"\bI('m| am)?( \w+)? (love|like|enjoy|adore|fan|into|obsessed|crazy|a fan|a huge fan)\b")


@dataclass
class Person:
    """One of the two.

    `facts` are still to be told; about `echoes` (facts of the other) this one speaks first, so that 'me too' makes sense;
    `others` are true of somebody else; `fix` corrects what was said last.
    """

    name: str
    facts: list[Attribute]
    echoes: list[Attribute] = field(default_factory=list)
    others: list[Attribute] = field(default_factory=list)
    told: list[Attribute] = field(default_factory=list)
    fix: Piece | None = None


@dataclass
class _Floor:
    """What a turn leaves open for the next speaker."""

    answer: Piece | None = None
    news: Attribute | None = None
    echo: Attribute | None = None


class Talk:
    """A conversation of two people, written turn by turn into a draft."""

    def __init__(self, draft: Draft, first: Person, second: Person, rng: Random) -> None:
        self.draft, self.rng, self.script = draft, rng, page("people")
        self.first, self.second = first, second
        self.floor = _Floor()
        self.wordy = rng.choice((0.1, 0.3, 0.5, 0.8))  # chance of one sentence more

    def write(self, turns: int, sessions: int) -> None:
        """Write about this many turns, `first` and `second` in turn, spread over the sessions."""
        each = max(4, turns // sessions // 2 * 2)
        for session in range(1, sessions + 1):
            self.draft.session = session
            self._session(each + self.rng.randint(0, 1) * (session == sessions), "hello" if session == 1 else "again")
            for person in (self.first, self.second):
                person.facts = person.facts + [fact for fact in person.told if self.rng.random() < 0.25]
                person.told = []

    def _session(self, turns: int, greeting: str) -> None:
        for place in range(turns):
            me, you = (self.first, self.second) if place % 2 == 0 else (self.second, self.first)
            if place == 0:
                pieces = self._greet(me, greeting)
            elif place >= turns - 2 and self.rng.random() < 0.3 and not (self.floor.answer or self.floor.echo or me.fix):
                pieces = [Piece(self.draft.line(self.script["bye"]))]
            else:
                pieces = self._turn(me, you, last=place == turns - 1)
            self.draft.say(me.name, pieces)

    def _greet(self, me: Person, greeting: str) -> list[Piece]:
        hello, answer = self.draft.exchange(self.script[greeting])
        pieces = [Piece(hello)]
        self.floor = _Floor(Piece(answer) if answer else None)
        if me.facts and self.rng.random() < 0.3:
            tell = self._tell(me, me.facts.pop())
            self.floor.news = None
            pieces = [*tell, *pieces] if self.rng.random() < 0.1 else [*pieces, *tell]
        return pieces

    def _turn(self, me: Person, you: Person, last: bool) -> list[Piece]:
        floor, self.floor = self.floor, _Floor()
        pieces = self._respond(me, floor)
        revealed = any(piece.facts for piece in pieces)
        if self.rng.random() < (0.4 if revealed else 0.68) or (not pieces and not you.facts):
            pieces += self._offer(me)
        if not last and (self.rng.random() < 0.55 or not pieces):
            pieces += self._ask(you, floor.news)
        return pieces or [Piece(self.draft.line(self.script["small"]))]

    def _respond(self, me: Person, floor: _Floor) -> list[Piece]:
        """Correct oneself, answer what was asked, or react to what was told."""
        fixed, me.fix = [me.fix] if me.fix else [], None
        if floor.answer:
            self.floor.news = floor.answer.facts[0] if floor.answer.facts else None
            me.told += floor.answer.facts
            return [*fixed, floor.answer, *self._more(self.floor.news)]
        if floor.echo:
            return [*fixed, self._agree(me, floor.echo)]
        if floor.news and not fixed and self.rng.random() < 0.7:
            return [Piece(self._reaction(floor.news))]
        return fixed

    def _topical(self, name: str, news: Attribute) -> str:
        """The script's block about facts of this topic, or about sad ones."""
        topic = "sorry" if news.polarity == "negative" else book().traits[news.trait].topic
        return str(self.script[name][topic])

    def _reaction(self, news: Attribute) -> str:
        special = self.rng.random() < 0.45 or news.polarity == "negative"
        return self.draft.line(self._topical("react_to", news) if special else self.script["react"])

    def _more(self, news: Attribute | None) -> list[Piece]:
        """A sentence more about a fact, which adds nothing to it."""
        return [Piece(self.draft.line(self._topical("more", news)))] if news and self.rng.random() < self.wordy else []

    def _agree(self, me: Person, fact: Attribute) -> Piece:
        """'Me too', or its opposite, about what the other has just said."""
        self.floor.news = fact
        tone = "disagree" if fact.polarity == "negative" else "agree"
        return Piece(line(self.script[tone], self.rng, forms(fact)), (fact,))

    def _offer(self, me: Person) -> list[Piece]:
        """Something about oneself, or about nothing."""
        if me.echoes and self.rng.random() < 0.6:
            return [self._echoed(me.echoes.pop())]
        if not me.facts:
            return [Piece(self._nothing(me))] if self.rng.random() < 0.6 else []
        pieces = self._tell(me, me.facts.pop())
        if me.facts and not me.fix and self.rng.random() < 0.15 + self.wordy / 2:
            pieces += self._tell(me, me.facts.pop())
            if self.rng.random() < 0.4 and pieces[-2].facts:
                pieces[-1] = replace(pieces[-1], text=f"and {pieces[-1].text}")
        return pieces

    def _nothing(self, me: Person) -> str:
        """Small talk, or something about somebody else."""
        if not me.others or self.rng.random() < 0.65:
            return self.draft.line(self.script["small"])
        other = me.others.pop()
        text = line(self.script["other"][other.trait], self.rng, forms(other))
        return text if self.draft.clear(text) else ""

    def _tell(self, me: Person, fact: Attribute) -> list[Piece]:
        trait = book().traits[fact.trait]
        group = companions(fact, me.facts) if self.rng.random() < 0.5 else [fact]
        me.facts = [other for other in me.facts if other not in group]
        me.told += group
        hints = trait.cues("hint") if len(group) == 1 else []
        piece = show(group, choose(hints if hints and self.rng.random() < 0.4 else trait.cues("say"), self.rng), self.rng)
        wrong = former(fact, self.draft) if self.rng.random() < 0.06 else None
        self.floor.news = fact
        if wrong:
            me.fix = replace(piece, text=f"{self.draft.line(self.script['correct'])} {piece.text}")
            self.floor.news = None
            return [wrong]
        return [piece, *self._more(fact)]

    def _echoed(self, fact: Attribute) -> Piece:
        """What I say about myself so that the other can agree or disagree; it is the other's fact that is to be found."""
        trait = book().traits[fact.trait]
        said = book().traits[trait.opposite] if fact.polarity == "negative" else trait
        self.floor = _Floor(echo=fact)
        return Piece(words_of(choose(said.cues("say"), self.rng).text, self.rng, forms(fact)))

    def _ask(self, you: Person, news: Attribute | None) -> list[Piece]:
        """A question: about what the other told, about another fact, back at the other, or about nothing."""
        if self.floor.echo:
            return []
        if news and not self.floor.news and self.rng.random() < 0.4:
            return self._chat(self._topical("follow", news))
        mine = self.floor.news or news
        topic = mine and book().traits[mine.trait].topic
        near = [fact for fact in you.facts if book().traits[fact.trait].topic == topic]
        if near and self.floor.news and self.rng.random() < 0.4:
            fact = self._take(you, near)
            self.floor.answer = show([fact], choose(book().traits[fact.trait].cues("say"), self.rng), self.rng)
            return [Piece(self.draft.line(self.script["bounce"]))]
        if you.facts and self.rng.random() < 0.8:
            return self._question(you, near)
        return self._chat(self.script["chat"])

    def _chat(self, block: str) -> list[Piece]:
        question, answer = self.draft.exchange(block)
        self.floor.answer = Piece(answer)
        return [Piece(question)]

    def _question(self, you: Person, near: list[Attribute]) -> list[Piece]:
        able = [fact for fact in (near or you.facts) if book().traits[fact.trait].qa]
        if not able:
            return []
        fact = self._take(you, able)
        cue = choose(book().traits[fact.trait].cues("qa"), self.rng)
        question, self.floor.answer = ask([fact], cue, self.rng)
        return [question]

    def _take(self, you: Person, among: list[Attribute]) -> Attribute:
        fact = self.rng.choice(among)
        you.facts.remove(fact)
        return fact
