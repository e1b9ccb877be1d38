"""The 0-14 points that a language model gives an answer: conciseness 1, personalisation 4, analysis 4, accuracy 5 (spec 5.6).

The published figures are means over every tenth item, ten a task, without intervals, and a stray key "Score" in the judge's
answer was added to the parts (defect U17). Here every item may be judged, the four parts alone count, intervals are shown, and
a judge's answer that cannot be read leaves its item unscored.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

import numpy as np

from kithe.errors import ConfigError, enough_resamples
from kithe.evaluation.judges import Scores, aligned
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import Ratio, intervals
from kithe.ip_dialog.schema import read
from kithe.ip_dialog.task import question
from kithe.ip_dialog.teacher import spoken
from kithe.llm.client import Ask, Client
from kithe.records.base import Record
from kithe.records.chat import Message, Prediction
from kithe.records.history import History
from kithe.records.question import Question

OFFICIAL_SAMPLE: Final = 10  # every tenth item
_OBJECT: Final = re.compile(r"\{.*\}", re.S)


class Part(Record):
    """A part of the points: the most there is, and what for."""

    most: int
    asks: str


class Rubric(Record):
    """What the judge is told."""

    parts: dict[str, Part]
    system: str
    user: str

    def messages(self, asked: Question, said: str) -> tuple[Message, ...]:
        """The prompt about one answer."""
        listed = "\n".join(f"- {name}, 0 to {part.most}: {part.asks}" for name, part in self.parts.items())
        slots = {
            "request": asked.text,
            "related": ", ".join(f"{name}: {value}" for name, value in asked.related.items()),
            "analysis": asked.analysis,
            "answer": spoken(asked.answer, asked.form),
            "said": said.replace(">>>", "> > >"),
        }
        system = self.system.format(parts=listed, names=", ".join(self.parts))
        return Message(role="system", content=system), Message(role="user", content=self.user.format(**slots))


@cache
def rubric() -> Rubric:
    """The one rubric."""
    return Rubric.model_validate(read("rubric.yaml"))


def read_points(text: str) -> dict[str, int] | None:
    """The points of each part; None unless all are there, whole and within their range. Other keys do not count."""
    value = _numbers(text)
    parts = rubric().parts
    if not parts.keys() <= value.keys():
        return None
    found = {name: value[name] for name in parts}
    whole = all(0 <= points <= parts[name].most and points == int(points) for name, points in found.items())
    return {name: int(points) for name, points in found.items()} if whole else None


def official_total(text: str) -> float:
    """All numbers of the judge's object added up, a stray "Score" among them, as published (defect U17)."""
    return sum(_numbers(text).values())


@dataclass(frozen=True)
class PointsJudge:
    """A judge that is a language model.

    Attributes:
        client: who is asked.
        every: judge every so manieth item; 1 for all, 10 as published.
        resamples: of the bootstrap over items.
    """

    subject: ClassVar[str] = "answers"

    client: Client
    every: int = 1
    resamples: int = 10_000

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        enough_resamples("judge.resamples", self.resamples)
        if self.every < 1:
            raise ConfigError(f"judge.every={self.every}: it must be at least 1; {OFFICIAL_SAMPLE} as published")

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Points for the sampled items; those the judge gave no readable answer on are unscored.

        Raises:
            ValueError: the predictions are not those of the histories.
        """
        pairs = aligned(histories, predictions)[:: self.every]
        asks = (
            Ask(history.id, rubric().messages(question(history), prediction.raw[-1] if prediction.raw else ""), max_tokens=120)
            for history, prediction in pairs
        )
        replies = {reply.id: reply for reply in self.client.complete(asks)}
        given = {name: read_points(reply.text) if reply.ok else None for name, reply in replies.items()}
        rows = [
            {"id": history.id, "task": question(history).task, "points": given[history.id], "raw": replies[history.id].text}
            for history, _ in pairs
        ]
        known = {name: points for name, points in given.items() if points is not None}
        return Scores(dict(self._metrics(known)), rows, unscored=len(pairs) - len(known))

    def _metrics(self, known: dict[str, dict[str, int]]) -> Iterator[tuple[str, Metric]]:
        """Mean points an item, in all and for each part, with intervals over the scored items."""
        if not known:
            return
        columns = {"points_per_item": [sum(points.values()) for points in known.values()]}
        columns |= {f"points_per_item.{name}": [points[name] for points in known.values()] for name in rubric().parts}
        ones = np.ones(len(known))
        ratios = [Ratio(tuple(known), np.array(values, dtype=np.float64), ones) for values in columns.values()]
        for name, ratio, (low, high) in zip(columns, ratios, intervals(ratios, self.resamples), strict=True):
            yield name, Metric(value=ratio.value, low=low, high=high, n=len(known))


def _numbers(text: str) -> dict[str, float]:
    """The numbers of the object in a text, by key in lower case."""
    match = _OBJECT.search(text)
    try:
        value = json.loads(match[0]) if match else {}
    except ValueError:
        return {}
    return {
        str(name).strip().lower(): part
        for name, part in value.items()
        if isinstance(part, int | float) and not isinstance(part, bool)
    }
