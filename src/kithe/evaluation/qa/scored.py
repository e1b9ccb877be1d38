"""QA recall of whole predictions, with oracle recall beside it where gold facts have keys: an option of the group `recall`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kithe.errors import ConfigError, enough_resamples
from kithe.evaluation.judges import Scores
from kithe.evaluation.qa.extractive import Answerer
from kithe.evaluation.qa.oracle import fact
from kithe.evaluation.qa.questionnaire import Enquiry, questionnaire
from kithe.evaluation.qa.recall import CURVE, Answered, ask, pairs_of, qa_metrics, recall_curve
from kithe.evaluation.qa.threshold import chosen_threshold
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import Ratio, interval
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem


@dataclass(frozen=True)
class QARecall:
    """Asks a questionnaire twice, of a history and of the items inferred from it.

    Attributes:
        answerer: who answers.
        questionnaire: a YAML file of questions; None for the 24 standard ones.
        threshold: cosine from which two answers agree; None for the calibrated one.
        resamples: of the bootstrap over users.
    """

    answerer: Answerer
    questionnaire: str | None = None
    threshold: float | None = None
    resamples: int = 10_000

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible, or the questionnaire cannot be read.
        """
        enough_resamples("recall.resamples", self.resamples)
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise ConfigError(f"recall.threshold={self.threshold}: a cosine above 0 and up to 1, or null for the calibrated one")
        self.enquiries()

    def enquiries(self) -> tuple[Enquiry, ...]:
        """The questions."""
        return questionnaire(Path(self.questionnaire) if self.questionnaire else None)

    @property
    def content(self) -> str | None:
        """The questions of one's own file: what counts besides the config."""
        return repr(self.enquiries()) if self.questionnaire else None

    def score(
        self, histories: Sequence[History], predictions: Sequence[Prediction], stop: Callable[[], bool] = lambda: False
    ) -> Scores:
        """`qa_recall` and its curve, per user, unsupported answers, "I don't know"; `oracle_recall` where gold facts have keys.

        Raises:
            ValueError: if the predictions are not those of the histories.
            ConfigError: answers are missing, or the sentence encoder is.
            Stopped: `stop`, which is asked between answers, said so; what a cache remembers is not asked for again.
        """
        pairs, threshold, enquiries = pairs_of(histories, predictions), self.threshold or chosen_threshold(), self.enquiries()
        rows = ask(self.answerer, enquiries, pairs, stop=stop)
        found = qa_metrics(rows, threshold, self.resamples)
        found |= {f"qa_recall_at_{level}": metric for level, metric in recall_curve(rows, CURVE, self.resamples).items()}
        found |= oracle(pairs, frozenset(key for enquiry in enquiries for key in enquiry.keys), self.resamples)
        unread = len(pairs) * len(enquiries) - len(rows)
        settings = {"threshold": threshold, "questions": len(enquiries), **getattr(self.answerer, "settings", {})}
        return Scores(found, [user_row(history, rows, threshold) for history in histories], unread, settings)


def oracle(pairs: Sequence[tuple[History, Sequence[KnowledgeItem]]], keys: frozenset[str], resamples: int) -> dict[str, Metric]:
    """Of the gold facts that the questions ask about, the share that was inferred: with key, value and sign, or by meaning.

    Nothing where gold facts carry no keys: who knows only some of the truth is no oracle.
    """
    from kithe.evaluation.calibration import calibrated_threshold
    from kithe.evaluation.matching import default_encoder, match

    counted = []
    for history, items in pairs:
        wanted = {place for place, item in enumerate(history.items) if item.key in keys}
        said = {fact(item) for item in items if item.key}
        matched = {gold for gold, _, _ in match(history.items, items, default_encoder(), calibrated_threshold())}
        counted.append((sum(place in matched or fact(history.items[place]) in said for place in wanted), len(wanted)))
    counts = np.array(counted, dtype=np.float64).reshape(-1, 2)
    if not counts[:, 1].sum() > 0:
        return {}
    ratio = Ratio(tuple(history.id for history, _ in pairs), counts[:, 0], counts[:, 1])
    low, high = interval(ratio, resamples)
    return {"oracle_recall": Metric(value=ratio.value, low=low, high=high, n=int(ratio.denominator.sum()))}


def user_row(history: History, rows: Sequence[Answered], threshold: float) -> dict[str, Any]:
    """One user's line of a file: how many questions have a gold answer, how many of these the items answer, every answer."""
    own = [row for row in rows if row.user == history.id]
    answers = [
        {"question": row.question, "gold": row.gold.text, "candidate": row.candidate.text, "found": row.found(threshold)}
        for row in own
    ]
    asked, found = sum(not row.gold.idk for row in own), sum(row.found(threshold) for row in own)
    return {"id": history.id, "qa_found": found, "qa_asked": asked, "answers": answers}
