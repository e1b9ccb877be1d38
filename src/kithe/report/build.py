"""Reports rebuilt from the files of runs."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from kithe.errors import ConfigError
from kithe.identity import digest
from kithe.records.base import write_lines
from kithe.report.corrected import corrected_files
from kithe.report.differences import Comparison, Scores, compare, differences_table
from kithe.report.estimates import OF_USERS
from kithe.report.material import Shelf
from kithe.report.paper import paper_files
from kithe.report.results import read_result, sweep_runs
from kithe.report.rows import Result, finished, rows
from kithe.report.shown import CellState, cell_states, cells_table, terminal_table
from kithe.report.site import site
from kithe.report.study import Study, study, tables
from kithe.report.tables import records, results_table
from kithe.report.text import markdown
from kithe.report.writers import write_csv, write_latex, write_markdown
from kithe.store import Folder, Store

WIDTH = 140  # columns where the output is a file or a pipe, so that ids and intervals stay in one piece
PAGES = ("details.md", "tables.json", "report.html")
AT_ONCE = 2_500  # answers that take less than about two seconds

__all__ = ["CellState", "build", "cell_states", "cells_table", "read_result", "report", "terminal_table"]


def build(store: Path, runs: str | Sequence[str], out: Path | None = None, most: int | None = None) -> list[Path]:
    """Write the report of a sweep or of some runs, from their files alone; a report that exists is replaced.

    Writes table.md, table.tex and table.csv (a row per cell and test set, seeds taken together), runs.csv (the same, each seed
    alone), differences.md and .csv; then, from what is known of single items, details.md (slices, confidence, budgets, probes,
    kinds of errors), tables.json (every table) and report.html, which holds all of it and what the cells said in one page.

    Args:
        store: the root of all results.
        runs: a sweep's id, or run ids.
        out: the folder to write to; by default the sweep's own, or one below `reports` named after the runs.
        most: leave out what needs single items where there are more answers (users times runs) than this.

    Raises:
        ConfigError: there is no such sweep, or no run was named.
    """
    names = sweep_runs(store, runs) if isinstance(runs, str) else list(runs)
    if not names:
        raise ConfigError("a report needs at least one run: name a sweep or run ids")
    folder = out or (Store(store).sweep(runs).path if isinstance(runs, str) else store / "reports" / digest(sorted(names)))
    results = [read_result(store, name) for name in names]
    listed = rows(results)
    table, found = results_table(results), compare(listed, Shelf(store).scores)
    files = {
        "table.md": write_markdown(table),
        "table.tex": write_latex(table),
        "table.csv": write_csv(records(listed)),
        "runs.csv": write_csv(records(rows(results, over_seeds=False))),
        "differences.md": write_markdown(differences_table(found)),
        "differences.csv": write_csv(map(asdict, found), [field.name for field in fields(Comparison)]),
    }
    wanted = Folder(folder).read("sweep.json").get("tables", [])
    files |= corrected_files(store, results, lambda run, test_set: read_scores(store, run, test_set))
    files |= paper_files(wanted, listed, lambda run, kind, test_set: read_scores(store, run, test_set, kind))
    if most is None or answers(results) <= most:
        title = runs if isinstance(runs, str) else names[0] if len(names) == 1 else folder.name
        files |= pages(study(store, title, results, found))
    else:
        for name in PAGES:
            (folder / name).unlink(missing_ok=True)
    for name, text in files.items():
        write_lines(folder / name, [text.rstrip("\n")])
    return [folder / name for name in files]


def answers(results: Sequence[Result]) -> int:
    """How many answers there are to read: users of every test set of every run."""
    metrics = (metric for each in results for metric in each.get("metrics", {}).items())
    return sum(value["n"] for name, value in metrics if name.rpartition("/")[2] in OF_USERS)


def pages(whole: Study) -> dict[str, str]:
    """The files that show single items."""
    held = {name: {"header": table.header, "body": table.body} for name, table in tables(whole).items()}
    return dict(zip(PAGES, (details(whole), json.dumps(held, ensure_ascii=False, indent=0), site(whole)), strict=True))


def details(whole: Study) -> str:
    """Every table beside the results and the differences, as Markdown."""
    more = {name: table for name, table in tables(whole).items() if "/" in name}
    parts = (f"## {markdown(name)}\n\n{write_markdown(table)}" for name, table in more.items())
    return "\n".join(parts) or "Nothing is known of single items: no predictions are kept beside these runs.\n"


def read_scores(store: Path, run_id: str, test_set: str, kind: str = "scores") -> Scores:
    """A run's per-user rows of one test set by user, of the judge (`scores`) or the questions (`recall`); empty if not kept."""
    path = Store(store).run(run_id).path / kind / f"{test_set}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {row["id"]: row for row in map(json.loads, filter(str.strip, lines))}


def report(store: Path, runs: str | Sequence[str], out: Path | None = None, most: int | None = None) -> list[Path]:
    """`build`, and its short form on standard output."""
    from rich.console import Console

    written = build(store, runs, out, most)
    results = [read_result(store, name) for name in (sweep_runs(store, runs) if isinstance(runs, str) else runs)]
    done, console = [result for result in results if finished(result)], Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH
    if len(done) < len(results) or len(results) > 1:
        console.print(cells_table(cell_states(results)))
    if done:
        console.print(terminal_table(done))
    for path in (written[0], *(path for path in written if path.name in ("table1.md", "table2.md"))):
        console.print(f"tables: {path}", markup=False, highlight=False, soft_wrap=True)
    page = (
        written[-1]
        if written[-1].suffix == ".html"
        else f"kithe report {runs if isinstance(runs, str) else written[0].parent.name}"
    )
    console.print(f"page: {page}", markup=False, highlight=False, soft_wrap=True)
    return written
