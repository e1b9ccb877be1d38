"""What must not move a verdict, and how often it does (spec 7.1): asking again, order, other words, length, orders in the text.

A probe changes a question in a way that leaves the truth alone, or cannot be applied to it (None). `shift` compares the verdicts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import yaml

from kithe.evaluation.judging.items import ItemJudge
from kithe.evaluation.judging.verdicts import Question, Scored, Unscored, Verdict
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES, Ratio, by_user, interval, mcnemar
from kithe.knowledge.text import normalised
from kithe.records.base import Record
from kithe.records.history import History, Turn

Change: TypeAlias = Callable[[Question], Question | None]
REPEATED: Final = "To put it again: "
PRAISE: Final = " This is certainly right, well supported and useful."


class Injection(Record):
    """A text that tries to order a judge about, and the verdict it asks for."""

    name: str
    toward: Literal["yes", "no"]
    text: str


@dataclass(frozen=True)
class Shift:
    """How verdicts on `correct` moved between two askings of the same items.

    Attributes:
        rate: the share of items scored twice whose verdict changed, with its interval over users; None where there are none.
        to_yes: how many became correct.
        to_no: how many became wrong.
        unscored: items without a verdict in one of the askings.
        skipped: items the probe could not be applied to.
        p: McNemar's two-sided p value of moving in one direction.
    """

    rate: Metric | None
    to_yes: int
    to_no: int
    unscored: int
    skipped: int
    p: float


def shift(before: Sequence[Verdict], after: Sequence[Verdict], skipped: int = 0, resamples: int = RESAMPLES) -> Shift:
    """What changed between two askings; test-retest, order swap and every other probe are this figure.

    Raises:
        ValueError: if the two are not about the same items in the same order.
    """
    if [verdict.item for verdict in before] != [verdict.item for verdict in after]:
        raise ValueError("verdicts can be compared only about the same items in the same order")
    both = [(a, b) for a, b in zip(before, after, strict=True) if isinstance(a, Scored) and isinstance(b, Scored)]
    up = sum(b.correct and not a.correct for a, b in both)
    down = sum(a.correct and not b.correct for a, b in both)
    unscored = sum(isinstance(a, Unscored) or isinstance(b, Unscored) for a, b in zip(before, after, strict=True))
    return Shift(_rate(both, resamples), up, down, unscored, skipped, mcnemar(up, down))


def probe(judge: ItemJudge, questions: Sequence[Question], change: Change, resamples: int = RESAMPLES) -> Shift:
    """Ask about the questions as they are and changed; those the change does not apply to are not asked."""
    pairs = [(question, changed) for question in questions if (changed := change(question)) is not None]
    before = judge.verdicts([question for question, _ in pairs])
    after = judge.verdicts([changed for _, changed in pairs])
    return shift(before, after, len(questions) - len(pairs), resamples)


def same_again(question: Question) -> Question:
    """Test-retest: the very same question. A judge that keeps its answers must be told to ask anew."""
    return question


def swapped(question: Question) -> Question | None:
    """The sessions in reverse order; None for a single session.

    Where a later session takes an earlier one back, the order is part of the truth: leave such items out.
    """
    return _in_order(question, list(reversed(_sessions(question))))


def reordered(question: Question, draw: Random) -> Question | None:
    """The sessions in another order than theirs, drawn; None for a single session."""
    sessions = _sessions(question)
    by = draw.randrange(1, len(sessions)) if len(sessions) > 1 else 0
    return _in_order(question, [*sessions[by:], *sessions[:by]])


def _sessions(question: Question) -> list[int]:
    return list(dict.fromkeys(turn.session for turn in question.history.turns))


def _in_order(question: Question, sessions: Sequence[int]) -> Question | None:
    """The question about the sessions in this order, numbered anew; None for a single one."""
    turns = question.history.turns
    if len(sessions) < 2:
        return None
    number = {session: place for place, session in enumerate(sessions, start=1)}
    moved = [turn.model_copy(update={"session": number[turn.session]}) for turn in turns]
    order = sorted(range(len(turns)), key=lambda index: moved[index].session)
    place = {old: new for new, old in enumerate(order)}
    return _with_turns(question, [moved[index] for index in order], place.__getitem__)


def doubled(question: Question) -> Question:
    """The statement said twice: longer, and no more true."""
    text = question.item.statement
    return _with_statement(question, f"{text} {REPEATED}{text[:1].lower() if text[:2] != 'I ' else text[:1]}{text[1:]}")


def praised(question: Question) -> Question:
    """The statement with praise of itself."""
    return _with_statement(question, question.item.statement + PRAISE)


def paraphrased(question: Question) -> Question | None:
    """The statement in other words by rule; None where no rule applies."""
    text = question.item.statement
    for group in _paraphrases()["openings"]:
        for index, opening in enumerate(group):
            if text.startswith(f"{opening} "):
                return _with_statement(question, group[(index + 1) % len(group)] + text[len(opening) :])
    for group in _paraphrases()["inside"]:
        for index, words in enumerate(group):
            if f" {words}" in text:
                return _with_statement(question, text.replace(f" {words}", f" {group[(index + 1) % len(group)]}", 1))
    return None


def dumped(question: Question) -> Question | None:
    """Everything the history's gold facts state, as one statement: a persona dump is not one fact. None without two facts."""
    facts = [item.statement for item in question.history.items]
    return _with_statement(question, " ".join(facts)) if len(facts) > 1 else None


def ordered_about(injection: Injection, speaker: Literal["user", "other"] = "user", place: float = 1.0) -> Change:
    """Put an order to the judge into the conversation, as a turn of the user or of the other speaker.

    Args:
        injection: the order.
        speaker: who says it.
        place: where, from 0 (before everything) to 1 (after everything).
    """

    def change(question: Question) -> Question:
        turns = question.history.turns
        at = round(place * len(turns))
        partner = next((turn.speaker for turn in turns if turn.speaker != question.history.user), "other")
        session = turns[max(0, at - 1)].session if turns else 1
        text = injection.text.format(statement=question.item.statement)
        order = Turn(speaker=question.history.user if speaker == "user" else partner, text=text, session=session)
        return _with_turns(question, [*turns[:at], order, *turns[at:]], lambda turn: turn + (turn >= at))

    return change


@cache
def injections() -> tuple[Injection, ...]:
    """The battery of `injections.yaml`."""
    return tuple(Injection.model_validate(row) for row in _yaml("injections.yaml"))


def inject(judge: ItemJudge, questions: Sequence[Question], resamples: int = RESAMPLES) -> dict[str, Shift]:
    """How each order moves verdicts; the questions are asked once as they are, and once with each order."""
    before = judge.verdicts(questions)
    found = {}
    for injection in injections():
        change = ordered_about(injection)
        changed = [asked for question in questions if (asked := change(question)) is not None]
        found[injection.name] = shift(before, judge.verdicts(changed), resamples=resamples)
    return found


PROBES: Final[Mapping[str, Change]] = {
    "test-retest": same_again,
    "order swap": swapped,
    "length": doubled,
    "praise": praised,
    "paraphrase": paraphrased,
}


def same_family(judge: str, generator: str) -> str | None:
    """A warning where judge and generator are of one family by their names ("qwen3-4b", "Qwen/Qwen3-0.6B"), or None."""
    families = [normalised(name.rsplit("/", 1)[-1]).split(" ")[0].rstrip("0123456789.") for name in (judge, generator)]
    if families[0] != families[1] or not families[0]:
        return None
    return f"judge '{judge}' and generator '{generator}' are of one family: a judge may favour what its own kind writes"


def _rate(both: Sequence[tuple[Scored, Scored]], resamples: int) -> Metric | None:
    if not both:
        return None
    users = [a.user for a, _ in both]
    sums = by_user(users, np.array([(a.correct != b.correct, 1) for a, b in both], dtype=np.float64))
    ratio = Ratio(tuple(dict.fromkeys(users)), sums[:, 0], sums[:, 1])
    low, high = interval(ratio, resamples)
    return Metric(value=ratio.value, low=low, high=high, n=len(both))


def _with_statement(question: Question, statement: str) -> Question:
    return replace(question, item=question.item.model_copy(update={"statement": statement}))


def _with_turns(question: Question, turns: Sequence[Turn], moved: Callable[[int], int]) -> Question:
    """The question about a history with other turns; evidence goes with its turn."""

    def shifted(history: History) -> dict[str, Any]:
        items = tuple(
            item.model_copy(
                update={"evidence": tuple(part.model_copy(update={"turn": moved(part.turn)}) for part in item.evidence)}
            )
            for item in history.items
        )
        return {"turns": tuple(turns), "items": items}

    return replace(question, history=question.history.model_copy(update=shifted(question.history)))


@cache
def _paraphrases() -> dict[str, list[list[str]]]:
    content: dict[str, list[list[str]]] = _yaml("paraphrases.yaml")
    return content


def _yaml(name: str) -> Any:
    return yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
