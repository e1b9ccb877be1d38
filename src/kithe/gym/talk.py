"""One conversation: query, stylist, distractor, assistant, user, turn by turn (spec B, 3.6).

Agents are asked through `Steps`: generators that yield what has to be asked of a language model and end with a value. A scripted
agent never yields. So one loop serves both, and many conversations can wait for a model at once.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal, Protocol, TypeVar, get_args

from kithe.gym.bank import OTHERS
from kithe.gym.noise.distractor import Noise
from kithe.gym.noise.surface import Register
from kithe.gym.queries import Query
from kithe.gym.records import How, Spoken, Trajectory
from kithe.gym.sampling import GymPersona
from kithe.gym.stylist import LENGTH, Adapted, Styling
from kithe.gym.user import Feedback, Moment, Turns, register
from kithe.llm.client import Ask, Reply
from kithe.records.chat import Message

T = TypeVar("T")
Part = Literal["formulator", "stylist", "user", "assistant", "distractor"]


@dataclass(frozen=True)
class Call:
    """Something to ask of the model that plays a part; `model` is which one, where a part has several."""

    part: Part
    ask: Ask
    model: str = ""


Steps = Generator[Call, Reply, T]


class Discarded(Exception):  # noqa: N818  # one conversation is left out, which is no error of the run
    """A conversation that cannot be used: a part gave no usable answer twice, or none at all."""

    def __init__(self, part: str, reason: str, raw: str = "") -> None:
        super().__init__(f"{part}: {reason}")
        self.part, self.reason, self.raw = part, reason, raw


class Formulator(Protocol):
    """Says what an ideal assistant of a user would be told; kept beside the persona, never given to one."""

    def formulate(self, persona: GymPersona, rng: Random) -> Steps[str]:
        """The instruction."""


class Stylist(Protocol):
    """Writes opening messages."""

    def adapt(self, query: Query, persona: GymPersona, how: How, length: str, target: int, rng: Random) -> Steps[Adapted]:
        """See `ScriptedStylist.adapt`."""


class User(Protocol):
    """Reacts to answers."""

    def feedback(
        self, persona: GymPersona, transcript: Sequence[Message], moment: Moment, rng: Random
    ) -> Steps[Feedback]:  # fmt: skip
        """The decision after the last message of a transcript, which is the assistant's."""


class Assistant(Protocol):
    """Answers. It is handed the transcript and nothing of the persona."""

    def answer(self, model: str, transcript: Sequence[Message], rng: Random) -> Steps[str]:
        """The next message, by the assistant of the pool that is locked for the conversation."""


class Distracts(Protocol):
    """Puts noise into messages."""

    def noised(
        self, text: str, manner: Register, persona: GymPersona, known: tuple[str, ...], rng: Random
    ) -> Steps[Noise | None]:
        """What becomes of a clean message; None where it stays."""


class Locks(Protocol):
    """Chooses assistants."""

    def locked(self, conversation: str, seed: int) -> str:
        """See `Pool.locked`."""


@dataclass(frozen=True)
class Cast:
    """Who plays in conversations."""

    formulator: Formulator
    stylist: Stylist
    user: User
    assistant: Assistant
    distractor: Distracts
    pool: Locks
    backend: str


@dataclass(frozen=True)
class Rules:
    """How conversations go.

    Attributes:
        turns: the target, and the least and most answers.
        styling: how queries are adapted.
    """

    turns: Turns = field(default_factory=Turns)
    styling: Styling = field(default_factory=Styling)


@dataclass(frozen=True)
class Opening:
    """Who talks about what: the persona as it is in this session."""

    id: str
    persona: GymPersona
    session: int
    query: Query
    drifted: tuple[str, ...] = ()


def converse(opening: Opening, cast: Cast, rules: Rules, seed: int) -> Steps[Trajectory]:
    """A whole conversation; every part draws from its own child of the seed.

    Raises:
        Discarded: a part gave nothing usable, an empty answer included.
    """
    draws = {part: Random(f"{seed}/{opening.id}/{part}") for part in ("plan", *get_args(Part))}
    ideal = (yield from cast.formulator.formulate(opening.persona, draws["formulator"])) if opening.session == 1 else ""
    target, how = rules.turns.target(draws["plan"]), rules.styling.how(draws["plan"])
    length = rules.styling.length(draws["plan"], opening.persona.values.get(LENGTH))
    adapted = yield from cast.stylist.adapt(opening.query, opening.persona, how, length, target, draws["stylist"])
    persona = in_session(opening.persona, adapted)
    model = cast.pool.locked(opening.id, seed)
    spoken, feedback = list[Spoken](), Feedback(satisfied=False, text=adapted.text)
    transcript: list[Message] = []
    for turn in range(1, rules.turns.high + 1):
        known = opening.query.slots if turn == 1 else ()
        noise = yield from cast.distractor.noised(feedback.text, register(persona), persona, known, draws["distractor"])
        sent = noise.noisy_text if noise else feedback.text
        spoken.append(
            Spoken(
                role="user",
                content=sent,
                turn=turn - 1,
                clean=feedback.text,
                noise=noise,
                serves=feedback.serves,
                reveals=feedback.reveals,
            )
        )
        transcript.append(Message(role="user", content=sent))
        answer = yield from cast.assistant.answer(model, tuple(transcript), draws["assistant"])
        if not answer.strip():
            raise Discarded("assistant", "an empty answer")
        transcript.append(Message(role="assistant", content=answer))
        moment = Moment(turn, target, rules.turns.least, persona.values["domain"])
        feedback = yield from cast.user.feedback(persona, tuple(transcript), moment, draws["user"])
        spoken.append(
            Spoken(
                role="assistant", content=answer, turn=turn, violated=feedback.violated, fulfilled=feedback.fulfilled, model=model
            )
        )
        if feedback.satisfied:
            break
    return Trajectory(
        id=opening.id, persona_id=persona.id, session=opening.session, persona=persona.values, drifted=opening.drifted,
        texts=persona.texts, instruction=ideal,
        query_id=opening.query.id, original_query=opening.query.text, how=how, length="" if how == "plain" else length,
        target=target, satisfied=not spoken[-1].violated, messages=tuple(spoken), backend=cast.backend,
    )  # fmt: skip


def in_session(persona: GymPersona, adapted: Adapted) -> GymPersona:
    """The persona with the domain and the scenario of the session's query, which stand in for its own."""
    values = {**persona.values, "domain": adapted.domain, "scenario": adapted.scenario}
    texts = {name: text for name, text in persona.texts.items() if values.get(name) == OTHERS}
    return persona.model_copy(update={"values": values, "texts": texts})
