"""Sweeps on a real Ray that is started here, and their end."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kithe.config.compose import ROOT, built
from kithe.errors import ConfigError
from kithe.store import Folder

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]
GENERATE = ["task=generate", "task.personas=40", "task.rows_per_file=10", "task.together=10"]
RAY = ["hydra/launcher=ray", "hydra.launcher.cpus=1", "hydra.launcher.local_cpus=2"]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Ray; in CI its absence is a failure."""
    if not os.environ.get("CI"):
        pytest.importorskip("ray")
    import ray

    assert ray.__version__


def run(store: Path, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    full = [sys.executable, str(ROOT / "run.py"), *words, f"paths.store={store}"]
    done = subprocess.run(full, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr[-3000:]
    return done


def test_the_shards_of_a_corpus_are_ray_tasks_and_their_union_is_the_single_run(tmp_path: Path) -> None:
    run(tmp_path / "one", *GENERATE)
    said = run(tmp_path / "many", "-m", *GENERATE, "task.shards=3", "task.shard=2,0,1", *RAY)
    assert "[3/3]" in said.stderr
    assert corpus(tmp_path / "one") == corpus(tmp_path / "many")


def corpus(store: Path) -> dict[str, bytes]:
    """The published corpus and the rows it is made from."""
    files = [*store.glob("rows/*/*.jsonl"), *store.glob("generated/*/**/*.jsonl"), *store.glob("generated/*/**/*.parquet")]
    assert len(files) > 5
    return {str(file.relative_to(store)): file.read_bytes() for file in files if "shards" not in file.parts}


def test_a_failing_cell_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    small = ["data=synthetic", "model=tiny", "task/test=sample", "task.test.sample.limit=3", "task.format.max_new_tokens=8"]
    small += ["corpus.facts=12", "corpus.validation=2", "judge.resamples=50", "progress=false"]
    said = run(tmp_path, "-m", "adapt=lora", "adapt.target_modules=no_such_layer,all-linear", *small, *RAY, code=1)
    states = sorted(json.loads(path.read_text())["state"] for path in tmp_path.glob("runs/*/state.json"))
    assert states == ["done", "failed"]
    assert "no_such_layer" in said.stdout
    assert "table.md" in said.stdout


class Killed:
    """A run whose program is killed."""

    module, name = "killed", "killed"

    def __init__(self, folder: Path, fail_fast: bool = False) -> None:
        self.folder, self.config = Folder(folder), {"sweep": {"fail_fast": fail_fast}}

    def prepare(self) -> Path:
        self.folder.path.mkdir(exist_ok=True)
        return self.folder.path


def test_a_program_that_is_killed_is_a_failure_and_a_sweep_may_stop_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "killed.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", encoding="ascii")
    monkeypatch.setenv("PYTHONPATH", f"{os.environ.get('PYTHONPATH', '')}:{tmp_path}")
    runs: list[Any] = [Killed(tmp_path / str(number), fail_fast=True) for number in range(3)]
    built("hydra.launcher", {"_target_": "kithe.launch.ray.OnRay", "local_cpus": 1}).start(runs)
    ends = [run.folder.read("state.json") for run in runs]
    assert [end.get("state") for end in ends].count("failed") >= 1
    assert any("killed was killed by SIGKILL" in end.get("error", "") for end in ends)
    assert {} in ends


def test_an_address_where_nobody_answers(tmp_path: Path) -> None:
    cluster = built("hydra.launcher", {"_target_": "kithe.launch.ray.OnRay", "address": "auto"})
    with pytest.raises(ConfigError, match="no Ray cluster answers there"):
        cluster.start([Killed(tmp_path)])
