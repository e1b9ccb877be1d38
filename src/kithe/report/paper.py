"""Tables 1 and 2 of the paper from the files of a sweep (spec 2.13): differences in percentage points, with intervals.

Table 1: every row minus the large model's zero-shot row; where there is none, that row reads `absent` and differences are to the
small model's. Table 2: training on other data minus training on real ones, method by method.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kithe.report.estimates import Estimate
from kithe.report.rows import Row
from kithe.report.text import NONE, count, p_value, with_interval
from kithe.report.writers import Table, write_csv, write_latex, write_markdown

if TYPE_CHECKING:
    from kithe.evaluation.statistics import Difference, Ratio

Reader = Callable[[str, str, str], Mapping[str, Mapping[str, Any]]]

RESAMPLES: Final = 10_000
ABSENT: Final = "absent"
REAL: Final = "real"
NAMES: Final = ("precision", "recall")
METHODS: Final = ("zero-shot", "best-prompt", "lora", "lora-once", "sft")
BASIS: Final = (
    "Differences in percentage points, precision and recall over all items (or facts, or questions) of a test set's users;"
    " brackets: 95 % intervals, users resampled for both rows together and seeds within a row. Recall is that of questions where"
    " they were asked (column 'recall of'), of gold facts otherwise."
)


@dataclass(frozen=True)
class Arm:
    """A row's cell on one test set: its counts, a ratio a seed, None where it has none."""

    row: Row
    precision: "tuple[Ratio, ...] | None"
    recall: "tuple[Ratio, ...] | None"
    recall_of: str

    @property
    def trained(self) -> bool:
        """Whether it learnt from data."""
        return self.row.choices.get("data") is not None


def paper_files(wanted: Sequence[str], listed: Sequence[Row], read: Reader, resamples: int = RESAMPLES) -> dict[str, str]:
    """File name -> content of the tables asked for.

    Args:
        wanted: `table1`, `table2`.
        listed: rows of the results table.
        read: per-user rows by user, of a run, a kind (`scores` or `recall`) and a test set.
        resamples: of the bootstraps.
    """
    found: dict[str, str] = {}
    if not wanted:
        return found
    arms = [arm(row, read) for row in listed if row.test_set is not None]
    broken = [row for row in listed if row.test_set is None]
    makers = {"table1": table1, "table2": table2}
    for name in wanted:
        records = makers[name](arms, broken, resamples)
        table = as_table(records, LEGENDS[name])
        found |= {f"{name}.md": write_markdown(table), f"{name}.tex": write_latex(table), f"{name}.csv": write_csv(flat(records))}
    return found


def arm(row: Row, read: Reader) -> Arm:
    """A row with the counts of its runs."""
    runs, test_set = row.runs, str(row.test_set)
    judged = [read(run, "scores", test_set) for run in runs]
    asked = [read(run, "recall", test_set) for run in runs]
    precision = ratios(judged, "tp", "predicted")
    if all(asked):
        return Arm(row, precision, ratios(asked, "qa_found", "qa_asked"), "questions")
    # A judge of single items says nothing of the facts that were not found.
    gold = "recall" in row.metrics
    return Arm(row, precision, ratios(judged, "tp", "gold") if gold else None, "gold facts" if gold else NONE)


def ratios(runs: Sequence[Mapping[str, Mapping[str, Any]]], above: str, below: str) -> "tuple[Ratio, ...] | None":
    """A ratio for every seed over the same users; None where counts are missing or seeds differ in users."""
    import numpy as np

    from kithe.evaluation.statistics import Ratio

    ids = tuple(sorted(runs[0])) if runs else ()
    if not ids or any(tuple(sorted(run)) != ids for run in runs) or below not in runs[0][ids[0]]:
        return None
    columns = [[np.array([run[user][key] for user in ids], dtype=np.float64) for key in (above, below)] for run in runs]
    return tuple(Ratio(ids, *pair) for pair in columns) if all(pair[1].sum() > 0 for pair in columns) else None


def table1(arms: Sequence[Arm], broken: Sequence[Row], resamples: int) -> list[dict[str, Any]]:
    """Every row minus the large zero-shot row of its test set."""
    records = []
    for test_set in sorted({str(each.row.test_set) for each in arms}):
        own = [each for each in arms if each.row.test_set == test_set]
        small = {each.row.choices.get("model") for each in own if each.trained}
        large = [each for each in own if not each.trained and each.row.choices.get("model") not in small]
        plain = [each for each in own if not each.trained and each not in large]
        reference = next(iter(large or plain), None)
        if not large:
            records.append({**named(test_set, "none", "zero-shot", ABSENT), "state": ABSENT})
        records += [against(each, reference, resamples) for each in (*large, *plain, *ordered(own))]
        records += [failed(test_set, row) for row in broken]
    return records


def table2(arms: Sequence[Arm], broken: Sequence[Row], resamples: int) -> list[dict[str, Any]]:
    """Every trained row on other data minus the one on real data with the same method and model."""
    records = []
    for each in ordered(arms):
        if each.row.choices.get("data") == REAL:
            continue
        twin = next((other for other in arms if other.row.choices.get("data") == REAL and alike(each.row, other.row)), None)
        if twin is not None:
            records.append({**against(each, twin, resamples), "data": f"{each.row.data} minus {twin.row.data}"})
    return [*records, *(failed(NONE, row) for row in broken)]


def ordered(arms: Iterable[Arm]) -> list[Arm]:
    """Trained rows by test set, real data first, then by method."""
    methods = {name: place for place, name in enumerate(METHODS)}
    found = [each for each in arms if each.trained]

    def place(each: Arm) -> tuple[object, ...]:
        data, adapt = str(each.row.choices.get("data")), str(each.row.choices.get("adapt"))
        return str(each.row.test_set), data != REAL, data, methods.get(adapt, len(methods)), adapt, each.row.variant

    return sorted(found, key=place)


def alike(one: Row, other: Row) -> bool:
    """Whether two rows differ in training data and who wrote them only."""
    keys = (one.choices.keys() | other.choices.keys()) - {"data", "teacher"}
    return one.test_set == other.test_set and all(one.choices.get(key) == other.choices.get(key) for key in keys)


def named(test_set: str, data: str, method: str, model: str) -> dict[str, Any]:
    """What a row of the table is."""
    return {"test_set": test_set, "data": data, "method": method, "model": model}


def failed(test_set: str, row: Row) -> dict[str, Any]:
    """A cell without numbers."""
    what = named(test_set, row.data or NONE, row.choices.get("adapt") or NONE, row.choices.get("model") or NONE)
    return {**what, "state": row.problem}


def against(each: Arm, reference: Arm | None, resamples: int) -> dict[str, Any]:
    """A row of the table: the cell minus the reference."""
    row = each.row
    found: dict[str, Any] = named(
        str(row.test_set), row.data or "none", row.choices.get("adapt") or NONE, row.choices.get("model") or NONE
    )
    found |= {"seeds": len(row.seeds) or None, "state": "reference" if each is reference else ""}
    for name in NAMES:
        own, other = getattr(each, name), getattr(reference, name) if reference else None
        found[name] = pooled(own, resamples) if own else None
        found[f"delta_{name}"] = difference(own, other, resamples) if own and other and each is not reference else None
    return {**found, "recall_of": each.recall_of}


def pooled(cell: "Sequence[Ratio]", resamples: int) -> Estimate:
    """A cell's figure, with its interval over users and seeds."""
    from kithe.evaluation.comparisons import seeded

    made = seeded(cell, resamples)
    return Estimate(made["value"], made["low"], made["high"], made["n"])


def difference(cell: "Sequence[Ratio]", reference: "Sequence[Ratio]", resamples: int) -> "Difference | None":
    """The cell minus the reference; None where they were not asked about the same users."""
    from kithe.evaluation.comparisons import compare_seeded

    return compare_seeded(cell, reference, resamples) if cell[0].ids == reference[0].ids else None


CHOSEN: Final = ("test set", "training data", "method", "model")
NUMBERS: Final = ("seeds", "Δ precision", "p", "Δ recall", "p", "precision", "recall")
HEADER: Final = (*CHOSEN, *NUMBERS, "recall of")
LEGENDS: Final = {
    "table1": "Every row minus the large model's zero-shot row (absent: none was run, the reference is then the small model's)."
    f" {BASIS}",
    "table2": f"Training on other data minus training on real data, the same method and model. {BASIS}",
}


def as_table(records: Sequence[Mapping[str, Any]], legend: str) -> Table:
    """The records as a table of text."""
    body = tuple(line(record) for record in records) or ((NONE,) * len(HEADER),)
    return Table(HEADER, (*(False,) * len(CHOSEN), *(True,) * len(NUMBERS), False), body, legend)


def line(record: Mapping[str, Any]) -> tuple[str, ...]:
    """One record in words."""
    parts = [str(record[key]) for key in ("test_set", "data", "method", "model")]
    state = str(record.get("state") or "")
    if "precision" not in record:
        return (*parts, NONE, state, *(NONE,) * (len(HEADER) - 6))
    deltas = [text for name in NAMES for text in delta(record[f"delta_{name}"], state if record[name] else "")]
    whole = [with_interval(record[name]) for name in NAMES]
    return (*parts, count(record["seeds"]), *deltas, *whole, record["recall_of"])


def delta(found: "Difference | None", state: str) -> Iterator[str]:
    """A difference in percentage points with its interval, and its p value."""
    if found is None:
        yield from ("0.0" if state == "reference" else NONE, NONE)
    else:
        yield f"{points(found.value)} [{points(found.low)}, {points(found.high)}]"
        yield p_value(found.p)


def points(share: float) -> str:
    """A difference of shares in percentage points with its sign: `+3.5`."""
    text = f"{100 * share:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def flat(records: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Records for a CSV file, in full precision (shares, not points)."""
    for record in records:
        found: dict[str, Any] = {}
        for key, value in record.items():
            if hasattr(value, "low"):
                more = {f"{key}_p": value.p} if hasattr(value, "p") else {}
                found |= {key: value.value, f"{key}_low": value.low, f"{key}_high": value.high, **more}
            else:
                found[key] = value
        yield found
