"""Requests to a home or phone assistant: mostly routine, with the things that slip out between them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from kithe.dialogues.advice import page_words
from kithe.dialogues.distract import ambiguous, distraction, second_person, taken_back, undecided
from kithe.dialogues.draft import Draft, former
from kithe.dialogues.facts import Fact
from kithe.dialogues.pen import Piece
from kithe.dialogues.script import page
from kithe.personas.traits import Cue

Step: TypeAlias = Callable[[], None]
_LEAN = 0.75  # of the routine that the share asks for: some moves bring a plain turn of their own


def device(draft: Draft, facts: Sequence[Fact], others: list[Fact], sessions: int, turns: int | None, seed: str = "") -> None:
    """Write requests and replies into the draft.

    Args:
        draft: what is written to.
        facts: what comes out.
        others: facts about somebody else.
        sessions: how many; requests that only together show a habit are spread over them.
        turns: how many turns the user should have; None: as many as the facts and the mix's share of routine make.
        seed: what some of the routine is about.
    """
    _Requests(draft, others, seed).write(facts, sessions, turns)


class _Requests:
    """The moves of one history."""

    def __init__(self, draft: Draft, others: list[Fact], seed: str) -> None:
        self.draft, self.pen, self.mix, self.others, self.seed = draft, draft.pen, draft.mix, others, seed

    def write(self, facts: Sequence[Fact], sessions: int, turns: int | None) -> None:
        """The facts' moves between routine requests and traps, in random order; a repeated request comes in several sessions."""
        plan: list[list[Step]] = [[] for _ in range(sessions)]
        for group in self._groups(facts):
            move = self._move(group[0], sessions) if len(group) == 1 else [self._together(group)]
            places = self.pen.rng.sample(range(sessions), min(len(move), sessions))
            for number, step in enumerate(move):
                plan[places[number % len(places)]].append(step)
        made = sum(map(len, plan))
        wanted = turns - made if turns is not None else _LEAN * made * self.mix.routine / (1 - min(0.95, self.mix.routine))
        for _ in range(max(0 if made else 2, int(wanted + self.pen.rng.random()))):
            self.pen.pick(plan).append(self._trap if self.pen.chance(self.mix.distract) else self._routine)
        for session, steps in enumerate((steps for steps in plan if steps), start=1):
            self.draft.session = session
            self.pen.rng.shuffle(steps)
            for step in steps:
                step()

    def _groups(self, facts: Sequence[Fact]) -> list[Sequence[Fact]]:
        """The facts one by one, or as many at once as it takes to reveal them in the turns that an aim gives."""
        aim = self.draft.aim
        size = 1 if aim is None else -(-len(facts) // max(1, aim.revealing))
        return [facts[place : place + size] for place in range(0, len(facts), size)]

    def _together(self, facts: Sequence[Fact]) -> Step:
        return lambda: self._say(*self.draft.exchange(page_words("routine")), *(self.pen.tell([fact]) for fact in facts))

    def _move(self, fact: Fact, sessions: int) -> list[Step]:
        """The steps by which one fact comes out."""
        trait, family = fact.trait, self.pen.family
        if fact.implicit:
            return self._implicit(fact, sessions)
        ways: list[Step] = [lambda: self._told(fact)] * 3
        if self.pen.chance(self.mix.corrected):
            ways = [lambda: self._corrected(fact)]
        requests = [cue for cue in trait.cues("device", family) if cue.inference == "explicit"]
        if requests and fact.intensity == "medium":
            ways += [lambda: self._cue(fact, self.pen.pick(requests))] * 2
        if trait.qa:
            ways += [lambda: self._asked(fact)]
        if fact.simple and fact.polarity == "positive":
            ways += [lambda: self._guess(fact)]
        return [self.pen.pick(ways)]

    def _implicit(self, fact: Fact, sessions: int) -> list[Step]:
        """Steps of which none says it."""
        trait, family = fact.trait, self.pen.family
        repeated = trait.cues("repeat", family)
        if repeated and sessions > 1 and fact.polarity == "positive":
            return [lambda: self._cue(fact, self.pen.pick(repeated))] * (3 if fact.intensity == "high" else 2)
        if self.pen.chance(self.mix.ambiguous) and fact.simple:
            return [lambda: self._choice(fact)]
        requests = [cue for cue in trait.cues("device", family) if cue.inference == "implicit"]
        if requests and (self.pen.chance(0.7) or not trait.cues("hint", family)):
            return [lambda: self._cue(fact, self.pen.pick(requests))]
        return [lambda: self._mixed(self.pen.tell([fact]))]

    def _say(self, request: str, reply: str, *more: Piece) -> None:
        """A request that says nothing about anybody, perhaps with more beside it, and its reply."""
        pieces = [Piece(self.draft.voices["A"].request(request, self.pen)), *more]
        first = more and self.pen.chance(0.6 if self.pen.family == "b" else 0.35)
        self.draft.say("A", pieces[::-1] if first else pieces)
        self.draft.say("B", [Piece(reply)])

    def _routine(self) -> None:
        if self.seed and self.pen.chance(0.25):
            request, _, reply = self.draft.line(page_words("seed"), {"v": {"v": self.seed}}).partition(" >> ")
            if self.draft.clear(request):
                self._say(request, reply)
                return
        self._say(*self.draft.exchange(page_words("routine")))

    def _cue(self, fact: Fact, cue: Cue) -> None:
        piece, reply = self.pen.request(fact, cue)
        self.draft.say("A", [piece])
        self.draft.say("B", [Piece(reply)])

    def _noted(self) -> None:
        self.draft.say("B", [Piece(self.draft.line(page_words("noted")))])

    def _corrected(self, fact: Fact) -> None:
        """First said wrong, then right: only the latter counts."""
        wrong = former(fact, self.draft)
        if wrong is None:
            self._told(fact)
            return
        self.draft.say("A", [wrong])
        self._noted()
        right = self.pen.show([fact])
        text = f"{self.draft.line(page('people')['correct'])} {right.text}"
        self.draft.say("A", [Piece(text, right.facts, right.intensity)])
        self._noted()

    def _told(self, fact: Fact) -> None:
        """Said outright, alone or beside a routine request."""
        piece = self.pen.show([fact])
        if self.pen.chance(0.4):
            text = f"{self.draft.line(page_words('tell'))} {piece.text}"
            self.draft.say("A", [Piece(text, (fact,), piece.intensity, piece.inference)])
            self._noted()
        else:
            self._mixed(piece)

    def _mixed(self, piece: Piece) -> None:
        self._say(*self.draft.exchange(page_words("routine")), piece)

    def _asked(self, fact: Fact) -> None:
        question, answer = self.pen.ask([fact])
        if not answer.text:
            self._told(fact)
            return
        self.draft.say("B", [Piece(self.draft.line(page_words("curious"))), question])
        self.draft.say("A", [answer])
        self._noted()

    def _guess(self, fact: Fact) -> None:
        """The assistant guesses right and is told so."""
        self.draft.say("B", [self._supposes(fact)])
        text = self.draft.line(str(page("assistant")["confirm"][fact.intensity]))
        self.draft.say("A", [Piece(text, (fact,), fact.intensity)])
        self._noted()

    def _supposes(self, fact: Fact) -> Piece:
        guessed = second_person(self.pen.read(fact.trait.ways[0], fact.forms))
        return Piece(f"{self.pen.line(page_words('guess'), {'v': {'v': guessed}})} {self.draft.line(page_words('right'))}")

    def _choice(self, fact: Fact) -> None:
        """A cue that fits two values, and what settles it."""
        found = ambiguous(self.draft, fact)
        if found is None:
            self._mixed(self.pen.tell([fact]))
            return
        cue, question, settled = found
        self.draft.say("A", [cue])
        self.draft.say("B", [Piece(question)])
        self.draft.say("A", [settled])
        self._noted()

    def _trap(self) -> None:
        """Something that looks like a fact about the user and is none: once is no habit, others are not the user."""
        if not self.others:
            self._routine()
            return
        fact = self.others.pop()
        repeated = fact.trait.cues("repeat", self.pen.family)
        ways: list[Callable[[Fact], None]] = [self._distraction, self._distraction]
        if repeated:
            ways += [lambda fact: self._once(fact, repeated), lambda fact: self._for_other(fact, repeated)]
        if fact.simple and fact.polarity == "positive":
            ways += [self._unconfirmed, self._undecided, self._back]
        self.pen.pick(ways)(fact)

    def _distraction(self, fact: Fact) -> None:
        text = distraction(self.draft, fact)
        if text:
            self._mixed(Piece(text))
        else:
            self._routine()

    def _once(self, fact: Fact, cues: Sequence[Cue]) -> None:
        piece, reply = self.pen.request(fact, self.pen.pick(cues))
        self.draft.say("A", [Piece(piece.text)])
        self.draft.say("B", [Piece(reply)])

    def _for_other(self, fact: Fact, cues: Sequence[Cue]) -> None:
        piece, reply = self.pen.request(fact, self.pen.pick(cues))
        self.draft.say("A", [Piece(f"{piece.text}, {self.draft.line(page_words('for_other'))}")])
        self.draft.say("B", [Piece(reply)])

    def _unconfirmed(self, fact: Fact) -> None:
        self.draft.say("B", [self._supposes(fact)])
        self.draft.say("A", [Piece(self.draft.line(page_words("deny")))])
        self.draft.say("B", [Piece(self.draft.line(page_words("sorry")))])

    def _undecided(self, fact: Fact) -> None:
        found = undecided(self.draft, fact)
        if found is None:
            self._routine()
            return
        self.draft.say("A", [found[0]])
        self.draft.say("B", [Piece(found[1])])
        self.draft.say("A", [found[2]])

    def _back(self, fact: Fact) -> None:
        found = taken_back(self.draft, fact)
        if found is None:
            self._routine()
            return
        for piece in found:
            self.draft.say("A", [piece])
            self._noted()
