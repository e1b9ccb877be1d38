"""The corpus stage: exactly so many facts, all expressed in their dialogue, from any source by the same rules."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kithe.corpora.expressed import Expressed
from kithe.corpora.files import files_of, stamps
from kithe.corpora.source import DataSource, Lossy
from kithe.records.history import History, KnowledgeItem

OPTIONAL: Final = frozenset({"category", "key", "value", "type", "polarity", "intensity", "inference", "evidence"})


@dataclass(frozen=True)
class Corpus:
    """What an arm trains on, and the account of how it came about (`card`, plain JSON values)."""

    train: list[History]
    validation: list[History]
    card: dict[str, Any]


@dataclass
class _Shelf:
    """Histories on their way into a corpus, with the count of what was left out."""

    rule: Expressed
    lost: Counter[str] = field(default_factory=Counter)
    kept: list[History] = field(default_factory=list)

    def expressed(self, histories: Iterable[History]) -> Iterator[History]:
        """The histories with their expressed facts only; one that loses all its facts goes as a whole."""
        for history in histories:
            items = tuple(kept for item in history.items if (kept := self.rule.kept(history, item)))
            self.lost["facts not expressed"] += len(history.items) - len(items)
            if history.items and not items:
                self.lost["histories without an expressed fact"] += 1
            else:
                yield history.model_copy(update={"items": items})


def build(source: DataSource, facts: int | None, seed: int, threshold: float) -> Corpus:
    """The corpus of a source: a pure function of its arguments (and the source's files).

    Args:
        source: where histories come from; its `train` split is walked in the order the seed gives.
        facts: stop at exactly so many training facts (None: take all). A history that would overflow the budget is passed over;
            a corpus stays short only if the source is exhausted; its card, the command and the tables say so.
        seed: root of the draw.
        threshold: of the rule in `kithe.corpora.expressed`, by which facts are kept and get evidence where they have none.
    """
    train, validation = _Shelf(Expressed(threshold)), _Shelf(Expressed(threshold))
    train.kept = list(_budgeted(train.expressed(source.histories("train", seed)), facts, train.lost))
    validation.kept = list(validation.expressed(source.histories("validation", seed)))
    left_out = source.losses("train") if isinstance(source, Lossy) else {}
    card = {
        "source": source.name,
        "fields": sorted(source.fields | {"evidence"}),
        "seed": seed,
        "threshold": threshold,
        "wanted_facts": facts,
        "missing_facts": max(0, (facts or 0) - _facts(train.kept)),
        "train": _counts(train),
        "validation": _counts(validation),
        "left_out_by_the_source": {reason: count for reason, count in left_out.items() if count},
        "files": stamps(files_of([source], "train", "validation")),
    }
    return Corpus(train.kept, validation.kept, card)


def restrict(histories: Iterable[History], fields: frozenset[str]) -> Iterator[History]:
    """The histories with every optional item field blanked that is not among `fields`.

    A field that one source lacks is in no arm's target.
    """
    blank = {name: KnowledgeItem.model_fields[name].get_default() for name in OPTIONAL - fields}
    for history in histories:
        yield history.model_copy(update={"items": tuple(item.model_copy(update=blank) for item in history.items)})


def _budgeted(histories: Iterable[History], facts: int | None, lost: Counter[str]) -> Iterator[History]:
    left = facts
    for history in histories:
        if left is not None and len(history.items) > left:
            lost["histories passed over for the budget"] += 1
            continue
        yield history
        left = None if left is None else left - len(history.items)
        if left == 0:
            return


def _facts(histories: Sequence[History]) -> int:
    return sum(len(history.items) for history in histories)


def _counts(shelf: _Shelf) -> Mapping[str, Any]:
    by_set: Counter[str] = Counter()
    for history in shelf.kept:
        by_set[history.source] += len(history.items)
    return {
        "histories": len(shelf.kept),
        "facts": _facts(shelf.kept),
        "facts_by_set": dict(by_set),
        "turns": sum(len(history.turns) for history in shelf.kept),
        "words": sum(len(turn.text.split()) for history in shelf.kept for turn in history.turns),
        "dropped": {reason: count for reason, count in shelf.lost.items() if count},
        "licences": sorted({history.licence for history in shelf.kept} - {""}),
    }
