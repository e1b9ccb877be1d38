"""A judge that is a language model: `judge=endpoint` over HTTP, `judge=local` in this process (spec 2.9).

An item gets one greedy vote and several drawn ones, each a call of its own about that item alone. One of the drawn votes sees the
sessions in another order, another one the statement in other words, so that a verdict that hangs on either is not unanimous.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Final

from kithe.errors import ConfigError, at_least, enough_resamples
from kithe.evaluation.judges import Judge, Scores
from kithe.evaluation.judging.items import judged_scores
from kithe.evaluation.judging.kept import Kept
from kithe.evaluation.judging.probes import paraphrased, reordered
from kithe.evaluation.judging.rubric import LATEST, SCHEMA, Rubric, prompt, read_vote, rubric
from kithe.evaluation.judging.verdicts import Question, Scored, Unread, Unscored, Variant, Vote, checked, decide
from kithe.identity import digest
from kithe.llm.client import PASSING, Ask, Client
from kithe.llm.ladder import Problem, Reading, Result, structured
from kithe.records.chat import Prediction
from kithe.records.history import History

SILENT: Final = "no answer"


@dataclass(frozen=True)
class Ballot:
    """One vote to be asked for: about which item, as which of its votes, and the question as it is put."""

    place: int
    number: int
    variant: Variant
    asked: Question


@dataclass(frozen=True)
class ModelJudge:
    """A language model that judges by the rubric.

    Attributes:
        client: who answers.
        rubric: a version of the rubric, or the path of one's own (`….yaml`).
        samples: drawn votes an item.
        temperature: of the drawn votes.
        greedy: whether there is also a vote at temperature 0; it decides ties.
        shuffle: whether the second drawn vote sees the sessions in another order.
        paraphrase: whether the third drawn vote sees the statement in other words.
        reask: whether an unreadable answer is asked for once more, with what was wrong.
        max_tokens: of an answer.
        seed: of the draws.
        tolerance: share of items that may stay without a verdict because nobody answered; above it judging fails, and repeating
            it asks for those alone.
        resamples: of the bootstrap over users.
    """

    client: Client
    rubric: str = LATEST
    samples: int = 3
    temperature: float = 0.7
    greedy: bool = True
    shuffle: bool = True
    paraphrase: bool = True
    reask: bool = True
    max_tokens: int = 400
    seed: int = 0
    tolerance: float = 0.0
    resamples: int = 10_000
    rules: Rubric = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible, or there is no such rubric.
        """
        for name, least in (("samples", 0), ("max_tokens", 1), ("temperature", 0)):
            at_least(f"judge.{name}", getattr(self, name), least)
        enough_resamples("judge.resamples", self.resamples)
        if not 0 <= self.tolerance <= 1:
            raise ConfigError(f"judge.tolerance={self.tolerance}: a share between 0 and 1")
        if not self.samples and not self.greedy:
            raise ConfigError("judge.samples=0, judge.greedy=false: nobody votes; set samples to at least 1 or greedy to true")
        object.__setattr__(self, "rules", rubric(self.rubric))

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Judged precision of the predictions (`Judge.score`)."""
        return judged_scores(self, histories, predictions, self.resamples, self.settings)

    def keeping(self, path: Path, stop: Callable[[], bool] = lambda: False) -> Judge:
        """This judge with its verdicts in a file, none of which it gives twice."""
        return Kept(self, path, stop)

    def anew(self) -> "ModelJudge":
        """The same judge, which asks everything again even where a cache remembers its answers."""
        return replace(self, seed=self.seed + 1)

    @property
    def name(self) -> str:
        """Who answers."""
        return self.client.name

    @property
    def content(self) -> str:
        """The rubric's version: what counts besides the config."""
        return self.rules.version

    @property
    def settings(self) -> dict[str, Any]:
        """What a result says about the judge."""
        return {"model": self.client.name, "rubric": self.rules.version, "votes": len(self.variants)}

    @property
    def identity(self) -> str:
        """Everything that decides a verdict besides the item and the history."""
        asked = (self.variants, self.temperature, self.reask, self.max_tokens, self.seed)
        return digest([self.client.identity, self.rules.version, *asked], 32)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """How each vote is asked for."""
        drawn: list[Variant] = ["plain"] * self.samples
        for place, wanted, variant in ((1, self.shuffle, "shuffled"), (2, self.paraphrase, "paraphrased")):
            if wanted and len(drawn) > place:
                drawn[place] = variant  # type: ignore[call-overload]
        return (*(("greedy",) if self.greedy else ()), *drawn)

    def verdicts(self, questions: Sequence[Question]) -> list[Scored | Unscored]:
        """See `ItemJudge.verdicts`."""
        order = {question.id: place for place, question in enumerate(questions)}
        return sorted(self.stream(questions), key=lambda verdict: order[verdict.item])

    def stream(self, questions: Sequence[Question]) -> Iterator[Scored | Unscored]:
        """A verdict on every question as they come; one that nobody answered is `Unscored` with `again`."""
        ballots: dict[str, Ballot] = {}
        votes: dict[int, dict[int, Vote | Unread]] = {}
        asks = (self._ask(ballot, ballots) for ballot in self._ballots(questions))
        for result in structured(self.client, asks, _read, again=self.reask):
            ballot = ballots.pop(result.ask.id)
            heard = votes.setdefault(ballot.place, {})
            heard[ballot.number] = _vote(result, ballot)
            if len(heard) == len(self.variants):
                yield _decided(questions[ballot.place], [vote for _, vote in sorted(votes.pop(ballot.place).items())])

    def _ballots(self, questions: Sequence[Question]) -> Iterator[Ballot]:
        for place, question in enumerate(questions):
            for number, variant in enumerate(self.variants):
                yield _ballot(place, number, variant, question)

    def _ask(self, ballot: Ballot, ballots: dict[str, Ballot]) -> Ask:
        name = f"{ballot.place}/{ballot.number}"
        ballots[name] = ballot
        return Ask(
            name,
            prompt(ballot.asked, self.rules),
            schema=SCHEMA,
            max_tokens=self.max_tokens,
            temperature=0.0 if ballot.variant == "greedy" else self.temperature,
            seed=self.seed * 1000 + ballot.number,
        )


def _ballot(place: int, number: int, variant: Variant, question: Question) -> Ballot:
    """The ballot; a change that does not apply to a question leaves it as it is."""
    draw = Random(f"{question.history.id}/{question.item.statement}")
    changed = {"shuffled": lambda: reordered(question, draw), "paraphrased": lambda: paraphrased(question)}
    asked = changed[variant]() if variant in changed else question
    return Ballot(place, number, variant if asked is not None else "plain", asked or question)


def _read(text: str) -> Reading[Vote] | Problem:
    said = read_vote(text)
    return Problem(said.unread) if isinstance(said, Unread) else Reading(said)


def _vote(result: Result[Vote], ballot: Ballot) -> Vote | Unread:
    if result.value is not None:
        return checked(result.value, ballot.asked.history).model_copy(update={"variant": ballot.variant})
    raw = result.raw[-1] if result.raw else ""
    if result.failure is None:
        return Unread(unread=result.problem, raw=raw, variant=ballot.variant)
    reason = "refusal" if result.failure.reason == "refused" else result.failure.reason
    silent = result.failure.reason in PASSING
    return Unread(unread=f"{SILENT}: {reason}" if silent else reason, raw=result.failure.message, variant=ballot.variant)


def _decided(question: Question, votes: Sequence[Vote | Unread]) -> Scored | Unscored:
    """The majority, unless a vote is still to be had."""
    missing = [vote.unread for vote in votes if isinstance(vote, Unread) and vote.unread.startswith(SILENT)]
    if missing:
        return Unscored(item=question.id, user=question.history.id, reason=missing[0], votes=tuple(votes), again=True)
    return decide(question, votes)
