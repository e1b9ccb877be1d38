"""The cast without a language model: every part follows rules, so it is known exactly what was violated, said and changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from kithe.gym.assistant import ScriptedAssistant, scripted_pool
from kithe.gym.noise.distractor import Distractor, Noise
from kithe.gym.noise.surface import Register
from kithe.gym.queries import Query
from kithe.gym.records import How
from kithe.gym.sampling import GymPersona
from kithe.gym.stylist import Adapted, ScriptedStylist
from kithe.gym.talk import Call, Cast, Discarded, Steps, T
from kithe.gym.user import Feedback, Moment, ScriptedUser, instruction
from kithe.records.chat import Message


@dataclass(frozen=True)
class FormulatorByRules:
    """`user.instruction` as a part."""

    def formulate(self, persona: GymPersona, rng: Random) -> Steps[str]:
        """See `talk.Formulator`."""
        return instruction(persona, rng)
        yield


@dataclass(frozen=True)
class StylistByRules:
    """`ScriptedStylist` as a part."""

    writer: ScriptedStylist = field(default_factory=ScriptedStylist)

    def adapt(self, query: Query, persona: GymPersona, how: How, length: str, target: int, rng: Random) -> Steps[Adapted]:
        """See `talk.Stylist`."""
        return self.writer.adapt(query, persona, how, length, target, rng)
        yield


@dataclass(frozen=True)
class UserByRules:
    """`ScriptedUser` as a part."""

    user: ScriptedUser = field(default_factory=ScriptedUser)

    def feedback(self, persona: GymPersona, transcript: Sequence[Message], moment: Moment, rng: Random) -> Steps[Feedback]:
        """See `talk.User`."""
        said = [message.content for message in transcript if message.role == "user"]
        return self.user.feedback(persona, transcript[-1].content, moment, said, rng)
        yield


@dataclass(frozen=True)
class AssistantByRules:
    """`ScriptedAssistant` as a part."""

    def answer(self, model: str, transcript: Sequence[Message], rng: Random) -> Steps[str]:
        """See `talk.Assistant`."""
        return ScriptedAssistant(model).answer(transcript, rng)
        yield


@dataclass(frozen=True)
class NoiseByRules:
    """`Distractor` as a part."""

    distractor: Distractor = field(default_factory=Distractor)

    def noised(
        self, text: str, manner: Register, persona: GymPersona, known: tuple[str, ...], rng: Random
    ) -> Steps[Noise | None]:
        """See `talk.Distracts`."""
        return self.distractor.noised(text, manner, rng, known)
        yield


def cast(distractor: Distractor | None = None, user: ScriptedUser | None = None) -> Cast:
    """The scripted cast."""
    return Cast(
        formulator=FormulatorByRules(), stylist=StylistByRules(), user=UserByRules(user or ScriptedUser()),
        assistant=AssistantByRules(), distractor=NoiseByRules(distractor or Distractor()),
        pool=scripted_pool(), backend="scripted",
    )  # fmt: skip


def played(steps: Steps[T]) -> T:
    """The value of steps that ask nobody.

    Raises:
        Discarded: they do ask.
    """
    try:
        call: Call = next(steps)
    except StopIteration as end:
        value: T = end.value
        return value
    raise Discarded(call.part, "a scripted cast has no model to ask")
