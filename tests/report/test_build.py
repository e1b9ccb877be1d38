"""Reports from files alone, against files checked by eye (`golden/`)."""

import csv
import io
from pathlib import Path

import pytest
from report_cases import metric, result, zero_shot
from report_store import write_failed, write_run, write_sweep
from rich.console import Console

from kithe.errors import ConfigError
from kithe.report.build import build, cells_table, read_result, report, terminal_table
from kithe.report.shown import CellState

GOLDEN = Path(__file__).parent / "golden"
TRACE = 'Traceback (most recent call last):\n  File "fit.py", line 1\nRuntimeError: out of memory | =1+1\n'
CHOICES = {
    "task": "pki",
    "data": "synthetic",
    "adapt": "sft",
    "model": "tiny",
    "judge": "gold",
    "teacher": "scripted",
    "runtime": "auto",
}


def rows_of(hits: int) -> list[dict[str, object]]:
    """Per-user rows of 40 users with the same counts."""
    return [{"id": f"u{number}", "tp": hits, "predicted": 4, "gold": 4, "matches": []} for number in range(40)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A sweep of six cells: two seeds of one, a zero-shot cell, real data, a failed one and one that never began."""
    write_run(tmp_path, result("lora-s0", f1=metric(0.40, 0.36, 0.43)), {"laps": rows_of(2)})
    write_run(tmp_path, result("lora-s1", f1=metric(0.44, 0.41, 0.48), cell={"seed": 1}), {"laps": rows_of(3)})
    write_run(tmp_path, zero_shot("zero", f1=metric(0.05, 0.02, 0.09), unscored={"laps": 0}), {"laps": rows_of(1)})
    corpus = {"source": "personachat", "facts": 850, "dropped": {"facts not expressed": 80, "facts too long": 2}}
    real = {"corpus": corpus, "judge": {"threshold": 0.686}}
    write_run(tmp_path, result("real", cell={"data": "real"}, f1=metric(None), provenance=real))
    write_failed(tmp_path, "broken", TRACE, CHOICES)
    write_sweep(tmp_path, "grid", ["zero", "lora-s0", "lora-s1", "real", "broken", "never"])
    return tmp_path


@pytest.mark.parametrize("name", ["table.md", "table.tex", "differences.md"])
def test_files_are_the_golden_ones(store: Path, name: str) -> None:
    build(store, "grid")
    assert (store / "sweeps" / "grid" / name).read_text(encoding="utf-8") == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_csv_file_is_the_golden_one_up_to_rounding(store: Path) -> None:
    build(store, "grid")
    files = (store / "sweeps" / "grid" / "table.csv", GOLDEN / "table.csv")
    made, wanted = (list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")))) for path in files)
    assert [[number(cell) for cell in row] for row in made] == [[number(cell) for cell in row] for row in wanted]


def number(cell: str) -> str | float:
    """A number to nine digits; text as it is."""
    try:
        return round(float(cell), 9)
    except ValueError:
        return cell


def test_the_same_files_give_the_same_report_in_any_order(store: Path) -> None:
    first = {path.name: path.read_bytes() for path in build(store, "grid", store / "one")}
    write_sweep(store, "grid", ["never", "broken", "real", "lora-s1", "lora-s0", "zero"])
    assert {path.name: path.read_bytes() for path in build(store, "grid", store / "two")} == first


def test_numbers_are_averaged_by_hand(store: Path) -> None:
    table, _, text, runs, *_ = build(store, ["lora-s0", "lora-s1"])
    (row,) = csv.DictReader(io.StringIO(text.read_text(encoding="utf-8")))
    assert float(row["f1"]) == pytest.approx((0.40 + 0.44) / 2)
    # half-widths below: (.04 + .03) / 2 = .035 and t(.975, 1) s / sqrt(2) = 12.7062 * .0282843 / 1.4142136 = .254124
    assert float(row["f1_low"]) == pytest.approx(0.42 - (0.035**2 + 0.254124**2) ** 0.5, abs=1e-5)
    assert (row["n"], row["gold_facts"], row["seeds"]) == ("40", "160", "0 1")
    assert len(list(csv.DictReader(io.StringIO(runs.read_text(encoding="utf-8"))))) == 2
    assert table.parent.parent == store / "reports"


def test_an_error_cannot_break_the_files(store: Path) -> None:
    build(store, "grid")
    found = list(csv.DictReader(io.StringIO((store / "sweeps" / "grid" / "table.csv").read_text(encoding="utf-8"))))
    assert [row["state"] for row in found if row["state"] != "done"] == ["planned", "failed: RuntimeError: out of memory | =1+1"]
    assert all(len(row) == len(found[0]) and None not in row for row in found)


def test_unreadable_and_missing_results_say_so(store: Path) -> None:
    (store / "runs" / "real" / "result.json").write_text("{", encoding="utf-8")
    (store / "runs" / "zero" / "result.json").unlink()
    assert read_result(store, "real")["state"] == "unreadable"
    assert read_result(store, "zero")["state"] == "missing"
    assert read_result(store, "broken")["cell"]["data"] == "synthetic"
    build(store, "grid")
    assert "unreadable" in (store / "sweeps" / "grid" / "table.md").read_text(encoding="utf-8")


def test_a_running_cell_is_no_result(store: Path) -> None:
    (store / "runs" / "real" / "state.json").write_text('{"state": "running"}', encoding="utf-8")
    assert read_result(store, "real")["state"] == "interrupted"


def test_unknown_sweeps_and_empty_lists_are_errors(store: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'grid'"):
        build(store, "gird")
    with pytest.raises(ConfigError, match="at least one run"):
        build(store, [])


def shown(table: object, width: int = 80) -> str:
    """A table as an 80-column terminal shows it."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_terminal_table_fits_80_columns(store: Path) -> None:
    text = shown(terminal_table([read_result(store, run) for run in ("zero", "lora-s0", "lora-s1", "real")]))
    assert max(map(len, text.splitlines())) <= 80
    assert all(word in text for word in (".420", "[.163, .677]", ".500", "1.000", "0.500", "zero-shot", "parse", "rate"))
    assert "…" not in text


def test_the_terminal_table_of_one_run(store: Path) -> None:
    text = shown(terminal_table([read_result(store, "zero")]))
    assert "data: none; adapt: zero-shot; model: tiny" in text
    assert "[.020, .090]" in text


def test_the_cells_table(store: Path) -> None:
    cells = [
        CellState("a", "done", {"task": "pki", "adapt": "lora"}),
        CellState("b", "failed", {"task": "pki", "adapt": None}, TRACE),
    ]
    text = shown(cells_table(cells))
    assert "RuntimeError: out of memory | =1+1" in text.replace("\n", " ")
    assert "Traceback" not in text
    assert "lora" in text
    assert "pki" not in text


def test_a_report_shows_what_it_wrote(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = report(store, "grid")
    shown_text = capsys.readouterr().out
    assert [path.name for path in written] == [
        "table.md",
        "table.tex",
        "table.csv",
        "runs.csv",
        "differences.md",
        "differences.csv",
        "details.md",
        "tables.json",
        "report.html",
    ]
    assert "Nothing to compare" not in (store / "sweeps/grid/differences.md").read_text()
    assert [word for word in ("precision", "broken", "planned", str(store)) if word not in shown_text] == []
    report(store, ["zero"])
    assert "planned" not in capsys.readouterr().out
