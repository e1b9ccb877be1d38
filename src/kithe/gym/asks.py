"""What the parts ask of a language model, and how its answers are read: pure functions over the prompts in `prompts/`."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic import Field

from kithe.gym.bank import bank
from kithe.gym.noise.distractor import CHECKS, Layer
from kithe.gym.noise.meaning import Meaning, extract, has_word, lost
from kithe.gym.queries import Query
from kithe.gym.sampling import GymPersona
from kithe.gym.style import SHOWN, count_words
from kithe.gym.stylist import LENGTHS, Adapted
from kithe.gym.user import CURIOSITY, Feedback, Moment, stage
from kithe.llm.client import Ask
from kithe.llm.ladder import Problem, Read, Reading, record_reader
from kithe.records.base import Record
from kithe.records.chat import Message

_STAGES: Final = {
    "explore": "You may ask on freely.",
    "last": "You have patience for one more message, and only for something that matters.",
    "over": "You have no patience left: you are satisfied, whatever the answer is like.",
}
_ASPECTS: Final = {
    2: "one aspect",
    3: "two aspects",
    4: "three aspects that hang together",
    5: "several aspects that depend on each other",
}
_LAYER_RULES: Final[Mapping[Layer, str]] = {
    "surface": "The meaning stays: keep the verb of what is wanted and every slot word by word.",
    "incomplete information": "Keep the verb of what is wanted; at least one slot must be gone or vague.",
    "semantic ambiguity": "It must hold a further request, beside its own, or two conditions that cannot both be.",
}
_MOST: Final = 120  # words of an instruction
_SLACK: Final = 0.25  # by which a model may miss a band of words


class Styled(Record):
    """A stylist's answer."""

    adapted_query: str = Field(min_length=1)
    inferred_domain: str
    inferred_scenario: str


class Reaction(Record):
    """A user agent's answer."""

    satisfied: bool
    feedback: str | None = None
    violated_dims: tuple[str, ...] = ()
    satisfied_dims: tuple[str, ...] = ()
    serves_dim: str | None = None


class Understood(Record):
    """An answer on what a message means."""

    intent: str
    slots: tuple[str, ...] = ()
    compressed: str = ""


class Rewritten(Record):
    """A noise writer's answer."""

    noisy_text: str = Field(min_length=1)


@cache
def prompt(name: str) -> str:
    """The text of a prompt; slots are in braces."""
    return (files("kithe.gym") / "prompts" / f"{name}.txt").read_text("utf-8").strip()


def traits(persona: GymPersona) -> str:
    """A persona in half sentences."""
    return "; ".join(bank().by_name[name].phrase(persona.said(name)) for name in persona.values)


def _ask(identity: str, text: str, model: type[Record] | None, seed: int, temperature: float, tokens: int) -> Ask:
    schema: dict[str, Any] | None = model.model_json_schema() if model else None
    return Ask(identity, (Message(role="user", content=text),), schema, tokens, temperature, 0.9, seed)


def formulator_ask(persona: GymPersona, seed: int) -> Ask:
    """Asks for the instruction that an ideal assistant of this user would have; kept beside the persona, never shown to one."""
    text = prompt("formulator").format(traits=traits(persona), most=_MOST)
    return _ask(f"{persona.id}/formulator", text, None, seed, 0.7, 300)


def formulator_reader(text: str) -> Reading[str] | Problem:
    """Reads an instruction: there is one, and it is about as short as was asked for."""
    words = count_words(text)
    if not 0 < words <= _MOST * (1 + _SLACK):
        return Problem(f"the instruction has {words} words; write 1 to {_MOST}")
    return Reading(text.strip())


def stylist_ask(query: Query, persona: GymPersona, how: str, length: str, target: int, seed: int) -> Ask:
    """Asks for a query in the words of a persona."""
    low, high = LENGTHS[length]
    over = bank().by_name
    text = prompt(f"stylist_{how}").format(
        traits=traits(persona), slots="; ".join(query.slots), low=low, high=high, query=query.text,
        aspects=_ASPECTS[min(5, max(2, target))], domains=list(over["domain"].values), scenarios=list(over["scenario"].values),
    )  # fmt: skip
    return _ask(f"{query.id}/{persona.id}/stylist", text, Styled, seed, 0.7, 600)


def stylist_reader(query: Query, how: str, length: str) -> Read[Adapted]:
    """Reads an adapted query: its slots are there, it is about as long as wanted, domain and scenario are of the bank."""
    low, high = LENGTHS[length]

    def check(styled: Styled) -> Adapted | Problem:
        missing = lost(query.slots, query.text, styled.adapted_query)
        words = count_words(styled.adapted_query)
        if missing:
            return Problem(f"these are missing in adapted_query, word by word: {'; '.join(missing)}")
        most = max(high * (1 + _SLACK), count_words(query.text))  # all of its slots have room in the query as it was
        if not low * (1 - _SLACK) <= words <= most:
            return Problem(f"adapted_query has {words} words; write {low} to {high}")
        for name, value in (("domain", styled.inferred_domain), ("scenario", styled.inferred_scenario)):
            if value not in bank().by_name[name].values:
                return Problem(f"inferred_{name} is none of those listed")
        used: Any = "full" if how == "full" else "partial"
        return Adapted(text=styled.adapted_query, how=used, domain=styled.inferred_domain, scenario=styled.inferred_scenario)

    return _checked(Styled, check)


def user_ask(identity: str, persona: GymPersona, transcript: Sequence[Message], moment: Moment, seed: int) -> Ask:
    """Asks for a user's reaction to the last answer."""
    lines = "\n".join(f"{'You' if message.role == 'user' else 'Assistant'}: {message.content}" for message in transcript)
    names = ", ".join((*wishes(persona), CURIOSITY))
    text = prompt("user").format(traits=traits(persona), stage=_STAGES[stage(moment)], transcript=lines, names=names)
    return _ask(identity, text, Reaction, seed, 0.8, 256)


def wishes(persona: GymPersona) -> tuple[str, ...]:
    """The dimensions of a persona that a message can be about."""
    return tuple(name for name in persona.values if name in SHOWN or bank().by_name[name].kind == "constraint")


def user_reader(persona: GymPersona, moment: Moment) -> Read[Feedback]:
    """Reads a reaction; least and target turns hold whatever the model says, and a message is about a wish the user has.

    What is violated or fulfilled is the model's own judgement; a wish that it names as both is violated.
    """
    own = wishes(persona)
    names = (*own, CURIOSITY)

    def check(said: Reaction) -> Feedback | Problem:
        judged = {
            "violated": tuple(n for n in own if n in said.violated_dims),
            "fulfilled": tuple(n for n in own if n in said.satisfied_dims and n not in said.violated_dims),
        }
        if stage(moment) == "over":
            return Feedback(satisfied=True, **judged)
        if said.satisfied and moment.turn >= moment.least:
            return Feedback(satisfied=True, **judged)
        text = (said.feedback or "").strip()
        if not text:
            return Problem("feedback is missing: write the next message, it is too early to stop")
        if named := [name for name in names if name in text]:
            return Problem(f"feedback names {named[0]}; put the wish in the user's own words")
        if said.serves_dim not in names:
            return Problem(f"serves_dim is none of: {', '.join(names)}")
        reveals = (said.serves_dim,) if said.serves_dim != CURIOSITY else ()
        return Feedback(satisfied=False, text=text, serves=(said.serves_dim,), reveals=reveals, **judged)

    return _checked(Reaction, check)


def assistant_ask(identity: str, transcript: Sequence[Message], seed: int) -> Ask:
    """Asks for the next answer: a general instruction and the transcript, and nothing else."""
    return Ask(identity, (Message(role="system", content=prompt("assistant")), *transcript), None, 1024, 0.7, 0.9, seed)


def meaning_ask(identity: str, text: str, seed: int) -> Ask:
    """Asks for intent and slots of a message."""
    return _ask(identity, prompt("meaning").format(text=text), Understood, seed, 0.0, 256)


def meaning_reader(text: str, known: tuple[str, ...] = ()) -> Read[Meaning]:
    """Reads intent and slots; what does not stand in the message, in whole words, is no slot of it.

    `known` slots are added where they stand. What else may be left out is found by rules, so that a message without slots can
    lose something too.
    """

    def check(said: Understood) -> Meaning | Problem:
        if said.intent and not has_word(text.lower(), said.intent.lower()):
            return Problem("intent is no word of the message")
        slots = tuple(dict.fromkeys(slot for slot in (*known, *said.slots) if slot and slot in text and has_word(text, slot)))
        soft = extract(text, slots).soft
        return Meaning(intent=said.intent.lower(), slots=slots, soft=soft, compressed=said.compressed)

    return _checked(Understood, check)


def noise_ask(
    identity: str, text: str, meaning: Meaning, persona: GymPersona, layer: Layer, strategies: Sequence[str], seed: int
) -> Ask:
    """Asks for a noisier message."""
    details = meaning.slots or meaning.soft
    body = prompt("noise").format(
        traits=traits(persona), text=text, meaning=f"{meaning.intent} ({'; '.join(details) or 'no slots'})",
        strategies=", ".join(strategies), rule=_LAYER_RULES[layer],
    )  # fmt: skip
    return _ask(identity, body, Rewritten, seed, 0.9, 400)


def noise_reader(text: str, meaning: Meaning, layer: Layer) -> Read[str]:
    """Reads a noisier message, under the same post-condition as noise by rules."""

    def check(said: Rewritten) -> str | Problem:
        if said.noisy_text.split() == text.split():
            return Problem("noisy_text is the message as it was")
        return said.noisy_text if CHECKS[layer](meaning, text, said.noisy_text) else Problem(_LAYER_RULES[layer])

    return _checked(Rewritten, check)


def _checked(model: type[Any], check: Any) -> Read[Any]:
    """Reads a record and hands it to `check`."""
    first = record_reader(model)

    def read(text: str) -> Reading[Any] | Problem:
        found = first(text)
        if isinstance(found, Problem):
            return found
        value = check(found.value)
        return value if isinstance(value, Problem) else Reading(value, found.rung)

    return read
