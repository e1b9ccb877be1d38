"""What a conversation would ask of models, found out without asking: scripted parts talk, and every call is written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kithe.gym import asks
from kithe.gym.assistant import scripted_pool
from kithe.gym.corpus import Atlas
from kithe.gym.noise.distractor import Noise
from kithe.gym.noise.meaning import extract
from kithe.gym.noise.surface import Register
from kithe.gym.queries import Query
from kithe.gym.records import How, Trajectory
from kithe.gym.sampling import GymPersona
from kithe.gym.scripted import AssistantByRules, FormulatorByRules, NoiseByRules, StylistByRules, UserByRules
from kithe.gym.stylist import Adapted
from kithe.gym.talk import Call, Cast, Opening, Steps, converse
from kithe.gym.user import Feedback, Moment, ScriptedUser
from kithe.llm.client import Ask, Reply
from kithe.records.chat import Message


def rehearsed(opening: Opening, atlas: Atlas, seed: int) -> list[Ask]:
    """The asks of a conversation in which nothing has to be asked twice."""
    parts = Cast(
        formulator=FormulatorRehearsed(), stylist=StylistRehearsed(), user=UserRehearsed(UserByRules(ScriptedUser(atlas.stray))),
        assistant=AssistantRehearsed(), distractor=NoiseRehearsed(NoiseByRules(atlas.distractor)),
        pool=scripted_pool(), backend="",
    )  # fmt: skip
    return _calls(converse(opening, parts, atlas.rules, seed))


def _calls(steps: Steps[Trajectory]) -> list[Ask]:
    found = []
    try:
        call = next(steps)
        while True:
            found.append(call.ask)
            call = steps.send(Reply(call.ask.id, ""))
    except StopIteration:
        return found


@dataclass(frozen=True)
class FormulatorRehearsed:
    """Asks for an instruction, and has the scripted one."""

    def formulate(self, persona: GymPersona, rng: Random) -> Steps[str]:
        """See `talk.Formulator`."""
        yield Call("formulator", asks.formulator_ask(persona, 0))
        return (yield from FormulatorByRules().formulate(persona, rng))


@dataclass(frozen=True)
class StylistRehearsed:
    """Asks for an adapted query, and has the scripted one."""

    def adapt(self, query: Query, persona: GymPersona, how: How, length: str, target: int, rng: Random) -> Steps[Adapted]:
        """See `talk.Stylist`."""
        if how != "plain":
            yield Call("stylist", asks.stylist_ask(query, persona, how, length, target, 0))
        return (yield from StylistByRules().adapt(query, persona, how, length, target, rng))


@dataclass(frozen=True)
class UserRehearsed:
    """Asks for a reaction, and has the scripted one."""

    user: UserByRules

    def feedback(self, persona: GymPersona, transcript: Sequence[Message], moment: Moment, rng: Random) -> Steps[Feedback]:
        """See `talk.User`."""
        yield Call("user", asks.user_ask("user", persona, transcript, moment, 0))
        return (yield from self.user.feedback(persona, transcript, moment, rng))


@dataclass(frozen=True)
class AssistantRehearsed:
    """Asks for an answer, and has the scripted one."""

    def answer(self, model: str, transcript: Sequence[Message], rng: Random) -> Steps[str]:
        """See `talk.Assistant`."""
        yield Call("assistant", asks.assistant_ask("assistant", transcript, 0))
        return (yield from AssistantByRules().answer(model, transcript, rng))


@dataclass(frozen=True)
class NoiseRehearsed:
    """Asks for the meaning of a message and for noise where the scripted distractor adds some."""

    noise: NoiseByRules

    def noised(
        self, text: str, manner: Register, persona: GymPersona, known: tuple[str, ...], rng: Random
    ) -> Steps[Noise | None]:
        """See `talk.Distracts`."""
        noise = yield from self.noise.noised(text, manner, persona, known, rng)
        if noise:
            yield Call("distractor", asks.meaning_ask("meaning", text, 0))
            chosen = tuple(noise.applied_strategies)
            yield Call("distractor", asks.noise_ask("noise", text, extract(text), persona, noise.layer, chosen, 0))
        return noise
