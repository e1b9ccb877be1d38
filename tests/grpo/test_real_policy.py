"""The same loop with a real pretrained model, and with a real served model as the deployed one and as judge."""

from pathlib import Path
from typing import Any

import pytest

from kithe.config.compose import compose, instantiate, plain
from kithe.gym.corpus import Atlas
from kithe.gym.noise.distractor import Distractor
from kithe.llm.endpoint import Endpoint
from kithe.ppopt.answers import Deployed, ScriptedHouse
from kithe.ppopt.rewards import FormatReward, JudgedProfile, ProfileReward, TaskReward
from kithe.ppopt.source import PPOptStates
from kithe.ppopt.task import PPOpt
from kithe.ppopt.teacher import ColdStart
from kithe.ppopt.verdicts import Model, Scripted
from kithe.training.adapters import Lesson, Lora, Recipe
from kithe.training.grpo.adapter import GRPO
from kithe.training.grpo.settings import Rollouts, Steps
from kithe.training.trainer import Hardware
from tests.llm.serving import Served

pytestmark = pytest.mark.slow
FORMAT = PPOpt(edit="append", evidence=False, menu=False, sessions=1, characters=120, max_new_tokens=48)
SOURCE = PPOptStates(Atlas(personas=60, distractor=Distractor(rate=0.0)), cold=ColdStart(share=0.5))


def taught(rewards: Any, weights: dict[str, float], folder: Path, steps: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    rules = GRPO(
        Lora(Recipe(1e-3, 1, 4, 4, 900), rank=8, alpha=16),
        Steps(1e-4, steps),
        rewards,
        weights,
        rollouts=Rollouts(4, 1, 0.9, 1.0, 4, 4),
    )
    spec = instantiate(plain(compose(["model=smollm2-135m"]))["model"])
    train = list(SOURCE.histories("train", 0))[:12]
    rules.learn(Lesson(spec, FORMAT, train, [], "fp32", 0, folder, rows.append, Hardware(), 100, False, lambda: False))
    assert (folder / "weights" / "adapter_model.safetensors").exists()
    return [row for row in rows if row["stage"] == "train"]


def test_a_pretrained_model_goes_through_the_loop_after_its_cold_start(tmp_path: Path) -> None:
    rewards = {"profile": ProfileReward(), "task": TaskReward(ScriptedHouse(), Scripted()), "format": FormatReward()}
    rows = taught(rewards, {"profile": 0.3, "task": 0.7, "format": 0.1}, tmp_path, 3)
    assert [row["scored"] for row in rows] == [1, 1, 1]
    assert rows[0]["kl"] == pytest.approx(0, abs=1e-5)
    assert all(row["entropy"] > 0 and row["length"] > 0 for row in rows)


def test_a_served_model_answers_and_judges(served_model: Served, tmp_path: Path) -> None:
    client = Endpoint(base_url=served_model.base_url, model=served_model.model, concurrency=4)
    judge = Model(client, 24)
    rewards = {"profile": JudgedProfile(judge), "task": TaskReward(Deployed(client, 0.7, 24), judge)}
    (row,) = taught(rewards, {"profile": 0.3, "task": 0.7}, tmp_path, 1)
    # A model of this size says little that is usable; what it says is counted, and what it does not is left out.
    assert 0 <= row["scored"] <= 1
    assert all(0 <= row[name] <= 1 for name in ("reward.profile", "reward.task") if name in row)
