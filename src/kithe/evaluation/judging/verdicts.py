"""What a judge says of one inferred item: a verdict, or the reason why there is none (spec 2.9).

An item is correct if it is relevant (the history states it or shows it) and sensible (a lasting, useful fact). An answer that
cannot be read is not a `no`: it stays apart, and is never counted as wrong.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import TypeAdapter

from kithe.knowledge.evidence import quoted
from kithe.knowledge.text import normalised
from kithe.records.base import Record
from kithe.records.history import History, KnowledgeItem

Variant = Literal["plain", "greedy", "shuffled", "paraphrased"]
NO_QUOTE = "the quote does not stand in the history"
TIED = "the samples are tied"
PARTS = ("...", "…", " | ")


class Vote(Record):
    """One reading of an item by a judge; `variant` says how it was asked, `confidence` how sure it is of relevance (0 to 1)."""

    relevance: bool
    sensibility: bool
    quote: str = ""
    relevance_reason: str = ""
    sensibility_reason: str = ""
    variant: Variant = "plain"
    confidence: float | None = None


class Unread(Record):
    """An answer that holds no vote: why, and what it was."""

    unread: str
    raw: str = ""
    variant: Variant = "plain"


class Scored(Record):
    """An item with a verdict, and the votes it is the majority of."""

    item: str
    user: str
    relevance: bool
    sensibility: bool
    quote: str = ""
    relevance_reason: str = ""
    sensibility_reason: str = ""
    votes: tuple[Vote | Unread, ...] = ()

    @property
    def correct(self) -> bool:
        """Relevant and sensible."""
        return self.relevance and self.sensibility


class Unscored(Record):
    """An item the judge gave no verdict on, and why; `again`: nobody answered, and asking again may bring one."""

    item: str
    user: str
    reason: str
    votes: tuple[Vote | Unread, ...] = ()
    again: bool = False


class Duplicate(Record):
    """An item that says what another one of the same user says; it is not judged again."""

    item: str
    user: str
    duplicate_of: str


Verdict: TypeAlias = Scored | Unscored | Duplicate
VERDICT: TypeAdapter[Verdict] = TypeAdapter(Verdict)


@dataclass(frozen=True)
class Question:
    """One item to judge against one history, never several at once.

    Attributes:
        id: unique among the questions asked.
        history: what the user said, and to whom.
        item: what was inferred.
        place: the item's place in its prediction, from 0.
    """

    id: str
    history: History
    item: KnowledgeItem
    place: int = 0


def read(line: str) -> Verdict:
    """The verdict on a line of a file."""
    return VERDICT.validate_json(line)


def decide(question: Question, votes: Sequence[Vote | Unread]) -> Scored | Unscored:
    """The majority of the votes that could be read, criterion by criterion; the greedy vote decides a tie, if there is one."""
    heard = [vote for vote in votes if isinstance(vote, Vote)]
    about = {"item": question.id, "user": question.history.id, "votes": tuple(votes)}
    if not heard:
        reasons = Counter(vote.unread for vote in votes if isinstance(vote, Unread))
        return Unscored(reason=reasons.most_common(1)[0][0] if reasons else "no answer", **about)
    relevance, sensibility = (_majority(heard, criterion) for criterion in ("relevance", "sensibility"))
    if relevance is None or sensibility is None:
        return Unscored(reason=TIED, **about)
    speaker = next((vote for vote in heard if (vote.relevance, vote.sensibility) == (relevance, sensibility)), heard[0])
    said = {key: getattr(speaker, key) for key in ("quote", "relevance_reason", "sensibility_reason")}
    return Scored(relevance=relevance, sensibility=sensibility, **said, **about)


def checked(vote: Vote, history: History) -> Vote:
    """The vote, with relevance taken back where its quote does not stand word for word in one turn of the history.

    Case, punctuation and spacing do not matter; a quote of several parts ("play jazz ... more jazz") needs every part.
    """
    if not vote.relevance or found(vote.quote, history):
        return vote
    return vote.model_copy(update={"relevance": False, "relevance_reason": f"{NO_QUOTE}: {vote.relevance_reason}".rstrip(": ")})


def found(quote: str, history: History) -> bool:
    """Whether every part of a quote stands in some turn."""
    for mark in PARTS:
        quote = quote.replace(mark, "\n")
    parts = [part for part in quote.split("\n") if normalised(part)]
    return bool(parts) and all(any(quoted(turn.text, part) for turn in history.turns) for part in parts)


def unsure(verdict: Scored) -> float:
    """The share of the votes read that disagree with the verdict on its being correct: a judge's uncertainty, 0 to 0.5."""
    heard = [vote for vote in verdict.votes if isinstance(vote, Vote)]
    return sum((vote.relevance and vote.sensibility) != verdict.correct for vote in heard) / len(heard) if heard else 0.0


def same_words(one: str, other: str) -> bool:
    """Whether two statements differ in case, punctuation and spacing only."""
    return normalised(one) == normalised(other)


def duplicates(questions: Sequence[Question], same: Callable[[str, str], bool] = same_words) -> dict[str, str]:
    """The questions that repeat an earlier one about the same user: id -> id of the first that says it."""
    first: dict[str, list[Question]] = {}
    repeats: dict[str, str] = {}
    for question in questions:
        known = first.setdefault(question.history.id, [])
        twin = next((each for each in known if same(each.item.statement, question.item.statement)), None)
        if twin is None:
            known.append(question)
        else:
            repeats[question.id] = twin.id
    return repeats


def only_scored(verdicts: Iterable[Verdict]) -> Iterator[Scored]:
    """The verdicts that are verdicts."""
    return (verdict for verdict in verdicts if isinstance(verdict, Scored))


def _majority(votes: Sequence[Vote], criterion: str) -> bool | None:
    said = [bool(getattr(vote, criterion)) for vote in votes]
    if 2 * sum(said) != len(said):
        return 2 * sum(said) > len(said)
    return next((bool(getattr(vote, criterion)) for vote in votes if vote.variant == "greedy"), None)
