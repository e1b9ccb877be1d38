"""Judged precision corrected by people's labels of a part of a run's items (spec 7.2), wherever such labels lie beside a run.

Labels are JSON lines as `kithe.evaluation.judging.validation.load` reads them, in `runs/<id>/labels.jsonl` or in files of
`runs/<id>/labels/` or `predictions/<id>/labels/`: labels are about items, so every judge's run on the same predictions uses them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kithe.report.estimates import Estimate, read_estimate
from kithe.report.rows import FIRST, Result, Row, rows
from kithe.report.text import NONE, count, p_value, with_interval
from kithe.report.writers import Table, write_csv, write_latex, write_markdown
from kithe.store import Store

if TYPE_CHECKING:
    from kithe.evaluation.judging.validation import Label, Labels, Validation
    from kithe.evaluation.judging.verdicts import Scored, Verdict
    from kithe.evaluation.statistics import Difference

METHODS: Final = {
    "naive": "judge alone",
    "human_only": "labels alone",
    "rogan_gladen": "Rogan-Gladen",
    "ppi": "PPI",
    "ppi_plus": "PPI++",
}
RESAMPLES: Final = 2000
EXPLAINED: Final = (
    "Precision of a run's items by the judge alone (its interval knows nothing of its errors), by people's labels alone, and by"
    " both together: PPI++ is the one to report. Labels must be of items drawn at random. Brackets: 95 % intervals over users."
)
PAIRED: Final = (
    "Cell minus reference in precision corrected by PPI++, bootstrapped jointly over users; where only one of the two has labels,"
    " they correct both. p (Holm): adjusted for all comparisons of this table."
)


@dataclass(frozen=True)
class Labelled:
    """A run on one test set, with the labels of its items (none: nobody labelled it) and what they say together."""

    row: Row
    verdicts: "Sequence[Verdict]"
    labels: "Sequence[Label]"
    found: "Validation | None"

    @property
    def name(self) -> str:
        """The cell in words."""
        seed = [f"seed {self.row.seeds[0]}"] if self.row.seeds else []
        parts = [self.row.data, *(self.row.choices.get(group) for group in FIRST[1:]), *seed, self.row.variant]
        return ", ".join(part for part in parts if part)


def corrected_files(store: Path, results: Sequence[Result], read: Any) -> dict[str, str]:
    """File name -> content; nothing where no run has labels.

    Args:
        store: the root of all results.
        results: contents of result.json files.
        read: per-user rows by user of a run and a test set.
    """
    listed = [row for row in rows(results, over_seeds=False) if row.test_set is not None]
    known = {row.runs[0]: labels for row in listed if (labels := labels_of(store, row.runs[0], items(read, listed, row.runs[0])))}
    if not known:
        return {}
    cells = [cell for row in listed if (cell := labelled(row, known.get(row.runs[0]), read)) is not None]
    first, second = table(cells, known), pairs(cells)
    return {
        "corrected.md": write_markdown(first),
        "corrected.tex": write_latex(first),
        "corrected.csv": write_csv(record(cell) for cell in cells if cell.found),
        "corrected_differences.md": write_markdown(second),
    }


def items(read: Any, listed: Sequence[Row], run: str) -> list[str]:
    """The ids of all items a run's judge was asked about."""
    return [verdict.item for row in listed if row.runs[0] == run for verdict in verdicts_of(read, row)]


def labels_of(store: Path, run: str, known: Sequence[str]) -> "Labels | None":
    """All labels of a run's items; None where there is no file of them.

    Raises:
        ConfigError: a file cannot be read at all.
    """
    from kithe.evaluation.judging.validation import Labels, load

    place, predictions = Store(store).run(run), Store(store).run(run).read("cell.json").get("identity", {}).get("predictions")
    files = [*place.path.glob("labels.jsonl"), *place.path.glob("labels/*.jsonl")]
    files += Store(store).predictions(predictions).path.glob("labels/*.jsonl") if predictions else []
    if not files or not known:
        return None
    read = [load(file, known) for file in sorted(files)]
    each = {(label.item, label.annotator): label for found in read for label in found.rows}
    return Labels(
        tuple(each.values()),
        {item: number for found in read for item, number in found.unknown.items()},
        tuple(pair for found in read for pair in found.repeated),
        {number: reason for found in read for number, reason in found.unreadable.items()},
    )


def labelled(row: Row, labels: "Labels | None", read: Any) -> Labelled | None:
    """A row with its labels; None for a judge that does not judge single items."""
    from kithe.evaluation.judging.validation import validate

    verdicts = verdicts_of(read, row)
    if not verdicts:
        return None
    named = {verdict.item for verdict in verdicts}
    own = [label for label in labels.rows if label.item in named] if labels else []
    return Labelled(row, verdicts, own, validate(verdicts, own, RESAMPLES) if own else None)


def verdicts_of(read: Any, row: Row) -> "list[Verdict]":
    """The verdicts in the rows of a run's scores."""
    from kithe.evaluation.judging.verdicts import VERDICT

    users: Mapping[str, Mapping[str, Any]] = read(row.runs[0], str(row.test_set))
    return [VERDICT.validate_python(verdict) for user in users.values() for verdict in user.get("verdicts", ())]


def table(cells: Sequence[Labelled], known: "Mapping[str, Labels]") -> Table:
    """A line for every run and test set with labels; below it, what was wrong with the labels' files."""
    header = ("test set", "cell", "judge", "items", "labelled", "kappa", *METHODS.values())
    body = tuple(line(cell) for cell in cells if cell.found)
    problems = [f"{run}: {text}." for run, labels in known.items() for text in labels.problems()]
    return Table(
        header, (*(False,) * 3, *(True,) * (len(header) - 3)), body or ((NONE,) * len(header),), " ".join([EXPLAINED, *problems])
    )


def line(cell: Labelled) -> tuple[str, ...]:
    """One line of the table."""
    assert cell.found is not None
    kappa = cell.found.agreement.get("correct", {}).get("kappa")
    estimates = {
        name: Estimate(float(each.value), float(each.low), float(each.high)) for name, each in cell.found.precision.items()
    }
    return (
        str(cell.row.test_set),
        cell.name,
        cell.row.choices.get("judge") or NONE,
        count(len(cell.verdicts)),
        count(cell.found.labelled),
        with_interval(read_estimate(kappa) if kappa else None),
        *(with_interval(estimates.get(name)) for name in METHODS),
    )


def record(cell: Labelled) -> dict[str, Any]:
    """The same in full precision."""
    assert cell.found is not None
    numbers = {
        f"{name}{end}": float(getattr(each, key))
        for name, each in cell.found.precision.items()
        for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    counted = {"labelled": cell.found.labelled, "unsettled": cell.found.unsettled, "unscored": cell.found.unscored}
    return {"run": cell.row.runs[0], "test_set": cell.row.test_set, "items": len(cell.verdicts), **counted, **numbers}


def pairs(cells: Sequence[Labelled]) -> Table:
    """Every two cells of one test set and judge, at least one of them labelled."""
    from kithe.evaluation.statistics import holm

    found = list(differences(cells))
    adjusted = holm([difference.p for _, _, difference in found])
    body = tuple(
        (
            str(one.row.test_set),
            one.name,
            other.name,
            with_interval(Estimate(difference.value, difference.low, difference.high), signed=True),
            p_value(difference.p),
            p_value(p),
        )
        for (one, other, difference), p in zip(found, adjusted, strict=True)
    )
    header = ("test set", "cell", "reference", "difference in precision", "p", "p (Holm)")
    return Table(header, (False, False, False, True, True, True), body or ((NONE,) * len(header),), PAIRED)


def differences(cells: Sequence[Labelled]) -> "Iterator[tuple[Labelled, Labelled, Difference]]":
    """The comparable pairs with their corrected difference."""
    from kithe.evaluation import correction

    for one, other in combinations(cells, 2):
        same = one.row.test_set == other.row.test_set and one.row.choices.get("judge") == other.row.choices.get("judge")
        ours, theirs = sample(one), sample(other)
        if not same or (ours is None and theirs is None):
            continue
        shared = ours or theirs
        assert shared is not None
        both = (ours, theirs) if ours is not None and theirs is not None else shared
        yield one, other, correction.difference(both, rest(one), rest(other), resamples=RESAMPLES)


def sample(cell: Labelled) -> Any:
    """The labelled items that have a verdict, as the correction takes them; None where there is none."""
    from kithe.evaluation.correction import Labelled as Sample
    from kithe.evaluation.judging.validation import settled

    truth = settled(cell.labels, "correct")
    both = [verdict for verdict in scored(cell) if verdict.item in truth]
    if not both:
        return None
    return Sample([truth[each.item] for each in both], [each.correct for each in both], [each.user for each in both])


def rest(cell: Labelled) -> Any:
    """The items with a verdict and without a label."""
    from kithe.evaluation.correction import Judged
    from kithe.evaluation.judging.validation import settled

    truth = settled(cell.labels, "correct")
    others = [verdict for verdict in scored(cell) if verdict.item not in truth]
    return Judged([each.correct for each in others], [each.user for each in others])


def scored(cell: Labelled) -> "list[Scored]":
    """The verdicts that are verdicts."""
    from kithe.evaluation.judging.verdicts import only_scored

    return list(only_scored(cell.verdicts))
