"""The cast that language models play, and the loop that keeps many conversations waiting for them at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random
from typing import Any, Generic

from kithe.errors import unknown
from kithe.gym import asks
from kithe.gym.noise.distractor import Distractor, Noise, recorded
from kithe.gym.noise.surface import Register
from kithe.gym.queries import Query
from kithe.gym.records import How
from kithe.gym.sampling import GymPersona
from kithe.gym.stylist import Adapted, ScriptedStylist
from kithe.gym.talk import Call, Cast, Discarded, Locks, Part, Steps, T
from kithe.gym.user import Feedback, Moment
from kithe.llm.client import Ask, Client, Reply
from kithe.llm.ladder import Problem, Read
from kithe.records.chat import Message


def answered(call: Call, read: Read[T]) -> Steps[T]:
    """The value of a model's answer; a useless one is asked for once more, with what is wrong.

    Raises:
        Discarded: there is no answer, or it is useless twice.
    """
    reply = _given(call, (yield call))
    found = read(reply.text)
    if isinstance(found, Problem):
        wish = f"That cannot be used: {found.message}. Answer again, complete and corrected."
        more = (Message(role="assistant", content=reply.text or "(nothing)"), Message(role="user", content=wish))
        reply = _given(call, (yield replace(call, ask=replace(call.ask, messages=(*call.ask.messages, *more)))))
        found = read(reply.text)
    if isinstance(found, Problem):
        raise Discarded(call.part, found.message, reply.text)
    return found.value


def _given(call: Call, reply: Reply) -> Reply:
    if reply.failure is not None:
        raise Discarded(call.part, reply.failure.reason, reply.text)
    return reply


def _seed(rng: Random) -> int:
    return rng.getrandbits(31)


@dataclass(frozen=True)
class FormulatorByModel:
    """The instruction of an ideal assistant by a model."""

    def formulate(self, persona: GymPersona, rng: Random) -> Steps[str]:
        """See `talk.Formulator`."""
        return (yield from answered(Call("formulator", asks.formulator_ask(persona, _seed(rng))), asks.formulator_reader))


@dataclass(frozen=True)
class StylistByModel:
    """Adapts queries by a model; plain ones stay plain."""

    def adapt(self, query: Query, persona: GymPersona, how: How, length: str, target: int, rng: Random) -> Steps[Adapted]:
        """See `talk.Stylist`."""
        if how == "plain":
            return ScriptedStylist().adapt(query, persona, how, length, target, rng)
        ask = asks.stylist_ask(query, persona, how, length, target, _seed(rng))
        return (yield from answered(Call("stylist", ask), asks.stylist_reader(query, how, length)))


@dataclass(frozen=True)
class UserByModel:
    """Reacts by a model; the rules of the turns hold whatever it says."""

    def feedback(self, persona: GymPersona, transcript: Sequence[Message], moment: Moment, rng: Random) -> Steps[Feedback]:
        """See `talk.User`."""
        ask = asks.user_ask(f"{persona.id}/user/{moment.turn}", persona, transcript, moment, _seed(rng))
        return (yield from answered(Call("user", ask), asks.user_reader(persona, moment)))


@dataclass(frozen=True)
class AssistantByModel:
    """Answers by the model of the pool that the conversation is locked to."""

    def answer(self, model: str, transcript: Sequence[Message], rng: Random) -> Steps[str]:
        """See `talk.Assistant`."""
        call = Call("assistant", asks.assistant_ask(f"assistant/{len(transcript)}", transcript, _seed(rng)), model)
        return _given(call, (yield call)).text


@dataclass(frozen=True)
class NoiseByModel:
    """Noise by a model: what is to be done is drawn as for noise by rules, under the same post-conditions of the layers.

    That each strategy shows is the model's word; only noise by rules is looked through for what each of them leaves.
    """

    distractor: Distractor = field(default_factory=Distractor)

    def noised(
        self, text: str, manner: Register, persona: GymPersona, known: tuple[str, ...], rng: Random
    ) -> Steps[Noise | None]:
        """See `talk.Distracts`."""
        if not (plan := self.distractor.plan(rng)):
            return None
        layer, chosen = plan
        first = Call("distractor", asks.meaning_ask(f"{persona.id}/meaning", text, _seed(rng)))
        meaning = yield from answered(first, asks.meaning_reader(text, known))
        ask = asks.noise_ask(f"{persona.id}/noise", text, meaning, persona, layer, chosen, _seed(rng))
        noisy = yield from answered(Call("distractor", ask), asks.noise_reader(text, meaning, layer))
        return recorded(text, noisy, layer, chosen, meaning, register=manner, backend="model")


def cast(pool: Locks, distractor: Distractor | None = None, backend: str = "model") -> Cast:
    """The cast that models play."""
    return Cast(
        formulator=FormulatorByModel(), stylist=StylistByModel(), user=UserByModel(), assistant=AssistantByModel(),
        distractor=NoiseByModel(distractor or Distractor()), pool=pool, backend=backend,
    )  # fmt: skip


@dataclass
class Account:
    """What a run asked for, by part."""

    calls: Counter[str] = field(default_factory=Counter)
    prompt_tokens: Counter[str] = field(default_factory=Counter)
    new_tokens: Counter[str] = field(default_factory=Counter)
    cost: float = 0.0

    def add(self, part: Part, reply: Reply) -> None:
        """Count a reply."""
        self.calls[part] += 1
        self.prompt_tokens[part] += reply.prompt_tokens
        self.new_tokens[part] += reply.new_tokens
        self.cost += reply.cost


@dataclass
class _Open(Generic[T]):
    steps: Steps[T]
    call: Call


@dataclass(frozen=True)
class Clients:
    """Whom to ask.

    Attributes:
        parts: by part of the conversation.
        assistants: by the assistant that a call names; whatever they are called, no part is mixed up with them.
    """

    parts: Mapping[str, Client]
    assistants: Mapping[str, Client] = field(default_factory=dict)

    def of(self, call: Call) -> Client:
        """Who answers a call.

        Raises:
            ConfigError: nobody plays the part.
        """
        if call.model in self.assistants:
            return self.assistants[call.model]
        if call.part not in self.parts:
            raise unknown("client for a part of the conversations", call.part, self.parts)
        return self.parts[call.part]


def run(
    conversations: Iterable[Steps[T]], clients: Clients, account: Account, together: int = 64
) -> Iterator[T | Discarded]:  # fmt: skip
    """The values of conversations, or why one cannot be used, as they end.

    Args:
        conversations: taken a bounded number at a time.
        clients: who is asked.
        account: what is asked is counted here.
        together: how many wait for a model at once.

    Raises:
        ConfigError: a call's part has no client.
    """
    source, waiting = iter(conversations), list[_Open[T]]()
    while True:
        for steps in islice(source, max(0, together - len(waiting))):
            yield from _advance(steps, None, waiting)
        if not waiting:
            return
        asked, waiting = waiting, []
        for found, reply in _replies(asked, clients):
            account.add(found.call.part, reply)
            yield from _advance(found.steps, reply, waiting)


def _replies(asked: Sequence[_Open[T]], clients: Clients) -> Iterator[tuple[_Open[T], Reply]]:
    groups: dict[int, tuple[Client, list[int]]] = {}
    for place, found in enumerate(asked):
        client = clients.of(found.call)
        groups.setdefault(id(client), (client, []))[1].append(place)
    for client, places in groups.values():
        numbered: list[Ask] = [replace(asked[place].call.ask, id=str(place)) for place in places]
        for reply in client.complete(numbered):
            yield asked[int(reply.id)], reply


def _advance(steps: Steps[T], reply: Reply | None, waiting: list[_Open[T]]) -> Iterator[T | Discarded]:
    try:
        call: Any = next(steps) if reply is None else steps.send(reply)
    except StopIteration as end:
        yield end.value
    except Discarded as why:
        yield why
    else:
        waiting.append(_Open(steps, call))
