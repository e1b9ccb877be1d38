"""Targets for the cold start: a teacher that knows the hidden wishes, and filters that its targets must pass (spec C, 4.3)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from random import Random
from typing import Any, Final, Literal, Protocol

from kithe.errors import ConfigError, a_share, at_least
from kithe.gym.user import script
from kithe.llm.client import Ask, Client
from kithe.llm.ladder import Problem, json_reader, structured
from kithe.ppopt import output
from kithe.ppopt.answers import Assistant
from kithe.ppopt.rewards import task_reward
from kithe.ppopt.states import evidence, question, shown, state
from kithe.ppopt.texts import texts
from kithe.ppopt.verdicts import Pairs, outcomes, things_kept, wished
from kithe.records.chat import Message
from kithe.records.history import History

COPY: Final = 0.95  # similarity from which a target is a copy
SAMPLES: Final = 3


@dataclass(frozen=True)
class Target:
    """What a teacher wrote: lines `dimension = value (evidence)` and the rewritten message."""

    reasoning: str
    prompt: str


class Teacher(Protocol):
    """Writes targets."""

    @property
    def scripted(self) -> bool:
        """Whether a program writes."""

    def write(self, histories: Sequence[History]) -> list[Target | None]:
        """A target for each history, whose wishes it may read; None where it has none."""


@dataclass(frozen=True)
class Scripted:
    """Names those wishes that past messages show and that still hold, and adds a clause for each to the new message.

    Attributes:
        sessions: so many past sessions are read.
        characters: of every past message; as the task's format has it, so that nothing is taught that cannot be seen.
        notices: the chance of each of those wishes to be named, one at least; below 1 rewards have something to add.
        varied: whether a wish is asked for in words drawn anew each time, or always in the first of them.
    """

    sessions: int = 4
    characters: int = 500
    notices: float = 1.0
    varied: bool = True

    def __post_init__(self) -> None:
        """Check the chance.

        Raises:
            ConfigError: it is none.
        """
        if not 0 <= self.notices <= 1:
            raise ConfigError(f"data.cold.teacher.notices={self.notices}: from 0 (one wish) to 1 (all that are shown)")

    @property
    def scripted(self) -> bool:
        """A program writes."""
        return True

    def write(self, histories: Sequence[History]) -> list[Target | None]:
        """See `Teacher`."""
        return [self._target(history) for history in histories]

    def _target(self, history: History) -> Target | None:
        true = output.wishes(question(history).persona)
        known = {
            name: own
            for name, own in evidence(state(history, self.sessions, self.characters)).items()
            if true.get(name) == own[0]
        }
        if not known:
            return None
        ordered = self._noticed([name for name in output.wishes(true) if name in known], history.id)
        reasoning = "\n".join(f"{name} = {known[name][0]} ({known[name][1]})" for name in ordered)
        profile = {name: known[name][0] for name in ordered}
        return Target(reasoning, asking(question(history).text, profile, history.id if self.varied else None))

    def _noticed(self, names: Sequence[str], seed: str) -> list[str]:
        draw = Random(f"{seed}/noticed")
        return [name for name in names if draw.random() < self.notices] or [draw.choice(names)]


def asking(query: str, profile: Mapping[str, str], seed: str | None) -> str:
    """The message with a clause for every wish, in words drawn by `seed`; None: in the first there are."""
    draw = None if seed is None else Random(f"{seed}/clauses")
    ways = [script().cues[name][value] for name, value in profile.items() if value in script().cues.get(name, {})]
    clauses = [draw.choice(own) if draw else own[0] for own in ways]
    return " ".join([query, *(f"{clause[0].upper()}{clause[1:]}." for clause in clauses)])


@dataclass(frozen=True)
class Asked:
    """A language model that is shown the wishes and writes as if it had found them.

    Attributes:
        client: how it is reached, with a cache around it.
        temperature: of the draws.
        max_tokens: longest target.
        sessions, characters: as for `Scripted`.
    """

    client: Client
    temperature: float = 0.7
    max_tokens: int = 1024
    sessions: int = 4
    characters: int = 500

    @property
    def scripted(self) -> bool:
        """A model writes."""
        return False

    def write(self, histories: Sequence[History]) -> list[Target | None]:
        """See `Teacher`; an answer that is useless twice is no target."""
        asks = [
            Ask(str(number), (Message(role="user", content=self._text(history)),), _SCHEMA, self.max_tokens, self.temperature)
            for number, history in enumerate(histories)
        ]
        found: list[Target | None] = [None] * len(asks)
        for result in structured(self.client, asks, json_reader(_target)):
            found[int(result.ask.id)] = result.value
        return found

    def _text(self, history: History) -> str:
        return texts().teacher.format(wishes=wished(history), state=shown(state(history, self.sessions, self.characters)))


_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "profile": {"type": "object", "additionalProperties": {"type": "string"}},
        "reasoning": {"type": "string"},
        "prompt": {"type": "string"},
    },
    "required": ["profile", "reasoning", "prompt"],
    "additionalProperties": False,
}


def _target(value: Any) -> Target | Problem:
    if not isinstance(value, dict) or not isinstance(value.get("prompt"), str) or not value["prompt"].strip():
        return Problem("an object with profile, reasoning and prompt is wanted")
    reasoning = value.get("reasoning")
    lines = reasoning if isinstance(reasoning, str) else ""
    if not output.profile(lines) and isinstance(value.get("profile"), dict):
        lines = "\n".join(f"{name} = {own}" for name, own in value["profile"].items())
    found = output.profile(lines)
    if not found:
        return Problem("the reasoning has no line `dimension = value (evidence)`")
    return Target(lines, value["prompt"].strip())


@dataclass(frozen=True)
class Filters:
    """Which targets are worth learning: no copy, nothing lost, and a gain with the deployed model.

    Attributes:
        assistant: the deployed model.
        judge: who compares answers.
        samples: answers in which the target must win more often than it loses, each in both orders.
        edit: as the task's format has it; where answers are only what is added, a target that changes the message cannot be said.
    """

    assistant: Assistant
    judge: Pairs
    samples: int = SAMPLES
    edit: Literal["whole", "append"] = "whole"

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            ConfigError: there would be no answer to judge by.
        """
        at_least("data.cold.filters.samples", self.samples, 1)

    def passed(self, histories: Sequence[History], targets: Sequence[Target | None], lost: Counter[str]) -> list[Target | None]:
        """The targets that pass; those that do not are counted by reason."""
        reasons = [self._plain(history, target) for history, target in zip(histories, targets, strict=True)]
        open_ones = [number for number, reason in enumerate(reasons) if reason is None]
        cases = [(histories[number], own) for number in open_ones if (own := targets[number]) is not None]
        for number, rate in zip(open_ones, self.gains(cases), strict=True):
            reasons[number] = "no measurable gain" if rate <= 0.5 else None
        lost.update(reason for reason in reasons if reason)
        return [None if reason else target for target, reason in zip(targets, reasons, strict=True)]

    def _plain(self, history: History, target: Target | None) -> str | None:
        if target is None:
            return "no target"
        query = question(history).text
        if self.edit == "append" and not target.prompt.startswith(query):
            return "changes the message instead of adding to it"
        if SequenceMatcher(None, query.lower(), target.prompt.lower(), autojunk=False).ratio() >= COPY:
            return "copies the message"
        return "generalises the message" if things_kept(query, target.prompt) < 1 else None

    def gains(self, cases: Sequence[tuple[History, Target]]) -> list[float]:
        """The win rate of each target's answers over those to the message; a tie, no verdict and no answer are half a win."""
        won = [0.0] * len(cases)
        for sample in range(self.samples):
            names = [f"{history.id}/{sample}" for history, _ in cases]
            before = self.assistant.answers([(name, question(own).text) for name, (own, _) in zip(names, cases, strict=True)])
            after = self.assistant.answers([(name, own.prompt) for name, (_, own) in zip(names, cases, strict=True)])
            told = [number for number in range(len(cases)) if before[number] and after[number]]
            asked = [(cases[number][0], before[number] or "", after[number] or "") for number in told]
            gained = dict(zip(told, (task_reward(*both, "both_orders") for both in outcomes(self.judge, asked)), strict=True))
            for number in range(len(cases)):
                gain = gained.get(number)
                won[number] += 0.5 if gain is None else gain
        return [count / self.samples for count in won]


def scripted_filters() -> Filters:
    """The scripted pool and the scripted user."""
    from kithe.ppopt.answers import ScriptedHouse
    from kithe.ppopt.verdicts import Scripted as Judge

    return Filters(ScriptedHouse(), Judge())


@dataclass(frozen=True)
class ColdStart:
    """Who writes targets, for whom, and which are kept.

    Attributes:
        share: of the training users that get a target; rewards teach about the others (30/70 upstream).
    """

    teacher: Teacher = field(default_factory=Scripted)
    filters: Filters = field(default_factory=scripted_filters)
    share: float = 0.3

    def __post_init__(self) -> None:
        """Check the share.

        Raises:
            ConfigError: it is none.
        """
        a_share("data.cold.share", self.share)
