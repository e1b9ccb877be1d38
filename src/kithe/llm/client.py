"""Asking a language model, whichever it is: requests go in, replies come out as they finish.

Teachers, judges and simulated users write asks and read replies; whether an endpoint, a model in this process, a cache or a
script answers is the choice of the config. A request that fails is a reply that says why, so one bad answer never ends a run.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, get_args, runtime_checkable

from kithe.records.chat import Message

Reason = Literal[
    "timeout",  # no answer in time, all attempts together
    "connection",  # nobody there, or the line broke
    "rate_limited",  # told to slow down (429) until patience ran out
    "server",  # the server failed (5xx)
    "garbage",  # an answer that is no completion: half a body, no choices, no text
    "refused",  # the model or a content filter declined
    "too_long",  # prompt and answer do not fit the model's context
    "invalid",  # the server does not take such a request (other 4xx)
    "budget",  # not asked: the budget is spent
]
REASONS: Final = get_args(Reason)
PASSING: Final[frozenset[Reason]] = frozenset({"timeout", "connection", "rate_limited", "server", "garbage", "budget"})
"""Reasons that may be gone when the same is asked again later."""
Finish = Literal["stop", "length", "failed"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Attributes:
        id: chosen by whoever asks; the reply carries it, and replies come in any order.
        messages: the chat so far; the model writes the next turn.
        schema: a JSON schema that the answer should fit, where the client can see to it; never a promise, see `ladder`.
        max_tokens: the longest answer.
        temperature: 0 for the most likely answer.
        top_p: the share of the probability that is drawn from.
        seed: of the draws; another seed is another request (and another entry of a cache).
        stop: texts that end the answer.
    """

    id: str
    messages: tuple[Message, ...]
    schema: dict[str, Any] | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer: a reason to count by, and a sentence for people (never a secret, never a key)."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one ask, or its failure.

    Attributes:
        id: of the ask.
        text: the model's words; with `finish="failed"`, what there was of them.
        finish: `stop` (complete), `length` (cut off at `max_tokens`) or `failed`.
        prompt_tokens, new_tokens: of all attempts together, as the server counts them.
        cost: in the currency of the client's prices, all attempts together; 0 where no prices are given, and from a cache.
        seconds: from the first attempt to the end.
        cached: answered from a cache; tokens are those of the call that was made once.
        model: the model's name as the server gave it.
        failure: why it failed; None otherwise.
    """

    id: str
    text: str = ""
    finish: Finish = "stop"
    prompt_tokens: int = 0
    new_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    cached: bool = False
    model: str = ""
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether there is an answer, complete or cut off."""
        return self.failure is None


Keep = Callable[[Ask, Reply], None]


@runtime_checkable
class Client(Protocol):
    """Something that answers asks."""

    @property
    def name(self) -> str:
        """Who answers, for results and cards: a model with its provider, never a secret."""

    @property
    def identity(self) -> str:
        """What besides the ask decides the answer (model, endpoint); equal for equal answers, and never a secret."""

    def complete(self, asks: Iterable[Ask], keep: Keep | None = None) -> Iterator[Reply]:
        """A reply for every ask, exactly one, as they finish.

        Asks are taken from the iterable a bounded number ahead of the replies, so it may be endless (but must not wait for
        replies), and nothing is asked before the first reply is wanted. Closing the iterator gives up what is under way.

        Args:
            asks: what is asked; ids need not differ, but then replies cannot be told apart.
            keep: called with every reply the moment it is there, in whatever thread, so that what was paid for can be
                written down before anybody comes for it.

        Raises:
            ConfigError: no ask could ever be answered (no key, unknown model), after the replies that were there.
        """


def failed(ask: Ask, reason: Reason, message: str, **known: Any) -> Reply:
    """The reply to an ask that failed; `known` are other fields of the reply."""
    return Reply(ask.id, finish="failed", failure=Failure(reason, message), **known)


def one(client: Client, ask: Ask) -> Reply:
    """The reply to a single ask."""
    (reply,) = client.complete([ask])
    return reply
