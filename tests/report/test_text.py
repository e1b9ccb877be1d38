"""Numbers are written by one rule; names cannot break out of the format they are written in."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.report.estimates import Estimate
from kithe.report.text import count, counts, csv_value, fraction, latex, markdown, quantity, shorten, with_interval
from kithe.report.writers import Table, terminal, write_csv, write_latex, write_markdown


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4123, ".412"), (1.0, "1.000"), (0.0, ".000"), (-0.0001, ".000"), (-0.0214, "-.021"), (0.9996, "1.000"), (None, "–")],
)
def test_fractions(value: float | None, text: str) -> None:
    assert fraction(value) == text


def test_signed_fractions() -> None:
    assert [fraction(value, signed=True) for value in (0.0214, -0.0214, 0.0)] == ["+.021", "-.021", ".000"]


def test_intervals() -> None:
    assert with_interval(Estimate(0.412, 0.38, 0.4449, 40)) == ".412 [.380, .445]"
    assert with_interval(Estimate(0.412)) == ".412"
    assert with_interval(None) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123"), (4.5, "4.50"), (99.9, "99.9"), (99.96, "100"), (1874.4, "1874"), (0.0, "0.00"), (None, "–")],
)
def test_quantities(value: float | None, text: str) -> None:
    assert quantity(value) == text


def test_counts() -> None:
    assert [count(value) for value in (200, 3.5, 10.0, None)] == ["200", "3.5", "10", "–"]
    assert counts({"over budget": 3, "not expressed": 120.5}) == "120.5 not expressed, 3 over budget"
    assert counts({}) == "–"
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


def test_markdown_stays_one_cell_of_plain_text() -> None:
    assert markdown("a|b\n<b>*x*</b> [t](http://u) `c`") == r"a\|b &lt;b>\*x\*&lt;/b> [t]\(http://u) \`c\`"
    assert markdown(".412 [.380, .445]") == ".412 [.380, .445]"


def test_latex_is_text() -> None:
    assert latex(r"50% of a_b & \input{x} #1 $y$ ^~") == (
        r"50\% of a\_b \& \textbackslash{}input\{x\} \#1 \$y\$ \textasciicircum{}\textasciitilde{}"
    )
    assert latex("-.021 [-.050, .008]") == "$-$.021 [$-$.050, .008]"
    assert latex("zero-shot, smollm2-135m, –") == "zero-shot, smollm2-135m, --"
    assert latex("[1] a") == "{[}1] a"
    assert latex("*") == "{*}"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_a_formula_is_text_in_csv(text: str) -> None:
    assert str(csv_value(text)).startswith("'")


def test_numbers_in_csv_are_numbers() -> None:
    assert csv_value(-0.5) == -0.5
    assert csv_value(None) == ""
    assert csv_value("zero-shot") == "zero-shot"


table_text = st.text(max_size=12)


@given(st.lists(st.tuples(table_text, table_text), min_size=1, max_size=4))
def test_any_text_keeps_the_shape_of_every_format(body: list[tuple[str, str]]) -> None:
    table = Table(("name", "value"), (False, True), tuple(body), "legend\n\\end{tabular}")
    markdown_lines = write_markdown(table).split("\n")
    assert len(markdown_lines) == len(body) + 5
    assert markdown_lines[-1] == ""
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3 for line in markdown_lines[: len(body) + 2])
    latex_lines = write_latex(table).rstrip("\n").split("\n")
    assert len(latex_lines) == len(body) + 8
    assert all(len(re.findall(r"(?<!\\)&", line)) == 1 and line.endswith(r" \\") for line in latex_lines[6:-2])
    assert not any(re.search(r"(?<!\\)[$%#_]", line.replace("$-$", "")) for line in latex_lines[6:-2])
    rows = list(csv.reader(io.StringIO(write_csv(dict(zip(("name", "value"), line, strict=True)) for line in body))))
    assert len(rows) == len(body) + 1
    assert all(len(row) == 2 for row in rows)
    assert not any(cell[:1] in set("=+-@") for row in rows for cell in row)


def test_a_terminal_reads_no_markup() -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=60, color_system=None)
    console.print(
        terminal(Table(("[bold]name[/bold]", "n"), (False, True), (("[red]x[/red]", ".412 [.380, .445]"),), "[b]legend"))
    )
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[bold]name[/bold]" in text
    assert "[red]x[/red]" in text
    assert "[b]legend" in text
    assert ".412\n" in text.replace(" ", "")
    assert "[.380, .445]" in text
