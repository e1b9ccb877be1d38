"""The report of a table as one HTML page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Final

from kithe.report import accounts, budgets, charts, examples, page, probes, slices, sureness
from kithe.report.audits import Audit
from kithe.report.differences import Comparison, differences_table, metric, stars
from kithe.report.errors import WRONG
from kithe.report.estimates import Estimate, read_estimate
from kithe.report.plots import legend
from kithe.report.rows import Row, finished
from kithe.report.study import SetStudy, Study, training
from kithe.report.tables import ANSWERS, EXPLAINED, results_table, users
from kithe.report.text import NONE, count, fraction, p_value, with_interval

SECTIONS: Final = {
    "results": "Results",
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
NAMED: Final = {"f1": "F1", "atf": "ATF", "rva": "RVA"}
READ: Final = (
    "A cell is one way of training, on one set of training data, with one model. Numbers have 95 % intervals below them: users"
    " are resampled, and where a cell has several seeds their spread is in it too. Δ is the difference to the cell without"
    " training; stars say that it is more than chance after Holm's adjustment over all pairs of this report: * p < .05, ** p <"
    " .01, *** p < .001. Bold: the best of its test set; ≈ marks cells that cannot be told from the best one. Rings are single"
    " seeds."
)


def site(found: Study) -> str:
    """The whole page."""
    parts = {
        "results": list(results(found)),
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
        yield page.paragraph(READ)
    for part in found.test_sets:
        yield page.heading(part.name, level=3)
        yield main_table(found, part)
    failed = [row for row in found.rows if row.problem]
    if failed:
        lines = "".join(f"<li>{escape(', '.join(row.runs))}: {escape(row.problem)}</li>" for row in failed)
        yield f"<h3>Without numbers</h3><ul>{lines}</ul>"
    yield page.folded("Every column", [page.table(results_table(list(found.results)))])


def main_table(found: Study, part: SetStudy) -> str:
    """One test set: name, plot, scores, difference to the cell without training."""
    rows = list(part.cells.values())
    first = metric(rows[0])
    names = [
        name for name in dict.fromkeys([first, "f1", "precision", "recall", *ANSWERS]) if any(name in row.metrics for row in rows)
    ]
    best = max((row for row in rows if first in row.metrics), key=lambda row: row.metrics[first].value, default=None)
    base = {cell: reference(row, rows) for cell, row in part.cells.items()}
    low, high = scale(rows, first)
    ends = f"{NAMED.get(first, first)} on a scale from {fraction(low)} to {fraction(high)}"
    head = "".join(
        f"<th{' class=r' if right else ''}>{escape(words)}</th>"
        for words, right in [
            ("cell", False),
            (ends, False),
            *((NAMED.get(name, name.replace("_", " ")), True) for name in names),
        ]
        + ([("Δ", True)] if any(base.values()) else [])
        + [("seeds", True)]
    )
    body = []
    for cell, row in part.cells.items():
        estimate = row.metrics.get(first)
        plot = charts.interval_bar(estimate, seeds(found, row, first), low, high) if estimate else ""
        tie = "" if best is None or row is best else tied(found, row, best)
        cells = "".join(
            score(name, row.metrics.get(name), row is best and name == first, tie if name == first else "") for name in names
        )
        delta = delta_cell(found, row, base[cell]) if any(base.values()) else ""
        body.append(
            f"<tr><td>{examples.named(cell)}<small>{escape(found.legend[cell])}</small></td><td class=plot>{plot}</td>"
            f"{cells}{delta}"
            f'<td class="r" data-label="seeds">{len(row.seeds) or NONE}</td></tr>'
        )
    return f'<div class="wide"><table class="main"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def score(name: str, estimate: Estimate | None, best: bool, after: str) -> str:
    """A score with its interval."""
    mark, label = ' class="best"' if best else "", NAMED.get(name, name.replace("_", " "))
    words = page.value(with_interval(estimate))
    value, split, rest = words.partition("<small>")
    return f'<td class="r" data-label="{escape(label)}"><span{mark}>{value}{after}</span>{split}{rest}</td>'


def tied(found: Study, row: Row, best: Row) -> str:
    """A sign that a cell cannot be told from the best one; nothing where it can, or was not compared."""
    made = found.difference(row, best)
    return " ≈" if made is not None and not made.marks else ""


def delta_cell(found: Study, row: Row, base: Row | None) -> str:
    """The difference to the cell without training."""
    made = found.difference(row, base) if base is not None and base is not row else None
    if made is None:
        return f'<td class="r" data-label="Δ">{NONE}</td>'
    estimate = turned(made, row)
    words = page.value(with_interval(estimate, signed=True))
    value, split, rest = words.partition("<small>")
    colour = ("up" if estimate.value > 0 else "down") if made.marks else ""
    title = f"p {p_value(made.p)}, adjusted {p_value(made.p_holm)}"
    return (
        f'<td class="r" data-label="Δ" title="{escape(title)}"><span class="{colour}">{value}'
        f'<span class="stars">{made.marks}</span></span>{split}{rest}</td>'
    )


def turned(made: Comparison, row: Row) -> Estimate:
    """The difference seen from a row: its figure minus the other's."""
    if made.runs == " ".join(row.runs):
        return Estimate(made.difference, made.low, made.high)
    return flipped(Estimate(made.difference, made.low, made.high))


def flipped(estimate: Estimate) -> Estimate:
    """A difference the other way round."""
    low, high = estimate.low, estimate.high
    return Estimate(-estimate.value, None if high is None else -high, None if low is None else -low)


def reference(row: Row, rows: Sequence[Row]) -> Row | None:
    """The row without training that a row is held against: of the same model and judge if there is one, plain prompting first."""
    untrained = [
        each for each in rows if each.choices.get("data") is None and each.choices.get("judge") == row.choices.get("judge")
    ]
    ranked = sorted(
        untrained,
        key=lambda each: (each.choices.get("model") != row.choices.get("model"), each.choices.get("adapt") != "zero-shot"),
    )
    return ranked[0] if ranked else None


def seeds(found: Study, row: Row, name: str) -> list[float]:
    """The figure of every seed."""
    held = {result["run_id"]: result for result in found.results}
    metrics = (read_estimate(held[run]["metrics"].get(f"{row.test_set}/{name}", {})) for run in row.runs)
    return [estimate.value for estimate in metrics if estimate is not None]


def scale(rows: Iterable[Row], name: str) -> tuple[float, float]:
    """The ends of a common scale: from 0, or a little below, to the highest end of an interval."""
    found = [row.metrics[name] for row in rows if name in row.metrics]
    ends = [end for each in found for end in (each.value, each.low, each.high) if end is not None]
    return min(0.0, *ends, 0.0), max(*ends, 0.05, 0.05) if ends else 1.0


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
        (cell, other): (turned(pair, row), pair.p_holm)
        for cell, row in cells.items()
        for other, column in cells.items()
        if row is not column and (pair := found.difference(row, column)) is not None
    }
    return page.matrix(list(cells), {pair: entry(*each) for pair, each in made.items()})


def budget_matrix(part: SetStudy) -> str:
    """Differences in precision of every two cells at the same number of items."""
    cells = list(part.answers)[:MOST_MATRIX]
    made = {(each.first, each.second): (each.difference, each.p) for each in part.budgets}
    made |= {(each.second, each.first): (flipped(each.difference), each.p) for each in part.budgets}
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


def confidence(found: Study) -> Iterator[str]:
    """Curves and calibration of each test set."""
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
        yield page.table(sureness.calibration_table(part.sureness))
        if (thresholds := sureness.thresholds_table(part.sureness)).body:
            yield page.folded("By threshold", [page.table(thresholds)])


def budget(found: Study) -> Iterator[str]:
    """Cells at the same number of items, and what they were trained on."""
    for part in found.test_sets:
        if part.budgets:
            yield page.heading(part.name, level=3)
            yield budget_matrix(part)
            yield page.folded("Every pair", [page.table(budgets.budget_table(part.budgets))], f"{len(part.budgets)} pairs")
    if found.test_sets and (table := training(found, found.test_sets[0])).body:
        yield page.heading("What was learnt from", level=3)
        yield page.table(table)


def judge_page(audit: Audit) -> str:
    """Everything known about one judge."""
    facts = "".join(f"<li>{escape(name)}: {escape(words)}</li>" for name, words in audit.facts.items())
    inside = [f"<ul>{facts}</ul>" if facts else ""]
    for name, table in audit.tables:
        inside += [page.heading(name, level=3), page.table(table)]
    return page.folded(audit.name, inside, "the judge against people and probes")


def failures(found: Study) -> Iterator[str]:
    """Probes and kinds of errors of each test set."""
    for part in found.test_sets:
        if part.answers:
            yield page.heading(part.name, level=3)
            yield page.table(part.kinds)
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
