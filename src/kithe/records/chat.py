"""What goes into a language model and comes out of it, whatever the task."""

from typing import Literal

from pydantic import Field

from kithe.records.base import Record
from kithe.records.history import KnowledgeItem


class Message(Record):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(Record):
    """A prompt that wants an answer. `id` is `<history id>#<unit number>`."""

    id: str
    prompt: tuple[Message, ...]


class ChatExample(Record):
    """A prompt with the answer to learn; `empty`: the right answer is that there is nothing."""

    id: str
    prompt: tuple[Message, ...]
    answer: str
    empty: bool = False


class Generation(Record):
    """A model's raw answer to one request.

    `logprobs` are the natural-log probabilities of the new tokens (the end token included where it was produced) and
    `pieces` their texts, so that a part of the answer can be given a probability. `asked` is a hash of the prompt, where
    answers are kept: none is ever taken for the answer to another prompt.
    """

    id: str
    text: str
    finish: Literal["stop", "length"]
    prompt_tokens: int
    new_tokens: int
    pieces: tuple[str, ...] = ()
    logprobs: tuple[float, ...] = ()
    asked: str = ""


class Rejection(Record):
    """Something a model wrote that could not be used, and why."""

    reason: str
    raw: str


class Prediction(Record):
    """Everything a model inferred about one user."""

    id: str
    items: tuple[KnowledgeItem, ...] = ()
    units: int = 0
    unparsed: int = Field(default=0, description="units whose answer could not be read at all")
    rejected: tuple[Rejection, ...] = ()
    raw: tuple[str, ...] = ()
