"""What is kept of a simulated conversation, and what is released of it."""

from typing import Literal

from pydantic import Field

from kithe.gym.noise.distractor import Noise
from kithe.records.base import SCHEMA_VERSION, Record

Role = Literal["user", "assistant"]
How = Literal["plain", "full", "partial"]


class Spoken(Record):
    """One message with all that is known of it.

    Attributes:
        turn: user messages count from 0, the answers to them from 1.
        clean: a user message as it was before noise; `content` is what was sent.
        noise: what was done to it; None where nothing was.
        serves: the dimensions that a follow-up is about, the main one first.
        reveals: those of them whose wanted value can be read in it.
        violated, fulfilled: the user's wishes that an answer goes against, and those that it meets.
        model: which assistant of the pool answered.
    """

    role: Role
    content: str
    turn: int
    clean: str = ""
    noise: Noise | None = None
    serves: tuple[str, ...] = ()
    reveals: tuple[str, ...] = ()
    violated: tuple[str, ...] = ()
    fulfilled: tuple[str, ...] = ()
    model: str = ""

    @property
    def was_noised(self) -> bool:
        """Whether a user's message differs from its clean version."""
        return self.role == "user" and self.content != self.clean


class Trajectory(Record):
    """A conversation with everything that led to it.

    Attributes:
        persona: the user's values in this session: after drift, with the query's domain and scenario.
        drifted: the dimensions that changed since the session before.
        texts: what stands for values `others`.
        instruction: what an ideal assistant of the user would be told, with the first session; no assistant ever is.
        how: whether the query was adapted to the persona, with all or a few of its dimensions.
        length: the class of length that the adapted query was to have; empty for a plain one.
        target: how many answers the user had patience for.
        satisfied: whether the last answer went against no wish that shows in it. A user may also fall silent with one left, or
            out of patience.
    """

    id: str
    persona_id: str
    session: int
    persona: dict[str, str]
    drifted: tuple[str, ...] = ()
    texts: dict[str, str] = Field(default_factory=dict)
    instruction: str = ""
    query_id: str
    original_query: str
    how: How = "plain"
    length: str = ""
    target: int
    satisfied: bool
    messages: tuple[Spoken, ...] = Field(min_length=2)
    backend: str = "scripted"
    schema_version: int = SCHEMA_VERSION

    @property
    def turns(self) -> int:
        """How many answers there are."""
        return sum(message.role == "assistant" for message in self.messages)

    @property
    def said(self) -> tuple[Spoken, ...]:
        """The user's messages."""
        return tuple(message for message in self.messages if message.role == "user")


class Line(Record):
    """A message as it is released."""

    role: Role
    content: str


class Utterances(Record):
    """The texts of both sides, in order."""

    user: tuple[str, ...]
    assistant: tuple[str, ...]


class Released(Record):
    """A conversation with exactly the fields of PersonaAtlas as released."""

    id: str
    persona_id: str
    persona: dict[str, str]
    original_query: str
    initial_query: str
    full_conversation: tuple[Line, ...]
    role_utterances: Utterances
    num_turns: int
    distractor_type: str
    conversation_ended: bool


def released(trajectory: Trajectory) -> Released:
    """What is released of a conversation.

    A value `others` is the text that stands for it. The type of noise is that of the first message that has any, as layer and
    strategies; "none" without. `initial_query` is what was sent first, noise included.
    """
    first = next((message.noise for message in trajectory.said if message.noise), None)
    texts = {
        role: tuple(message.content for message in trajectory.messages if message.role == role) for role in ("user", "assistant")
    }
    return Released(
        id=trajectory.id,
        persona_id=trajectory.persona_id,
        persona={**trajectory.persona, **trajectory.texts},
        original_query=trajectory.original_query,
        initial_query=trajectory.said[0].content,
        full_conversation=tuple(Line(role=message.role, content=message.content) for message in trajectory.messages),
        role_utterances=Utterances(**texts),
        num_turns=trajectory.turns,
        distractor_type=f"{first.layer}: {', '.join(first.applied_strategies)}" if first else "none",
        conversation_ended=trajectory.satisfied,
    )
