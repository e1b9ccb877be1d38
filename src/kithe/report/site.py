"""The report of a table as one HTML page."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape
from typing import Final

from kithe.report import (
    accounts,
    budgets,
    charts,
    curves,
    examples,
    headline,
    page,
    probes,
    rewriting,
    slices,
    sureness,
    transfer,
)
from kithe.report.audits import Audit
from kithe.report.differences import differences_table, stars
from kithe.report.errors import EXPLAINED as KINDS_EXPLAINED
from kithe.report.errors import WRONG
from kithe.report.estimates import Estimate
from kithe.report.plots import legend
from kithe.report.rows import Row, finished
from kithe.report.study import SetStudy, Study, training
from kithe.report.tables import EXPLAINED, results_table, users
from kithe.report.text import count, fraction, p_value, with_interval
from kithe.report.writers import Table

SECTIONS: Final = {
    "results": "Results",
    "curves": "Curves",
    "differences": "Differences",
    "slices": "Slices",
    "confidence": "Confidence",
    "budget": "Equal budget",
    "judges": "Judges",
    "failures": "Failures",
    "errors": "Worst errors",
    "examples": "Examples",
    "cost": "Cost",
    "provenance": "Provenance",
}

MOST_MATRIX: Final = 24


def site(found: Study) -> str:
    """The whole page."""
    parts = {
        "results": list(results(found)),
        "curves": list(stepped(found)),
        "differences": list(differences(found)),
        "slices": list(sliced(found)),
        "confidence": list(confidence(found)),
        "budget": list(budget(found)),
        "judges": [judge_page(audit) for audit in found.audits],
        "failures": list(failures(found)),
        "errors": list(worst_errors(found)),
        "examples": list(example_browser(found)),
        "cost": list(cost(found)),
        "provenance": list(provenance(found)),
    }
    held = {name: inside for name, inside in parts.items() if inside}
    body = [lead(found)]
    for name, inside in held.items():
        body += [page.heading(SECTIONS[name], name), *inside]
    return page.page(found.title, body, [(name, SECTIONS[name]) for name in held], scripted=True)


def lead(found: Study) -> str:
    """What this report is about, in a few lines."""
    done = sum(map(finished, found.results))
    sets = ", ".join(f"{part.name} ({count(most_users(part))} users)" for part in found.test_sets)
    words = f"{count(len(found.legend))} cells, {done} of {len(found.results)} runs finished" + (
        f"; tested on {sets}." if sets else "."
    )
    more = "".join(f"<li>{escape(note)}</li>" for note in accounts.notes(found.results))
    return f'<p class="lead">{escape(words)}</p>' + (f'<ul class="notes">{more}</ul>' if more else "")


def most_users(part: SetStudy) -> int | None:
    """How many users a test set has."""
    return max((number for row in part.cells.values() if (number := users(row)) is not None), default=None)


def results(found: Study) -> Iterator[str]:
    """The main table of each test set, then all columns folded."""
    if found.test_sets:
        yield page.paragraph(headline.READ)
    for part in found.test_sets:
        yield page.heading(part.name, level=3)
        yield headline.main_table(found, part)
        if (others := transfer.transfer(part)) is not None:
            yield page.heading(f"{part.name}: other deployed models", level=4)
            yield page.table(others)
    failed = [row for row in found.rows if row.problem]
    if failed:
        lines = "".join(f"<li>{escape(', '.join(row.runs))}: {escape(row.problem)}</li>" for row in failed)
        yield f'<h3>Without numbers</h3><ul class="notes">{lines}</ul>'
    yield page.folded("Every column", [page.table(results_table(list(found.results)))])


def stepped(found: Study) -> Iterator[str]:
    """The curves over test sets that are steps of one thing."""
    made = curves.curves(found.test_sets)
    if made:
        yield page.paragraph(curves.EXPLAINED)
    for curve in made:
        yield page.heading(curve.name, level=3)
        yield legend(list(curve.points)[: charts.LINES])
        left = len(curve.points) - charts.LINES
        more = f" The first {charts.LINES} cells; the table has all." if left > 0 else ""
        plot = charts.steps(f"{curve.measure} by {curve.name}", curve)
        yield page.figure(plot, f"{curve.measure.replace('_', ' ')} as {curve.name} grows.{more}", wide=False)
        yield page.table(curve.table)


def differences(found: Study) -> Iterator[str]:
    """A matrix for each test set, then the list of all comparisons folded."""
    if not found.comparisons:
        return
    yield page.paragraph(
        "Row minus column, on the same users. Colour and stars where the difference is more than chance after Holm's adjustment."
    )
    for part in found.test_sets:
        cells = dict(list(part.cells.items())[:MOST_MATRIX])
        if any(each.test_set == part.name for each in found.comparisons):
            yield page.heading(part.name, level=3)
            yield matrix(found, cells)
    yield page.folded("Every comparison", [page.table(differences_table(found.comparisons))], f"{len(found.comparisons)} pairs")


def matrix(found: Study, cells: Mapping[str, Row]) -> str:
    """Differences of every two cells of a test set."""
    made = {
        (cell, other): (headline.turned(pair, row), pair.p_holm)
        for cell, row in cells.items()
        for other, column in cells.items()
        if row is not column and (pair := found.difference(row, column)) is not None
    }
    return page.matrix(list(cells), {pair: entry(*each) for pair, each in made.items()})


def budget_matrix(part: SetStudy) -> str:
    """Differences in precision of every two cells at the same number of items."""
    cells = list(part.answers)[:MOST_MATRIX]
    made = {(each.first, each.second): (each.difference, each.p) for each in part.budgets}
    made |= {(each.second, each.first): (headline.flipped(each.difference), each.p) for each in part.budgets}
    return page.matrix(cells, {pair: entry(*each) for pair, each in made.items()})


def entry(estimate: Estimate, p: float) -> tuple[str, str, str, str]:
    """A cell of a matrix: class, title, number, stars."""
    marks = stars(p)
    colour = ("up" if estimate.value > 0 else "down") if marks else "soft"
    title = f"{with_interval(estimate, signed=True)}, adjusted p {p_value(p)}"
    return colour, title, fraction(estimate.value, signed=True), marks


def sliced(found: Study) -> Iterator[str]:
    """The slices of each test set."""
    parts = [part for part in found.test_sets if part.slices]
    if parts:
        yield page.paragraph(slices.EXPLAINED)
    for part in parts:
        yield page.heading(part.name, level=3)
        if (gaps := slices.gap_table(part.slices, list(part.answers))).body:
            yield page.table(gaps)
        made = part.slice_tables
        yield page.folded("Every slice", [page.grouped(made)], f"{len(made)} ways of slicing")
    rewritten = [part for part in found.test_sets if part.general]
    if rewritten:
        yield page.paragraph(rewriting.EXPLAINED)
    for part in rewritten:
        yield page.folded(part.name, [page.grouped(list(part.general))])


def confidence(found: Study) -> Iterator[str]:
    """Curves and calibration of each test set."""
    if any(part.sureness for part in found.test_sets):
        yield page.paragraph(sureness.EXPLAINED)
    for part in found.test_sets:
        if not part.sureness:
            continue
        yield page.heading(part.name, level=3)
        left = len(part.sureness) - charts.LINES
        more = f" The first {charts.LINES} cells; the tables have all." if left > 0 else ""
        plots = []
        if any(each.points for each in part.sureness):
            plot = charts.precision_recall(f"Precision and recall by confidence, {part.name}", part.sureness)
            plots.append(page.figure(plot, f"Precision over recall as less confident items are left out.{more}", wide=False))
        plot = charts.reliability(f"Calibration, {part.name}", part.sureness)
        plots.append(
            page.figure(
                plot,
                f"How often items of a confidence are right; on the dotted line confidence keeps its word.{more}",
                wide=False,
            )
        )
        yield legend([each.cell for each in part.sureness[: charts.LINES]])
        yield f'<div class="pair">{"".join(plots)}</div>'
        yield page.table(bare(sureness.calibration_table(part.sureness)))
        if (thresholds := sureness.thresholds_table(part.sureness)).body:
            yield page.folded("By threshold", [page.table(thresholds)])


def budget(found: Study) -> Iterator[str]:
    """Cells at the same number of items, and what they were trained on."""
    if any(part.budgets for part in found.test_sets):
        yield page.paragraph(f"{budgets.EXPLAINED} Row minus column.")
    for part in found.test_sets:
        if part.budgets:
            yield page.heading(part.name, level=3)
            yield budget_matrix(part)
            yield page.folded("Every pair", [page.table(bare(budgets.budget_table(part.budgets)))], f"{len(part.budgets)} pairs")
    if found.test_sets and (table := training(found, found.test_sets[0])).body:
        yield page.heading("What was learnt from", level=3)
        yield page.table(table)


def bare(table: Table) -> Table:
    """A table without its legend, which stands above."""
    return replace(table, legend="")


def judge_page(audit: Audit) -> str:
    """Everything known about one judge."""
    facts = "".join(f"<li>{escape(name)}: {escape(words)}</li>" for name, words in audit.facts.items())
    inside = [f"<ul>{facts}</ul>" if facts else ""]
    for name, table in audit.tables:
        inside += [page.heading(name, level=3), page.table(table)]
    return page.folded(audit.name, inside, "the judge against people and probes")


def failures(found: Study) -> Iterator[str]:
    """Probes and kinds of errors of each test set."""
    if any(part.answers for part in found.test_sets):
        yield page.paragraph(KINDS_EXPLAINED)
    for part in found.test_sets:
        if part.answers:
            yield page.heading(part.name, level=3)
            yield page.table(bare(part.kinds))
        if part.probes:
            yield page.folded(
                "Probes: what the numbers may owe to something else",
                [page.table(probes.probe_table(part.probes, list(part.answers)))],
            )


def worst_errors(found: Study) -> Iterator[str]:
    """The errors cells were most sure of, to be filtered."""
    lists = [block for part in found.test_sets for block in examples.errors(part)]
    if not lists:
        return
    cells = [(cell, cell) for cell in dict.fromkeys(cell for part in found.test_sets for cell in part.answers)]
    kinds = [(kind, words) for kind, words in WRONG.items()]
    yield page.paragraph(
        f"Of the first seed of each cell, at most {examples.ERRORS} a cell and test set, {examples.CELLS} cells at most."
    )
    yield examples.tools("error-list", {"set": set_names(found), "cell": cells, "kind": kinds})
    yield f'<div id="error-list">{"".join(lists)}</div>'


def set_names(found: Study) -> list[tuple[str, str]]:
    """The test sets that single items are known of."""
    return [(part.name, part.name) for part in found.test_sets if part.answers]


def example_browser(found: Study) -> Iterator[str]:
    """Conversations with what every cell said."""
    blocks = [block for number, part in enumerate(found.test_sets) for block in examples.examples(part, f"x{number}")]
    if not blocks:
        return
    shown = sum(len(examples.chosen(part)) for part in found.test_sets)
    known = sum(len(next(iter(part.first_seeds.values()))) for part in found.test_sets if part.answers)
    yield page.paragraph(
        f"{shown} of {known} users, chosen by a hash of their ids and not by what came out; the first seed of each cell,"
        f" {examples.CELLS} cells at most. Marked words are evidence of gold facts and of items that are right."
    )
    yield examples.tools("example-list", {"set": set_names(found)})
    yield f'<div id="example-list">{"".join(blocks)}</div>'


def cost(found: Study) -> Iterator[str]:
    """What everything took."""
    if any(map(finished, found.results)):
        yield page.table(accounts.cost_table(found.results, found.names))


def provenance(found: Study) -> Iterator[str]:
    """Where everything comes from."""
    yield page.table(accounts.origin_table(found.results, found.names))
    if (files := accounts.files_table(found.results, found.names)).body:
        yield page.folded("Data files", [page.table(files)])
    yield page.folded("Software and machine", [page.table(accounts.environments(found.results))])
    configs = [
        page.folded(
            found.names.get(result["run_id"], result["run_id"]),
            [f"<pre>{escape(accounts.config_text(result))}</pre>"],
            result["run_id"],
        )
        for result in found.results
        if finished(result)
    ][: examples.CELLS]
    yield page.folded("Configs", configs, f"of {len(configs)} runs")
    yield page.folded("How to read the table of every column", [page.paragraph(EXPLAINED)])
