"""Paired comparisons of F1 between rows that answer the same test users and differ in one choice."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from kithe.report.estimates import Estimate
from kithe.report.rows import FIRST, Row
from kithe.report.text import NONE, count, p_value, with_interval
from kithe.report.writers import Table

if TYPE_CHECKING:
    from kithe.evaluation.statistics import Ratio

Scores = Mapping[str, Mapping[str, Any]]
ReadScores = Callable[[str, str], Scores]

MEASURE = ("task", "judge")  # numbers of another task or judge are not on the same scale
EXPLAINED = (
    "Cell minus reference in F1, for rows that differ in one choice and were asked about the same users; where a row is the"
    " mean of several seeds, the counts of all its seeds are added up for each user, and their spread is not in the"
    " interval. Brackets: 95 % interval (users resampled with both cells' counts); p: two-sided permutation test within"
    " users; p (Holm): adjusted for all comparisons of this table."
)

NOTHING = "Nothing to compare: no two finished rows were asked about the same users and differ in one choice."


@dataclass(frozen=True)
class Comparison:
    """`cell` minus `reference` in F1 on the same users."""

    test_set: str
    cell: str
    reference: str
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


def compare(listed: Iterable[Row], read: ReadScores) -> list[Comparison]:
    """Every controlled comparison within a test set, with p values adjusted over all of them.

    Args:
        listed: rows of a table.
        read: per-user counts `{tp, predicted, gold}` by user of a run and a test set; empty where there are none.
    """
    from kithe.evaluation.statistics import holm

    done = [row for row in listed if row.test_set is not None]
    ratios = [(row, ratio([read(run, str(row.test_set)) for run in row.runs])) for row in done]
    found = [made for first, second in combinations(ratios, 2) for made in pair(first, second)]
    adjusted = holm([item.p for item in found])
    return [replace(item, p_holm=value) for item, value in zip(found, adjusted, strict=True)]


def pair(first: "tuple[Row, Ratio | None]", second: "tuple[Row, Ratio | None]") -> Iterator[Comparison]:
    """The comparison of two rows, where it can be made; the cell that read no training data is the reference."""
    from kithe.evaluation import statistics

    (row, ours), (reference, theirs) = sorted((second, first), key=lambda each: each[0].choices.get("data") is None)
    if not comparable(row, reference) or ours is None or theirs is None or ours.ids != theirs.ids:
        return
    found = statistics.compare(ours, theirs)
    yield Comparison(
        test_set=str(row.test_set),
        cell=name(row, reference),
        reference=name(reference, row),
        n=len(ours.ids),
        difference=found.value,
        low=found.low,
        high=found.high,
        p=found.p,
        p_holm=found.p,
    )


def comparable(first: Row, second: Row) -> bool:
    """Whether two rows share test set, task and judge and differ in exactly one choice.

    A choice that falls out of one of them (training data in a zero-shot cell) counts only where nothing else differs.
    """
    if first.test_set != second.test_set or any(first.choices.get(group) != second.choices.get(group) for group in MEASURE):
        return False
    both = [group for group in first.choices if None not in (first.choices[group], second.choices.get(group))]
    changed = sum(first.choices[group] != second.choices[group] for group in both) + (first.variant != second.variant)
    return changed == 1 or (changed == 0 and first.choices != second.choices)


def ratio(runs: Sequence[Scores]) -> "Ratio | None":
    """F1 as a ratio of sums over users, the seeds' counts added up; None where seeds differ in users or nothing is counted."""
    import numpy as np

    from kithe.evaluation.statistics import Ratio

    ids = tuple(sorted(runs[0]))
    if not ids or any(run.keys() != runs[0].keys() for run in runs):
        return None
    hits = np.array([sum(2 * run[user]["tp"] for run in runs) for user in ids], dtype=np.float64)
    items = np.array([sum(run[user]["predicted"] + run[user]["gold"] for run in runs) for user in ids], dtype=np.float64)
    return Ratio(ids, hits, items) if items.sum() > 0 else None


def name(row: Row, other: Row) -> str:
    """A row's data, adaptation and model, and what else sets it apart from the other."""
    own = {group: choice for group, choice in row.choices.items() if group not in (*FIRST, *MEASURE, "teacher")}
    more = [own[group] for group in sorted(own) if own[group] != other.choices.get(group)]
    parts = [row.data, *(row.choices.get(group) for group in FIRST[1:]), *more, row.variant]
    return ", ".join(part for part in parts if part)


def differences_table(found: Sequence[Comparison]) -> Table:
    """The comparisons as a table."""
    header = ("test set", "cell", "reference", "n", "F1 difference", "p", "p (Holm)")
    body = tuple(
        (
            item.test_set,
            item.cell,
            item.reference,
            count(item.n),
            with_interval(Estimate(item.difference, item.low, item.high), signed=True),
            p_value(item.p),
            p_value(item.p_holm),
        )
        for item in found
    )
    none = (NONE,) * len(header)
    return Table(header, (False, False, False, True, True, True, True), body or (none,), EXPLAINED if body else NOTHING)
