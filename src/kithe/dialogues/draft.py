"""A dialogue while it is written: who says what, and which pieces of it reveal which attribute."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from kithe.dialogues.script import line
from kithe.dialogues.voice import Voice
from kithe.personas.grammar import Forms
from kithe.personas.persona import Attribute, Persona, forms
from kithe.personas.traits import Cue, book, words_of
from kithe.records.history import Evidence, History, Inference, Intensity, KnowledgeItem, Turn

STRENGTHS: Mapping[Intensity, float] = {"high": 0.25, "medium": 0.55, "low": 0.2}


_STRONG = re.compile(
    r"\b(love|adore|hate|despise|loathe|can't stand|favorite|obsessed|crazy about|addicted|best|worst|huge fan|disgusting|gross"
    r"|can't get enough|terrified|can't live without|hands down|without a doubt|passion|die hard|lifelong|every single)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"\b(don't mind|I guess|kind of|sort of|now and then|once in a while|a little|a bit|is(n't| not) really|maybe one day)\b",
    re.IGNORECASE,
)


_OPEN = re.compile(r"(what|who|where|when|which|how(?! about| do you feel)|tell|name|describe)\b", re.IGNORECASE)
_YES_NO = re.compile(r"(yes|yeah|yea|yep|yup|oh yes|sure|no|nope|nah|not really|guilty)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """A sentence of a turn, and the attributes that it reveals about its speaker."""

    text: str
    facts: tuple[Attribute, ...] = ()
    intensity: Intensity = "medium"
    inference: Inference = "explicit"


@dataclass(frozen=True)
class _Trace:
    """One place where an attribute shows."""

    fact: Attribute
    evidence: Evidence
    piece: Piece


@dataclass
class Draft:
    """Turns so far, with every trace of the user's attributes; lines without facts name nothing that the persona holds."""

    user: str
    persona: Persona
    voices: Mapping[str, Voice]
    rng: Random
    turns: list[Turn] = field(default_factory=list)
    traces: list[_Trace] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    session: int = 1

    @cached_property
    def _planted(self) -> list[str]:
        return [fact.value.lower() for fact in self.persona.attributes if len(fact.value) > 3]

    def clear(self, text: str) -> bool:
        """Whether the text names no value of the persona."""
        low = text.lower()
        return not any(value in low for value in self._planted)

    def line(self, block: str) -> str:
        """A clear line of a script's block, a new one where there is any."""
        spare = ""
        for text in self._tries(block):
            if self.clear(text):
                spare = spare or text
                if text not in self.used:
                    self.used.add(text)
                    return text
        return spare

    def exchange(self, block: str) -> tuple[str, str]:
        """A clear line "first >> second" of a block as its halves."""
        first, _, second = self.line(block).partition(" >> ")
        return first, second

    def _tries(self, block: str) -> Iterator[str]:
        return (line(block, self.rng) for _ in range(6))

    def say(self, speaker: str, pieces: Sequence[Piece]) -> None:
        """Add a turn; a turn without pieces is not one."""
        pieces = [piece for piece in pieces if piece.text]
        if not pieces:
            return
        texts = self.voices[speaker].write([piece.text for piece in pieces], self.rng)
        for piece, text in zip(pieces, texts, strict=True):
            evidence = Evidence(turn=len(self.turns), quote=text.rstrip(" .!?"))
            self.traces += [_Trace(fact, evidence, piece) for fact in piece.facts if speaker == self.user]
        self.turns.append(Turn(speaker=speaker, text=" ".join(texts), session=self.session))

    def history(self, identity: str, source: str) -> History:
        """The finished history, with one item for each attribute that showed."""
        shown: dict[str, list[_Trace]] = {}
        for trace in self.traces:
            shown.setdefault(trace.fact.line(), []).append(trace)
        items = tuple(_item(traces, self.rng) for traces in shown.values())
        return History(id=identity, source=source, user=self.user, turns=tuple(self.turns), items=items, licence="generated")


def _item(traces: Sequence[_Trace], rng: Random) -> KnowledgeItem:
    """The label: how strong is said by the first explicit trace; it is explicit if any trace is."""
    first = next((trace for trace in traces if trace.piece.inference == "explicit"), traces[0])
    fact = first.fact
    return KnowledgeItem(
        statement=statement(fact, rng), category=fact.category, key=fact.key, value=fact.value,
        type=book().traits[fact.trait].type, polarity=fact.polarity, intensity=first.piece.intensity,
        inference=first.piece.inference, evidence=tuple(trace.evidence for trace in traces))  # fmt: skip


def statement(attribute: Attribute, rng: Random) -> str:
    """The attribute as its owner would state it: the first wording as often as all others together."""
    ways = [way for way in book().traits[attribute.trait].state.splitlines() if way.strip()]
    way = ways[0] if rng.random() < 0.5 else rng.choice(ways)
    text = words_of(way, rng, forms(attribute))
    return text[:1].upper() + text[1:]


def show(facts: Sequence[Attribute], cue: Cue, rng: Random) -> Piece:
    """A piece that reveals the facts, all of one trait, in the words of the cue."""
    text = words_of(cue.text, rng, _together(facts))
    return Piece(text, tuple(facts), strength(text, cue.intensity), cue.inference)


def strength(text: str, default: Intensity) -> Intensity:
    """How strongly something is put, by its words."""
    if default == "medium":
        return "high" if _STRONG.search(text) else "low" if _WEAK.search(text) else "medium"
    return default


def choose(cues: Sequence[Cue], rng: Random) -> Cue:
    """One of the cues: first how strong, towards the shares of paper A (step A5), then which."""
    strengths = [strength for strength in STRENGTHS if any(cue.intensity == strength for cue in cues)]
    strength = rng.choices(strengths, [STRENGTHS[strength] for strength in strengths])[0]
    return rng.choice([cue for cue in cues if cue.intensity == strength])


def ask(facts: Sequence[Attribute], cue: Cue, rng: Random) -> tuple[Piece, Piece]:
    """The question of a cue and an answer that fits it: no "yes" to "what"."""
    question = words_of(cue.question, rng, forms(facts[0]))
    answers = [show(facts, cue, rng) for _ in range(6)]
    fitting = [answer for answer in answers if not (_OPEN.match(question) and _YES_NO.match(answer.text))]
    return Piece(question), (fitting or answers)[0]


def _together(facts: Sequence[Attribute]) -> dict[str, Forms]:
    """The forms of one fact, or of several as one enumeration ("ramen and tacos", "ham or eggs" where they are unwanted)."""
    every = [forms(fact) for fact in facts]
    if len(every) == 1:
        return every[0]
    word = "or" if facts[0].polarity == "negative" else "and"
    joined = {form: _enumerate([one["v"].get(form, "") for one in every], word) for form in every[0]["v"]}
    return {**every[0], "v": {**joined, "it": "them", "is": "are", "s": ""}}


def _enumerate(words: Sequence[str], word: str) -> str:
    return f"{', '.join(words[:-1])} {word} {words[-1]}"


def distinct(facts: Sequence[Attribute]) -> list[Attribute]:
    """The facts whose values are not part of one another's, so that a word shows one fact only."""
    kept: list[Attribute] = []
    for fact in facts:
        if not any(fact.value in other.value or other.value in fact.value for other in kept):
            kept.append(fact)
    return kept


def companions(fact: Attribute, facts: Sequence[Attribute]) -> list[Attribute]:
    """The fact with up to two others of the same trait that can be said in one breath with it."""
    trait = book().traits[fact.trait]
    able = trait.many > 1 and set(trait.slots) == {"v"}
    return [fact, *[other for other in facts if able and other.trait == fact.trait and other != fact][:2]]


def former(fact: Attribute, draft: Draft) -> Piece | None:
    """The fact with another value, said as if true, to be corrected later; None where both could be true."""
    trait = book().traits[fact.trait]
    if trait.many > 1 or set(trait.slots) != {"v"} or trait.polarity == "negative" or trait.type not in ("attribute", "behavior"):
        return None
    value = book().lexicons[trait.slots["v"]].pick(draft.rng, unseen=False)
    text = words_of(draft.rng.choice(trait.cues("say")).text, draft.rng, {"v": value.forms})
    return Piece(text) if draft.clear(text) and value.text not in fact.value else None
