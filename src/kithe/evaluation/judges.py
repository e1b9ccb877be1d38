"""Who says which inferred items are right. `conf/judge/` names these classes; importing them loads no model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from kithe.errors import ConfigError, enough_resamples
from kithe.records.chat import Prediction
from kithe.records.history import History

if TYPE_CHECKING:
    from kithe.evaluation.scores import Metric, UserScore
    from kithe.llm.embed import Embedder


@dataclass(frozen=True)
class Scores:
    """What a judge found.

    Attributes:
        metrics: name -> `{value, low, high, n}`.
        rows: one per user, in the order of the histories.
        unscored: items the judge gave no verdict on; they count neither as right nor as wrong.
        settings: what the judge settled for itself, such as a calibrated threshold.
    """

    metrics: "dict[str, Metric]"
    rows: list[dict[str, Any]] = field(default_factory=list)
    unscored: int = 0
    settings: dict[str, Any] = field(default_factory=dict)


class Judge(Protocol):
    """Scores predictions about histories.

    One that scores something else than knowledge items names it in a class attribute `subject`, as the format that gives it does.
    """

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Score one prediction per history, in the same order.

        Raises:
            ValueError: if the predictions are not those of the histories.
        """


@dataclass(frozen=True)
class GoldJudge:
    """Against gold items: an inferred item is right when it is matched to a gold item, one to one.

    Attributes:
        threshold: cosine from which two statements can be the same fact; None for the calibrated one.
        resamples: of the bootstrap over users.
    """

    threshold: float | None = None
    resamples: int = 10_000

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise ConfigError(f"judge.threshold={self.threshold}: a cosine above 0 and up to 1, or null for the calibrated one")
        enough_resamples("judge.resamples", self.resamples)

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Match every history's items with the predicted ones; every item gets a verdict.

        Raises:
            ValueError: if the predictions are not those of the histories.
            ConfigError: if the sentence encoder is not installed.
        """
        from kithe.evaluation.scores import metrics

        users = self.users(histories, predictions)
        return Scores(metrics(users, self.resamples), [user.row() for user in users], settings={"threshold": self.least()})

    def users(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> "list[UserScore]":
        """What is right of each history's items, without intervals; see `score`."""
        from kithe.evaluation.matching import as_statement, match
        from kithe.evaluation.scores import score_user

        pairs, encoder = aligned(histories, predictions), _encoder()
        encoder.encode([as_statement(item) for history, prediction in pairs for item in (*history.items, *prediction.items)])
        return [score_user(h, p, match(h.items, p.items, encoder, self.least())) for h, p in pairs]

    def least(self) -> float:
        """The cosine from which two statements can be the same fact."""
        from kithe.evaluation.calibration import calibrated_threshold

        return self.threshold or calibrated_threshold()


def aligned(histories: Sequence[History], predictions: Sequence[Prediction]) -> list[tuple[History, Prediction]]:
    """Histories with their predictions.

    Raises:
        ValueError: if the two are not about the same histories in the same order, each once.
    """
    ours, theirs = [history.id for history in histories], [prediction.id for prediction in predictions]
    if ours != theirs or len(set(ours)) != len(ours):
        raise ValueError(f"{len(theirs)} predictions are not those of the {len(ours)} histories, one each in the same order")
    return list(zip(histories, predictions, strict=True))


@lru_cache(maxsize=1)
def _encoder() -> "Embedder":
    from kithe.llm.embed import Embedder

    return Embedder()
