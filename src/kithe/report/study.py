"""Everything a report shows, worked out from the files of its runs before any of it is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kithe.report.audits import Audit, audits
from kithe.report.background import Background
from kithe.report.budgets import Budgeted, budget_table, every_budget, training_table
from kithe.report.differences import Comparison, compare, differences_table
from kithe.report.differences import name as full_name
from kithe.report.errors import Mistake, kinds_table, mistakes
from kithe.report.material import Answer, Shelf, pooled
from kithe.report.probes import Probe, probe_table, probes
from kithe.report.rewriting import general
from kithe.report.rows import Result, Row, rows
from kithe.report.slices import Gap, Slice, gap_table, slice_tables, sliced
from kithe.report.sureness import Sureness, calibration_table, sureness, thresholds_table
from kithe.report.tables import results_table, varying
from kithe.report.writers import Table

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class SetStudy:
    """One test set: its rows, the same rows by the short names of their cells, and what is known of single items.

    Attributes:
        cells: short name -> row, in the order of the table.
        answers: short name -> the answers of each seed; only cells whose answers are kept.
        mistakes: short name -> the wrong items of the first seed.
        general: of rewritten messages, what they are worth by domain and by wish.
    """

    name: str
    cells: Mapping[str, Row]
    answers: Mapping[str, Sequence[Sequence[Answer]]] = field(default_factory=dict)
    slices: tuple[Slice | Gap, ...] = ()
    sureness: tuple[Sureness, ...] = ()
    budgets: tuple[Budgeted, ...] = ()
    probes: tuple[Probe, ...] = ()
    mistakes: Mapping[str, Sequence[Mistake]] = field(default_factory=dict)
    general: tuple[Table, ...] = ()

    @property
    def slice_tables(self) -> list[Table]:
        """Recall and precision by slice."""
        return slice_tables(self.slices, list(self.answers), max(map(len, self.answers.values()), default=1))

    @cached_property
    def kinds(self) -> Table:
        """How many mistakes of each kind."""
        return kinds_table(self.first_seeds, self.mistakes)

    @property
    def first_seeds(self) -> dict[str, Sequence[Answer]]:
        """Short name -> the answers of the first seed."""
        return {name: seeds[0] for name, seeds in self.answers.items()}


@dataclass(frozen=True)
class Study:
    """A report's content.

    Attributes:
        names: run -> the short name of its cell.
        legend: short name -> the cell's full name.
    """

    title: str
    results: tuple[Result, ...]
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    names: Mapping[str, str]
    legend: Mapping[str, str]
    test_sets: tuple[SetStudy, ...]
    audits: tuple[Audit, ...]

    def difference(self, row: Row, other: Row) -> Comparison | None:
        """The comparison of two rows, whichever way round it was made; None where they cannot be compared."""
        keys = {(" ".join(row.runs), " ".join(other.runs)), (" ".join(other.runs), " ".join(row.runs))}
        found = (each for each in self.comparisons if each.test_set == row.test_set)
        return next((each for each in found if (each.runs, each.reference_runs) in keys), None)


def study(store: Path, title: str, results: Sequence[Result], comparisons: Sequence[Comparison] | None = None) -> Study:
    """Work out everything.

    Args:
        store: the root of all results.
        title: what the report is called.
        results: contents of result.json files, or what stands in for them.
        comparisons: those of the rows, where they are known already.
    """
    shelf, listed = Shelf(store, {result["run_id"]: result for result in results}), rows(results)
    short = short_names(listed)
    tested = dict.fromkeys(row.test_set for row in listed if row.test_set is not None)
    found = compare(listed, shelf.scores) if comparisons is None else comparisons
    return Study(
        title=title,
        results=tuple(sorted(results, key=lambda result: str(result["run_id"]))),
        rows=tuple(listed),
        comparisons=tuple(found),
        names={run: short[cell_of(row)] for row in listed for run in row.runs if cell_of(row) in short},
        legend={short[cell_of(row)]: full_name(row) for row in listed if cell_of(row) in short},
        test_sets=tuple(examined(name, shelf, listed, short) for name in tested),
        audits=tuple(audits(store)),
    )


def cell_of(row: Row) -> tuple[str, ...]:
    """What identifies a cell among the rows of its test sets: its runs."""
    return row.runs


def short_names(listed: Sequence[Row]) -> dict[tuple[str, ...], str]:
    """Runs of a cell -> a letter and what sets it apart from the others: `B synthetic (scripted), lora`."""
    done = [row for row in listed if row.test_set is not None]
    groups = [group for group in ("adapt", "model") if len({row.choices.get(group) for row in done}) > 1] + varying(done)
    found: dict[tuple[str, ...], str] = {}
    for row in done:
        if cell_of(row) not in found:
            parts = [data(row), *(str(row.choices.get(group)) for group in groups if row.choices.get(group)), row.variant]
            found[cell_of(row)] = f"{letter(len(found))} {', '.join(filter(None, parts))}"
    return found


def data(row: Row) -> str:
    """The name of the training data, without the sets it is made of; nothing where there is none."""
    choice = row.choices.get("data")
    if choice is None:
        return ""
    return f"{choice} (scripted)" if row.choices.get("teacher") == "scripted" else choice


def letter(number: int) -> str:
    """A, B, …, Z, AA, AB, …"""
    head, last = divmod(number, len(LETTERS))
    return (letter(head - 1) if head else "") + LETTERS[last]


def examined(name: str, shelf: Shelf, listed: Sequence[Row], short: Mapping[tuple[str, ...], str]) -> SetStudy:
    """Everything about one test set."""
    cells = {short[cell_of(row)]: row for row in listed if row.test_set == name}
    read = {cell: shelf.of_row(row) for cell, row in cells.items()}
    answers = {cell: seeds for cell, seeds in read.items() if seeds and all(seeds)}
    if not answers:
        return SetStudy(name, cells, general=tuple(general(cells, shelf.scores)))
    known = Background.of({each.history.id: each.history for seeds in answers.values() for each in pooled(seeds)}.values())
    learnt = {cell: shelf.training_facts(cells[cell].runs[0]) for cell in answers}
    together = {cell: pooled(seeds) for cell, seeds in answers.items()}
    return SetStudy(
        name,
        cells,
        answers,
        slices=tuple(made for cell, own in together.items() for made in sliced(cell, own, known, learnt[cell])),
        sureness=tuple(made for cell, own in together.items() if (made := sureness(cell, own)) is not None),
        budgets=tuple(every_budget(answers)),
        probes=tuple(made for cell, seeds in answers.items() for made in probes(cell, seeds[0], known, learnt[cell])),
        mistakes={cell: [made for each in seeds[0] for made in mistakes(each, known)] for cell, seeds in answers.items()},
    )


def tables(found: Study) -> dict[str, Table]:
    """Every table of a report by a name that does not change, such as `laps/slices 1`."""
    named = {"results": results_table(list(found.results)), "differences": differences_table(found.comparisons)}
    for part in found.test_sets:
        own = {"differences of slices": gap_table(part.slices, list(part.answers))}
        own |= {f"slices {number}": table for number, table in enumerate(part.slice_tables, 1)}
        own |= {f"general {number}": table for number, table in enumerate(part.general, 1)}
        own |= {"thresholds": thresholds_table(part.sureness), "calibration": calibration_table(part.sureness)}
        own |= {"equal budget": budget_table(part.budgets), "training budget": training(found, part)}
        own |= {"probes": probe_table(part.probes, list(part.answers))}
        own |= {"errors": part.kinds}
        named |= {f"{part.name}/{name}": table for name, table in own.items() if table.body}
    return named


def training(found: Study, part: SetStudy) -> Table:
    """What the cells of a test set were trained on."""
    held = {result["run_id"]: result for result in found.results}
    return training_table({cell: [held[run] for run in row.runs] for cell, row in part.cells.items()})
