"""A dialogue while it is written: who says what, and which pieces of it reveal which attribute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from kithe.dialogues.voice import Voice
from kithe.personas.persona import Attribute, Persona, forms
from kithe.personas.traits import Cue, book, words_of
from kithe.records.history import Evidence, History, Inference, Intensity, KnowledgeItem, Turn


@dataclass(frozen=True)
class Piece:
    """A sentence of a turn; with an attribute when it reveals that one about its speaker."""

    text: str
    attribute: Attribute | None = None
    intensity: Intensity = "medium"
    inference: Inference = "explicit"


@dataclass(frozen=True)
class _Trace:
    """One place where an attribute shows."""

    evidence: Evidence
    piece: Piece


@dataclass
class Draft:
    """Turns so far, with every trace of the user's attributes."""

    user: str
    voices: Mapping[str, Voice]
    rng: Random
    turns: list[Turn] = field(default_factory=list)
    traces: list[_Trace] = field(default_factory=list)
    session: int = 1

    def say(self, speaker: str, pieces: Sequence[Piece]) -> None:
        """Add a turn; a turn without pieces is not one."""
        if not pieces:
            return
        texts = self.voices[speaker].write([piece.text for piece in pieces], self.rng)
        for piece, text in zip(pieces, texts, strict=True):
            if piece.attribute and speaker == self.user:
                self.traces.append(_Trace(Evidence(turn=len(self.turns), quote=text.rstrip(" .!?")), piece))
        self.turns.append(Turn(speaker=speaker, text=" ".join(texts), session=self.session))

    def history(self, identity: str, source: str) -> History:
        """The finished history, with one item for each attribute that showed."""
        shown: dict[str, list[_Trace]] = {}
        for trace in self.traces:
            assert trace.piece.attribute
            shown.setdefault(trace.piece.attribute.line(), []).append(trace)
        items = tuple(_item(traces, self.rng) for traces in shown.values())
        return History(id=identity, source=source, user=self.user, turns=tuple(self.turns), items=items, licence="generated")


def _item(traces: Sequence[_Trace], rng: Random) -> KnowledgeItem:
    """The label: how strong is said by the first explicit trace; it is explicit if any trace is."""
    first = next((trace.piece for trace in traces if trace.piece.inference == "explicit"), traces[0].piece)
    attribute = first.attribute
    assert attribute
    return KnowledgeItem(
        statement=statement(attribute, rng), category=attribute.category, key=attribute.key, value=attribute.value,
        type=book().traits[attribute.trait].type, polarity=attribute.polarity, intensity=first.intensity,
        inference=first.inference, evidence=tuple(trace.evidence for trace in traces))  # fmt: skip


def statement(attribute: Attribute, rng: Random) -> str:
    """The attribute as its owner would state it: the first wording as often as all others together."""
    ways = [way for way in book().traits[attribute.trait].state.splitlines() if way.strip()]
    way = ways[0] if rng.random() < 0.5 else rng.choice(ways)
    text = words_of(way, rng, forms(attribute))
    return text[:1].upper() + text[1:]


def show(attribute: Attribute, cue: Cue, rng: Random) -> Piece:
    """A piece that reveals the attribute in the words of the cue."""
    return Piece(words_of(cue.text, rng, forms(attribute)), attribute, cue.intensity, cue.inference)


def asked(attribute: Attribute, cue: Cue, rng: Random) -> Piece:
    """The question of a cue."""
    return Piece(words_of(cue.question, rng, forms(attribute)))


def pick_facts(persona: Persona, count: int, rng: Random) -> list[Attribute]:
    """Some of the persona's attributes, in no order."""
    return rng.sample(persona.attributes, min(count, len(persona.attributes)))
