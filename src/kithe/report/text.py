"""How numbers and names are written in reports: each rule in one place, safe in the format it is written for."""

import re
from collections.abc import Mapping

from kithe.report.estimates import Estimate

NONE = "–"
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "≥": r"$\geq$",
    "τ": r"$\tau$",
}
MARKDOWN = {"\\": "\\\\", "|": "\\|", "`": "\\`", "*": "\\*", "~": "\\~", "<": "&lt;", "&": "&amp;", "](": "]\\("}


def fraction(value: float | None, signed: bool = False) -> str:
    """A share or a difference of shares with three decimals and no leading zero: `.412`, `1.000`, `-.021`; signed: `+.021`."""
    if value is None:
        return NONE
    text = f"{abs(value):.3f}"
    sign = "" if text == "0.000" else "-" if value < 0 else "+" if signed else ""
    return sign + (text.removeprefix("0"))


def with_interval(estimate: Estimate | None, signed: bool = False) -> str:
    """A share with its 95 % interval: `.412 [.380, .445]`; without the brackets where there is no interval."""
    if estimate is None:
        return NONE
    value = fraction(estimate.value, signed)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{fraction(estimate.low, signed)}, {fraction(estimate.high, signed)}]"


def p_value(value: float) -> str:
    """A p value with three decimals; what is smaller than they can show is `<.001`."""
    return "<.001" if value < 0.0005 else fraction(value)


def quantity(value: float | None) -> str:
    """A size or a duration with three significant digits, whole from 100 on: `0.0123`, `4.50`, `1874`."""
    if value is None:
        return NONE
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:#.3g}"


def count(value: float | None) -> str:
    """A count, or a mean of counts with one decimal: `200`, `3.5`."""
    return NONE if value is None else f"{value:.1f}".removesuffix(".0")


def counts(values: Mapping[str, float]) -> str:
    """Counts by reason: `120 not expressed, 3 over budget`."""
    return ", ".join(f"{count(value)} {reason}" for reason, value in sorted(values.items())) or NONE


def one_line(text: str) -> str:
    """Text without line breaks and control characters, which would end a table's row or a comment."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]", " ", text).split())


def shorten(text: str, most: int) -> str:
    """Text of at most so many characters, an ellipsis at the end where it was longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def markdown(text: str) -> str:
    """Text as it is, for a cell of a Markdown table: no markup, links, HTML or new columns."""
    return re.sub(r"\]\(|[\\|`*~<&]", lambda found: MARKDOWN[found[0]], one_line(text))


def latex(text: str) -> str:
    """Text as it is, for a cell of a LaTeX table; a hyphen before a number becomes a minus sign."""
    escaped = "".join(LATEX.get(letter, letter) for letter in one_line(text))
    signed = re.sub(r"(^|(?<=[ \[]))-(?=\.?\d)", "$-$", escaped)
    return f"{{{signed[0]}}}{signed[1:]}" if signed[:1] in ("[", "*") else signed


def csv_value(value: object) -> object:
    """A value for a CSV file: text that a spreadsheet would run as a formula gets a leading apostrophe; None is empty."""
    if not isinstance(value, str):
        return "" if value is None else value
    text = one_line(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠") else text
