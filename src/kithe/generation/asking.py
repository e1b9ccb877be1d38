"""Many rows, each a little conversation with a model: the asks of all rows go to one client, and replies find their row.

A row is a generator that yields asks, is sent replies, and returns its outcome. So a row may ask as often as it must, and
whatever one row does, the others go on.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from kithe.generation.log import Rejected
from kithe.generation.stages import Unanswered
from kithe.llm.client import Ask, Client, Reply
from kithe.records.chat import Message

T = TypeVar("T")
Script = Generator[Ask, Reply, T]

Kind = Literal[
    "empty",  # no text
    "refusing",  # the model declined
    "malformed",  # no JSON, or broken beyond repair
    "truncated",  # it broke off
    "wrong schema",  # JSON, but not what was asked for
    "wrong language",  # not English
    "oversized",  # more than anybody asked for
    "persona echo",  # the description it was given, said back
    "exemplar echo",  # an example of tone, said back
    "facts not shown",  # no planned fact is in its turn
    "contradiction",  # values that cannot be true of one person
    "garbage",  # the server's answer is no completion
    "too long",  # prompt and answer do not fit the model
]

LATER: Final = frozenset({"budget", "timeout", "connection", "rate_limited", "server", "invalid"})
_KINDS: Final[Mapping[str, Kind]] = {"refused": "refusing", "too_long": "too long"}
_SHOWN: Final = 4000  # characters of a useless answer that are shown to the model
_KEPT: Final = 100_000  # characters of raw text that quarantine keeps


@dataclass(frozen=True)
class Problem:
    """Why an answer cannot be used: what kind of fault it is, and the words that the model is told."""

    kind: Kind
    message: str


class Ended(Exception):  # noqa: N818 - it ends a row, and is nobody's error
    """A row's outcome, from however deep inside its script."""

    def __init__(self, outcome: Rejected | Unanswered) -> None:
        self.outcome = outcome


def asked(ask: Ask, read: Callable[[Reply], T | Problem], fallback: T | None = None) -> Script[T]:
    """The value of an answer: asked for, and once more with what was wrong; after that the fallback, or the row is rejected.

    A reply that failed for a reason that may pass leaves the row to be done.
    """
    first = _there((yield ask))
    value = read(first)
    if not isinstance(value, Problem):
        return value
    second = _there((yield _corrected(ask, first, value)))
    again = read(second)
    if not isinstance(again, Problem):
        return again
    if fallback is not None:
        return fallback
    raise Ended(Rejected(reason=again.kind, raw=_raw(again, first, second)))


def together(scripts: Mapping[str, Script[T]], client: Client) -> Iterator[tuple[str, T | Rejected | Unanswered]]:
    """The outcome of every row, as they come."""
    waiting: deque[Ask] = deque()

    def step(key: str, reply: Reply | None) -> T | Rejected | Unanswered | None:
        """Go on with a row: its next ask waits then, or this is its outcome."""
        try:
            ask = scripts[key].send(reply) if reply else next(scripts[key])
        except StopIteration as end:
            found: T = end.value
            return found
        except Ended as end:
            return end.outcome
        waiting.append(replace(ask, id=key))
        return None

    for key in scripts:
        if (outcome := step(key, None)) is not None:
            yield key, outcome
    while waiting:
        for reply in client.complete(_taken(waiting)):
            if (outcome := step(reply.id, reply)) is not None:
                yield reply.id, outcome


def _taken(waiting: deque[Ask]) -> Iterator[Ask]:
    while waiting:
        yield waiting.popleft()


def _there(reply: Reply) -> Reply:
    if reply.failure is None:
        return reply
    reason = reply.failure.reason
    if reason in LATER:
        raise Ended(Unanswered(reason))
    raise Ended(Rejected(reason=_KINDS.get(reason, "garbage"), raw=f"{reply.failure.message}\n{reply.text}".strip()[:_KEPT]))


def _corrected(ask: Ask, reply: Reply, problem: Problem) -> Ask:
    wish = f"That answer cannot be used: {problem.message}. Give the whole answer again, corrected, with nothing around it."
    said = Message(role="assistant", content=reply.text[:_SHOWN] or "(nothing)")
    return replace(ask, messages=(*ask.messages, said, Message(role="user", content=wish)))


def _raw(problem: Problem, *replies: Reply) -> str:
    return "\n\n".join([f"({problem.message})", *(reply.text[:_KEPT] for reply in replies)])
