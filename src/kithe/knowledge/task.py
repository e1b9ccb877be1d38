"""The task `pki`: learn to list what a user's conversation reveals about the user.

A light description that the configuration fills in; training and prediction see only its methods.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from kithe.errors import ConfigError, unknown
from kithe.knowledge import evidence
from kithe.knowledge.confidence import item_confidence
from kithe.knowledge.fields import check, needed
from kithe.knowledge.merge import merge
from kithe.knowledge.parse import Failure, Found, parse
from kithe.knowledge.prompt import VERSION, conversation, instruction, with_shots
from kithe.knowledge.schema import answer_schema
from kithe.knowledge.target import STYLES, Style, answer, faults
from kithe.knowledge.traces import PATTERNS, Pattern
from kithe.knowledge.units import Cut, Unit, UnitKind, units
from kithe.records.chat import ChatExample, ChatRequest, Generation, Message, Prediction, Rejection
from kithe.records.history import History, KnowledgeItem

if TYPE_CHECKING:
    from kithe.llm.embed import Embedder

_MOST: Final[dict[UnitKind, int]] = {"window": 12, "history": 40}
_AROUND: Final = 512  # tokens of instruction, template and three worked examples


@dataclass(frozen=True)
class PKI:
    """Personal knowledge items from a conversation (paper A).

    Attributes:
        fields: the keys of an answer's items, in order: `statement` and any of quote, category, value, type, polarity,
            intensity, inference, confidence. Only `statement` makes the answer a list of strings.
        style: the list alone, or with a short trace before or after it.
        thinking_pattern: how a trace is told; one of `kithe.knowledge.traces.PATTERNS`.
        unit: ask about a whole history at once or about windows of it.
        window_turns: turns per window.
        context: earlier turns shown before a window without being asked about.
        empty_share: of what is learnt from, at most so much has an empty answer; the rest is left out, the same way for every
            source. A model that sees mostly empty answers learns to give them.
        max_prompt_tokens: a unit's longest conversation in estimated tokens, without instruction and shots; a longer history
            falls back to windows.
        max_new_tokens: longest answer.
        min_confidence: merged items the model was less sure of are dropped, into `Prediction.rejected`.
        merge_threshold: cosine from which two statements without conflict are one item (spec 2.7).
    """

    fields: tuple[str, ...] = ("statement",)
    style: Style = "answer_only"
    thinking_pattern: Pattern = "decomposition"
    unit: UnitKind = "window"
    window_turns: int = 4
    context: int = 0
    empty_share: float = 1.0
    max_prompt_tokens: int = 3072
    max_new_tokens: int = 128
    min_confidence: float = 0.0
    merge_threshold: float = 0.8

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        object.__setattr__(self, "fields", tuple(self.fields))
        check(self.fields)
        _among("style", self.style, STYLES)
        _among("thinking_pattern", self.thinking_pattern, PATTERNS)
        _among("unit", self.unit, tuple(_MOST))
        for name, least in (("window_turns", 1), ("context", 0), ("max_prompt_tokens", 1), ("max_new_tokens", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"task.format.{name}={getattr(self, name)}: it must be at least {least}")
        for name in ("empty_share", "min_confidence", "merge_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"task.format.{name}={getattr(self, name)}: it must be between 0 and 1")

    @property
    def version(self) -> str:
        """Of instruction and targets; the pattern of traces is part of it where there are any."""
        return f"{VERSION}+{self.thinking_pattern}-1" if self._thinks else VERSION

    def fitted(self, context: int) -> "PKI":
        """The same with units that leave room for instruction, worked examples and answer in a model's context."""
        room = max(1, context - self.max_new_tokens - _AROUND)
        return replace(self, max_prompt_tokens=min(self.max_prompt_tokens, room))

    def needs(self) -> frozenset[str]:
        """The optional fields that items must carry to be learnt from: those of the answer, and evidence where it decides the
        window of an item or tells what a trace quotes.
        """
        by_turn = self.unit == "window" or self._thinks
        return needed(self.fields) | ({"evidence"} if by_turn else frozenset())

    def examples(self, histories: Iterable[History]) -> list[ChatExample]:
        """What to learn from these histories: one example per unit, those without items up to `empty_share`.

        A unit whose trace is faulty is left out (`dropped` counts them).
        """
        found = list(self._examples(histories))
        full = sum(bool(unit.items) for unit, _ in found)
        room = len(found) if self.empty_share == 1 else int(full * self.empty_share / (1 - self.empty_share))
        empty = sorted((unit.id for unit, _ in found if not unit.items), key=lambda name: sha256(name.encode()).digest())
        dropped = set(empty[room:])
        return [example for unit, example in found if unit.id not in dropped]

    def dropped(self, histories: Iterable[History]) -> Counter[str]:
        """How many units `examples` leaves out of these histories because of their traces, by what is wrong with them."""
        every = ((history, unit) for history in histories for unit in self._units(history))
        return Counter(reason for history, unit in every for reason in self._faults(history, unit)[:1])

    def requests(self, history: History, shots: Sequence[ChatExample] = ()) -> list[ChatRequest]:
        """What to ask about a history, a request per unit, after worked examples where there are any."""
        return [ChatRequest(id=unit.id, prompt=with_shots(self._prompt(history, unit), shots)) for unit in self._units(history)]

    def prediction(self, history: History, generations: Sequence[Generation]) -> Prediction:
        """Everything the model found out about the user, from its answers to all of `requests(history)`.

        Raises:
            ValueError: the answers are not those to the history's requests, each once.
        """
        asked = self._units(history)
        answers = {generation.id: generation for generation in generations}
        if len(answers) != len(generations) or answers.keys() != {unit.id for unit in asked}:
            raise ValueError(f"history '{history.id}': {len(generations)} answers do not match its {len(asked)} requests")
        read = [self._read(history, unit, answers[unit.id]) for unit in asked]
        merged = merge([item for items, _ in read for item in items], self.merge_threshold, _embedder())
        unsure = [item for item in merged if item.confidence is not None and item.confidence < self.min_confidence]
        return Prediction(
            id=history.id,
            items=tuple(item for item in merged if item not in unsure),
            units=len(asked),
            unparsed=sum(isinstance(rejected, Failure) for _, rejected in read),
            rejected=(
                *_rejections(asked, answers, [rejected for _, rejected in read]),
                *(Rejection(reason="low confidence", raw=item.line()) for item in unsure),
            ),
            raw=tuple(answers[unit.id].text for unit in asked),
        )

    def schema(self) -> dict[str, Any]:
        """The JSON schema of an answer."""
        return answer_schema(self.fields, most=_MOST[self.unit], trace=self.style == "trace_then_answer")

    @property
    def _thinks(self) -> bool:
        return self.style != "answer_only"

    def _faults(self, history: History, unit: Unit) -> tuple[str, ...]:
        return faults(history, unit, self.thinking_pattern) if self._thinks else ()

    def _units(self, history: History) -> tuple[Unit, ...]:
        return units(history, Cut(self.unit, self.window_turns, self.context, self.max_prompt_tokens))

    def _examples(self, histories: Iterable[History]) -> Iterator[tuple[Unit, ChatExample]]:
        for history in histories:
            for unit in self._units(history):
                if self._faults(history, unit):
                    continue
                text = answer(history, unit, self.fields, self.style, self.thinking_pattern)
                yield unit, ChatExample(id=unit.id, prompt=self._prompt(history, unit), answer=text, empty=not unit.items)

    def _prompt(self, history: History, unit: Unit) -> tuple[Message, ...]:
        system = instruction(self.fields, style=self.style, context=self.context > 0)
        return (
            Message(role="system", content=system),
            Message(role="user", content=conversation(history, unit.context, unit.turns)),
        )

    def _read(
        self, history: History, unit: Unit, generation: Generation
    ) -> tuple[list[KnowledgeItem], Failure | tuple[Rejection, ...]]:
        """The items of one answer with their evidence and confidence, and what of it could not be used."""
        parsed = parse(generation.text, self.fields)
        if isinstance(parsed, Failure):
            return [], parsed
        return [_placed(history, unit, generation, found) for found in parsed.items], parsed.rejected


def _placed(history: History, unit: Unit, generation: Generation, found: Found) -> KnowledgeItem:
    item, source = found.item, evidence.locate(history, unit.turns, found.item.statement, found.quote)
    confidence = item_confidence(generation, found.start, found.end) if item.confidence is None else item.confidence
    return item.model_copy(update={"evidence": (source,), "confidence": confidence})


def _rejections(
    asked: Sequence[Unit], answers: dict[str, Generation], rejected: Sequence[Failure | tuple[Rejection, ...]]
) -> Iterator[Rejection]:
    for unit, what in zip(asked, rejected, strict=True):
        if isinstance(what, Failure):
            yield Rejection(reason=what.reason, raw=answers[unit.id].text)
        else:
            yield from what


def _among(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise unknown(f"value of task.format.{name}", value, allowed)


@cache
def _embedder() -> "Embedder":
    from kithe.llm.embed import Embedder

    return Embedder()
