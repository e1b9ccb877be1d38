"""From a model's text to a value: constrained, read tolerantly, asked once more with the error, or rejected with a reason.

What a model said is kept whatever became of it, and every outcome is counted; nothing is dropped.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from kithe.llm.client import Ask, Client, Failure, Reply
from kithe.llm.tolerant import Rung, find
from kithe.records.chat import Message

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Outcome = Literal["exact", "repaired", "reasked", "rejected", "failed"]
"""As it was said; after repair; at the second asking; unusable twice; no answer (see the failure)."""

_PROBLEMS: Final = 3  # of a value that are told to the model
_SHOWN: Final = 4000  # characters of a useless answer that are shown to the model


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text cannot be used, in words that the model is shown."""

    message: str


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What a text says; `rung` is how its JSON was found."""

    value: T
    rung: Rung = "exact"


Read = Callable[[str], Reading[T] | Problem]


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """What became of an ask.

    Attributes:
        ask: as it was asked first.
        value: None unless the outcome is `exact`, `repaired` or `reasked`.
        problem: why it is rejected or failed; for `reasked`, what was wrong at first.
        replies: all of them, in order, with their raw texts.
    """

    ask: Ask
    value: T | None
    outcome: Outcome
    problem: str = ""
    replies: tuple[Reply, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.outcome in ("exact", "repaired", "reasked")

    @property
    def raw(self) -> tuple[str, ...]:
        """The model's texts, in order."""
        return tuple(reply.text for reply in self.replies)

    @property
    def failure(self) -> Failure | None:
        """Why there was no answer, where that is the outcome."""
        return self.replies[-1].failure if self.outcome == "failed" else None


def json_reader(check: Callable[[Any], T | Problem], *, truncated: bool = False) -> Read[T]:
    """Reads the JSON value in a text and hands it to `check`.

    Args:
        check: the value as it is meant, or what is wrong with it.
        truncated: whether a value that breaks off may be used without what it breaks off in.
    """

    def read(text: str) -> Reading[T] | Problem:
        found = find(text)
        if found is None:
            return Problem("there is no JSON in it")
        if not found.complete and not truncated:
            return Problem("it breaks off before its end")
        value = check(found.value)
        return value if isinstance(value, Problem) else Reading(value, found.rung)

    return read


def record_reader(model: type[M]) -> Read[M]:
    """Reads a record."""

    def check(value: Any) -> M | Problem:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)[:_PROBLEMS]
            return Problem("; ".join(f"{'.'.join(map(str, each['loc'])) or 'value'}: {each['msg']}" for each in found))

    return json_reader(check)


def structured(client: Client, asks: Iterable[Ask], read: Read[T], *, again: bool = True) -> Iterator[Result[T]]:
    """A result for every ask, exactly one, as they come.

    Args:
        client: asks' schemas are its business; whatever it returns is read.
        read: never raises for a text.
        again: whether a useless answer is asked for once more.

    Raises:
        ConfigError: see `Client.complete`.
    """
    rounds = _Rounds(asks, read, again)
    while not rounds.over:
        for reply in client.complete(rounds.asks()):
            result = rounds.result(reply)
            if result is not None:
                yield result


@dataclass
class Tally:
    """Outcomes counted: how often each, and the problems of what was rejected or failed."""

    outcomes: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)

    def count(self, results: Iterable[Result[T]]) -> Iterator[Result[T]]:
        """Pass results on, counted."""
        for result in results:
            self.outcomes[result.outcome] += 1
            if not result.ok:
                self.problems[result.failure.reason if result.failure else result.problem] += 1
            yield result


class _Rounds(Generic[T]):
    """The asks under way, and those to be asked once more."""

    def __init__(self, asks: Iterable[Ask], read: Read[T], again: bool) -> None:
        self._source, self._read, self._again = iter(asks), read, again
        self._exhausted = False
        self._open: dict[str, tuple[Ask, Reply | None, str]] = {}
        self._second: deque[tuple[Ask, Reply, str]] = deque()
        self._count = 0

    @property
    def over(self) -> bool:
        """Whether there is nothing left to ask."""
        return self._exhausted and not self._second

    def asks(self) -> Iterator[Ask]:
        """Second askings first, as they arise between the others."""
        while True:
            while self._second:
                ask, reply, problem = self._second.popleft()
                yield self._numbered(_corrected(ask, reply, problem), (ask, reply, problem))
            ask_or_none = next(self._source, None)
            if ask_or_none is None:
                self._exhausted = True
                return
            yield self._numbered(ask_or_none, (ask_or_none, None, ""))

    def result(self, reply: Reply) -> Result[T] | None:
        """What a reply means; None where its ask is asked once more."""
        ask, first, before = self._open.pop(reply.id)
        reply = replace(reply, id=ask.id)
        replies = (reply,) if first is None else (first, reply)
        if reply.failure is not None:
            return Result(ask, None, "failed", f"{reply.failure.reason}: {reply.failure.message}", replies)
        reading = self._read(reply.text)
        if isinstance(reading, Reading):
            outcome: Outcome = "reasked" if first else "repaired" if reading.rung == "repaired" else "exact"
            return Result(ask, reading.value, outcome, before, replies)
        problem = reading.message if reply.finish == "stop" else f"cut off after {ask.max_tokens} tokens; {reading.message}"
        if first is None and self._again:
            self._second.append((ask, reply, problem))
            return None
        return Result(ask, None, "rejected", problem, replies)

    def _numbered(self, ask: Ask, entry: tuple[Ask, Reply | None, str]) -> Ask:
        self._count += 1
        self._open[str(self._count)] = entry
        return replace(ask, id=str(self._count))


def _corrected(ask: Ask, reply: Reply, problem: str) -> Ask:
    """The ask with the useless answer and what is wrong with it."""
    wish = f"That answer cannot be used: {problem}. Answer again, complete and corrected, with nothing around it."
    said = Message(role="assistant", content=reply.text[:_SHOWN] or "(nothing)")
    return replace(ask, messages=(*ask.messages, said, Message(role="user", content=wish)))
