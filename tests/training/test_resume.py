"""Killed, stopped and divided runs against a straight one; every run is a process of its own."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import job
import pytest

from kithe.launch.signals import AGAIN
from kithe.llm.models import Folder

Run = tuple[int | None, list[dict[str, Any]], bytes]


@pytest.fixture(scope="module")
def processes() -> Any:
    """Forks from a server that has imported everything and computed nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["job"])
    with pytest.MonkeyPatch.context() as patch:  # the server finds modules by this variable alone
        patch.setenv("PYTHONPATH", str(Path(job.__file__).parent), prepend=os.pathsep)
        context.Process(target=int).start()
    return context


def result(folder: Path) -> tuple[list[dict[str, Any]], bytes]:
    file = next((folder / "weights").glob("*model.safetensors"), None) if (folder / "weights").exists() else None
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return rows, file.read_bytes() if file else b""


def start(processes: Any, settings: dict[str, Any]) -> Run:
    process = processes.Process(target=job.main, args=(settings,))
    process.start()
    process.join(120)
    return process.exitcode, *result(Path(settings["folder"]))


@pytest.mark.parametrize("adapt", ["lora", "sft"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_killed_run_ends_as_a_straight_one(adapt: str, precision: str, processes: Any, spec: Folder, tmp_path: Path) -> None:
    settings = {"model": spec.path, "adapt": adapt, "micro_batch": 4, "dropout": 0.2, "precision": precision}
    code, rows, weights = start(processes, {**settings, "folder": str(tmp_path / "straight")})
    assert (code, len(rows)) == (0, 8)

    killed = {**settings, "folder": str(tmp_path / "killed")}
    assert start(processes, {**killed, "die": 1})[0] == -signal.SIGKILL
    assert not list((tmp_path / "killed" / "checkpoint").iterdir())
    for step in (4, 5):
        assert start(processes, {**killed, "die": step})[0] == -signal.SIGKILL
    code, all_rows, resumed = start(processes, killed)
    assert code == 0
    assert [row["step"] for row in all_rows if row["stage"] == "train"] == [1, 1, 2, 3, 4, 3, 4, 5, 5, 6]
    assert {(row["stage"], row["step"]): row for row in all_rows} == {(row["stage"], row["step"]): row for row in rows}
    assert resumed == weights


def test_a_stopped_run_goes_on_with_other_micro_batches(processes: Any, spec: Folder, tmp_path: Path) -> None:
    settings = {"model": spec.path, "adapt": "sft", "folder": str(tmp_path)}
    _, rows, _ = start(processes, {**settings, "micro_batch": 8, "folder": str(tmp_path / "straight")})
    assert start(processes, {**settings, "micro_batch": 8, "term": 3})[0] == AGAIN
    code, all_rows, _ = start(processes, {**settings, "micro_batch": 1})
    assert code == 0
    assert [(row["stage"], row["step"]) for row in all_rows] == [(row["stage"], row["step"]) for row in rows]
    assert [row["loss"] for row in all_rows] == pytest.approx([row["loss"] for row in rows], abs=1e-5)


def torchrun(settings: dict[str, Any]) -> int:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", job.__file__]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
    return subprocess.run([*command, json.dumps(settings)], timeout=240, env=environment, capture_output=True).returncode


def same(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    assert [(row["stage"], row["step"], row["supervised_tokens"]) for row in rows] == [
        (row["stage"], row["step"], row["supervised_tokens"]) for row in others
    ]
    assert [row["loss"] for row in rows] == pytest.approx([row["loss"] for row in others], abs=1e-5)
    # AdamW hides a gradient that is twice too long.
    norms = [
        (row["gradient_norm"], other["gradient_norm"]) for row, other in zip(rows, others, strict=True) if "gradient_norm" in row
    ]
    assert [mine for mine, _ in norms] == pytest.approx([theirs for _, theirs in norms], rel=1e-3)


def test_two_ranks_of_torchrun_learn_what_one_process_learns(processes: Any, spec: Folder, tmp_path: Path) -> None:
    settings = {"model": spec.path, "adapt": "sft"}
    _, rows, _ = start(processes, {**settings, "micro_batch": 8, "folder": str(tmp_path / "1x8")})
    _, single, _ = start(processes, {**settings, "micro_batch": 1, "folder": str(tmp_path / "8x1")})
    assert torchrun({**settings, "micro_batch": 4, "strategy": "ddp", "folder": str(tmp_path / "2x4")}) == 0
    same(single, rows)
    same(result(tmp_path / "2x4")[0], rows)
    assert all(row["gradient_norm"] > 0 for row in rows if row["stage"] == "train")
