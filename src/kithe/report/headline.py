"""The table a report begins with: a line for each cell, with a plot, scores, and the difference to the cell without training."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from kithe.report import charts, examples, page
from kithe.report.differences import Comparison, metric
from kithe.report.estimates import Estimate, read_estimate
from kithe.report.rows import Row
from kithe.report.study import SetStudy, Study
from kithe.report.tables import ANSWERS, FIELDS
from kithe.report.text import NONE, fraction, p_value, with_interval

NAMED: Final = {"f1": "F1", "atf": "ATF", "rva": "RVA"}
READ: Final = (
    "A cell is one way of training, on one set of training data, with one model. Numbers have 95 % intervals below them: users"
    " are resampled, and where a cell has several seeds their spread is in it too. Δ is the difference to the cell without"
    " training; stars say that it is more than chance after Holm's adjustment over all pairs of this report: * p < .05, ** p <"
    " .01, *** p < .001. Bold: the best of its test set; ≈ marks cells that cannot be told from the best one. Rings are single"
    " seeds."
)


def main_table(found: Study, part: SetStudy) -> str:
    """One test set: name, plot, scores, difference to the cell without training."""
    rows = list(part.cells.values())
    first = metric(rows[0])
    names = [
        name
        for name in dict.fromkeys([first, "f1", "precision", "recall", *FIELDS, *ANSWERS])
        if any(name in row.metrics for row in rows)
    ]
    best = max((row for row in rows if first in row.metrics), key=lambda row: row.metrics[first].value, default=None)
    base = {cell: reference(row, rows) for cell, row in part.cells.items()}
    low, high = scale(rows, first)
    ends = f"{NAMED.get(first, first)} on a scale from {fraction(low)} to {fraction(high)}"
    named = [NAMED.get(name, name.replace("_", " ")) for name in names]
    if any(base.values()):
        named.insert(1, "Δ")
    right = "".join(f"<th class=r>{escape(words)}</th>" for words in [*named, "seeds"])
    head = f"<th>cell</th><th>{escape(ends)}</th>{right}"
    body = "".join(main_row(found, cell, row, names, best, base[cell], (low, high)) for cell, row in part.cells.items())
    return f'<div class="wide"><table class="main"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def main_row(
    found: Study,
    cell: str,
    row: Row,
    names: Sequence[str],
    best: Row | None,
    base: Row | None,
    ends: tuple[float, float],
) -> str:
    """One cell: its name, its first metric as a plot and in figures, the difference, the other metrics, the number of seeds."""
    first, *others = names
    estimate = row.metrics.get(first)
    plot = charts.interval_bar(estimate, seeds(found, row, first), *ends) if estimate else ""
    tie = "" if best is None or row is best else tied(found, row, best)
    cells = score(first, estimate, row is best, tie) + (delta_cell(found, row, base) if base is not None else "")
    cells += "".join(score(name, row.metrics.get(name), False, "") for name in others)
    return (
        f"<tr><td>{examples.named(cell)}<small>{escape(found.legend[cell])}</small></td><td class=plot>{plot}</td>{cells}"
        f'<td class="r" data-label="seeds">{len(row.seeds) or NONE}</td></tr>'
    )


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


def delta_cell(found: Study, row: Row, base: Row) -> str:
    """The difference to the cell without training."""
    made = found.difference(row, base) if base is not row else None
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
