"""Requests to a home or phone assistant: mostly routine, with the things that slip out between them."""

from collections.abc import Callable
from random import Random
from typing import TypeAlias

from kithe.dialogues.advice import page_words, reading
from kithe.dialogues.draft import Draft, Piece, ask, choose, distinct, former, show
from kithe.dialogues.script import page
from kithe.personas.persona import Attribute, Persona, draw_persona
from kithe.personas.traits import Cue, book, words_of

Step: TypeAlias = Callable[[], None]


def device(draft: Draft, persona: Persona, rng: Random) -> None:
    """Write requests and replies into the draft."""
    facts = distinct(rng.sample(persona.attributes, rng.choice((0, 2, 3, 3, 4, 5, 6))))
    stranger = draw_persona("stranger", rng, 10, persona.unseen)
    _Requests(draft, facts, [fact for fact in stranger.attributes if _foreign(fact, persona)], rng).write()


def _foreign(fact: Attribute, persona: Persona) -> bool:
    """Whether the stranger's fact could not be taken for one of the persona's."""
    return not any(fact.value in own.value or own.value in fact.value for own in persona.attributes)


class _Requests:
    """The moves of one session."""

    def __init__(self, draft: Draft, facts: list[Attribute], others: list[Attribute], rng: Random) -> None:
        self.draft, self.rng = draft, rng
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

    def _move(self, fact: Attribute) -> list[Step]:
        """The steps by which one fact comes out."""
        trait = book().traits[fact.trait]
        ways: list[Step] = [lambda: self._told(fact), lambda: self._told(fact), lambda: self._corrected(fact)]
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
        request, reply = self.draft.exchange(page_words("routine"))
        self.draft.say("A", [Piece(request)])
        self.draft.say("B", [Piece(reply)])

    def _cue(self, fact: Attribute, cue: Cue) -> None:
        self.draft.say("A", [Piece(reading(cue.question, fact, self.rng), (fact,), cue.intensity, cue.inference)])
        self.draft.say("B", [Piece(reading(cue.text, fact, self.rng))])

    def _corrected(self, fact: Attribute) -> None:
        """First said wrong, then right: only the latter counts."""
        wrong = former(fact, self.draft)
        if wrong:
            self.draft.say("A", [wrong])
            self.draft.say("B", [Piece(self.draft.line(page_words("noted")))])
            right = show([fact], choose(book().traits[fact.trait].cues("say"), self.rng), self.rng)
            text = f"{self.draft.line(page('people')['correct'])} {right.text}"
            self.draft.say("A", [Piece(text, right.facts, right.intensity)])
            self.draft.say("B", [Piece(self.draft.line(page_words("noted")))])
        else:
            self._told(fact)

    def _told(self, fact: Attribute) -> None:
        """Said outright, alone or beside a routine request."""
        cue = choose(book().traits[fact.trait].cues("say"), self.rng)
        if self.rng.random() < 0.4:
            piece = show([fact], cue, self.rng)
            text = f"{self.draft.line(page_words('tell'))} {piece.text}"
            self.draft.say("A", [Piece(text, (fact,), piece.intensity, piece.inference)])
            self.draft.say("B", [Piece(self.draft.line(page_words("noted")))])
        else:
            self._mixed(fact, cue)

    def _mixed(self, fact: Attribute, cue: Cue) -> None:
        request, reply = self.draft.exchange(page_words("routine"))
        pieces = [Piece(request), show([fact], cue, self.rng)]
        self.draft.say("A", pieces if self.rng.random() < 0.6 else pieces[::-1])
        self.draft.say("B", [Piece(reply)])

    def _asked(self, fact: Attribute) -> None:
        cue = choose(book().traits[fact.trait].cues("qa"), self.rng)
        question, answer = ask([fact], cue, self.rng)
        if self.rng.random() < 0.5:
            self._routine()
        self.draft.say("B", [Piece(self.draft.line(page_words("curious"))), question])
        self.draft.say("A", [answer])
        self.draft.say("B", [Piece(self.draft.line(page_words("noted")))])

    def _guess(self, fact: Attribute) -> None:
        """The assistant guesses right and is told so."""
        self.draft.say("B", [self._supposes(fact)])
        self.draft.say("A", [Piece(self.draft.line(page_words("confirm")), (fact,))])
        self.draft.say("B", [Piece(self.draft.line(page_words("noted")))])

    def _supposes(self, fact: Attribute) -> Piece:
        return Piece(f"{self.draft.line(page_words('guess'))} {fact.value}. {self.draft.line(page_words('right'))}")

    def _trap(self) -> None:
        """Something that looks like a fact about the user and is none: once is no habit, others are not the user."""
        able = [fact for fact in self.others if book().traits[fact.trait].repeat]
        if not able:
            self._routine()
            return
        fact = self.rng.choice(able)
        self.others.remove(fact)
        self.rng.choice((self._once, self._for_other, self._unconfirmed))(fact)

    def _once(self, fact: Attribute) -> None:
        cue = choose(book().traits[fact.trait].cues("repeat"), self.rng)
        self.draft.say("A", [Piece(reading(cue.question, fact, self.rng))])
        self.draft.say("B", [Piece(reading(cue.text, fact, self.rng))])

    def _for_other(self, fact: Attribute) -> None:
        cue = choose(book().traits[fact.trait].cues("repeat"), self.rng)
        request = reading(cue.question, fact, self.rng)
        self.draft.say("A", [Piece(f"{request}, {self.draft.line(page_words('for_other'))}")])
        self.draft.say("B", [Piece(reading(cue.text, fact, self.rng))])

    def _unconfirmed(self, fact: Attribute) -> None:
        self.draft.say("B", [self._supposes(fact)])
        self.draft.say("A", [Piece(self.draft.line(page_words("deny")))])
        self.draft.say("B", [Piece(words_of("(Okay|Sorry about that|Got it|My mistake).", self.rng))])
