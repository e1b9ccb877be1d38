"""The query stylist: a seed query in the words of a persona, as long and as involved as wanted (spec B, 3.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from statistics import NormalDist
from typing import Final

from kithe.errors import ConfigError, at_least
from kithe.gym.bank import bank
from kithe.gym.queries import Query, aspects
from kithe.gym.records import How
from kithe.gym.sampling import GymPersona
from kithe.gym.style import count_words
from kithe.gym.user import register, script
from kithe.records.base import Record

LENGTH: Final = "query_length_pref"  # how long somebody's messages are
LENGTHS: Final[Mapping[str, tuple[int, int]]] = {  # words of an opening message
    "very short": (10, 20), "short": (20, 40), "medium": (40, 80), "long": (80, 150), "very long": (150, 250)}  # fmt: skip
_SCENARIOS: Final = {
    **dict.fromkeys(("plan", "outline", "pack", "prepare"), "planning"),
    **dict.fromkeys(("fix", "find", "correct"), "troubleshooting"),
    **dict.fromkeys(("compare", "choose", "decide", "check"), "making a decision"),
    **dict.fromkeys(("explain", "describe", "prove", "solve"), "learning"),
    **dict.fromkeys(("suggest", "design", "recommend"), "brainstorming"),
    **dict.fromkeys(("draft", "write", "calculate", "review", "convert", "rewrite"), "at work on a task"),
}


class Adapted(Record):
    """An opening message; `dimensions` are those of the persona that it was adapted to."""

    text: str
    how: How
    domain: str
    scenario: str
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Styling:
    """How often and how long.

    Attributes:
        rate: how likely a query is adapted at all (rho).
        full: how likely all of the persona is used then; otherwise 2 to 4 of its dimensions.
        mean, sd: of the normal distribution whose rounded values are the classes of length, from 0.
    """

    rate: float = 0.5
    full: float = 0.5
    mean: float = 1.5
    sd: float = 1.0

    def __post_init__(self) -> None:
        """Check the rates.

        Raises:
            ConfigError: one is no probability.
        """
        for name in ("rate", "full"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"styling.{name}={getattr(self, name)}: it is a probability, from 0 to 1")
        at_least("styling.sd", self.sd, 0)

    def length(self, rng: Random, wish: str | None = None) -> str:
        """A class of length, by how long somebody's messages are (`wish`; none of those in the bank: anybody's)."""
        return rng.choices(list(LENGTHS), list(self.law(wish).values()))[0]

    def law(self, wish: str | None = None) -> dict[str, float]:
        """How likely each class of length is.

        Each of the four wishes has its quarter of the distribution, the shortest the lowest, so that all together, where they are
        equally frequent, have the whole.
        """
        ends = [0.0, *(self._below(place + 0.5) for place in range(len(LENGTHS) - 1)), 1.0]
        wishes = bank().by_name[LENGTH].values
        low, high = 0.0, 1.0
        if wish in wishes:
            low, high = wishes.index(wish) / len(wishes), (wishes.index(wish) + 1) / len(wishes)
        return {
            name: max(0.0, min(end, high) - max(start, low)) / (high - low)
            for name, (start, end) in zip(LENGTHS, pairwise(ends), strict=True)
        }

    def _below(self, value: float) -> float:
        return NormalDist(self.mean, self.sd).cdf(value) if self.sd else float(value > self.mean)

    def how(self, rng: Random) -> How:
        """Whether a query is adapted, and by how much of the persona."""
        if rng.random() >= self.rate:
            return "plain"
        return "full" if rng.random() < self.full else "partial"


def inferred(query: Query) -> tuple[str, str]:
    """Domain and scenario of a query."""
    return query.domain, _SCENARIOS.get(query.intent, "just curious")


def chosen(persona: GymPersona, how: How, rng: Random) -> tuple[str, ...]:
    """The dimensions that a query is adapted to."""
    names = tuple(persona.values)
    if how == "partial":
        return tuple(rng.sample(names, min(len(names), rng.randint(2, 4))))
    return names if how == "full" else ()


@dataclass(frozen=True)
class ScriptedStylist:
    """Adapts by rules: who somebody is shows in how they write, and is never said."""

    name = "scripted"

    def adapt(self, query: Query, persona: GymPersona, how: How, length: str, target: int, rng: Random) -> Adapted:
        """The opening message.

        Args:
            query: what is wanted; its request is kept word by word, and so is what goes with it where slots stand there.
            persona: who asks.
            how: see `chosen`.
            length: one of `LENGTHS`.
            target: the turns the talk shall have; more turns, more aspects (2: one, 5: four).
            rng: where every choice comes from.
        """
        domain, scenario = inferred(query)
        if how == "plain":
            return Adapted(text=query.text, how=how, domain=domain, scenario=scenario)
        names = chosen(persona, how, rng)
        seen = persona.model_copy(update={"values": {name: persona.values[name] for name in names}})
        needed = "" if query.ask_slots == query.slots else f" {query.context}"
        text = _opened(query, _frames(seen), needed, LENGTHS[length], rng)
        more = [
            *([] if needed else [query.context]),
            *(f"Please also {aspect}." for aspect in rng.sample(aspects()[domain], min(5, target - 2))),
        ]
        background = list(script().background)
        rng.shuffle(background)
        text = lengthened(text, more, background, LENGTHS[length])
        return Adapted(text=text, how=how, domain=domain, scenario=scenario, dimensions=names)


def _frames(persona: GymPersona) -> tuple[str, ...]:
    openings = script().openings
    if persona.values.get("scenario") == "in a rush" or persona.values.get("time_sensitivity") == "right now":
        return openings["rush"]
    manner = register(persona)
    if manner == "casual" and persona.values.get("age_band") == "under 18":
        return openings["young"]
    return openings[manner]


def _opened(query: Query, frames: Sequence[str], needed: str, band: tuple[int, int], rng: Random) -> str:
    """The request in a frame with which it and the sentence `needed` are not too long, where there is one."""
    ask = f"{query.intent} {query.ask}"
    texts = [_framed(frame, ask) for frame in (*frames, *script().openings["plain"])]
    texts = [f"{text if text[-1] in '.?!' else f'{text}.'}{needed}" for text in texts]
    fitting = [text for text in texts[: len(frames)] if count_words(text) <= band[1]]
    return rng.choice(fitting) if fitting else min(texts, key=count_words)


def _framed(frame: str, ask: str) -> str:
    """A request in a frame, whose full stop is that of an abbreviation at its end."""
    text = frame.format(ask=ask, Ask=ask[0].upper() + ask[1:])
    return text.replace(f"{ask[1:]}.", ask[1:]) if ask.endswith(".") else text


def lengthened(text: str, wanted: Sequence[str], spare: Sequence[str], band: tuple[int, int]) -> str:
    """A text with the sentences that are wanted, as far as they fit, and then others until it is long enough."""
    words = count_words(text)
    for sentences, enough in ((wanted, band[1]), (spare, band[0])):
        for sentence in sentences:
            count = count_words(sentence)
            if words < enough and words + count <= band[1]:
                text, words = f"{text} {sentence}", words + count
    return text
