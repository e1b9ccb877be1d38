"""What kinds of errors a cell makes, and which are the worst (paper A, 3.2)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kithe.corpora.words import stems
from kithe.records.history import History, KnowledgeItem
from kithe.report.background import ALIKE, Background, likeness, normalised, statements
from kithe.report.material import Answer
from kithe.report.text import NONE, count
from kithe.report.writers import Table

WRONG: Final = {
    "opposite": "says the opposite of a fact",
    "number": "has another number, person, time or thing than a fact",
    "again": "says again what another item of the user says",
    "near": "close to a fact that was not found, in other words",
    "other speaker": "what the other speaker said of themself, or asked",
    "invented": "hardly a word of it was said by the user",
    "unlisted": "the user's own words, but no fact of the list",
    "refused": "the judge says no",
}
MISSED: Final = {
    "misread": "something near it was inferred, but with another sign or number",
    "near": "something near it was inferred, in other words",
    "unsure": "it was inferred, but dropped for low confidence",
    "silent": "nothing near it was inferred",
}
SUPPORTED: Final = 0.5
EXPLAINED: Final = (
    "Each wrong item and each missed fact is of the first kind that fits, by rules on its words; shares are of the cell's"
    " wrong items, or of its missed facts. 'no fact of the list' is not always wrong: people do not list all that is true."
)


@dataclass(frozen=True)
class Mistake:
    """One wrong item: whose, what, of what kind, and the nearest fact."""

    user: str
    item: KnowledgeItem
    kind: str
    why: str
    nearest: str
    evidence: str


def mistakes(answer: Answer, known: Background) -> list[Mistake]:
    """The wrong items of one user."""
    found = []
    for index in answer.wrong:
        item = answer.prediction.items[index]
        place = nearest(item.statement, [fact.statement for fact in answer.history.items])
        fact = answer.history.items[place].statement if place is not None else ""
        kind = "refused" if answer.judged else wrong_kind(answer, index, place, known)
        found.append(Mistake(answer.history.id, item, kind, answer.calls[index].why, fact, evidence(answer.history, item)))
    return found


def wrong_kind(answer: Answer, index: int, place: int | None, known: Background) -> str:
    """The first kind of `WRONG` that fits a wrong item; `place` is that of the nearest fact that shares half of its words."""
    from kithe.evaluation.guards import conflicts

    item = answer.prediction.items[index]
    if place is not None and (guards := conflicts(answer.history.items[place].statement, item.statement)):
        return "opposite" if "polarity" in guards else "number"
    others = [other.statement for at, other in enumerate(answer.prediction.items) if at != index]
    if (place is not None and place in answer.found) or any(normalised(item.statement) == normalised(other) for other in others):
        return "again"
    if place is not None:
        return "near"
    wanted = stems(item.statement)
    if known.said_by_other(answer.history.id, item):
        return "other speaker"
    held = wanted & known.spoken[answer.history.id][0]
    return "unlisted" if wanted and len(held) >= SUPPORTED * len(wanted) else "invented"


def missed_kinds(answer: Answer) -> list[str]:
    """For every fact that was not found the first kind of `MISSED` that fits."""
    if answer.judged:
        return []
    items = statements(answer.prediction.items)
    dropped = [statement(each.raw) for each in answer.prediction.rejected if each.reason == "low confidence"]
    missed = [fact.statement for index, fact in enumerate(answer.history.items) if index not in answer.found]
    return [missed_kind(fact, items, dropped) for fact in missed]


def missed_kind(fact: str, items: Sequence[str], dropped: Sequence[str]) -> str:
    """The first kind of `MISSED` that fits a fact, by what was inferred and what was dropped."""
    from kithe.evaluation.guards import conflicts

    place = nearest(fact, items)
    if place is not None:
        return "misread" if conflicts(fact, items[place]) else "near"
    return "unsure" if nearest(fact, dropped) is not None else "silent"


def statement(raw: str) -> str:
    """The statement of an item that was dropped and kept as its line; the text itself where it is none."""
    from pydantic import ValidationError

    try:
        return KnowledgeItem.model_validate_json(raw).statement
    except ValidationError:
        return raw


def nearest(text: str, others: Sequence[str]) -> int | None:
    """The place of the statement that shares most content words with a text, from half of their joint words on.

    Numbers do not count: "two dogs" is near "three dogs".
    """
    wanted = unnumbered(text)
    near = [likeness(wanted, unnumbered(other)) for other in others]
    best = max(range(len(near)), key=near.__getitem__, default=None)
    return best if best is not None and near[best] >= ALIKE else None


@lru_cache(maxsize=1 << 16)
def unnumbered(text: str) -> frozenset[str]:
    """The content words of a text that are no numbers."""
    return frozenset(stem for stem in stems(text) if not stem.isdigit())


def evidence(history: History, item: KnowledgeItem) -> str:
    """The turn an item is said to come from."""
    turns = [part.turn for part in item.evidence if part.turn < len(history.turns)]
    return f"{history.turns[turns[-1]].speaker}: {history.turns[turns[-1]].text}" if turns else ""


def worst(found: Sequence[Mistake], most: int) -> list[Mistake]:
    """The mistakes a model was most sure of, those without a confidence last."""
    return sorted(found, key=lambda each: (-(each.item.confidence or 0.0), each.user, each.item.statement))[:most]


def kinds_table(cells: Mapping[str, Sequence[Answer]], found: Mapping[str, Sequence[Mistake]]) -> Table:
    """How many wrong items and missed facts of each kind, as counts with shares, a column for each cell.

    Args:
        cells: name -> its answers.
        found: name -> its mistakes.
    """
    wrong = {name: Counter(each.kind for each in found[name]) for name in cells}
    missed = {name: Counter(kind for answer in answers for kind in missed_kinds(answer)) for name, answers in cells.items()}
    lines = [
        (f"{head}: {words}", *(share(counts[name], kind) for name in cells))
        for head, kinds, counts in (("wrong", WRONG, wrong), ("missed", MISSED, missed))
        for kind, words in kinds.items()
        if any(counts[name][kind] for name in cells)
    ]
    return Table(("kind", *cells), (False, *(True,) * len(cells)), tuple(lines), EXPLAINED)


def share(counts: Counter[str], kind: str) -> str:
    """A count and its share."""
    return f"{count(counts[kind])} ({counts[kind] / counts.total():.0%})" if counts[kind] else NONE
