"""A dialogue while it is written: who says what, and which pieces of it reveal which attribute."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kithe.dialogues.facts import Fact
from kithe.dialogues.mix import Mix
from kithe.dialogues.pen import Pen, Piece
from kithe.dialogues.script import page
from kithe.dialogues.voice import Voice
from kithe.personas.grammar import Forms
from kithe.personas.persona import Persona
from kithe.personas.traits import book
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

_TRIES = 6
_WORD = re.compile(r"[\w']+")


@dataclass(frozen=True)
class _Trace:
    """One place where a fact shows."""

    fact: Fact
    evidence: Evidence
    piece: Piece


@dataclass(frozen=True)
class Aim:
    """What a fitted log asks of the user: words of a turn (any of these), turns, and how many of them reveal something."""

    words: tuple[int, ...]
    turns: int
    revealing: int


@dataclass
class Draft:
    """Turns so far, with every trace of the user's facts; lines without facts name nothing that the persona holds."""

    user: str
    persona: Persona
    voices: Mapping[str, Voice]
    pen: Pen
    mix: Mix
    aim: Aim | None = None
    lengths: list[int] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    traces: list[_Trace] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    moments: set[tuple[int, str]] = field(default_factory=set)
    session: int = 1

    @cached_property
    def _planted(self) -> dict[str, list[str]]:
        """The persona's values by their first words."""
        found: dict[str, list[str]] = {}
        for attribute in self.persona.attributes:
            value = attribute.value.lower()
            first = _WORD.match(value)
            if len(value) > 3 and first:
                found.setdefault(first[0], []).append(value)
        return found

    def clear(self, text: str) -> bool:
        """Whether the text names no value of the persona."""
        low = text.lower()
        planted = self._planted
        return not any(value in low for word in _WORD.findall(low) if word in planted for value in planted[word])

    def plain_share(self) -> float:
        """Of the user's turns so far, the share that reveals nothing."""
        return 1 - len({trace.evidence.turn for trace in self.traces}) / max(1, self.spoken())

    def due(self, facts: int) -> int | None:
        """How many of so many facts the user's next turn should reveal; None without an aim."""
        if self.aim is None:
            return None
        left = max(1, self.aim.turns - self.spoken())
        revealing = self.aim.revealing - len({trace.evidence.turn for trace in self.traces})
        if left == 1 or not self.pen.chance(max(revealing, 0) / left):
            return facts if left == 1 else 0
        return -(-facts // max(1, revealing))

    def spoken(self) -> int:
        """How many turns the user has had."""
        return sum(turn.speaker == self.user for turn in self.turns)

    def line(self, block: str, slots: Mapping[str, Forms] | None = None) -> str:
        """A clear line of a script's block, a new one where there is any."""
        spare = ""
        for _ in range(_TRIES):
            text = self.pen.line(block, slots)
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

    def say(self, speaker: str, pieces: Sequence[Piece]) -> None:
        """Add a turn; a turn without pieces is not one."""
        pieces = [piece for piece in pieces if piece.text]
        if not pieces:
            return
        if speaker == self.user and self.aim:
            pieces = self._sized(self._again(pieces, self.aim), self.aim)
        texts = self.voices[speaker].write([piece.text for piece in pieces], self.pen)
        turn = len(self.turns)
        if speaker == self.user:
            for piece, text in zip(pieces, texts, strict=True):
                if piece.facts:
                    evidence = Evidence(turn=turn, quote=text.rstrip(" .!?"))
                    self.traces += [_Trace(fact, evidence, piece) for fact in piece.facts]
        self.turns.append(Turn(speaker=speaker, text=" ".join(texts), session=self.session))

    def _again(self, pieces: list[Piece], aim: Aim) -> list[Piece]:
        """The pieces, with something told before told again where too few turns reveal anything."""
        if not self.traces or any(piece.facts for piece in pieces):
            return pieces
        due = aim.revealing - len({trace.evidence.turn for trace in self.traces})
        left = aim.turns - self.spoken()
        return [*pieces, self.pen.tell([self.pen.pick(self.traces).fact])] if self.pen.chance(due / max(1, left)) else pieces

    def _sized(self, pieces: list[Piece], aim: Aim) -> list[Piece]:
        """The pieces with small talk added, or without loose ones, until they have as many words as the aim wants of a turn.

        Lengths for all turns are drawn at once, and each turn takes the one that is nearest to what it has.
        """
        count = sum(len(piece.text.split()) for piece in pieces)
        if not self.lengths:
            self.lengths = [self.pen.pick(aim.words) for _ in range(max(1, aim.turns))]
        words = min(self.lengths, key=lambda length: abs(length - count))
        self.lengths.remove(words)
        for _ in range(_TRIES):
            if count >= 0.85 * words:
                break
            more = Piece(self.line(page("people")["small"]))
            pieces = [*pieces[:-1], more, pieces[-1]]
            count += len(more.text.split())
        for piece in [piece for piece in pieces if piece.loose]:
            if count > 1.1 * words and len(pieces) > 1:
                pieces.remove(piece)
                count -= len(piece.text.split())
        return pieces

    def history(self, identity: str, source: str) -> History:
        """The finished history, with one item for each fact that showed."""
        shown: dict[int, list[_Trace]] = {}
        for trace in self.traces:
            shown.setdefault(id(trace.fact), []).append(trace)
        items = tuple(self._item(traces) for traces in shown.values())
        return History(id=identity, source=source, user=self.user, turns=tuple(self.turns), items=items, licence="generated")

    def _item(self, traces: Sequence[_Trace]) -> KnowledgeItem:
        """The label: how strong is said by the first explicit trace; it is explicit if any trace is."""
        first = next((trace for trace in traces if trace.piece.inference == "explicit"), traces[0])
        attribute, trait = first.fact.attribute, first.fact.trait
        return KnowledgeItem(
            statement=statement(first.fact, self.pen), category=attribute.category, key=attribute.key, value=attribute.value,
            type=trait.type, polarity=attribute.polarity, intensity=first.piece.intensity,
            inference=first.piece.inference, evidence=tuple(trace.evidence for trace in traces))  # fmt: skip


def statement(fact: Fact, pen: Pen) -> str:
    """The fact as its owner would state it: the first wording as often as all others together.

    Labels are worded alike in every family: they are what a model learns to write, not what it reads.
    """
    ways = fact.trait.ways
    way = ways[0] if pen.chance(0.5) else pen.pick(ways)
    text = Pen(pen.rng).read(way, fact.forms)
    return text[:1].upper() + text[1:]


def former(fact: Fact, draft: Draft) -> Piece | None:
    """The fact with another value, said as if true, to be corrected later; None where both could be true."""
    trait = fact.trait
    if trait.many > 1 or set(trait.slots) != {"v"} or trait.polarity == "negative" or trait.type not in ("attribute", "behavior"):
        return None
    value = book().lexicons[trait.slots["v"]].pick(draft.pen.rng, unseen=False)
    cues = trait.cues("say", draft.pen.family)
    text = draft.pen.read(draft.pen.pick(cues).text, {"v": value.forms})
    return Piece(text) if draft.clear(text) and value.text not in fact.value else None


def other_value(fact: Fact, draft: Draft) -> Mapping[str, Forms] | None:
    """Another value that the fact's trait could have, which the persona does not name; None if the draw finds none."""
    value = book().lexicons[fact.trait.slots["v"]].pick(draft.pen.rng, unseen=False)
    return {"v": value.forms} if draft.clear(value.text) and value.text not in fact.value else None
