"""QA recall (paper A; spec 2.10, C4): of the questions the history answers, the share the inferred items answer alike."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, runtime_checkable

import numpy as np

from kithe.errors import until
from kithe.evaluation.matching import Encoder, default_encoder
from kithe.evaluation.qa.answers import Answer, agrees, best_cosines
from kithe.evaluation.qa.extractive import Answerer
from kithe.evaluation.qa.questionnaire import Enquiry
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES, Ratio, by_user, intervals
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem

CURVE: Final = (0.5, 0.6, 0.7, 0.8)


Both: TypeAlias = tuple[Sequence[Answer | None], Sequence[Answer | None]]


@runtime_checkable
class InBulk(Protocol):
    """An answerer that takes all users at once, as a server is best asked."""

    def in_bulk(
        self, pairs: Sequence[tuple[History, Sequence[KnowledgeItem]]], enquiries: Sequence[Enquiry], stop: Callable[[], bool]
    ) -> list[Both]:
        """For every user the answers from the history and those from the items; None for one that cannot be read.

        Raises:
            Stopped: `stop`, which is asked after every answer, said so.
        """


@dataclass(frozen=True)
class Answered:
    """One question about one user, answered from the history (gold) and from the items (candidate).

    `cosines` are those of each gold element's nearest candidate element, after the guards; `override` is a person's verdict on
    whether the two agree, where there is one.
    """

    user: str
    question: str
    gold: Answer
    candidate: Answer
    cosines: tuple[float, ...] = ()
    override: bool | None = None

    @property
    def id(self) -> str:
        """`<user>#<question>`."""
        return f"{self.user}#{self.question}"

    def found(self, threshold: float) -> bool:
        """Whether the candidate counts as the gold answer; an "I don't know" never does."""
        if self.gold.idk or self.candidate.idk:
            return False
        return agrees(self.cosines, threshold) if self.override is None else self.override


def ask(
    answerer: Answerer,
    enquiries: Sequence[Enquiry],
    pairs: Sequence[tuple[History, Sequence[KnowledgeItem]]],
    encoder: Encoder | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Answered]:
    """Every question about every user, answered from the history and from the items inferred about it.

    Questions of which an answer could not be read are left out.

    Raises:
        Stopped: `stop`, which is asked between answers, said so.
    """
    encoder = encoder or default_encoder()
    rows = [
        (history.id, enquiry.id, gold, candidate)
        for (history, _), (golds, candidates) in zip(pairs, _both(answerer, pairs, enquiries, stop), strict=True)
        for enquiry, gold, candidate in zip(enquiries, golds, candidates, strict=True)
        if gold is not None and candidate is not None
    ]
    encoder.encode([element for _, _, *answers in rows for answer in answers for element in answer.elements])
    return [Answered(user, name, gold, candidate, best_cosines(gold, candidate, encoder)) for user, name, gold, candidate in rows]


def _both(
    answerer: Answerer,
    pairs: Sequence[tuple[History, Sequence[KnowledgeItem]]],
    enquiries: Sequence[Enquiry],
    stop: Callable[[], bool],
) -> Iterable[Both]:
    if isinstance(answerer, InBulk):
        return answerer.in_bulk(pairs, enquiries, stop)
    users = until(stop, pairs)
    return ((answerer.from_history(history, enquiries), answerer.from_items(items, enquiries)) for history, items in users)


def qa_metrics(rows: Sequence[Answered], threshold: float, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Metric]:
    """`qa_recall` over all questions with a gold answer, `qa_recall_per_user` (mean of users' shares), `qa_idk` (of those
    questions, the share left open) and `qa_unsupported` (of the questions without a gold answer, the share answered anyway).

    What is a share of nothing is left out.
    """
    ratios = {name: ratio for name, ratio in shares(rows, threshold).items() if ratio.denominator.sum() > 0}
    bounds = intervals(list(ratios.values()), resamples, seed) if ratios else []
    return {
        name: Metric(value=ratio.value, low=low, high=high, n=int(ratio.denominator.sum()))
        for (name, ratio), (low, high) in zip(ratios.items(), bounds, strict=True)
    }


def shares(rows: Sequence[Answered], threshold: float) -> dict[str, Ratio]:
    """The figures as ratios of sums over users, ready to be compared with another system's."""
    if not rows:
        return {}
    ids = tuple(dict.fromkeys(row.user for row in rows))
    cells = np.array([_cells(row, threshold) for row in rows], dtype=np.float64)
    found, asked, left, made_up, open_ = by_user([row.user for row in rows], cells).T
    return {
        "qa_recall": Ratio(ids, found, asked),
        "qa_recall_per_user": Ratio(ids, found / np.maximum(asked, 1), np.minimum(asked, 1)),
        "qa_idk": Ratio(ids, left, asked),
        "qa_unsupported": Ratio(ids, made_up, open_),
    }


def recall_curve(
    rows: Sequence[Answered], thresholds: Sequence[float] = CURVE, resamples: int = RESAMPLES, seed: int = 0
) -> dict[float, Metric]:
    """QA recall at several thresholds; empty where no question has a gold answer."""
    found = {threshold: qa_metrics(rows, threshold, resamples, seed) for threshold in thresholds}
    return {threshold: metrics["qa_recall"] for threshold, metrics in found.items() if "qa_recall" in metrics}


def per_question(rows: Sequence[Answered], threshold: float) -> dict[str, tuple[int, int]]:
    """Question -> (found, asked with a gold answer)."""
    counts: dict[str, tuple[int, int]] = {}
    for row in rows:
        found, asked = counts.get(row.question, (0, 0))
        counts[row.question] = (found + row.found(threshold), asked + (not row.gold.idk))
    return counts


def answerable(rows: Sequence[Answered], truth: Mapping[str, bool]) -> tuple[list[bool], list[bool]]:
    """Whether each question can be answered, and whether the answerer did so from the items: input of `agreement`.

    Args:
        rows: answers; the candidate is what is examined.
        truth: row id -> whether what the items say answers the question, known on scripted truth.
    """
    return [truth[row.id] for row in rows], [not row.candidate.idk for row in rows]


def pairs_of(histories: Sequence[History], predictions: Sequence[Prediction]) -> list[tuple[History, Sequence[KnowledgeItem]]]:
    """Histories with the items inferred about them, in the same order.

    Raises:
        ValueError: if the predictions are not those of the histories.
    """
    from kithe.evaluation.judges import aligned

    return [(history, prediction.items) for history, prediction in aligned(histories, predictions)]


def _cells(row: Answered, threshold: float) -> tuple[bool, bool, bool, bool, bool]:
    """Found, asked with a gold answer, of these left open; answered without a gold answer, and without one at all."""
    gold, said = not row.gold.idk, not row.candidate.idk
    return row.found(threshold), gold, gold and not said, said and not gold, not gold
