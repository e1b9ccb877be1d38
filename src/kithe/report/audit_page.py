"""A judge's audit as a page of Markdown: what it gets right, what moves it, how far people agree with it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kithe.identity import digest
from kithe.records.base import write_json, write_lines
from kithe.report.estimates import Estimate, read_estimate
from kithe.report.text import NONE, count, p_value, with_interval
from kithe.report.writers import Table, write_markdown

FIGURES: Final = ("kappa", "agreement", "pabak", "sensitivity", "specificity", "prevalence", "judged")
METHODS: Final = {
    "naive": "judge alone (naive)",
    "human_only": "labels alone",
    "rogan_gladen": "Rogan-Gladen",
    "ppi": "PPI",
    "ppi_plus": "PPI++ (best)",
}
LONGEST: Final = 30  # mistakes that are listed


def page(audit: Mapping[str, Any]) -> str:
    """The page, from the content of an audit file."""
    return "\n".join(sections(audit)).rstrip("\n") + "\n"


def write(audit: Mapping[str, Any], store: Path) -> list[Path]:
    """Write `audits/<judge>-<hash of its settings>.json` and `.md` in a store; returns their paths."""
    slug = re.sub(r"[^a-z0-9]+", "-", str(audit["judge"]).lower()).strip("-")[:60]
    name = f"{slug}-{digest([audit['judge'], audit['settings']], 6)}"
    paths = [store / "audits" / f"{name}.{ending}" for ending in ("json", "md")]
    write_json(paths[0], audit)
    write_lines(paths[1], [page(audit).rstrip("\n")])
    return paths


def sections(audit: Mapping[str, Any]) -> Iterator[str]:
    """The page's parts in order."""
    yield f"# Judge: {audit['judge']}\n"
    yield f"Settings: `{json.dumps(audit['settings'], sort_keys=True)}`\n"
    yield from (f"**Warning:** {text}\n" for text in audit["warnings"])
    yield from against("The forty cases of the rubric", audit["cases"])
    if "challenge" in audit:
        yield from against("The challenge set (relevance)", audit["challenge"])
    yield "## What moves its verdicts\n"
    yield write_markdown(probes(audit["probes"]))
    if "labels" in audit:
        yield from people(audit["labels"])


def against(title: str, found: Mapping[str, Any]) -> Iterator[str]:
    """A set with known verdicts: figures, then the mistakes."""
    yield f"## {title}\n"
    yield f"{found['right']} of {found['asked']} right, {found['unscored']} without a verdict.\n"
    if found["agreement"]:
        yield write_markdown(agreement(found["agreement"]))
    if found["wrong"]:
        yield write_markdown(mistakes(found["wrong"]))


def agreement(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Figures of agreement by criterion."""
    names = [name for name in FIGURES if any(name in figures for figures in found.values())]
    body = tuple(
        (criterion, *(with_interval(read_estimate(figures.get(name, {}))) for name in names))
        for criterion, figures in found.items()
    )
    return Table(("criterion", *names), (False, *(True,) * len(names)), body, "Brackets: 95 % intervals.")


def mistakes(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What was judged otherwise than known, the first ones."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    body = tuple(tuple(word(row.get(name)) for name in names) for row in rows[:LONGEST])
    more = f"{len(rows) - LONGEST} more in the JSON file." if len(rows) > LONGEST else ""
    return Table(tuple(names), (False,) * len(names), body, more)


def word(value: object) -> str:
    """A verdict in a word."""
    return {True: "yes", False: "no", None: NONE}.get(value, str(value)) if isinstance(value, bool | None) else str(value)


def probes(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Probes and orders in the conversation: how often the verdict on `correct` moved, and where to."""
    header = ("probe", "asks for", "changed", "to right", "to wrong", "p", "no verdict", "not applicable")
    body = tuple(
        (
            str(row["probe"]),
            str(row.get("asks for", NONE)),
            with_interval(read_estimate(row["rate"] or {})),
            *(count(row[key]) for key in ("to_yes", "to_no")),
            p_value(row["p"]),
            *(count(row[key]) for key in ("unscored", "skipped")),
        )
        for row in rows
    )
    legend = "Changed: of the cases scored both times, those whose verdict moved; p: that one direction prevails by chance."
    return Table(header, (False, False, *(True,) * 6), body, legend)


def people(found: Mapping[str, Any]) -> Iterator[str]:
    """The judge against people's labels, and its precision corrected by them."""
    yield "## Against people\n"
    yield f"{found['labelled']} items with a verdict and a settled label, {found['unsettled']} on which people are split, "
    yield f"{found['unscored']} labelled items without a verdict.\n"
    if found["agreement"]:
        yield write_markdown(agreement(found["agreement"]))
    if found["people"]:
        alphas = tuple((name, with_interval(read_estimate(value))) for name, value in found["people"].items())
        yield write_markdown(Table(("criterion", "Krippendorff's alpha among people"), (False, True), alphas))
    if found["precision"]:
        rows = tuple((METHODS.get(name, name), with_interval(Estimate(**value))) for name, value in found["precision"].items())
        yield write_markdown(Table(("precision of the labelled items", "estimate"), (False, True), rows))
