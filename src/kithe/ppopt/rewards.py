"""Rewards as plain callables: (history, prediction) pairs in, a number or None (unscorable) for each out.

Training and evaluation call the same objects. Who deploys and who judges is a field of theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from kithe.errors import a_share
from kithe.gym.bank import bank
from kithe.gym.style import count_words
from kithe.ppopt import output
from kithe.ppopt.answers import Assistant
from kithe.ppopt.states import question
from kithe.ppopt.task import inferred, rewritten
from kithe.ppopt.verdicts import Model, Pairs, Verdict, outcomes, things_kept
from kithe.records.chat import Prediction
from kithe.records.history import History

Cases = Sequence[tuple[History, Prediction]]
Mode = Literal["both_orders", "paper"]


def task_reward(forward: Verdict | None, backward: Verdict | None, mode: Mode) -> float | None:
    """1 for a win, 0.5 for a tie, 0 for a loss, each in both orders; anything else is a tie (spec C, 4.7; defect U6).

    `paper`: the first order alone, and a tie earns nothing. None where a verdict is missing.
    """
    if mode == "paper":
        return None if forward is None else float(forward == "win")
    if forward is None or backward is None:
        return None
    return {("win", "win"): 1.0, ("lose", "lose"): 0.0}.get((forward, backward), 0.5)


def f1(found: Mapping[str, str], truth: Mapping[str, str]) -> float:
    """Of (dimension, value) pairs: twice those in common over all; 1 where both are empty."""
    whole = len(found) + len(truth)
    return 2 * sum(truth.get(name) == value for name, value in found.items()) / whole if whole else 1.0


@dataclass(frozen=True)
class TaskReward:
    """Does the deployed model's answer to the rewritten prompt beat its answer to the original message, for this user?

    Attributes:
        assistant: the deployed model.
        judge: who compares; it sees the original message (defect U3).
        mode: see `task_reward`.
    """

    assistant: Assistant
    judge: Pairs
    mode: Mode = "both_orders"

    def __call__(self, cases: Cases) -> list[float | None]:
        """From 0 to 1; None where an answer or a verdict failed."""
        before = self.assistant.answers([(history.id, question(history).text) for history, _ in cases])
        after = self.assistant.answers([(history.id, rewritten(prediction)) for history, prediction in cases])
        asked = [
            (number, (history, first, second))
            for number, ((history, _), first, second) in enumerate(zip(cases, before, after, strict=True))
            if first is not None and second is not None
        ]
        found: list[float | None] = [None] * len(cases)
        for (number, _), both in zip(asked, outcomes(self.judge, [own for _, own in asked]), strict=True):
            found[number] = task_reward(*both, self.mode)
        return found


@dataclass(frozen=True)
class ProfileReward:
    """How right the inferred profile is, without a judge: F1 of (dimension, value) pairs against the hidden wishes.

    Attributes:
        of: `persona`: all wishes; `evidence`: those that past sessions show.
    """

    of: Literal["persona", "evidence"] = "persona"

    def __call__(self, cases: Cases) -> list[float | None]:
        """From 0 to 1."""
        return [f1(inferred(prediction), self.truth(history)) for history, prediction in cases]

    def truth(self, history: History) -> dict[str, str]:
        """The wishes that count."""
        asked = question(history)
        return output.wishes(asked.persona if self.of == "persona" else asked.related)


@dataclass(frozen=True)
class JudgedProfile:
    """(score - 1) / 4 of a judge's score from 1 to 5, as in the paper."""

    judge: Model

    def __call__(self, cases: Cases) -> list[float | None]:
        """From 0 to 1; None without a score."""
        scores = self.judge.profile([(history, inferred(prediction)) for history, prediction in cases])
        return [None if score is None else (score - 1) / 4 for score in scores]


@dataclass(frozen=True)
class FormatReward:
    """1 where the answer has the form asked for."""

    def __call__(self, cases: Cases) -> list[float | None]:
        """0 or 1."""
        return [float(not prediction.unparsed) for _, prediction in cases]


@dataclass(frozen=True)
class LengthPenalty:
    """0 up to `words` more than the original message has, then down to -1 at twice as many more."""

    words: int = 80

    def __call__(self, cases: Cases) -> list[float | None]:
        """From -1 to 0."""
        more = [count_words(rewritten(prediction)) - count_words(question(history).text) for history, prediction in cases]
        return [-min(1.0, max(0.0, extra / self.words - 1)) for extra in more]


@dataclass(frozen=True)
class LeakPenalty:
    """-1 where the prompt says who is asking (role, industry, place in life ...) and the user's own words never did.

    A policy never sees the persona, so this catches guesses sent to a third party as facts about a person.
    """

    def __call__(self, cases: Cases) -> list[float | None]:
        """-1 or 0."""
        return [-float(bool(self.leaks(history, rewritten(prediction)))) for history, prediction in cases]

    @staticmethod
    def leaks(history: History, prompt: str) -> list[str]:
        """The personal values in a prompt that no message of the user holds."""
        said = " ".join([question(history).text, *(turn.text for turn in history.turns if turn.speaker == history.user)]).lower()
        basic = [one for one in bank().dimensions if one.kind == "basic_info" and one.name != "domain"]
        values = {value.lower() for one in basic for value in one.values if len(value) > 6}
        return sorted(value for value in values if value in prompt.lower() and value not in said)


class Gate(Protocol):
    """Decides whether rewards count at all."""

    def __call__(self, cases: Cases) -> list[bool | None]:
        """False: no reward of the rollout is above 0; None: it is unscorable."""


@dataclass(frozen=True)
class IntentGate:
    """Whether the rewritten prompt still asks for the same.

    Attributes:
        kept: least share of the numbers and named things of the original message.
        similarity: least cosine of the sentence encoder between the two; None: not measured.
        judge: also asked, where there is one.
    """

    kept: float = 1.0
    similarity: float | None = None
    judge: Model | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one is no share.
        """
        a_share("adapt.gates.intent.kept", self.kept)
        if self.similarity is not None:
            a_share("adapt.gates.intent.similarity", self.similarity)

    def __call__(self, cases: Cases) -> list[bool | None]:
        """See `Gate`."""
        texts = [(question(history).text, rewritten(prediction)) for history, prediction in cases]
        found: list[bool | None] = [things_kept(query, prompt) >= self.kept for query, prompt in texts]
        if self.similarity is not None:
            found = [own and near >= self.similarity for own, near in zip(found, _near(texts), strict=True)]
        if self.judge is not None:
            found = [_both(own, said) for own, said in zip(found, self.judge.kept(texts), strict=True)]
        return found


def _both(own: bool | None, said: bool | None) -> bool | None:
    return False if own is False else said


def _near(texts: Sequence[tuple[str, str]]) -> list[float]:
    """Cosines of the sentence encoder."""
    from kithe.llm.embed import Embedder

    vectors = Embedder().encode([text for pair in texts for text in pair])
    return [float(vectors[2 * number] @ vectors[2 * number + 1]) for number in range(len(texts))]
