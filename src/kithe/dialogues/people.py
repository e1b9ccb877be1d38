"""Two people get to know each other, as in PersonaChat and MSC: both ask, answer, agree and tell things about themselves."""

from dataclasses import dataclass, field, replace

from kithe.dialogues.distract import ambiguous, distraction, taken_back
from kithe.dialogues.draft import Draft, former
from kithe.dialogues.facts import Fact, companions
from kithe.dialogues.pen import Piece
from kithe.dialogues.script import page
from kithe.personas.traits import book

_MOST = 6  # sentences that a turn offers


@dataclass
class Person:
    """One of the two.

    `facts` are still to be told; about `echoes` (facts of the other) this one speaks first, so that 'me too' makes sense;
    `others` are true of somebody else; `fix` is what corrects the last turn, `back` what takes it back.
    """

    name: str
    facts: list[Fact]
    echoes: list[Fact] = field(default_factory=list)
    others: list[Fact] = field(default_factory=list)
    told: list[Fact] = field(default_factory=list)
    fix: Piece | None = None


@dataclass
class _Floor:
    """What a turn leaves open for the next speaker."""

    answer: Piece | None = None
    news: Fact | None = None
    echo: Fact | None = None


class Talk:
    """A conversation of two people, written turn by turn into a draft."""

    def __init__(self, draft: Draft, first: Person, second: Person, seed: str = "") -> None:
        self.draft, self.pen, self.script = draft, draft.pen, page("people")
        self.first, self.second, self.seed = first, second, seed
        self.floor = _Floor()
        self.wordy = self.pen.pick((0.1, 0.3, 0.5, 0.8))  # chance of one sentence more
        self.left = 0
        self.due: int | None = None  # facts that the user's next turn should reveal, where that is settled

    def write(self, turns: int, sessions: int) -> None:
        """Write turns of `first` and `second`, one after the other, spread over the sessions; each has half of them."""
        self.left = turns
        rounds = [turns // 2 // sessions + (number < turns // 2 % sessions) for number in range(sessions)]
        for session, each in enumerate((each for each in rounds if each), start=1):
            self.draft.session = session
            self._session(2 * each, "hello" if session == 1 else "again")
            for person in (self.first, self.second):
                person.facts = person.facts + [fact for fact in person.told if self.pen.chance(0.25)]
                person.told = []

    def _session(self, turns: int, greeting: str) -> None:
        for place in range(turns):
            me, you = (self.first, self.second) if place % 2 == 0 else (self.second, self.first)
            if place == 0:
                pieces = self._greet(me, greeting)
            elif place >= turns - 2 and self.pen.chance(0.3) and not (self.floor.answer or self.floor.echo or me.fix or me.facts):
                pieces = [Piece(self.draft.line(self.script["bye"]))]
            else:
                pieces = self._turn(me, you, last=place == turns - 1)
            self.draft.say(me.name, pieces)
            self.left -= 1

    def _greet(self, me: Person, greeting: str) -> list[Piece]:
        hello, answer = self.draft.exchange(self.script[greeting])
        pieces = [Piece(hello)]
        self.floor = _Floor(Piece(answer) if answer else None)
        self._plan(you=None, me=me)
        if me.facts and self.pen.chance(max(0.3, self._pace(me) - 0.2) if self._due(me) is None else float(bool(self._due(me)))):
            tell = self._tell(me, me.facts.pop())
            self.floor.news = None
            pieces = [*tell, *pieces] if self.pen.chance(0.1) else [*pieces, *tell]
        return pieces

    def _pace(self, me: Person) -> float:
        """How many facts a turn it takes to tell them all."""
        return len(me.facts) / max(1.0, self.left / 2)

    def _due(self, me: Person) -> int | None:
        return self.due if me.name == self.draft.user else None

    def _plan(self, me: Person, you: Person | None) -> None:
        """Settle what the user's coming turn should reveal: this one, if it is the first, or the next."""
        user = me if you is None else you
        if user.name == self.draft.user:
            self.due = self.draft.due(len(user.facts))

    def _turn(self, me: Person, you: Person, last: bool) -> list[Piece]:
        floor, self.floor = self.floor, _Floor()
        pieces = self._respond(me, floor)
        revealed = sum(bool(piece.facts) for piece in pieces)
        pieces += self._offer(me, revealed, bool(pieces or you.facts))
        self._plan(me, you)
        if not last and (self.pen.chance(0.55) or not pieces):
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
            return [*fixed, self._agree(floor.echo)]
        if floor.news and not fixed and self.pen.chance(0.7):
            return [Piece(self._reaction(floor.news), loose=True)]
        return fixed

    def _topical(self, name: str, news: Fact) -> str:
        """The script's block about facts of this topic, or about sad ones."""
        topic = "sorry" if news.polarity == "negative" else news.trait.topic
        return str(self.script[name].get(topic) or self.script[name]["life"])

    def _reaction(self, news: Fact) -> str:
        special = self.pen.chance(0.45) or news.polarity == "negative"
        return self.draft.line(self._topical("react_to", news) if special else self.script["react"])

    def _more(self, news: Fact | None) -> list[Piece]:
        """A sentence more about a fact, which adds nothing to it."""
        return [Piece(self.draft.line(self._topical("more", news)), loose=True)] if news and self.pen.chance(self.wordy) else []

    def _agree(self, fact: Fact) -> Piece:
        """'Me too', or its opposite, about what the other has just said."""
        self.floor.news = fact
        tone = "disagree" if fact.polarity == "negative" else "agree"
        return Piece(self.pen.line(self.script[tone][fact.intensity], fact.forms), (fact,), fact.intensity)

    def _offer(self, me: Person, revealed: int, going: bool) -> list[Piece]:
        """Something about oneself, or about nothing; as much as there is left to tell in the turns that are left."""
        if me.echoes and not revealed and self.pen.chance(0.6):
            return [self._echoed(me.echoes.pop())]
        if not me.facts:
            nothing = not revealed and (not going or self.pen.chance(0.4))
            return [Piece(self._nothing(me), loose=not me.fix)] if nothing else []
        pieces: list[Piece] = []
        due = self._due(me)
        wanted = (int(self._pace(me) * 1.15 + self.pen.rng.random()) if due is None else due) - revealed
        while me.facts and len(pieces) < _MOST and wanted > 0 and not me.fix:
            wanted -= 1
            told = self._tell(me, me.facts.pop())
            if pieces and self.pen.chance(0.4):
                told[0] = replace(told[0], text=f"{self.pen.line(self.script['joint'])} {told[0].text}")
            pieces += told
        return pieces

    def _nothing(self, me: Person) -> str:
        """Small talk, something about the seed of the conversation, or what only looks like a fact."""
        if self.seed and self.pen.chance(0.5):
            text = self.draft.line(self.script["seed"], {"v": {"v": self.seed}})
            self.seed = ""
            if self.draft.clear(text):
                return text
        if me.others and self.pen.chance(self.draft.mix.distract):
            other = me.others.pop()
            back = taken_back(self.draft, other) if self.pen.chance(0.15) else None
            if back:
                me.fix = back[1]
                return back[0].text
            return distraction(self.draft, other)
        return self.draft.line(self.script["small"])

    def _tell(self, me: Person, fact: Fact) -> list[Piece]:
        group = companions(fact, me.facts) if self.pen.chance(0.5) else [fact]
        me.facts = [other for other in me.facts if other not in group]
        me.told += group
        piece = self._open_choice(fact) or self.pen.tell(group)
        wrong = former(fact, self.draft) if self.pen.chance(self.draft.mix.corrected) and not fact.implicit else None
        self.floor.news = fact
        if wrong:
            me.fix = replace(piece, text=f"{self.draft.line(self.script['correct'])} {piece.text}")
            self.floor.news = None
            return [wrong]
        return [piece, *self._more(fact)]

    def _open_choice(self, fact: Fact) -> Piece | None:
        """A cue that fits another value too, with the words that settle it."""
        wanted = fact.implicit and self.pen.chance(self.draft.mix.ambiguous)
        found = ambiguous(self.draft, fact) if wanted else None
        return replace(found[0], text=f"{found[0].text}. {found[2].text}") if found else None

    def _echoed(self, fact: Fact) -> Piece:
        """What I say about myself so that the other can agree or disagree; it is the other's fact that is to be found."""
        said = book().traits[fact.trait.opposite] if fact.polarity == "negative" else fact.trait
        self.floor = _Floor(echo=fact)
        return Piece(self.pen.show([replace(fact, trait=said, implicit=False)]).text)

    def _ask(self, you: Person, news: Fact | None) -> list[Piece]:
        """A question: about what the other told, about another fact, back at the other, or about nothing."""
        if self.floor.echo:
            return []
        if news and not self.floor.news and self.pen.chance(0.4):
            return self._chat(self._topical("follow", news))
        mine = self.floor.news or news
        topic = mine and mine.trait.topic
        able = [fact for fact in you.facts if not fact.implicit and self._due(you) != 0]
        near = [fact for fact in able if fact.trait.topic == topic]
        if near and self.floor.news and self.pen.chance(0.4):
            fact = self._take(you, near)
            self.floor.answer = self.pen.show([fact])
            return [Piece(self.draft.line(self.script["bounce"]))]
        if able and self.pen.chance(0.8):
            return self._question(you, near or able)
        return self._chat(self.script["chat"])

    def _chat(self, block: str) -> list[Piece]:
        question, answer = self.draft.exchange(block)
        self.floor.answer = Piece(answer) if answer else None
        return [Piece(question)]

    def _question(self, you: Person, near: list[Fact]) -> list[Piece]:
        able = [fact for fact in near if fact.trait.qa]
        if not able:
            return []
        fact = self._take(you, able)
        question, answer = self.pen.ask([fact])
        if not answer.text:
            you.facts.append(fact)
            return []
        self.floor.answer = answer
        return [question]

    def _take(self, you: Person, among: list[Fact]) -> Fact:
        fact = self.pen.pick(among)
        you.facts.remove(fact)
        return fact
