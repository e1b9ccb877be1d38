"""From matched items to counts per user and metrics with intervals (paper A: precision and recall; the others on hits)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from kithe.evaluation.statistics import RESAMPLES, Ratio, intervals
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem

Match = tuple[int, int, float]


class Metric(TypedDict):
    """A number with its 95 % interval over users; `n` is what it is a share of (for a mean per user: users)."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: float
    whole: float


@dataclass(frozen=True)
class UserScore:
    """What one user adds to the metrics.

    Attributes:
        id: the history's id.
        matches: index of the gold item, index of the inferred item, cosine.
        shares: metric name -> what the user adds above and below its line.
    """

    id: str
    tp: int
    predicted: int
    gold: int
    matches: tuple[Match, ...]
    shares: dict[str, Share]

    def row(self) -> dict[str, Any]:
        """Plain values for a file."""
        matches = [[gold, item, round(cosine, 4)] for gold, item, cosine in self.matches]
        return {"id": self.id, "tp": self.tp, "predicted": self.predicted, "gold": self.gold, "matches": matches}


def score_user(history: History, prediction: Prediction, matches: Sequence[Match]) -> UserScore:
    """Count one user's hits, misses and false alarms, and how well the fields of the hits agree."""
    tp, predicted, gold = len(matches), len(prediction.items), len(history.items)
    hits = [(history.items[i], prediction.items[j]) for i, j, _ in matches]
    shares = {
        "precision": Share(tp, predicted),
        "recall": Share(tp, gold),
        "f1": Share(2 * tp, predicted + gold),
        "macro_f1": Share(2 * tp / (predicted + gold), 1) if predicted + gold else Share(0, 0),
        "polarity_accuracy": _accuracy(hits, lambda item: item.polarity),
        "intensity_accuracy": _accuracy(hits, lambda item: item.intensity),
        "type_accuracy": _accuracy(hits, lambda item: item.type),
        "category_accuracy": _accuracy(hits, lambda item: item.category),
        "evidence_f1": _evidence(hits),
        "parse_rate": Share(prediction.units - prediction.unparsed, prediction.units),
        "items_per_history": Share(predicted, 1),
    }
    return UserScore(history.id, tp, predicted, gold, tuple(matches), shares)


def metrics(users: Sequence[UserScore], resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Metric]:
    """Every metric that is a share of something, with its cluster bootstrap interval; those of nothing are left out."""
    found = {name: ratio for name, ratio in _ratios(users) if ratio.denominator.sum() > 0}
    bounds = intervals(list(found.values()), resamples, seed) if found else []
    return {
        name: Metric(value=ratio.value, low=low, high=high, n=int(ratio.denominator.sum()))
        for (name, ratio), (low, high) in zip(found.items(), bounds, strict=True)
    }


def ratio(users: Sequence[UserScore], name: str) -> Ratio:
    """One metric as a ratio of sums over users, ready to be compared with another system's."""
    shares = [user.shares[name] for user in users]
    part, whole = (np.array([getattr(share, side) for share in shares], dtype=np.float64) for side in ("part", "whole"))
    return Ratio(tuple(user.id for user in users), part, whole)


def _ratios(users: Sequence[UserScore]) -> Iterator[tuple[str, Ratio]]:
    yield from ((name, ratio(users, name)) for name in (users[0].shares if users else ()))


def _accuracy(hits: Sequence[tuple[KnowledgeItem, KnowledgeItem]], field: Callable[[KnowledgeItem], str | None]) -> Share:
    """Of the hits in which both sides have the field, those in which it agrees."""
    both = [(ours, theirs) for gold, item in hits if (ours := field(gold)) is not None and (theirs := field(item)) is not None]
    return Share(sum(ours == theirs for ours, theirs in both), len(both))


def _evidence(hits: Sequence[tuple[KnowledgeItem, KnowledgeItem]]) -> Share:
    """Twice the evidence turns in common and all evidence turns, over the hits in which both sides name some."""
    turns = [tuple({part.turn for part in side.evidence} for side in sides) for sides in hits]
    both = [(ours, theirs) for ours, theirs in turns if ours and theirs]
    return Share(sum(2 * len(ours & theirs) for ours, theirs in both), sum(len(ours) + len(theirs) for ours, theirs in both))
