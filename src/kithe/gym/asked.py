"""The cast that language models play, and the loop that keeps many conversations waiting for them at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random
from typing import Any, Generic

from kithe.errors import unknown
from kithe.gym import asks
from kithe.gym.noise.distractor import LAYERS, Distractor, Noise, Semantics
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
class Formulator:
    """The instruction of an ideal assistant by a model."""

    def formulate(self, persona: GymPersona, rng: Random) -> Steps[str]:
        """See `talk.Formulator`."""
        return (yield from answered(Call("formulator", asks.formulator_ask(persona, _seed(rng))), asks.formulator_reader))


@dataclass(frozen=True)
class Stylist:
    """Adapts queries by a model; plain ones stay plain."""

    def adapt(self, query: Query, persona: GymPersona, how: How, length: str, target: int, rng: Random) -> Steps[Adapted]:
        """See `talk.Stylist`."""
        if how == "plain":
            return ScriptedStylist().adapt(query, persona, how, length, target, rng)
        ask = asks.stylist_ask(query, persona, how, length, target, _seed(rng))
        return (yield from answered(Call("stylist", ask), asks.stylist_reader(query, how, length)))


@dataclass(frozen=True)
class User:
    """Reacts by a model; the rules of the turns hold whatever it says."""

    def feedback(self, persona: GymPersona, transcript: Sequence[Message], moment: Moment, rng: Random) -> Steps[Feedback]:
        """See `talk.User`."""
        ask = asks.user_ask(f"{persona.id}/user/{moment.turn}", persona, transcript, moment, _seed(rng))
        return (yield from answered(Call("user", ask), asks.user_reader(persona, moment)))


@dataclass(frozen=True)
class Assistant:
    """Answers by the model of the pool that the conversation is locked to."""

    def answer(self, model: str, transcript: Sequence[Message], rng: Random) -> Steps[str]:
        """See `talk.Assistant`."""
        call = Call("assistant", asks.assistant_ask(f"assistant/{len(transcript)}", transcript, _seed(rng)), model)
        return _given(call, (yield call)).text


@dataclass(frozen=True)
class Noises:
    """Noise by a model: the coin, the layer and the strategies are drawn as for noise by rules, and so are the checks."""

    distractor: Distractor = field(default_factory=Distractor)

    def noised(
        self, text: str, manner: Register, persona: GymPersona, known: tuple[str, ...], rng: Random
    ) -> Steps[Noise | None]:
        """See `talk.Distracts`."""
        plan = self.distractor
        if rng.random() >= plan.rate:
            return None
        layer = rng.choices(LAYERS, [plan.layers.get(name, 0.0) for name in LAYERS])[0]
        chosen = tuple(plan.chosen(layer, rng))
        first = Call("distractor", asks.meaning_ask(f"{persona.id}/meaning", text, _seed(rng)))
        meaning = yield from answered(first, asks.meaning_reader(text, known))
        ask = asks.noise_ask(f"{persona.id}/noise", text, meaning, persona, layer, chosen, _seed(rng))
        noisy = yield from answered(Call("distractor", ask), asks.noise_reader(text, meaning, layer))
        return Noise(
            original_text=text, noisy_text=noisy, layer=layer, layer_index=LAYERS.index(layer) + 1, applied_strategies=chosen,
            extracted_semantics=Semantics(intent=meaning.intent, slots=meaning.slots, compressed_text=meaning.compressed),
            metadata={"register": manner, "backend": "model"},
        )  # fmt: skip


def cast(pool: Locks, distractor: Distractor | None = None, backend: str = "model") -> Cast:
    """The cast that models play."""
    return Cast(Formulator(), Stylist(), User(), Assistant(), Noises(distractor or Distractor()), pool, backend)


@dataclass
class Account:
    """What a run asked for, by part, and what could not be used, by part and reason."""

    calls: Counter[str] = field(default_factory=Counter)
    prompt_tokens: Counter[str] = field(default_factory=Counter)
    new_tokens: Counter[str] = field(default_factory=Counter)
    cost: float = 0.0
    discarded: Counter[tuple[str, str]] = field(default_factory=Counter)

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


def run(
    conversations: Iterable[Steps[T]], clients: Mapping[str, Client], account: Account, together: int = 64
) -> Iterator[T | Discarded]:
    """The values of conversations, or why one cannot be used, as they end.

    Args:
        conversations: taken a bounded number at a time.
        clients: by the model that a call names, otherwise by its part.
        account: what is asked is counted here.
        together: how many wait for a model at once.

    Raises:
        ConfigError: a call's part has no client.
    """
    source, waiting = iter(conversations), list[_Open[T]]()
    while True:
        for steps in islice(source, max(0, together - len(waiting))):
            yield from _advance(steps, None, waiting, account)
        if not waiting:
            return
        asked, waiting = waiting, []
        for found, reply in _replies(asked, clients):
            account.add(found.call.part, reply)
            yield from _advance(found.steps, reply, waiting, account)


def _replies(asked: Sequence[_Open[T]], clients: Mapping[str, Client]) -> Iterator[tuple[_Open[T], Reply]]:
    groups: dict[str, list[int]] = {}
    for place, found in enumerate(asked):
        name = found.call.model if found.call.model in clients else found.call.part
        if name not in clients:
            raise unknown("client for a part of the conversations", name, clients)
        groups.setdefault(name, []).append(place)
    for name, places in groups.items():
        numbered: list[Ask] = [replace(asked[place].call.ask, id=str(place)) for place in places]
        for reply in clients[name].complete(numbered):
            yield asked[int(reply.id)], reply


def _advance(steps: Steps[T], reply: Reply | None, waiting: list[_Open[T]], account: Account) -> Iterator[T | Discarded]:
    try:
        call: Any = next(steps) if reply is None else steps.send(reply)
    except StopIteration as end:
        yield end.value
    except Discarded as why:
        account.discarded[why.part, why.reason] += 1
        yield why
    else:
        waiting.append(_Open(steps, call))
