"""`logger=wandb` on a real sweep: offline files with the cell's own id, its sweep as group, and the numbers of its result."""

import sys
from pathlib import Path

import pytest
from small import Run, results

sys.path.append(str(Path(__file__).parents[1] / "report"))


@pytest.mark.slow
def test_a_sweep_is_written_to_offline_files(run: Run, tmp_path: Path) -> None:
    from wandb_file import read_wandb

    run(["-m", "data=synthetic", "task/test=sample", "task.test.sample.limit=3", "adapt=lora", "logger=wandb", "sweep.name=try"])
    ((name, result),) = results(tmp_path / "store").items()
    written = {found.run.run_id: found for found in map(read_wandb, (tmp_path / "store").rglob("*.wandb"))}
    assert written.keys() == {name, "try"}
    assert written["try"].run.job_type == "summary"
    found = written[name]
    assert found.run.run_group == "try"
    assert found.run.job_type == "train"
    assert any("train/loss" in row for row in found.history)
    assert result["cell"]["adapt"] == "lora"
    assert found.exit_code == 0
