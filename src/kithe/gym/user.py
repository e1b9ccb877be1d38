"""The dynamic preference process (spec B, 3.6): what an answer does to each preference, and what the scripted user says of it.

A user does not list preferences. A preference comes up when an answer goes against it, so what an observer learns depends on the
assistant's answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from random import Random
from statistics import NormalDist
from typing import Final, Literal

import yaml

from kithe.errors import ConfigError, at_least
from kithe.gym import style
from kithe.gym.bank import bank
from kithe.gym.coherence import coherence
from kithe.gym.queries import aspects
from kithe.gym.sampling import GymPersona
from kithe.records.base import Record

Status = Literal["satisfied", "violated", "unrevealed"]
CURIOSITY: Final = "follow_up_tendency"  # the dimension behind a follow-up about the matter itself
_TOLERANT: Final = ("calmly", "lightly")  # values of error_tolerance that overlook one step on a scale
_SPEAKS: Final = {"hardly ever": 0.6, "when needed": 0.8, "often": 0.9, "until all is clear": 1.0}
_SPEAKS_UNKNOWN: Final = 0.85
_IMPORTANT: Final = {"length_pref": 3.0, "format_pref_primary": 3.0, "explanation_depth": 2.0, "example_pref": 2.0}


class Script(Record):
    """The texts of `user.yaml`."""

    cues: dict[str, dict[str, tuple[str, ...]]]
    frames: dict[str, tuple[str, ...]]
    praise: tuple[str, ...]
    curious: tuple[str, ...]
    openings: dict[str, tuple[str, ...]]
    background: tuple[str, ...]
    ideal: dict[str, str]


@cache
def script() -> Script:
    """The texts of the package.

    Raises:
        ConfigError: a cue is for what the bank does not hold.
    """
    found = Script.model_validate(yaml.safe_load((files("kithe.gym") / "user.yaml").read_text("utf-8")))
    for name, values in found.cues.items():
        for value in values:
            bank().check({name: value}, "user.yaml")
    return found


class Feedback(Record):
    """What a user decides after an answer.

    Attributes:
        satisfied: the talk is over.
        text: the follow-up; empty where satisfied.
        serves: the dimensions that the follow-up is about, the main one first.
        reveals: those of them whose wanted value can be read in it.
    """

    satisfied: bool
    text: str = ""
    serves: tuple[str, ...] = ()
    reveals: tuple[str, ...] = ()
    violated: tuple[str, ...] = ()
    fulfilled: tuple[str, ...] = ()


def statuses(persona: GymPersona, answer: str) -> dict[str, Status]:
    """What an answer does to each of a persona's wishes about answers.

    Violated: another value shows. On a scale, users who take mistakes calmly overlook a single step. Satisfied: otherwise.
    Unrevealed: a wish of kind constraint (or the tone) that no text shows, so nothing can be said of it.
    """
    shown = style.read(answer)
    slack = int(persona.values.get("error_tolerance") in _TOLERANT)
    found: dict[str, Status] = {}
    for name, wanted in persona.values.items():
        dimension = bank().by_name[name]
        if name in shown:
            off = abs(dimension.step(wanted) - dimension.step(shown[name]))
            found[name] = "violated" if off > (slack if dimension.ordered else 0) else "satisfied"
        elif dimension.kind == "constraint":
            found[name] = "unrevealed"
    return found


@dataclass(frozen=True)
class Turns:
    """How long talks are: a target drawn from Normal(mean, sd), rounded, from `low` to `high`; at least `least` answers."""

    mean: float = 3.0
    sd: float = 0.5
    low: int = 2
    high: int = 5
    least: int = 2

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: the deviation is negative, or least, lowest and highest are not in order.
        """
        at_least("turns.sd", self.sd, 0)
        if not 1 <= self.least <= self.high or not 1 <= self.low <= self.high:
            raise ConfigError(f"turns: 1 <= least={self.least} <= high={self.high} and 1 <= low={self.low} <= high")

    def target(self, rng: Random) -> int:
        """The number of answers a user has patience for."""
        return min(self.high, max(self.low, self.least, round(rng.gauss(self.mean, self.sd))))

    def law(self) -> dict[int, float]:
        """How likely each target is."""
        lowest = max(self.low, self.least)
        below = NormalDist(self.mean, self.sd).cdf if self.sd else lambda value: float(value > self.mean)
        ends = [0.0, *(below(turns + 0.5) for turns in range(lowest, self.high)), 1.0]
        return {lowest + place: high - low for place, (low, high) in enumerate(pairwise(ends))}


@dataclass(frozen=True)
class Moment:
    """Where a talk is: after answer `turn` of at most `target`, at least `least`, in a `domain`."""

    turn: int
    target: int
    least: int
    domain: str


def stage(moment: Moment) -> Literal["explore", "last", "over"]:
    """What a user may do: ask freely, ask one last question if it matters, or be content (spec B, 3.6)."""
    if moment.turn >= moment.target:
        return "over"
    return "last" if moment.turn == moment.target - 1 else "explore"


@dataclass(frozen=True)
class ScriptedUser:
    """A user who follows rules, with exact truth about what is violated and what is said.

    Attributes:
        stray: how often a follow-up also mentions a wish that is fulfilled.
    """

    stray: float = 0.1

    name = "scripted"

    def feedback(self, persona: GymPersona, answer: str, moment: Moment, said: Sequence[str], rng: Random) -> Feedback:
        """The decision after an answer.

        Args:
            persona: who the user is in this session.
            answer: the assistant's last text.
            moment: where the talk is.
            said: the user's messages so far, so that nothing is asked twice in the same words.
            rng: where every choice comes from.
        """
        status = statuses(persona, answer)
        violated = tuple(name for name, own in status.items() if own == "violated")
        fulfilled = tuple(name for name, own in status.items() if own == "satisfied")
        served = self._serves(persona, violated, moment, rng)
        decided = Feedback(satisfied=True, violated=violated, fulfilled=fulfilled)
        if moment.turn < moment.least and not served and stage(moment) != "over":
            return decided.model_copy(
                update={"satisfied": False, "text": curious(moment.domain, said, rng), "serves": (CURIOSITY,)}
            )
        if not served:
            return decided
        parts = [
            wish(persona, name, said, rng) if place == 0 else f"Also {cue(persona, name, said, rng)}."
            for place, name in enumerate(served)
        ]
        if fulfilled and rng.random() < self.stray:
            served = (*served, rng.choice(fulfilled))
            parts.append(rng.choice(script().praise).format(cue=cue(persona, served[-1], said, rng)))
        return decided.model_copy(update={"satisfied": False, "text": " ".join(parts), "serves": served, "reveals": served})

    def _serves(self, persona: GymPersona, violated: Sequence[str], moment: Moment, rng: Random) -> tuple[str, ...]:
        where = stage(moment)
        if where == "over" or not violated:
            return ()
        important = [name for name in violated if name in _IMPORTANT]
        if where == "last" and not important and moment.turn >= moment.least:
            return ()
        if rng.random() >= _SPEAKS.get(persona.values.get("follow_up_tendency", ""), _SPEAKS_UNKNOWN):
            return ()
        left, chosen = list(violated), []
        for _ in range(2 if persona.values.get("multi_intent_rate") == "often" else 1):
            if left:
                chosen += rng.choices(left, [_IMPORTANT.get(name, 1.0) for name in left])
                left.remove(chosen[-1])
        return tuple(chosen)


def cue(persona: GymPersona, name: str, said: Sequence[str], rng: Random) -> str:
    """A clause that asks for the persona's value of a dimension, in words not used before where there are any."""
    clauses = script().cues[name][persona.values[name]]
    fresh = [clause for clause in clauses if not any(clause in text.lower() for text in said)]
    return rng.choice(fresh or clauses)


def wish(persona: GymPersona, name: str, said: Sequence[str], rng: Random) -> str:
    """A follow-up that asks for the persona's value of a dimension, in the persona's way of putting things."""
    clause, frames = cue(persona, name, said, rng), script().frames
    manner = register(persona)
    way = manner if manner in ("casual", "formal") and rng.random() < 0.5 else persona.values.get("feedback_style", manner)
    return rng.choice(frames[way]).format(cue=clause, Cue=clause[0].upper() + clause[1:])


def curious(domain: str, said: Sequence[str], rng: Random) -> str:
    """A follow-up about the matter itself."""
    own = aspects()[domain]
    fresh = [aspect for aspect in own if not any(aspect in text for text in said)]
    return rng.choice(script().curious).format(aspect=rng.choice(fresh or own))


def register(persona: GymPersona) -> Literal["casual", "formal", "plain"]:
    """How a persona writes: as formally as it wants to be answered; by age and tone where that is not known."""
    level = persona.values.get("formality_level")
    if level in ("formal", "very formal") or (level is None and persona.values.get("tone_pref") in ("formal", "diplomatic")):
        return "formal"
    young = persona.values.get("age_band") in ("under 18", "18-24")
    if level in ("casual", "very casual") or (level is None and young):
        return "casual"
    return "plain"


def instruction(persona: GymPersona, rng: Random) -> str:
    """What an ideal assistant of a user would be told: how answers are to be, and nothing of who asks."""
    wanted = [cue(persona, name, (), rng) for name in style.SHOWN if name in persona.values]
    more = [text.format(value=persona.said(name)) for name, text in script().ideal.items() if name in persona.values]
    return " ".join(["Answer the way this user likes it.", *(f"{clause[0].upper()}{clause[1:]}." for clause in wanted), *more])


def drifted(values: Mapping[str, str], rate: float, rng: Random) -> tuple[dict[str, str], tuple[str, ...]]:
    """The values after the time between two sessions, and which changed: wishes about answers only.

    Each changes with probability `rate`, to one of its `moves`, all as likely; it stays where it has none.
    """
    now, changed = dict(values), []
    for name in style.SHOWN:
        if name in values and rng.random() < rate and (found := moves(name, now)):
            now[name] = rng.choice(found)
            changed.append(name)
    return now, tuple(changed)


def moves(name: str, values: Mapping[str, str]) -> list[str]:
    """The values that a wish may change to: on a scale one step away, otherwise any other.

    None with which a persona goes against more hard rules than before: who is coherent stays so.
    """
    dimension = bank().by_name[name]
    place, most = dimension.step(values[name]), 1 if dimension.ordered else len(dimension.values)
    others = [value for n, value in enumerate(dimension.values) if 0 < abs(n - place) <= most]
    before = coherence().broken(values)
    return [value for value in others if coherence().broken({**values, name: value}) <= before]
