"""Every two rows of a table that answer the same test users, compared in what matters in their task.

That is F1; precision where nothing else is judged; personalisation where messages are rewritten.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kithe.report.estimates import Estimate
from kithe.report.rows import FIRST, Row
from kithe.report.text import NONE, count, p_value, with_interval
from kithe.report.writers import Table

if TYPE_CHECKING:
    from kithe.evaluation.statistics import Ratio

Scores = Mapping[str, Mapping[str, Any]]
ReadScores = Callable[[str, str], Scores]

MEAN = "personalisation"  # of one number a user, not of counts
MEASURE = ("task", "judge")  # numbers of another task or judge are not on the same scale
LEVELS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
EXPLAINED = (
    "Cell minus reference, every two rows that were asked about the same users and scored by the same judge; 'differ in' says"
    " what sets them apart: one word is a controlled comparison. Brackets: 95 % interval (users resampled with both cells'"
    " counts; where a row is the mean of several seeds, these too). p: two-sided permutation test within users, of the summed"
    " seeds; p (Holm): adjusted for all comparisons of this table; * below .05, ** below .01, *** below .001."
)

NOTHING = "Nothing to compare: no two finished rows were asked about the same users and scored by the same judge."


@dataclass(frozen=True)
class Comparison:
    """`cell` minus `reference` in a metric on the same users; `differ_in` names what sets the two apart.

    `runs` and `reference_runs` are the ids of their runs, apart by spaces.
    """

    test_set: str
    cell: str
    reference: str
    metric: str
    differ_in: str
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    runs: str = ""
    reference_runs: str = ""

    @property
    def marks(self) -> str:
        """Stars for the adjusted p value."""
        return stars(self.p_holm)


def stars(p: float) -> str:
    """Stars for an adjusted p value."""
    return next((marks for level, marks in LEVELS if p < level), "")


def compare(listed: Iterable[Row], read: ReadScores) -> list[Comparison]:
    """Every two rows of a test set, task and judge that share their users, with p values adjusted over all of them.

    Args:
        listed: rows of a table.
        read: per-user counts `{tp, predicted, gold}` and numbers by user of a run and a test set; empty where there are none.
    """
    from kithe.evaluation.statistics import holm

    families: defaultdict[tuple[object, ...], list[tuple[Row, list[Ratio]]]] = defaultdict(list)
    for row in listed:
        if row.test_set is not None and (cell := ratios(row, [read(run, row.test_set) for run in row.runs])):
            families[row.test_set, *(row.choices.get(group) for group in MEASURE), metric(row), cell[0].ids].append((row, cell))
    found = [made for family in families.values() for made in pairs(family)]
    adjusted = holm([item.p for item in found])
    return [replace(item, p_holm=value) for item, value in zip(found, adjusted, strict=True)]


def pairs(family: "Sequence[tuple[Row, list[Ratio]]]") -> list[Comparison]:
    """Rows of one family pair by pair; the one that read no training data is the reference, otherwise the earlier one."""
    from kithe.evaluation.comparisons import every_pair

    ordered = sorted(family, key=lambda each: each[0].choices.get("data") is None)
    rows = {str(place): row for place, (row, _) in enumerate(ordered)}
    users = len(ordered[0][1][0].ids)
    return [
        Comparison(
            test_set=str(rows[pair.first].test_set),
            cell=name(rows[pair.first], rows[pair.second]),
            reference=name(rows[pair.second], rows[pair.first]),
            metric=metric(rows[pair.first]),
            differ_in=differ_in(rows[pair.first], rows[pair.second]),
            n=users,
            difference=pair.difference.value,
            low=pair.difference.low,
            high=pair.difference.high,
            p=pair.difference.p,
            p_holm=pair.p_holm,
            runs=" ".join(rows[pair.first].runs),
            reference_runs=" ".join(rows[pair.second].runs),
        )
        for pair in every_pair({str(place): cell for place, (_, cell) in enumerate(ordered)})
    ]


def metric(row: Row) -> str:
    """What rows are compared in: F1; precision where no missed facts are known; personalisation of rewritten messages."""
    if MEAN in row.metrics:
        return MEAN
    return "f1" if "f1" in row.metrics or "precision" not in row.metrics else "precision"


def differ_in(first: Row, second: Row) -> str:
    """The groups in which two rows differ, and the config values that set them apart.

    A choice that falls out of one of them (training data in a zero-shot cell) counts only where nothing else differs.
    """
    groups = [group for group in first.choices if group != "teacher"]
    both = [group for group in groups if None not in (first.choices[group], second.choices.get(group))]
    changed = [group for group in both if first.choices[group] != second.choices[group]]
    changed += ["variant"] if first.variant != second.variant else []
    fallen = [group for group in groups if first.choices[group] != second.choices.get(group)]
    return ", ".join(changed or fallen)


def ratios(row: Row, runs: Sequence[Scores]) -> "list[Ratio]":
    """The metric of every seed as a ratio of sums over users; none where seeds differ in users or nothing is counted."""
    import numpy as np

    from kithe.evaluation.statistics import Ratio

    ids = tuple(sorted(runs[0]))
    if not ids or any(run.keys() != runs[0].keys() for run in runs):
        return []
    part = PARTS[metric(row)]
    sums = [np.array([part(run[user]) for user in ids], dtype=np.float64) for run in runs]
    found = [Ratio(ids, each[:, 0], each[:, 1]) for each in sums]
    return found if all(each.denominator.sum() > 0 for each in found) else []


PARTS: Mapping[str, Callable[[Mapping[str, Any]], tuple[float, float]]] = {  # what a user adds to numerator and denominator
    "f1": lambda own: (2 * own["tp"], own["predicted"] + own["gold"]),
    "precision": lambda own: (own["tp"], own["predicted"]),
    MEAN: lambda own: (own[MEAN] or 0.0, float(own[MEAN] is not None)),
}


def name(row: Row, other: Row | None = None) -> str:
    """A row's data, adaptation and model, and what else sets it apart from the other."""
    own = {group: choice for group, choice in row.choices.items() if group not in (*FIRST, *MEASURE, "teacher")}
    more = [own[group] for group in sorted(own) if other is None or own[group] != other.choices.get(group)]
    parts = [row.data, *(row.choices.get(group) for group in FIRST[1:]), *more, row.variant]
    return ", ".join(part for part in parts if part)


def differences_table(found: Sequence[Comparison]) -> Table:
    """The comparisons as a table."""
    header = ("test set", "cell", "reference", "differ in", "metric", "n", "difference", "p", "p (Holm)")
    body = tuple(
        (
            item.test_set,
            item.cell,
            item.reference,
            item.differ_in,
            item.metric,
            count(item.n),
            with_interval(Estimate(item.difference, item.low, item.high), signed=True) + item.marks,
            p_value(item.p),
            p_value(item.p_holm),
        )
        for item in found
    )
    none = (NONE,) * len(header)
    return Table(header, (False,) * 5 + (True,) * 4, body or (none,), EXPLAINED if body else NOTHING)
