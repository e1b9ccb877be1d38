"""Requests to a home or phone assistant: mostly routine, with the things that slip out between them."""

from random import Random

from kithe.dialogues.advice import page_words, reading
from kithe.dialogues.draft import Draft, Piece, asked, choose, former, show
from kithe.dialogues.script import exchange, line, page
from kithe.personas.persona import Attribute, Persona, draw_persona
from kithe.personas.traits import Cue, book, words_of


def device(draft: Draft, persona: Persona, rng: Random) -> None:
    """Write requests and replies into the draft."""
    facts = rng.sample(persona.attributes, rng.choice((0, 2, 3, 3, 4, 5, 6)))
    stranger = draw_persona("stranger", rng, 10, persona.unseen)
    _Requests(draft, facts, [fact for fact in stranger.attributes if _foreign(fact, facts)], rng).write()


def _foreign(fact: Attribute, facts: list[Attribute]) -> bool:
    return not any(fact.value == mine.value or fact.trait == mine.trait for mine in facts)


class _Requests:
    """The moves of one session."""

    def __init__(self, draft: Draft, facts: list[Attribute], others: list[Attribute], rng: Random) -> None:
        self.draft, self.rng = draft, rng
        self.mine = [fact.value.lower() for fact in facts]
        self.others = others
        self.moves = [self._move(fact) for fact in facts]

    def write(self) -> None:
        """The facts' moves between routine requests and traps, in random order; repeated requests keep their distance."""
        steps = [step for move in self.moves for step in move]
        plain = max(1, round(len(steps) * self.rng.uniform(0.3, 0.9))) + self.rng.randint(0, 2)
        steps += [self._routine if self.rng.random() < 0.72 else self._trap for _ in range(plain)]
        self.rng.shuffle(steps)
        for step in steps:
            step()

    def _move(self, fact: Attribute):  # type: ignore[no-untyped-def]
        """The steps by which one fact comes out."""
        trait = book().traits[fact.trait]
        ways = [lambda: self._told(fact), lambda: self._told(fact), lambda: self._corrected(fact)]
        if trait.device:
            ways += [lambda: self._cue(fact, choose(trait.cues("device"), self.rng))] * 3
        if trait.qa:
            ways += [lambda: self._asked(fact)]
        if trait.hint:
            ways += [lambda: self._mixed(fact, choose(trait.cues("hint"), self.rng))]
        if trait.polarity == "positive" and trait.repeat:
            if self.rng.random() < 0.5:
                cues = trait.cues("repeat")
                return [lambda: self._cue(fact, choose(cues, self.rng))] * self.rng.choice((2, 3, 3))
            ways += [lambda: self._guess(fact)]
        return [self.rng.choice(ways)]

    def _routine(self) -> None:
        """A request that says nothing about anybody."""
        for _ in range(8):
            request, reply = exchange(page_words("routine"), self.rng)
            if not any(value in request.lower() for value in self.mine):
                self.draft.say("A", [Piece(request)])
                self.draft.say("B", [Piece(reply)])
                return

    def _cue(self, fact: Attribute, cue: Cue) -> None:
        self.draft.say("A", [Piece(reading(cue.question, fact, self.rng), (fact,), cue.intensity, cue.inference)])
        self.draft.say("B", [Piece(reading(cue.text, fact, self.rng))])

    def _corrected(self, fact: Attribute) -> None:
        """First said wrong, then right: only the latter counts."""
        wrong = former(fact, self.rng)
        if wrong:
            self.draft.say("A", [wrong])
            self.draft.say("B", [Piece(line(page_words("noted"), self.rng))])
            right = show([fact], choose(book().traits[fact.trait].cues("say"), self.rng), self.rng)
            text = f"{line(page('people')['correct'], self.rng)} {right.text}"
            self.draft.say("A", [Piece(text, right.facts, right.intensity)])
            self.draft.say("B", [Piece(line(page_words("noted"), self.rng))])
        else:
            self._told(fact)

    def _told(self, fact: Attribute) -> None:
        """Said outright, alone or beside a routine request."""
        cue = choose(book().traits[fact.trait].cues("say"), self.rng)
        if self.rng.random() < 0.4:
            piece = show([fact], cue, self.rng)
            text = f"{line(page_words('tell'), self.rng)} {piece.text}"
            self.draft.say("A", [Piece(text, (fact,), piece.intensity, piece.inference)])
            self.draft.say("B", [Piece(line(page_words("noted"), self.rng))])
        else:
            self._mixed(fact, cue)

    def _mixed(self, fact: Attribute, cue: Cue) -> None:
        request, reply = exchange(page_words("routine"), self.rng)
        pieces = [Piece(request), show([fact], cue, self.rng)]
        self.draft.say("A", pieces if self.rng.random() < 0.6 else pieces[::-1])
        self.draft.say("B", [Piece(reply)])

    def _asked(self, fact: Attribute) -> None:
        cue = choose(book().traits[fact.trait].cues("qa"), self.rng)
        if self.rng.random() < 0.5:
            self._routine()
        self.draft.say("B", [Piece(line(page_words("curious"), self.rng)), asked(fact, cue, self.rng)])
        self.draft.say("A", [show([fact], cue, self.rng)])
        self.draft.say("B", [Piece(line(page_words("noted"), self.rng))])

    def _guess(self, fact: Attribute) -> None:
        """The assistant guesses right and is told so."""
        self.draft.say("B", [Piece(f"{line(page_words('guess'), self.rng)} {fact.value}. {line(page_words('right'), self.rng)}")])
        self.draft.say("A", [Piece(line(page_words("confirm"), self.rng), (fact,))])
        self.draft.say("B", [Piece(line(page_words("noted"), self.rng))])

    def _trap(self) -> None:
        """Something that looks like a fact about the user and is none: once is no habit, others are not the user."""
        able = [fact for fact in self.others if book().traits[fact.trait].repeat]
        if not able:
            return self._routine()
        fact = self.rng.choice(able)
        self.others.remove(fact)
        return self.rng.choice((self._once, self._for_other, self._unconfirmed))(fact)

    def _once(self, fact: Attribute) -> None:
        cue = choose(book().traits[fact.trait].cues("repeat"), self.rng)
        self.draft.say("A", [Piece(reading(cue.question, fact, self.rng))])
        self.draft.say("B", [Piece(reading(cue.text, fact, self.rng))])

    def _for_other(self, fact: Attribute) -> None:
        cue = choose(book().traits[fact.trait].cues("repeat"), self.rng)
        request = reading(cue.question, fact, self.rng)
        self.draft.say("A", [Piece(f"{request}, {line(page_words('for_other'), self.rng)}")])
        self.draft.say("B", [Piece(reading(cue.text, fact, self.rng))])

    def _unconfirmed(self, fact: Attribute) -> None:
        question = f"{line(page_words('guess'), self.rng)} {fact.value}. {line(page_words('right'), self.rng)}"
        self.draft.say("B", [Piece(question)])
        self.draft.say("A", [Piece(line(page_words("deny"), self.rng))])
        self.draft.say("B", [Piece(words_of("(Okay|Sorry about that|Got it|My mistake).", self.rng))])
