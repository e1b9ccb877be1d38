"""Two people get to know each other, as in PersonaChat and MSC: both ask, answer, agree and tell things about themselves."""

from dataclasses import dataclass, field
from random import Random

from kithe.dialogues.draft import Draft, Piece, asked, show
from kithe.dialogues.script import exchange, line, page
from kithe.personas.persona import Attribute, forms
from kithe.personas.traits import Cue, book, words_of


@dataclass
class Person:
    """One of the two: what is still to be told, and what the other should say first so that 'me too' makes sense."""

    name: str
    facts: list[Attribute]
    echoes: list[Attribute] = field(default_factory=list)


@dataclass
class _Floor:
    """What the last turn left open for the next speaker."""

    answer: Piece | None = None
    news: Attribute | None = None
    echo: Attribute | None = None


class Talk:
    """A conversation of two people, written turn by turn into a draft."""

    def __init__(self, draft: Draft, first: Person, second: Person, rng: Random) -> None:
        self.draft, self.rng, self.script = draft, rng, page("people")
        self.first, self.second = first, second
        self.floor = _Floor()

    def write(self, turns: int) -> None:
        """Write this many turns; the other speaker of each pair begins with the first."""
        for place in range(turns):
            me, you = (self.first, self.second) if place % 2 == 0 else (self.second, self.first)
            if place == 0:
                pieces = self._greet(me)
            elif place >= turns - 2 and self.rng.random() < 0.3 and not self.floor.answer:
                pieces = [Piece(line(self.script["bye"], self.rng))]
            else:
                pieces = self._turn(me, you, last=place == turns - 1)
            self.draft.say(me.name, pieces)

    def _greet(self, me: Person) -> list[Piece]:
        hello, answer = exchange(self.script["hello"], self.rng)
        pieces = [Piece(hello)]
        self.floor = _Floor(Piece(answer) if answer else None)
        if me.facts and self.rng.random() < 0.3:
            pieces.insert(0 if self.rng.random() < 0.2 else 1, self._tell(me, me.facts.pop()))
        return pieces

    def _turn(self, me: Person, you: Person, last: bool) -> list[Piece]:
        floor, self.floor = self.floor, _Floor()
        pieces = self._respond(me, floor)
        if self.rng.random() < (0.35 if any(piece.attribute for piece in pieces) else 0.62) or (not pieces and not you.facts):
            pieces += self._offer(me)
        if not last and (self.rng.random() < 0.55 or not pieces):
            pieces += self._ask(you)
        return pieces or [Piece(line(self.script["small"], self.rng))]

    def _respond(self, me: Person, floor: _Floor) -> list[Piece]:
        """Answer what was asked, or react to what was told."""
        if floor.answer:
            self.floor.news = floor.answer.attribute
            react = [Piece(line(self.script["react"], self.rng))] if floor.news and self.rng.random() < 0.25 else []
            return [*react, floor.answer]
        if floor.echo:
            return [self._agree(me, floor.echo)]
        if floor.news and self.rng.random() < 0.7:
            return [Piece(self._reaction(floor.news))]
        return []

    def _reaction(self, news: Attribute) -> str:
        topic = book().traits[news.trait].topic
        tone = "sorry" if news.polarity == "negative" else topic
        special = self.script["react_to"].get(tone)
        return line(special if special and self.rng.random() < 0.45 else self.script["react"], self.rng)

    def _agree(self, me: Person, fact: Attribute) -> Piece:
        """'Me too', or its opposite, about what the other has just said."""
        me.facts = [other for other in me.facts if other != fact]
        self.floor.news = fact
        tone = "disagree" if fact.polarity == "negative" else "agree"
        text = line(self.script[tone], self.rng, forms(fact))
        return Piece(text, fact)

    def _offer(self, me: Person) -> list[Piece]:
        """Something about oneself, or about nothing."""
        if me.echoes and self.rng.random() < 0.5:
            return [self._echoed(me.echoes.pop())]
        if not me.facts:
            return [Piece(line(self.script["small"], self.rng))] if self.rng.random() < 0.6 else []
        pieces = [self._tell(me, me.facts.pop())]
        if me.facts and self.rng.random() < 0.22:
            pieces.append(self._tell(me, me.facts.pop()))
        return pieces

    def _tell(self, me: Person, fact: Attribute) -> Piece:
        trait = book().traits[fact.trait]
        hints = trait.cues("hint")
        cues = hints if hints and self.rng.random() < 0.22 else trait.cues("say")
        self.floor.news = fact
        return show(fact, self.rng.choice(cues), self.rng)

    def _echoed(self, fact: Attribute) -> Piece:
        """What I say about myself so that the other can agree or disagree; it is nobody's fact to be found but the other's."""
        trait = book().traits[fact.trait]
        said = book().traits[trait.opposite] if fact.polarity == "negative" else trait
        self.floor = _Floor(echo=fact)
        return Piece(words_of(self.rng.choice(said.cues("say")).text, self.rng, forms(fact)))

    def _ask(self, you: Person) -> list[Piece]:
        """A question: about a fact of the other, back at the other, or about nothing."""
        if self.floor.echo:
            return []
        topics = self.floor.news and book().traits[self.floor.news.trait].topic
        near = [fact for fact in you.facts if book().traits[fact.trait].topic == topics]
        if near and self.rng.random() < 0.35:
            fact = self._take(you, near)
            self.floor.answer = show(fact, self.rng.choice(book().traits[fact.trait].cues("say")), self.rng)
            return [Piece(line(self.script["bounce"], self.rng))]
        if you.facts and self.rng.random() < 0.75:
            return self._question(you, near)
        question, answer = exchange(self.script["chat"], self.rng)
        self.floor.answer = Piece(answer)
        return [Piece(question)]

    def _question(self, you: Person, near: list[Attribute]) -> list[Piece]:
        able = [fact for fact in (near or you.facts) if book().traits[fact.trait].qa]
        if not able:
            return []
        fact = self._take(you, able)
        cue: Cue = self.rng.choice(book().traits[fact.trait].cues("qa"))
        self.floor.answer = show(fact, cue, self.rng)
        return [asked(fact, cue, self.rng)]

    def _take(self, you: Person, among: list[Attribute]) -> Attribute:
        fact = self.rng.choice(among)
        you.facts.remove(fact)
        return fact
