"""What is learnt and how it is scored, as the stages of a cell see it; `conf/task/` fills it in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from kithe.corpora.source import DataSource
from kithe.errors import at_least
from kithe.records.chat import ChatExample, ChatRequest, Generation, Prediction
from kithe.records.history import History


class Format(Protocol):
    """How histories become prompts and answers become predictions. A new system of papers enters here."""

    max_new_tokens: int

    @property
    def version(self) -> str:
        """Changes with the wording of prompts and targets, and is part of what identifies a result."""

    def fitted(self, context: int) -> "Format":
        """This format with prompts and answers that fit a model's context, in tokens."""

    def needs(self) -> frozenset[str]:
        """The optional item fields that training data must carry."""

    def examples(self, histories: Iterable[History]) -> list[ChatExample]:
        """What to learn from these histories."""

    def requests(self, history: History, shots: Sequence[ChatExample] = ()) -> list[ChatRequest]:
        """What to ask about one history, after worked examples."""

    def prediction(self, history: History, generations: Sequence[Generation]) -> Prediction:
        """What the answers to all of `requests(history)` say about its user."""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of an answer."""


@runtime_checkable
class Chained(Protocol):
    """A format that asks about a history several times, each time with what was answered before."""

    def follow_up(self, history: History, generations: Sequence[Generation]) -> list[ChatRequest]:
        """What to ask next, given all answers so far in order; nothing once there is enough for `prediction`."""


class Filter(Protocol):
    """Takes items out of predictions before they are scored."""

    @property
    def content(self) -> str:
        """What decides besides the config."""

    def kept(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> list[Prediction]:
        """The predictions with the items that stay; the others are among the rejected ones."""


@dataclass(frozen=True)
class Task:
    """A format with the sets it is tested on and the sets choices are made on.

    Attributes:
        test: name -> source; its split `test` is scored.
        validation: name -> source; its split `validation` decides between ways of asking.
        batch_tokens: prompt tokens answered at once.
        verify: takes items out before they are scored; None for nobody.
    """

    format: Format
    test: Mapping[str, DataSource]
    validation: Mapping[str, DataSource]
    batch_tokens: int
    verify: Filter | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: there is no room for an answer.
        """
        at_least("task.batch_tokens", self.batch_tokens, 1)
