"""Reports rebuilt from the files of runs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from kithe.errors import ConfigError, unknown
from kithe.identity import digest
from kithe.records.base import write_lines
from kithe.report.differences import Comparison, differences_table
from kithe.report.rows import finished, rows
from kithe.report.shown import CellState, cell_state, cells_table, terminal_table
from kithe.report.site import site
from kithe.report.study import Study, study, tables
from kithe.report.tables import records, results_table
from kithe.report.text import markdown
from kithe.report.writers import write_csv, write_latex, write_markdown
from kithe.store import Folder, Store

__all__ = ["CellState", "build", "cell_state", "cells_table", "read_result", "report", "terminal_table"]


def build(store: Path, runs: str | Sequence[str], out: Path | None = None) -> list[Path]:
    """Write the report of a sweep or of some runs, from their files alone; a report that exists is replaced.

    Writes table.md, table.tex and table.csv (a row per cell and test set, seeds taken together), runs.csv (the same, each seed
    alone), differences.md and .csv, details.md (slices, confidence, budgets, probes, kinds of errors) and report.html,
    which holds all of it and what the cells said in one page that needs nothing else.

    Args:
        store: the root of all results.
        runs: a sweep's id, or run ids.
        out: the folder to write to; by default the sweep's own, or one below `reports` named after the runs.

    Raises:
        ConfigError: there is no such sweep, or no run was named.
    """
    names = sweep_runs(store, runs) if isinstance(runs, str) else list(runs)
    if not names:
        raise ConfigError("a report needs at least one run: name a sweep or run ids")
    folder = out or (Store(store).sweep(runs).path if isinstance(runs, str) else store / "reports" / digest(sorted(names)))
    results = [read_result(store, name) for name in names]
    listed = rows(results)
    title = runs if isinstance(runs, str) else names[0] if len(names) == 1 else folder.name
    whole = study(store, f"kithe: {title}", results)
    table, found = results_table(results), whole.comparisons
    files = {
        "table.md": write_markdown(table),
        "table.tex": write_latex(table),
        "table.csv": write_csv(records(listed)),
        "runs.csv": write_csv(records(rows(results, over_seeds=False))),
        "differences.md": write_markdown(differences_table(found)),
        "differences.csv": write_csv(map(asdict, found), [field.name for field in fields(Comparison)]),
        "details.md": details(whole),
        "report.html": site(whole),
    }
    for name, text in files.items():
        write_lines(folder / name, [text.rstrip("\n")])
    return [folder / name for name in files]


def details(whole: Study) -> str:
    """Every table beside the results and the differences, as Markdown."""
    more = {name: table for name, table in tables(whole).items() if "/" in name}
    parts = (f"## {markdown(name)}\n\n{write_markdown(table)}" for name, table in more.items())
    return "\n".join(parts) or "Nothing is known of single items: no predictions are kept beside these runs.\n"


def sweep_runs(store: Path, sweep_id: str) -> list[str]:
    """The runs of a sweep."""
    sweeps = Store(store).root / "sweeps"
    if not (sweeps / sweep_id / "sweep.json").exists():
        raise unknown(f"sweep in {sweeps}", sweep_id, (path.parent.name for path in sweeps.glob("*/sweep.json")))
    return [str(run) for run in Store(store).sweep(sweep_id).read("sweep.json")["runs"]]


def read_result(store: Path, run_id: str) -> dict[str, Any]:
    """A run's result; for a run that has none, `{run_id, cell, config, state, error}`."""
    folder = Store(store).run(run_id)
    try:
        if not folder.done:
            return {**prepared(folder, run_id), "state": folder.state, "error": folder.read("state.json").get("error", "")}
        found = folder.read("result.json")
        return found or {**prepared(folder, run_id), "state": "missing", "error": "done, but there is no result.json"}
    except json.JSONDecodeError as broken:
        return {"run_id": run_id, "cell": {}, "state": "unreadable", "error": str(broken)}


def prepared(folder: Folder, run_id: str) -> dict[str, Any]:
    """What was chosen for a run; data and seed fall out where there is no corpus, as in a result."""
    cell = folder.read("cell.json")
    chosen, config = dict(cell.get("choices", {})), cell.get("config", {})
    reads = (cell.get("identity") or {}).get("corpus") is not None
    fallen = {"data": chosen.get("data") if reads else None, "seed": config.get("seed") if reads else None}
    return {"run_id": run_id, "cell": {**chosen, **fallen} if chosen else {}, "config": config}


def report(store: Path, runs: str | Sequence[str], out: Path | None = None) -> list[Path]:
    """`build`, and its short form on standard output."""
    from rich.console import Console

    written = build(store, runs, out)
    results = [read_result(store, name) for name in (sweep_runs(store, runs) if isinstance(runs, str) else runs)]
    done, console = [result for result in results if finished(result)], Console()
    if len(done) < len(results) or len(results) > 1:
        console.print(cells_table(map(cell_state, results)))
    if done:
        console.print(terminal_table(done))
    console.print(f"tables: {written[0]}", markup=False, highlight=False, soft_wrap=True)
    return written
