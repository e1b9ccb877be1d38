"""What a cell's numbers may owe to something else than reading the conversation: probes from the files alone (spec 7.6).

Statements are compared by their content words here, not by the judge: quick, the same for every cell, and needs no model. The
figures are to be compared with one another and between cells, not with the table of results.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kithe.records.history import History, KnowledgeItem
from kithe.report.background import Background, Part, normalised, overlap, statements
from kithe.report.estimates import Estimate
from kithe.report.material import Answer
from kithe.report.slices import RESAMPLES
from kithe.report.text import with_interval
from kithe.report.writers import Table

if TYPE_CHECKING:
    pass

COMMON: Final = (0.05, 3)
WORDS: Final = {
    "own history": "F1 by content words against the user's own facts",
    "another user's history": "the same against the facts of the next user: what could be said without reading (hypothesis only)",
    "first-person sentences": "F1 by content words of copying every sentence of the user with I, my or we (keyword baseline)",
    "said of many": "items said, word for word, of at least one user in twenty (three at least)",
    "copied from training": "items that are, word for word, a fact of the training data",
    "wrong and copied": "wrong items that are, word for word, a fact of the training data",
    "other speaker": "wrong items whose words the other speaker said and the user did not",
    "silent": "users with facts of whom nothing was inferred",
    "facts verbatim": "gold facts that stand word for word in a turn of the user: easy ones, the same for every cell",
    "evidence in the first half": "items whose evidence stands in the first half of the conversation",
    "facts in the first half": "gold facts whose evidence stands there, for comparison",
}
EXPLAINED: Final = (
    "From the files alone, for the first seed of every row. Asking a model again with the turns in another order, or with one"
    " attribute swapped, takes the model and is not done here; stereotypes and label shortcuts of a training corpus are in the"
    " report on corpora."
)


@dataclass(frozen=True)
class Probe:
    """One figure of one cell."""

    name: str
    cell: str
    estimate: Estimate


def probes(name: str, answers: Sequence[Answer], known: Background, learnt: Sequence[KnowledgeItem] = ()) -> list[Probe]:
    """Every probe of one cell that is defined.

    Args:
        name: what the cell is called.
        answers: of one seed, a user each.
        known: the test set.
        learnt: the cell's training facts.
    """
    ids = tuple(each.history.id for each in answers)
    return [
        Probe(name, cell, estimate)
        for name, cell, parts in ((probe, name, parts) for probe, parts in _parts(answers, known, learnt).items())
        if (estimate := share(ids, parts)) is not None
    ]


def share(ids: tuple[str, ...], parts: Sequence[Part]) -> Estimate | None:
    """A ratio of sums over users with its interval; None with nothing below the line."""
    import numpy as np

    from kithe.evaluation.statistics import Ratio, interval

    above, below = np.array(parts, dtype=np.float64).reshape(-1, 2).T
    if not below.sum() > 0:
        return None
    ratio: Ratio = Ratio(ids, above, below)
    return Estimate(ratio.value, *interval(ratio, RESAMPLES), n=int(below.sum()))


def _parts(answers: Sequence[Answer], known: Background, learnt: Sequence[KnowledgeItem]) -> Mapping[str, list[Part]]:
    """Probe -> what each user adds above and below the line."""
    facts, many = {normalised(item.statement) for item in learnt}, _said_of_many(answers)
    others = [*answers[1:], *answers[:1]]

    def per_user(count: Callable[[Answer], Part]) -> list[Part]:
        return [count(each) for each in answers]

    copied = {
        "copied from training": per_user(lambda each: _items(each, lambda item: normalised(item.statement) in facts)),
        "wrong and copied": per_user(lambda each: _wrong(each, lambda item: normalised(item.statement) in facts)),
    }
    return {
        "own history": per_user(lambda each: overlap(statements(each.prediction.items), statements(each.history.items))),
        "another user's history": [
            overlap(statements(each.prediction.items), statements(other.history.items))
            for each, other in zip(answers, others, strict=True)
        ],
        "first-person sentences": per_user(lambda each: known.copied[each.history.id]),
        "said of many": per_user(lambda each: _items(each, lambda item: normalised(item.statement) in many)),
        **(copied if facts else {}),
        "other speaker": per_user(lambda each: _wrong(each, lambda item: known.said_by_other(each.history.id, item))),
        "silent": per_user(lambda each: (float(not each.prediction.items), 1.0) if each.history.items else (0.0, 0.0)),
        "facts verbatim": per_user(lambda each: known.verbatim[each.history.id]),
        "evidence in the first half": per_user(lambda each: _early(each.history, each.prediction.items)),
        "facts in the first half": per_user(lambda each: _early(each.history, each.history.items)),
    }


def _items(answer: Answer, test: Callable[[KnowledgeItem], bool]) -> Part:
    return float(sum(map(test, answer.prediction.items))), float(len(answer.prediction.items))


def _wrong(answer: Answer, test: Callable[[KnowledgeItem], bool]) -> Part:
    wrong = [answer.prediction.items[index] for index in answer.wrong]
    return float(sum(map(test, wrong))), float(len(wrong))


def _said_of_many(answers: Sequence[Answer]) -> set[str]:
    counts = Counter(text for each in answers for text in {normalised(item.statement) for item in each.prediction.items})
    least = max(COMMON[1], COMMON[0] * len(answers))
    return {text for text, count in counts.items() if count >= least}


def _early(history: History, items: Iterable[KnowledgeItem]) -> Part:
    placed = [max(part.turn for part in item.evidence) for item in items if item.evidence]
    return float(sum(2 * turn < len(history.turns) for turn in placed)), float(len(placed))


def probe_table(found: Sequence[Probe], cells: Sequence[str]) -> Table:
    """A line for each probe, a column for each cell."""
    held = {(each.name, each.cell): each.estimate for each in found}
    lines = [(name, [held.get((name, cell)) for cell in cells]) for name in WORDS]
    body = tuple((WORDS[name], *map(with_interval, line)) for name, line in lines if any(line))
    return Table(("probe", *cells), (False, *(True,) * len(cells)), body, EXPLAINED)
