"""`judge=verifier`, the offline judge of items, and `task/verify=verifier`, the same machinery as a filter of predicted items.

A statement is looked up in the history (`retrieval`), the nearest passages are read closely by the trained cross-encoder
(`checkpoint`), and rules decide what it does not see (`rules`). Importing this module loads no model.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kithe.errors import ConfigError, at_least, enough_resamples
from kithe.evaluation.judges import Judge, Scores
from kithe.evaluation.judging.items import judged_scores
from kithe.evaluation.judging.kept import Kept
from kithe.evaluation.judging.rubric import LATEST, rubric
from kithe.evaluation.judging.verdicts import Question, Scored, Unscored, Vote, decide
from kithe.evaluation.matching import default_encoder
from kithe.evaluation.verifier import clauses, rules
from kithe.evaluation.verifier.course import Course
from kithe.evaluation.verifier.looking import Looked, look
from kithe.evaluation.verifier.retrieval import Piece, quote
from kithe.identity import digest
from kithe.records.chat import Prediction, Rejection
from kithe.records.history import History

if TYPE_CHECKING:
    from kithe.evaluation.verifier.checkpoint import Checkpoint

SEVERAL: Final = "asked for again and again"


@dataclass(frozen=True)
class Verifier:
    """A trained verifier that reads histories.

    Attributes:
        course: what it learns from; it is trained at first use if the store does not hold it.
        store: the root of all folders.
        folder: of the real sets; None for KITHE_DATA, or a download.
        threshold: probability from which on a passage supports a statement; None for the one chosen on validation.
        passages: how many of a history's passages are read closely.
        rules: whether the rules on relevance are applied too.
    """

    course: Course = field(default_factory=Course)
    store: str = "outputs"
    folder: str | None = None
    threshold: float | None = None
    passages: int = 4
    rules: bool = True

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise ConfigError(
                f"threshold={self.threshold}: a probability between 0 and 1, or null for the one chosen on validation"
            )
        at_least("passages", self.passages, 1)

    @cached_property
    def checkpoint(self) -> "Checkpoint":
        """The trained verifier.

        Raises:
            ConfigError: it has to be trained, and the pairs to learn from are not there.
        """
        from kithe.evaluation.verifier.checkpoint import checkpoint

        return checkpoint(self.course, Path(self.store), self.folder)

    @property
    def content(self) -> list[Any]:
        """What decides verdicts besides the options."""
        return [self.course.content, rules.digest()]

    def votes(self, questions: Sequence[Question]) -> list[Vote]:
        """One vote a question; `quote` is the user's own words."""
        return [
            self._vote(question, looked, self.limit(looked))
            for question, looked in zip(questions, self.look(questions), strict=True)
        ]

    def limit(self, looked: Looked) -> float:
        """The probability from which on a passage supports a statement: a higher one where it is the best of many."""
        chosen = self.checkpoint.searched if looked.searched else self.checkpoint.threshold
        return self.threshold or chosen

    def look(self, questions: Sequence[Question]) -> list[Looked]:
        """The passages that could support each statement, read closely."""
        return look(questions, self.passages, default_encoder(), self.checkpoint.probabilities)

    @staticmethod
    def _objections(history: History, piece: Piece, statement: str) -> Iterator[str]:
        yield from rules.against_relevance(history, piece, statement)
        yield from clauses.objections(piece.context, piece.text, statement)

    def _vote(self, question: Question, looked: Looked, limit: float) -> Vote:
        history, statement = question.history, question.item.statement
        unfit = next(rules.against_sensibility(history, looked.read, statement), "")
        sensible = {"sensibility": not unfit, "sensibility_reason": unfit}
        if looked.best is None:
            return Vote(relevance=False, relevance_reason="the user says nothing", confidence=1.0, **sensible)
        piece, probability = looked.read[looked.best], looked.probabilities[looked.best]
        objections = list(self._objections(history, piece, statement)) if self.rules else []
        open_ = (self.rules and probability < limit) or objections == [rules.REQUEST]
        if open_ and (often := rules.repeated(history, statement)):
            shown = history.turns[often[0]].text
            return Vote(relevance=True, quote=shown, relevance_reason=SEVERAL, confidence=probability, **sensible)
        relevant = probability >= limit and not objections
        return Vote(
            relevance=relevant,
            quote=quote(piece, statement) if relevant else "",
            relevance_reason=objections[0] if objections and probability >= limit else "",
            confidence=probability if probability >= limit else 1 - probability,
            **sensible,
        )


@dataclass(frozen=True)
class VerifierJudge:
    """Judges items one by one, without a language model.

    Attributes:
        verifier: who reads.
        resamples: of the bootstrap over users.
    """

    verifier: Verifier = field(default_factory=Verifier)
    resamples: int = 10_000
    tolerance: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        enough_resamples("judge.resamples", self.resamples)

    @property
    def name(self) -> str:
        """Which judge this is."""
        return "verifier"

    @property
    def content(self) -> str:
        """What decides verdicts besides the config: the rubric, the rules, the way it is trained."""
        return digest([rubric(LATEST).version, self.verifier.content])

    @property
    def identity(self) -> str:
        """Everything that decides a verdict besides the item and the history."""
        it = self.verifier
        return digest([self.content, it.checkpoint.name, it.threshold, it.passages, it.rules], 32)

    @property
    def settings(self) -> dict[str, Any]:
        """What a result says about the judge."""
        it = self.verifier
        return {
            "judge": it.checkpoint.name,
            "threshold": it.threshold or it.checkpoint.threshold,
            "threshold_searched": it.threshold or it.checkpoint.searched,
            "rubric": rubric(LATEST).version,
        }

    def keeping(self, path: Path, stop: Callable[[], bool] = lambda: False) -> Judge:
        """The same judge, which keeps its verdicts in a file (`judging.kept.Keeping`)."""
        return Kept(self, path, stop)

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Judged precision of the predictions (`Judge.score`)."""
        return judged_scores(self, histories, predictions, self.resamples, self.settings)

    def verdicts(self, questions: Sequence[Question]) -> list[Scored | Unscored]:
        """A verdict on every question (`ItemJudge.verdicts`)."""
        return [decide(question, [vote]) for question, vote in zip(questions, self.verifier.votes(questions), strict=True)]

    def stream(self, questions: Sequence[Question]) -> Iterator[Scored | Unscored]:
        """The same verdicts."""
        yield from self.verdicts(questions)


@dataclass(frozen=True)
class VerifierFilter:
    """Keeps of a prediction the items that a verifier finds relevant and sensible; it learns from other pairs than the judge.

    Attributes:
        verifier: who reads; its `course.source` must not be the judge's.
    """

    verifier: Verifier = field(
        default_factory=lambda: Verifier(Course(source="msc", seed=1, dialogues=1800, harder=1400, epochs=2))
    )

    @property
    def content(self) -> str:
        """What decides besides the config."""
        return digest(self.verifier.content)

    def kept(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> list[Prediction]:
        """The predictions without the items that are not verified; those stand among the rejected ones."""
        asked = [
            Question(f"{history.id}#{place}", history, item, place)
            for history, prediction in zip(histories, predictions, strict=True)
            for place, item in enumerate(prediction.items)
        ]
        votes = iter(self.verifier.votes(asked))
        return [_kept(prediction, [next(votes) for _ in prediction.items]) for prediction in predictions]


def _kept(prediction: Prediction, votes: Sequence[Vote]) -> Prediction:
    right = [vote.relevance and vote.sensibility for vote in votes]
    gone = [
        Rejection(reason=f"not verified: {vote.relevance_reason or vote.sensibility_reason or 'not supported'}", raw=item.line())
        for item, vote, holds in zip(prediction.items, votes, right, strict=True)
        if not holds
    ]
    items = tuple(item for item, holds in zip(prediction.items, right, strict=True) if holds)
    return prediction.model_copy(update={"items": items, "rejected": (*prediction.rejected, *gone)})
