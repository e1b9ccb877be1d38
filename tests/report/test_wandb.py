"""A run's files projected to W&B offline and read back from what W&B wrote."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from report_cases import metric, result, zero_shot
from report_store import write_failed, write_predictions, write_run, write_sweep, write_training
from wandb_file import WandbFile, read_finished

from kithe.records.base import write_json
from kithe.report import wandb as projection
from kithe.report.build import build
from kithe.report.dashboard import opinion, public, read_dashboard
from kithe.report.wandb import NoLogger, Wandb

RUN = "pki-synthetic-lora-tiny-s0-0123456789"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    value = result(RUN, config={"service": {"api_key": "s3cret", "base_url": "https://me:pw@host/v1"}, "max_new_tokens": 128})
    rows = [
        {"id": "u1", "tp": 1, "predicted": 2, "gold": 1, "matches": [[0, 0, 0.91]]},
        {"id": "u2", "tp": 0, "predicted": 0, "gold": 1, "matches": []},
    ]
    write_run(tmp_path, value, {"laps": rows})
    train: list[dict[str, Any]] = [{"stage": "train", "step": step, "loss": 1 / step, "lr": 0.1} for step in (1, 2, 3)]
    write_training(tmp_path, "w", [*train, {"stage": "validation", "step": 3, "loss": 0.5}])
    said, told = {"u1": ["I have two cats.", "I sail."], "u2": []}, {"u1": ["I have two cats."], "u2": ["I bake."]}
    write_predictions(tmp_path, "p", "laps", said, told)
    write_json(tmp_path / "weights" / "w" / "weights" / "adapter_config.json", {"r": 8})
    write_json(tmp_path / "corpus" / "c" / "card.json", {})
    return tmp_path


def project(store: Path, run_id: str = RUN) -> tuple[Path, WandbFile]:
    """Project offline; the folder W&B made and what stands in its file."""
    Wandb("proj", None, "offline", str(store / "dash")).project_run(store, run_id, "sweep1")
    (folder,) = (store / "dash" / "wandb").glob(f"offline-run-*-{run_id}")
    return folder, read_finished(folder)


def test_offline_projection_holds_the_whole_run(store: Path) -> None:
    folder, found = project(store)
    run = found.run
    assert (run.run_id, run.display_name, run.run_group, run.job_type, run.project) == (RUN, RUN, "sweep1", "train", "proj")
    assert {"pki", "synthetic", "lora", "tiny", "gold", "scripted"} <= set(run.tags)
    assert found.exit_code == 0

    assert found.config["cell"]["adapt"] == "lora"
    assert found.config["max_new_tokens"] == 128
    assert "s3cret" not in json.dumps(found.config)
    assert "me:pw" not in json.dumps(found.config)

    train = [row for row in found.history if "train/loss" in row]
    assert [(row["train/step"], row["train/loss"], row["train/lr"]) for row in train] == [
        (1, 1.0, 0.1),
        (2, 0.5, 0.1),
        (3, 1 / 3, 0.1),
    ]
    (validation,) = [row for row in found.history if "validation/loss" in row]
    assert (validation["validation/step"], validation["validation/loss"]) == (3, 0.5)
    (scores,) = [row for row in found.history if "eval/laps/f1" in row]
    assert (scores["eval/step"], scores["eval/laps/f1"], scores["eval/laps/recall"]) == (3, 0.412, 0.25)
    assert [row["_step"] for row in found.history] == list(range(len(found.history)))
    assert found.step_metrics | {} == {
        "train/step": "",
        "train/*": "train/step",
        "validation/step": "",
        "validation/*": "validation/step",
        "eval/step": "",
        "eval/*": "eval/step",
    }

    assert found.summary["eval/laps/f1_low"] == 0.38
    assert found.summary["eval/laps/f1_high"] == 0.445
    assert found.summary["eval/laps/f1"] == 0.412
    assert found.summary["cost/seconds_per_history"] == 0.5

    table = table_of(folder, found, "samples")
    assert table["columns"] == ["history", "text", "gold", "predicted", "tp"]
    assert table["data"] == [
        ["u1", "ann: I have two cats.", "I have two cats.", "I have two cats.\nI sail.", 1],
        ["u2", "ann: I bake.", "I bake.", "", 0],
    ]
    assert table_of(folder, found, "verdicts")["data"] == [
        ["u1", "I have two cats.", "right", "I have two cats. (0.91)"],
        ["u1", "I sail.", "wrong", ""],
    ]
    made = {name: (kind, [reference for _, reference in entries]) for name, kind, entries in found.artifacts}
    assert made["w"] == ("adapter", [f"file://{store}/weights/w/weights/adapter_config.json"])
    assert made["c"] == ("corpus", [f"file://{store}/corpus/c/card.json"])


def table_of(folder: Path, found: WandbFile, kind: str) -> Any:
    """A table that W&B wrote."""
    (name,) = [file for file in found.files if file.endswith(".table.json") and file.startswith(f"media/table/{kind}")]
    return json.loads((folder / "files" / name).read_text(encoding="utf-8"))


def test_projecting_again_replaces_and_leaves_other_runs_alone(store: Path) -> None:
    other = store / "dash" / "wandb" / "offline-run-20260101_000000-other"
    longer = store / "dash" / "wandb" / f"offline-run-20260101_000000-x-{RUN}"
    suffixed = store / "dash" / "wandb" / f"offline-run-20260101_000000-{RUN}0"
    for folder in (other, longer, suffixed, store / "dash" / "wandb" / f"offline-run-20260101_000000-{RUN}"):
        folder.mkdir(parents=True)
    _, first = project_among(store)
    _, second = project_among(store)
    assert other.is_dir()
    assert longer.is_dir()
    assert suffixed.is_dir()

    def plain(found: WandbFile) -> list[dict[str, Any]]:
        clock, random_names = ("_timestamp", "_runtime"), ("samples/", "verdicts/")
        return [
            {key: value for key, value in row.items() if key not in clock and not key.startswith(random_names)}
            for row in found.history
        ]

    assert plain(first) == plain(second)


def project_among(store: Path) -> tuple[Path, WandbFile]:
    """As `project`, where similar names lie beside."""
    Wandb("proj", None, "offline", str(store / "dash")).project_run(store, RUN, None)
    (folder,) = (made for made in (store / "dash" / "wandb").glob(f"offline-run-*-{RUN}") if "-x-" not in made.name)
    return folder, read_finished(folder)


def test_a_sweep_is_a_run_with_its_grid_and_charts(store: Path) -> None:
    write_run(store, zero_shot("zero", f1=metric(0.25)))
    write_failed(store, "broken", "Traceback\nMemoryError: no more", {"data": "synthetic", "adapt": "sft", "model": "tiny"})
    write_sweep(store, "s1", [RUN, "zero", "broken"])
    Wandb("proj", None, "offline", str(store / "dash")).project_sweep(store, "s1")
    (folder,) = (store / "dash" / "wandb").glob("offline-run-*-s1")
    found = read_finished(folder)
    assert (found.run.run_id, found.run.run_group, found.run.job_type) == ("s1", "s1", "summary")
    assert found.config["command"] == "run.py -m"
    assert found.summary["cells/done"] == 2
    assert found.summary["cells/failed"] == 1
    assert found.summary["grid/laps/synthetic (scripted) · lora · tiny/f1"] == 0.412
    assert found.summary["grid/laps/zero-shot · tiny/f1"] == 0.25
    grid = table_of(folder, found, "grid")
    assert {row[grid["columns"].index("adapt")] for row in grid["data"]} == {"lora", "zero-shot"}
    assert ["broken", "failed", "failed: MemoryError: no more"] in table_of(folder, found, "cells")["data"]
    assert found.exit_code == 1
    write_sweep(store, "s1", [RUN, "zero"])
    Wandb("proj", None, "offline", str(store / "dash")).project_sweep(store, "s1")
    (folder,) = (store / "dash" / "wandb").glob("offline-run-*-s1")
    assert read_finished(folder).exit_code == 0
    charts = {key for row in found.history for key in row if key.startswith("charts/")}
    assert {key.rpartition("_table")[0] or key for key in charts} >= {"charts/laps/f1", "charts/laps/seconds_per_history"}


def test_the_run_of_a_sweep_agent_keeps_the_name_it_was_given(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SWEEP_ID", "abc")
    monkeypatch.setenv("WANDB_RUN_ID", "agents1")
    Wandb("proj", None, "offline", str(store / "dash")).project_run(store, RUN, None)
    (folder,) = (store / "dash" / "wandb").glob("offline-run-*-agents1")
    found = read_finished(folder)
    assert (found.run.run_id, found.run.display_name) == ("agents1", RUN)
    assert found.summary["validation/loss"] == 0.5


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ({"relevance": True, "sensibility": True, "quote": "two cats"}, ("right", "two cats")),
        ({"relevance": True, "sensibility": False, "sensibility_reason": "fleeting"}, ("wrong", "fleeting")),
        ({"reason": "no vote could be read"}, ("unscored", "no vote could be read")),
        ({"duplicate_of": "u1-0"}, ("duplicate", "u1-0")),
    ],
)
def test_what_a_judge_says_in_a_word(verdict: dict[str, Any], said: tuple[str, str]) -> None:
    assert opinion(verdict) == said


def test_a_cell_that_trained_nothing_is_an_evaluation(store: Path) -> None:
    write_run(store, zero_shot("zero"))
    _, found = project(store, "zero")
    assert found.run.job_type == "evaluate"
    assert not any(key.startswith("train/") for row in found.history for key in row)
    assert [row["eval/step"] for row in found.history if "eval/step" in row] == [0]


def test_a_failed_run_ends_with_1_and_a_torn_line_is_left_out(store: Path) -> None:
    write_failed(store, "broken", "Traceback\nMemoryError: no more", {"data": "synthetic", "adapt": "sft", "model": "tiny"})
    _, found = project(store, "broken")
    assert found.exit_code == 1
    assert (found.run.run_group, found.run.job_type) == ("sweep1", "train")
    assert {"synthetic", "sft", "tiny"} <= set(found.run.tags)
    assert found.summary["state"] == "failed"
    assert found.summary["problem"] == "failed: MemoryError: no more"
    assert [row["train/loss"] for row in found.history if "train/loss" in row] == [1.0, 0.5, 1 / 3]
    with open(store / "weights" / "w" / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"stage": "train", "st')
    assert len(read_dashboard(store, RUN).history) == 5


def test_what_is_shown_of_a_cell_before_it_is_done_is_the_beginning_of_what_is_shown_then(store: Path) -> None:
    """Failed at its second test set: W&B keeps the numbers of the rows it has, and takes later rows alone."""
    folder = store / "runs" / RUN
    done = (folder / "result.json").read_bytes()
    stages = json.loads(done)["provenance"]["stages"]
    write_json(folder / "cell.json", {"config": {}, "choices": {}, "counted": {"seed": 0}, "identity": stages})
    write_json(folder / "state.json", {"state": "failed", "error": "MemoryError: no more"})
    (folder / "result.json").unlink()
    failed = rows_of(store)
    (folder / "result.json").write_bytes(done)
    write_json(folder / "state.json", {"state": "done"})
    finished = rows_of(store)
    assert len(failed) == 4
    assert finished[: len(failed)] == failed
    scores, said = [row for _, row in finished[len(failed) :]]
    assert scores["eval/laps/f1"] == 0.412
    assert sorted(said) == ["laps", "laps verdicts"]


def rows_of(store: Path) -> list[tuple[int, Any]]:
    """The rows of W&B's history with their numbers."""
    found = read_dashboard(store, RUN)
    tables = {**found.samples, **{f"{name} verdicts": rows for name, rows in found.verdicts.items()}}
    return list(projection.numbered(found.history, tables))


def test_without_a_key_it_warns_and_goes_on(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(store))
    monkeypatch.setenv("NETRC", str(store / "netrc"))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING):
        Wandb("proj", None, "online", str(store / "dash")).project_run(store, RUN, None)
    assert "no API key" in caplog.text
    assert RUN in caplog.text


UNREACHABLE = """
import sys
from pathlib import Path
from kithe.report import wandb
wandb.INIT_SECONDS = 2
wandb.Wandb("proj", None, "online", sys.argv[1] + "/dash").project_run(Path(sys.argv[1]), sys.argv[2], None)
"""


def test_an_unreachable_server_warns_and_goes_on(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    monkeypatch.delenv(
        "WANDB_SERVICE", raising=False
    )  # W&B's own process, which children share and would leave with a run in use
    done = subprocess.run(
        [sys.executable, "-c", UNREACHABLE, str(store), RUN], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{RUN}: not written to W&B" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_file_is_a_warning_too(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    (store / "runs" / RUN / "result.json").write_text("{", encoding="utf-8")
    Wandb("proj", None, "offline", str(store / "dash")).project_run(store, RUN, None)
    assert "not written to W&B" in caplog.text


def test_nothing_is_written_where_nothing_is_wanted(store: Path) -> None:
    Wandb("proj", None, "disabled", str(store / "dash")).project_run(store, RUN, None)
    NoLogger().project_run(store, RUN, None)
    assert not (store / "dash").exists()


def test_the_run_is_closed_whatever_happens(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr(projection, "fill", broken)
    _, found = project(store)
    assert found.exit_code == 1
    assert "no more" in caplog.text


def test_rows_that_the_server_has_are_not_sent_again() -> None:
    class Known:
        starting_step = 2

        def __init__(self) -> None:
            self.summary: dict[str, Any] = {}
            self.logged: list[int] = []

        def define_metric(self, *_: object, **__: object) -> None:
            pass

        def log(self, row: object, step: int) -> None:
            self.logged.append(step)

    from kithe.report.dashboard import Dashboard

    run = Known()
    history = tuple({"train/step": step, "train/loss": 0.5} for step in (1, 2, 3, 4))
    projection.fill(run, Dashboard("r", True, "train", (), {}, history, {}, {}))
    assert run.logged == [2, 3]


def test_secrets_are_hidden_and_settings_are_not() -> None:
    config = {
        "api_key": "x",
        "hf_token": "x",
        "max_new_tokens": 5,
        "token": "x",
        "key": "adapt",
        "list": [{"password": "x", "url": "a://u:p@h/"}],
    }
    assert public(config) == {
        "api_key": "[hidden]",
        "hf_token": "[hidden]",
        "max_new_tokens": 5,
        "token": "[hidden]",
        "key": "adapt",
        "list": [{"password": "[hidden]", "url": "a://h/"}],
    }


def test_the_module_is_light() -> None:
    code = "import sys, kithe.report.wandb, kithe.report.dashboard; print({'wandb', 'torch', 'numpy', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_run_of_a_sweep_holds_every_table_of_its_report(store: Path) -> None:
    write_sweep(store, "s 1", [RUN])
    build(store, "s 1")
    Wandb("proj", None, "offline", str(store / "dash")).project_sweep(store, "s 1")
    (folder,) = (store / "dash" / "wandb").glob("offline-run-*")
    found = read_finished(folder)
    assert (found.run.run_id, found.run.run_group, found.run.job_type) == ("s-1", "s 1", "summary")
    names = {key.removesuffix("/nrows") for row in found.history for key in row}
    assert {"results", "differences", "laps/errors", "laps/probes"} <= names
    (file,) = [name for name in found.files if name.endswith(".table.json") and "/results_" in name]
    table = json.loads((folder / "files" / file).read_text(encoding="utf-8"))
    assert table["columns"][:3] == ["data", "adapt", "model"]
    assert table["data"][0][0] == "synthetic (scripted)"
