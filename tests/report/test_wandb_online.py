"""Online against a server on loopback: what is sent, and that sending it again adds nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_cases import result
from report_store import write_predictions, write_run, write_sweep, write_training
from wandb_stub import Stub

from kithe.records.base import write_json


@pytest.fixture
def server() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.server.shutdown()


def report(store: Path, server: Stub, *words: str) -> str:
    """`kithe report sweep1 --wandb online`, in a process of its own as W&B keeps its settings."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    environment |= {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": "a" * 40, "HOME": str(store)}
    full = [sys.executable, "-m", "kithe.cli", "report", "sweep1", "--store", str(store), "--wandb", "online", *words]
    done = subprocess.run(full, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "not written to W&B" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.system
def test_a_sweep_is_sent_once_and_what_is_new_later(tmp_path: Path, server: Stub) -> None:
    write_run(tmp_path, result("r1"))
    train = [{"stage": "train", "step": step, "loss": 1 / step} for step in (1, 2, 3)]
    write_training(tmp_path, "w", train)
    write_json(tmp_path / "corpus" / "c" / "card.json", {})
    write_sweep(tmp_path, "sweep1", ["r1"])
    said = report(tmp_path, server, "--dashboard")
    run = server.runs["r1"]
    assert (run.heading["groupName"], run.heading["jobType"]) == ("sweep1", "train")
    assert {"lora", "synthetic", "scripted"} <= set(run.heading["tags"])
    assert [row["train/loss"] for row in run.history.values() if "train/loss" in row] == [1.0, 0.5, 1 / 3]
    assert run.summary["eval/laps/f1"] == 0.412
    assert run.exit_code == 0
    assert server.runs["sweep1"].heading["jobType"] == "summary"
    assert server.runs["sweep1"].summary["cells/done"] == 1
    assert len(set(server.artifacts["c"])) == 1
    (view,) = server.views
    assert "kithe" in json.dumps(view)
    assert "eval/laps/f1" in view["spec"]
    assert "http" in said
    sent = dict(run.history)
    report(tmp_path, server)
    assert server.runs["r1"].history == sent
    assert len(set(server.artifacts["c"])) == 1


@pytest.mark.system
def test_a_cell_that_failed_at_its_second_test_set_gets_its_scores_when_it_is_done(tmp_path: Path, server: Stub) -> None:
    value = result("r1")
    write_run(tmp_path, value, {"laps": [{"id": "u1", "tp": 1, "predicted": 1, "gold": 1, "matches": []}]})
    write_predictions(tmp_path, "p", "laps", {"u1": ["I sail."]}, {"u1": ["I sail."]})
    write_training(tmp_path, "w", [{"stage": "train", "step": step, "loss": 1 / step} for step in (1, 2, 3)])
    write_sweep(tmp_path, "sweep1", ["r1"])
    folder = tmp_path / "runs" / "r1"
    stages = value["provenance"]["stages"]
    write_json(folder / "cell.json", {"config": {}, "choices": {}, "counted": {"seed": 0}, "identity": stages})
    write_json(folder / "state.json", {"state": "failed", "error": "MemoryError: no more"})
    (folder / "result.json").unlink()
    report(tmp_path, server)
    assert server.runs["r1"].exit_code == 1
    write_run(tmp_path, value)
    report(tmp_path, server)
    rows = list(server.runs["r1"].history.values())
    assert [row["train/loss"] for row in rows if "train/loss" in row] == [1.0, 0.5, 1 / 3]
    assert [row["eval/laps/f1"] for row in rows if "eval/laps/f1" in row] == [0.412]
    assert sum("samples/laps" in row for row in rows) == 1
