"""Scores the task `ppopt`: what the deployed model's answers are worth to the user, before and after rewriting.

Everything is judged against the original message (defect U3); profiles are scored too (defect U5).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np

from kithe.errors import enough_resamples
from kithe.evaluation.judges import Scores, aligned
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import Ratio, intervals, percentiles, totals
from kithe.gym.sampling import GymPersona
from kithe.gym.style import SHOWN, count_words
from kithe.gym.user import statuses
from kithe.ppopt.answers import Assistant, ScriptedHouse
from kithe.ppopt.baselines import BASELINES, PROBES, Rewriter
from kithe.ppopt.rewards import FormatReward, JudgedProfile, LeakPenalty, ProfileReward, task_reward
from kithe.ppopt.states import question, state
from kithe.ppopt.task import inferred, rewritten
from kithe.ppopt.verdicts import Pairs, Ratings, Scripted, outcomes, things_kept
from kithe.records.chat import Prediction
from kithe.records.history import History

Cases = Sequence[tuple[History, Prediction]]
Column = list[float | None]
_FILLER: Final = "Thank you in advance for taking the time to look into this; here is nothing else that you would need to know."


@dataclass(frozen=True)
class PPOptJudge:
    """Personalisation and completion from 1 to 10 before and after, their differences, and wins in both orders (spec C, 4.6).

    Attributes:
        assistant: the deployed model.
        transfer: further deployed models, by name, that the same prompts are sent to.
        pairs: who compares answers.
        ratings: who scores answers.
        profiles: a judge of profiles beside the count of right pairs, where there is one.
        sessions, characters: what the baselines see of the past; as the task's format has it.
        baselines: whether the untrained rewriters and the probes of judges are scored on the same states.
        resamples: of the bootstrap over users.
    """

    subject: ClassVar[str] = "rewritten messages"

    assistant: Assistant = field(default_factory=ScriptedHouse)
    transfer: Mapping[str, Assistant] = field(default_factory=dict)
    pairs: Pairs = field(default_factory=Scripted)
    ratings: Ratings = field(default_factory=Scripted)
    profiles: JudgedProfile | None = None
    sessions: int = 4
    characters: int = 500
    baselines: bool = True
    resamples: int = 10_000

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        enough_resamples("judge.resamples", self.resamples)

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Score every state.

        Raises:
            ValueError: the predictions are not those of the histories.
        """
        cases = aligned(histories, predictions)
        people = [history for history, _ in cases]
        columns = self._main(cases)
        columns |= self._profile(cases) | self._met(people, columns)
        for name, other in self.transfer.items():
            columns |= {f"{key}@{name}": column for key, column in self._gain(people, _prompts(cases), other).items()}
        if self.baselines:
            columns |= self._others(people)
        metrics = _metrics([history.id for history in people], _numbers(columns), self.resamples) | _macro(cases, self.resamples)
        unscored = sum(value is None for value in columns["win_rate"])
        rows = [
            {**_counted(case), **{name: column[number] for name, column in columns.items() if not name.startswith("answer")}}
            for number, case in enumerate(cases)
        ]
        settings = {"assistant": self.assistant.name, **_correlation(columns)}
        return Scores(metrics, rows, unscored, settings)

    def _main(self, cases: Cases) -> dict[str, Any]:
        people, prompts = [history for history, _ in cases], _prompts(cases)
        queries = [question(one).text for one in people]
        padded = [_padded(query, count_words(prompt)) for query, prompt in zip(queries, prompts, strict=True)]
        matched = self._rated(people, self._answers(people, padded, self.assistant), self.ratings.personalisation)
        found = self._gain(people, prompts, self.assistant)
        return {
            **found,
            "delta.length_matched": _minus(found["personalisation"], matched),
            "parse_rate": FormatReward()(cases),
            "intent_kept": [things_kept(query, prompt) for query, prompt in zip(queries, prompts, strict=True)],
            "leak_rate": [-value if value is not None else None for value in LeakPenalty()(cases)],
            "length_ratio": [count_words(b) / max(1, count_words(a)) for a, b in zip(queries, prompts, strict=True)],
        }

    def _gain(self, people: Sequence[History], prompts: Sequence[str], assistant: Assistant) -> dict[str, Any]:
        """Scores before and after, and who wins."""
        before = self._answers(people, [question(one).text for one in people], assistant)
        after = self._answers(people, prompts, assistant)
        found: dict[str, Any] = {"answer": after}
        for name, rate in (("personalisation", self.ratings.personalisation), ("completion", self.ratings.completion)):
            old, new = self._rated(people, before, rate), self._rated(people, after, rate)
            found |= {name: new, f"{name}.original": old, f"delta.{name}": _minus(new, old)}
        both = zip(found["delta.personalisation"], found["delta.completion"], strict=True)
        found["delta.total"] = [None if a is None or b is None else (a + b) / 2 for a, b in both]
        return {**found, "win_rate": self._wins(people, before, after)}

    def _wins(self, people: Sequence[History], before: Sequence[str | None], after: Sequence[str | None]) -> Column:
        asked = {n: (p, a, b) for n, (p, a, b) in enumerate(zip(people, before, after, strict=True)) if a and b}
        won = zip(asked, outcomes(self.pairs, [(p, a or "", b or "") for p, a, b in asked.values()]), strict=True)
        found = {number: task_reward(*both, "both_orders") for number, both in won}
        return [found.get(number) for number in range(len(people))]

    def _profile(self, cases: Cases) -> dict[str, Any]:
        found: dict[str, Any] = {
            "profile_f1": ProfileReward("persona")(cases),
            "profile_f1.evidence": ProfileReward("evidence")(cases),
        }
        return found if self.profiles is None else {**found, "profile_judged": self.profiles(cases)}

    def _met(self, people: Sequence[History], columns: Mapping[str, Any]) -> dict[str, Any]:
        """For every dimension whether an answer meets the wish, of those who have one: how general a gain is."""
        found: dict[str, Any] = {}
        for number, (one, answer) in enumerate(zip(people, columns["answer"], strict=True)):
            status = statuses(GymPersona(id=one.id, values=question(one).persona), answer) if answer else {}
            for name in SHOWN:
                if status.get(name) in ("satisfied", "violated"):
                    found.setdefault(f"met.{name}", [None] * len(people))[number] = float(status[name] == "satisfied")
        return found

    def _others(self, people: Sequence[History]) -> dict[str, Any]:
        """The untrained rewriters and the probes: scores after, and wins."""
        found: dict[str, Any] = {}
        for name, rewriter in {**BASELINES, **PROBES}.items():
            gain = self._gain(people, self._by(rewriter, people), self.assistant)
            found |= {f"{key}.{name}": gain[key] for key in ("personalisation", "completion", "win_rate")}
        return found

    def _by(self, rewriter: Rewriter, people: Sequence[History]) -> list[str]:
        return [rewriter(one, state(one, self.sessions, self.characters)) for one in people]

    @staticmethod
    def _answers(people: Sequence[History], prompts: Sequence[str], assistant: Assistant) -> list[str | None]:
        return assistant.answers([(one.id, prompt) for one, prompt in zip(people, prompts, strict=True)])

    @staticmethod
    def _rated(
        people: Sequence[History],
        answers: Sequence[str | None],
        rate: Callable[[Sequence[tuple[History, str]]], list[float | None]],
    ) -> Column:
        there = {number: (one, text) for number, (one, text) in enumerate(zip(people, answers, strict=True)) if text is not None}
        rated = dict(zip(there, rate([(one, text) for one, text in there.values()]), strict=True))
        return [rated.get(number) for number in range(len(people))]


def _counted(case: tuple[History, Prediction]) -> dict[str, Any]:
    """Who it is about, and the counts of the profile that differences between cells are made from."""
    history, found, truth = case[0], inferred(case[1]), ProfileReward().truth(case[0])
    right = sum(truth.get(name) == value for name, value in found.items())
    return {"id": history.id, "domain": question(history).domain, "tp": right, "predicted": len(found), "gold": len(truth)}


def _prompts(cases: Cases) -> list[str]:
    return [rewritten(prediction) for _, prediction in cases]


def _minus(new: Column, old: Column) -> Column:
    return [None if a is None or b is None else a - b for a, b in zip(new, old, strict=True)]


def _padded(query: str, words: int) -> str:
    """The message with words that say nothing, as long as the rewritten one: what length alone is worth."""
    filler = (_FILLER.split() * (words // len(_FILLER.split()) + 1))[: max(0, words - count_words(query))]
    return " ".join([query, *filler])


def _numbers(columns: Mapping[str, Any]) -> dict[str, Column]:
    return {
        name: column for name, column in columns.items() if name.split("@")[0] != "answer" and any(v is not None for v in column)
    }


def _metrics(ids: Sequence[str], columns: Mapping[str, Column], resamples: int) -> dict[str, Metric]:
    """Means over what is known, with intervals over users."""
    above = {name: np.array([value or 0.0 for value in column]) for name, column in columns.items()}
    below = {name: np.array([float(value is not None) for value in column]) for name, column in columns.items()}
    names = list(columns)
    bounds = intervals([Ratio(tuple(ids), above[name], below[name]) for name in names], resamples)
    return {
        name: Metric(value=float(above[name].sum() / below[name].sum()), low=low, high=high, n=int(below[name].sum()))
        for name, (low, high) in zip(names, bounds, strict=True)
    }


def _macro(cases: Cases, resamples: int) -> dict[str, Metric]:
    """The mean over dimensions of F1 of (dimension, value) pairs, over dimensions that anybody has or is given."""
    sums = np.zeros((len(cases), 2 * len(SHOWN)))
    for row, (history, prediction) in enumerate(cases):
        found, truth = inferred(prediction), ProfileReward().truth(history)
        for place, name in enumerate(SHOWN):
            sums[row, 2 * place] = 2 * (name in truth and found.get(name) == truth[name])
            sums[row, 2 * place + 1] = (name in truth) + (name in found)

    def mean(values: Any) -> Any:
        above, below = values[:, ::2], values[:, 1::2]
        rates = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
        return np.nanmean(np.where(np.isnan(rates).all(1, keepdims=True), 0.0, rates), axis=1)

    low, high = percentiles(mean(totals(sums, resamples)))
    return {"profile_macro_f1": Metric(value=float(mean(sums.sum(0, keepdims=True))[0]), low=low, high=high, n=len(cases))}


def _correlation(columns: Mapping[str, Any]) -> dict[str, float]:
    """How the judge of profiles and the count of right pairs agree (Pearson's r), where both are there and vary."""
    pairs = [(a, b) for a, b in zip(columns["profile_f1"], columns.get("profile_judged", []), strict=False) if None not in (a, b)]
    if len(pairs) < 3 or min(np.std(pairs, axis=0)) == 0:
        return {}
    return {"profile_judge_correlation": float(np.corrcoef(np.array(pairs).T)[0, 1])}
