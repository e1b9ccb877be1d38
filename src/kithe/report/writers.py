"""One table of text, written as Markdown, LaTeX or CSV, or shown on a terminal."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kithe.report.text import csv_value, latex, markdown, one_line

if TYPE_CHECKING:
    import rich.table

WHOLE = ("run", "state")  # columns that are never broken: ids, which people copy, and states


@dataclass(frozen=True)
class Table:
    """A header, a body of raw text (nothing escaped yet), which columns are aligned right, and one line that explains it."""

    header: tuple[str, ...]
    right: tuple[bool, ...]
    body: tuple[tuple[str, ...], ...]
    legend: str = ""


def write_markdown(table: Table) -> str:
    """A Markdown table whose columns are aligned in the source too, with its legend below."""
    lines = [tuple(map(markdown, line)) for line in (table.header, *table.body)]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, table.right, strict=True)]
    text = [f"| {' | '.join(pad(line, widths, table.right))} |" for line in lines]
    legend = f"\n{markdown(table.legend)}\n" if table.legend else ""
    return "\n".join([text[0], f"| {' | '.join(rule)} |", *text[1:], legend])


def pad(line: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    """The cells of one line, filled up with spaces."""
    return [cell.rjust(width) if end else cell.ljust(width) for cell, width, end in zip(line, widths, right, strict=True)]


def write_latex(table: Table) -> str:
    """A `tabular` with booktabs rules; its legend is the comment above it."""
    lines = [" & ".join(map(latex, line)) + r" \\" for line in (table.header, *table.body)]
    columns = "".join("r" if right else "l" for right in table.right)
    return "\n".join(
        [
            f"% {one_line(table.legend)}",
            r"% needs \usepackage{booktabs} and \usepackage[T1]{fontenc}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def write_csv(records: Iterable[Mapping[str, Any]], header: Sequence[str] = ()) -> str:
    """Records as CSV: numbers in full precision, text safe to open in a spreadsheet, a column for every key of any record.

    Args:
        records: what to write.
        header: columns to have even where there are no records.
    """
    listed = list(records)
    names = list(dict.fromkeys([*header, *(name for record in listed for name in record)]))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([csv_value(name) for name in names])
    writer.writerows([csv_value(record.get(name)) for name in names] for record in listed)
    return file.getvalue()


def terminal(table: Table) -> "rich.table.Table":
    """The table for a terminal: nothing is markup; headings are broken, numbers never, intervals stand below their values."""
    from rich.box import HORIZONTALS
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(
        box=HORIZONTALS,
        show_edge=False,
        padding=0,
        caption=Text(one_line(table.legend)) if table.legend else None,
        caption_justify="left",
    )
    for name, right in zip(table.header, table.right, strict=True):
        heading = name.replace(" ", "\n").replace("/", "/\n") if right else name
        shown.add_column(Text(heading), justify="right" if right else "left", no_wrap=right or name in WHOLE, overflow="fold")
    for line in table.body:
        cells = zip(map(one_line, line), table.right, strict=True)
        shown.add_row(*(Text(cell.replace(" [", "\n[") if right else cell) for cell, right in cells))
    return shown
