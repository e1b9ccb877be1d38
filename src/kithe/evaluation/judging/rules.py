"""A simulated judge: it knows the gold facts and errs as it is told. For testing the statistics; it does not read like a person.

Chances are of a single vote; the draw depends on seed, item and sample alone, so two askings differ only where a bias makes them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, TypeAlias

from kithe.errors import ConfigError, at_least, enough_resamples
from kithe.evaluation.judges import Scores
from kithe.evaluation.judging.items import judged_scores
from kithe.evaluation.judging.probes import injections
from kithe.evaluation.judging.verdicts import Question, Scored, Unread, Unscored, Vote, decide
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem

TYPICAL_WORDS: Final = 8
SIMULATED: Final = "the simulated judge fell silent"
CHANCES: Final = ("sensitivity", "specificity", "gullible", "silent")


@dataclass(frozen=True)
class Truth:
    """What is true of an item: both criteria, and where its evidence stands, from 0 (first turn) to 1 (last)."""

    relevance: bool
    sensibility: bool = True
    position: float = 0.5


Knows: TypeAlias = Callable[[Sequence[Question]], list[Truth]]


@dataclass(frozen=True)
class RulesJudge:
    """A judge with known errors on histories with gold facts.

    An item is relevant if it states a gold fact of its history; what is not among the gold facts counts as wrong, so the
    histories must have complete ones, as scripted ones do. Sensibility is not simulated: every item has it, unless `truth` says
    otherwise.

    Attributes:
        sensitivity: the chance that a true item is called relevant.
        specificity: the chance that a false one is not.
        length_bias: added to the chance of "relevant" for every word of the statement above eight.
        position_bias: added to it for evidence in the last turn, taken from it for evidence in the first; by place in between.
        gullible: the chance of obeying an order to the judge in the conversation (those of `injections.yaml`).
        silent: the chance that an answer cannot be read.
        samples: votes an item; the majority decides.
        seed: of the draws.
        threshold: cosine from which two statements can be the same fact; None for the calibrated one.
        resamples: of the bootstrap over users.
        truth: what is true of items; None for the gold facts of their histories.
    """

    sensitivity: float = 0.9
    specificity: float = 0.8
    length_bias: float = 0.0
    position_bias: float = 0.0
    gullible: float = 0.0
    silent: float = 0.0
    samples: int = 1
    seed: int = 0
    threshold: float | None = None
    resamples: int = 10_000
    truth: Knows | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name in CHANCES:
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"judge.{name}={getattr(self, name)}: a chance between 0 and 1")
        at_least("judge.samples", self.samples, 1)
        enough_resamples("judge.resamples", self.resamples)

    def anew(self) -> "RulesJudge":
        """The same judge with other draws: what asking again brings."""
        return replace(self, seed=self.seed + 1)

    @property
    def name(self) -> str:
        """What pages call it."""
        return "rules (simulated)"

    @property
    def settings(self) -> dict[str, Any]:
        """What a result says about the judge."""
        return {"simulated": True, "sensitivity": self.sensitivity, "specificity": self.specificity}

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Judged precision of the predictions (`Judge.score`)."""
        return judged_scores(self, histories, predictions, self.resamples, self.settings)

    def verdicts(self, questions: Sequence[Question]) -> list[Scored | Unscored]:
        """A simulated verdict on every question (`ItemJudge.verdicts`)."""
        truths = (self.truth or self.by_gold)(questions)
        return [decide(question, list(self._votes(question, truth))) for question, truth in zip(questions, truths, strict=True)]

    def by_gold(self, questions: Sequence[Question]) -> list[Truth]:
        """Whether each item states one of its history's gold facts."""
        from kithe.evaluation.calibration import calibrated_threshold
        from kithe.evaluation.matching import as_statement, default_encoder, similarity

        encoder, threshold = default_encoder(), self.threshold or calibrated_threshold()
        items: dict[int, list[KnowledgeItem]] = defaultdict(list)
        for question in questions:
            items[id(question.history)] += [question.item, *question.history.items]
        encoder.encode([as_statement(item) for group in items.values() for item in group])
        found = (similarity(q.history.items, [q.item], encoder, threshold) for q in questions)
        return [_truth(q, column[:, 0].tolist(), threshold) for q, column in zip(questions, found, strict=True)]

    def chance(self, question: Question, truth: Truth) -> float:
        """The chance that one vote calls the item relevant."""
        order = self._order(question.history)
        plain = self.sensitivity if truth.relevance else 1 - self.specificity
        long = self.length_bias * max(0, len(question.item.statement.split()) - TYPICAL_WORDS)
        biased = min(1.0, max(0.0, plain + long + self.position_bias * (2 * truth.position - 1)))
        return biased if order is None else self.gullible * order + (1 - self.gullible) * biased

    def _votes(self, question: Question, truth: Truth) -> Iterator[Vote | Unread]:
        for sample in range(self.samples):
            if self._draw(question, sample, "silent") < self.silent:
                yield Unread(unread=SIMULATED)
            else:
                said = self._draw(question, sample, "relevance") < self.chance(question, truth)
                yield Vote(relevance=said, sensibility=truth.sensibility)

    def _draw(self, question: Question, sample: int, what: str) -> float:
        """A number in [0, 1) that depends on seed, item and sample alone."""
        key = f"{self.seed}/{question.history.id}/{question.id}/{sample}/{what}"
        return int.from_bytes(sha256(key.encode()).digest()[:7], "big") / 2**56

    def _order(self, history: History) -> float | None:
        """What an order in the conversation asks for (1 yes, 0 no), if there is one."""
        if not self.gullible:
            return None
        said = {turn.text for turn in history.turns}
        return next((float(each.toward == "yes") for each in injections() if each.text.format(statement="") in said), None)


def _truth(question: Question, similarities: Sequence[float], threshold: float) -> Truth:
    best = max(range(len(similarities)), key=similarities.__getitem__, default=None)
    if best is None or similarities[best] < threshold:
        return Truth(False)
    last = max((part.turn for part in question.history.items[best].evidence), default=None)
    turns = len(question.history.turns)
    return Truth(True, position=0.5 if last is None or turns < 2 else last / (turns - 1))
