"""The prompt rewriter from the command line: a cold start, rewards, prediction and judging of one cell."""

import json
from pathlib import Path

from small import Run, results

WORDS = [
    *("task=ppopt", "data=ppopt", "judge=ppopt", "adapt=grpo"),
    *("data.atlas.personas=40", "data.users=6", "data.cold.share=0.5", "task.test.ppopt.atlas.personas=40"),
    *("task.test.ppopt.users=2", "task.format.menu=false", "task.format.sessions=1", "adapt.start.recipe.epochs=1"),
    *("adapt.start.recipe.effective_batch=2", "adapt.start.recipe.micro_batch=2"),
    *("adapt.steps.steps=2", "adapt.rollouts.group=2", "adapt.steps.validate_every=2"),
]


def test_a_policy_learns_from_rewards_and_is_judged(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(WORDS)
    (value,) = results(store).values()
    assert value["cell"]["adapt"] == "grpo"
    metrics = value["metrics"]
    names = ("personalisation", "delta.personalisation", "win_rate", "profile_f1", "personalisation.oracle", "win_rate@amber")
    assert {f"ppopt/{name}" for name in names} <= set(metrics)
    assert metrics["ppopt/personalisation"]["n"] == 2
    (folder,) = store.glob("weights/*")
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["step"] for row in rows if row["stage"] == "train"] == [1, 2]
    assert {"cold-train", "train", "validation"} <= {row["stage"] for row in rows}
    assert all("reward" in row and "reward.task" in row for row in rows if row["stage"] == "train")
    assert (folder / "weights" / "adapter_model.safetensors").exists()
    # Asking twice does the work once.
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
    run(WORDS)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()} == before
