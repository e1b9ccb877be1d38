"""What people said, and what is known about them because of it."""

from typing import Literal

from pydantic import Field

from kithe.records.base import SCHEMA_VERSION, Record
from kithe.records.question import Question

Polarity = Literal["positive", "negative"]
Intensity = Literal["high", "medium", "low"]
Inference = Literal["explicit", "implicit"]
ItemType = Literal["interest", "preference", "attribute", "behavior", "relationship", "goal", "constraint", "dislike"]


class Turn(Record):
    """One utterance."""

    speaker: str
    text: str
    session: int = 1


class Evidence(Record):
    """Where an item comes from: an index into `History.turns`, and the words there (empty: the whole turn)."""

    turn: int = Field(ge=0)
    quote: str = ""


class KnowledgeItem(Record):
    """A personal knowledge item (PKI): one durable fact, interest, trait or constraint of a user (paper A §3.1).

    The statement is in the user's own voice ("I have two cats."), as people write facts about themselves. The same record
    holds gold facts and inferred ones; a field a source does not know is None.
    """

    statement: str = Field(min_length=1)
    category: str | None = None
    key: str | None = None
    value: str | None = None
    type: ItemType | None = None
    polarity: Polarity | None = None
    intensity: Intensity | None = None
    inference: Inference | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    evidence: tuple[Evidence, ...] = ()


class History(Record):
    """One user's interaction history (one or more sessions) and the items that are true of that user.

    `user` is the speaker the items are about; `source` names the corpus; `id` is unique over all corpora and is the unit
    of splitting and of resampling. `question` is what the user asks at the end, in tasks that answer rather than extract.
    """

    id: str
    source: str
    user: str
    turns: tuple[Turn, ...]
    items: tuple[KnowledgeItem, ...] = ()
    licence: str = ""
    twin: str | None = None
    question: Question | None = None
    schema_version: int = SCHEMA_VERSION
