"""From a judge of single items to scores of whole predictions, as the stages of a cell ask for them."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from kithe.evaluation.judges import Scores, aligned
from kithe.evaluation.judging.precision import judged_precision, reasons
from kithe.evaluation.judging.verdicts import Duplicate, Question, Scored, Unscored, Verdict, duplicates
from kithe.evaluation.scores import Metric, metrics, score_user
from kithe.records.chat import Prediction
from kithe.records.history import History

KEPT = ("parse_rate", "items_per_history")


class ItemJudge(Protocol):
    """Judges items one by one."""

    def verdicts(self, questions: Sequence[Question]) -> list[Scored | Unscored]:
        """A verdict, or the reason why there is none, for every question in the same order."""


def questions(history: History, prediction: Prediction) -> Iterator[Question]:
    """What to ask about one prediction: one question an item, `<history id>#<place>`."""
    for place, item in enumerate(prediction.items):
        yield Question(f"{history.id}#{place}", history, item, place)


def judged(judge: ItemJudge, asked: Sequence[Question]) -> list[Verdict]:
    """The verdicts on all questions in their order; an item that repeats another of its user is not asked again."""
    repeats = duplicates(asked)
    fresh = [question for question in asked if question.id not in repeats]
    known = dict(zip((question.id for question in fresh), judge.verdicts(fresh), strict=True))
    return [
        Duplicate(item=question.id, user=question.history.id, duplicate_of=repeats[question.id])
        if question.id in repeats
        else known[question.id]
        for question in asked
    ]


def judged_scores(
    judge: ItemJudge,
    histories: Sequence[History],
    predictions: Sequence[Prediction],
    resamples: int,
    settings: dict[str, Any] | None = None,
) -> Scores:
    """What `Judge.score` returns, from verdicts on single items.

    Raises:
        ValueError: if the predictions are not those of the histories.
    """
    pairs = aligned(histories, predictions)
    said = judged(judge, [question for history, prediction in pairs for question in questions(history, prediction)])
    found = judged_precision(said, resamples) | counts(pairs, resamples)
    missing = [verdict for verdict in said if isinstance(verdict, Unscored)]
    notes = {**(settings or {}), **({"unscored": reasons(said)} if missing else {})}
    return Scores(found, [row(history, prediction, said) for history, prediction in pairs], len(missing), notes)


def counts(pairs: Sequence[tuple[History, Prediction]], resamples: int) -> dict[str, Metric]:
    """Items per history and the share of answers that could be read, which no judge decides."""
    users = [score_user(history, prediction, []) for history, prediction in pairs]
    return {name: metric for name, metric in metrics(users, resamples).items() if name in KEPT}


def row(history: History, prediction: Prediction, said: Sequence[Verdict]) -> dict[str, Any]:
    """One user's line of a file: how many items are correct and scored, how many gold facts there are, and every verdict."""
    own = [verdict for verdict in said if verdict.user == history.id]
    scored = [verdict for verdict in own if isinstance(verdict, Scored)]
    return {
        "id": history.id,
        "tp": sum(verdict.correct for verdict in scored),
        "predicted": len(scored),
        "gold": len(history.items),
        "items": len(prediction.items),
        "verdicts": [verdict.model_dump(mode="json", exclude_defaults=True) for verdict in own],
    }
