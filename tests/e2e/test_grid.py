"""The whole grid on a model of two random layers: real processes, real files, no number that means anything."""

import csv
import json
import resource
from pathlib import Path
from typing import Any

import pytest
from small import Run, results

KEYS = {"run_id", "cell", "metrics", "unscored", "seeds", "config", "environment", "cost", "provenance"}


def test_the_grid_runs_once_and_ends_in_a_table(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    words = ["-m", "data=synthetic,spc_small", "adapt=zero-shot,lora,sft"]
    words[1] = "data=synthetic,personachat"
    first = run(words)
    found = results(store)
    chosen = sorted((value["cell"]["data"] or "-", value["cell"]["adapt"]) for value in found.values())
    assert chosen == [
        ("-", "zero-shot"),
        ("personachat", "lora"),
        ("personachat", "sft"),
        ("synthetic", "lora"),
        ("synthetic", "sft"),
    ]
    for value in found.values():
        check_contract(value)
    (sweep,) = (store / "sweeps").iterdir()
    with open(sweep / "table.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(found)
    assert "table.md" in first.stdout
    assert "report.html" in first.stdout
    page = (sweep / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("personachat", "laps", "a program wrote", *found))
    assert (sweep / "table.tex").read_text(encoding="utf-8").count("\\\\") >= len(rows)
    repeat(run, words, store)


def spent() -> float:
    """Seconds of a core that ended child processes have taken."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def repeat(run: Run, words: list[str], store: Path) -> None:
    """A done grid is quick, by processor time, and touches no result."""
    before = {
        file: file.stat().st_mtime_ns
        for file in store.rglob("*.json*")
        if "sweeps" not in file.parts and ".hydra" not in file.parts
    }
    busy = spent()
    again = run(words)
    assert spent() - busy < 10
    kept = {file: file.stat().st_mtime_ns for file in before if file.name not in ("cell.json",)}
    assert kept == {file: stamp for file, stamp in before.items() if file in kept}
    assert "[1/" not in again.stderr


def check_contract(value: dict[str, Any]) -> None:
    assert set(value) == KEYS
    assert {"wall_s", "tokens", "peak_memory_mb", "seconds_per_history"} <= set(value["cost"])
    assert all({"value", "low", "high", "n"} <= set(metric) for metric in value["metrics"].values())
    assert {name.split("/")[0] for name in value["metrics"]} == {"personachat", "laps"}
    assert value["unscored"] == {"personachat": 0, "laps": 0}
    trained = value["cell"]["adapt"] != "zero-shot"
    assert bool(value["provenance"]["corpus"]) == trained
    assert ("train" in value["cost"]["stages"]) == trained


@pytest.mark.system
def test_two_processes_where_something_is_trained_and_the_same_numbers(run: Run, tmp_path: Path) -> None:
    plain = ["data=synthetic", "task/test=sample", "task.test.sample.limit=6"]
    for name, order in (("one", "zero-shot,lora"), ("two", "lora,zero-shot")):
        run(["-m", *plain, f"adapt={order}", "runtime.cpu_processes=2"], store=tmp_path / name)
    run(["-m", *plain, "adapt=zero-shot,lora"], store=tmp_path / "single")
    one, two, single = (results(tmp_path / name) for name in ("one", "two", "single"))
    assert set(one) == set(two) == set(single)
    for name, value in one.items():
        trains = value["cell"]["adapt"] == "lora"
        assert value["environment"]["world_size"] == two[name]["environment"]["world_size"] == (2 if trains else 1)
        assert single[name]["environment"]["world_size"] == 1
        assert value["metrics"] == two[name]["metrics"] == single[name]["metrics"]
    losses = [read_losses(tmp_path / name) for name in ("one", "two", "single")]
    assert losses[0] == losses[1]
    assert max(abs(a - b) for a, b in zip(losses[0], losses[2], strict=True)) < 1e-5


def read_losses(store: Path) -> list[float]:
    (file,) = store.glob("weights/*/metrics.jsonl")
    return [json.loads(line)["loss"] for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_failing_cell_is_recorded_and_the_others_go_on(run: Run, tmp_path: Path) -> None:
    done = run(["-m", "data=synthetic", "adapt=lora", "adapt.target_modules=no_such_layer,all-linear"], check=False)
    assert done.returncode == 1
    states = [json.loads(file.read_text(encoding="utf-8")) for file in (tmp_path / "store").glob("runs/*/state.json")]
    assert sorted(state["state"] for state in states) == ["done", "failed"]
    failed = next(state for state in states if state["state"] == "failed")
    assert "Traceback" in failed["error"]
    assert "no_such_layer" in failed["error"]
    assert "failed" in done.stdout
    assert "table.md" in done.stdout


def test_plan_prints_a_line_a_cell_and_runs_nothing(run: Run, tmp_path: Path) -> None:
    done = run(["-m", "data=synthetic,personachat", "adapt=zero-shot,lora", "plan=true"])
    *lines, why = done.stdout.splitlines()
    assert len(lines) == 3
    assert why.startswith("4 combinations are 3 runs")
    assert all(line.split()[1] == "planned" and "adapt=" in line and "data=" in line for line in lines)
    assert not (tmp_path / "store" / "runs").exists()


@pytest.mark.slow
def test_a_run_starts_from_another_runs_config(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(["data=synthetic", "task/test=sample", "task.test.sample.limit=3", "adapt=zero-shot"])
    (start,) = results(store)
    run([f"+from={start}", "task.test.sample.limit=4"])
    longer = next(value for name, value in results(store).items() if name != start)
    assert longer["config"]["task"]["test"]["sample"]["limit"] == 4
    assert "personachat" not in longer["config"]["task"]["test"]
