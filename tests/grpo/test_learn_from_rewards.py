"""Learning from rewards: it learns, what is killed ends as if it had not been, and what goes wrong is said and bounded."""

import json
import math
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import toy
from toy import lesson, people, rules, vowels

from kithe.errors import ConfigError, Stopped
from kithe.training.grpo.module import Unscored
from kithe.training.grpo.rewarding import table
from kithe.training.grpo.settings import Advantage


def rows_of(tmp_path: Path, model: str, rule: Any, **changes: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    rule.learn(lesson(tmp_path, model, rows.append, **changes))
    return rows


@pytest.mark.parametrize("aggregation", ["sum_then_normalise", "normalise_then_sum"])
def test_rewards_rise_on_states_that_were_never_trained(aggregation: Any, bytes_model: str, tmp_path: Path) -> None:
    steps = {"steps": 25, "validate_every": 25}
    rows = rows_of(tmp_path, bytes_model, rules(steps=steps, advantage=Advantage(aggregation)))
    train = [row for row in rows if row["stage"] == "train"]
    first, last = (sum(row["reward.vowels"] for row in some) / 5 for some in (train[:5], train[-5:]))
    assert last > first + 0.3
    assert [row["step"] for row in rows if row["stage"] == "validation"] == [0, 25]
    assert all({"kl", "entropy", "length", "flat_groups", "scored", "gradient_norm", "clipped"} <= set(row) for row in train)
    assert train[0]["kl"] == pytest.approx(0, abs=1e-6)
    assert train[-1]["kl"] > 0
    assert (tmp_path / "weights" / "model.safetensors").exists()


def start(processes: Any, settings: dict[str, Any]) -> tuple[int | None, list[dict[str, Any]], bytes]:
    process = processes.Process(target=toy.main, args=(settings,))
    process.start()
    process.join(300)
    folder = Path(settings["folder"])
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    file = next((folder / "weights").glob("*model.safetensors"), None) if (folder / "weights").exists() else None
    return process.exitcode, rows, file.read_bytes() if file else b""


@pytest.mark.parametrize("lora", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_killed_run_ends_as_a_straight_one(lora: bool, bytes_model: str, tmp_path: Path) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["toy", "kithe.training.grpo.learn"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(toy.__file__).parent), prepend=os.pathsep)
        processes.Process(target=int).start()
    settings = {"model": bytes_model, "lora": lora}
    code, rows, weights = start(processes, {**settings, "folder": str(tmp_path / "straight")})
    assert code == 0
    assert [row["step"] for row in rows if row["stage"] == "train"] == [1, 2, 3, 4, 5, 6]
    assert any(row["stage"] == "cold-train" for row in rows)
    killed = {**settings, "folder": str(tmp_path / "killed")}
    assert start(processes, {**killed, "die": 3})[0] == -signal.SIGKILL
    assert start(processes, {**killed, "stop": 2})[0] == 85
    code, all_rows, resumed = start(processes, killed)
    assert code == 0
    assert [row["step"] for row in all_rows if row["stage"] == "train"] == [1, 2, 3, 3, 4, 5, 6]
    last = {(row["stage"], row["step"]): row for row in all_rows}
    assert last == {(row["stage"], row["step"]): row for row in rows}
    assert resumed == weights


def test_a_stopped_run_says_where_it_goes_on(bytes_model: str, tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="after step 1 of 6"):
        rows_of(tmp_path, bytes_model, rules(), stop=lambda: True)


def test_a_checkpoint_of_other_settings_is_refused(bytes_model: str, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        rows_of(tmp_path, bytes_model, rules(), stop=lambda: True)
    with pytest.raises(ConfigError, match="other settings"):
        rows_of(tmp_path, bytes_model, rules(steps={"learning_rate": 1e-3}))


class Down:
    """A judge that is down for some calls."""

    def __init__(self, *down: int) -> None:
        self.down, self.calls = down, 0

    def __call__(self, cases: Any) -> list[float | None]:
        self.calls += 1
        return [None] * len(cases) if self.calls in self.down else vowels(cases)


def test_a_step_without_any_reward_changes_nothing_and_is_counted(bytes_model: str, tmp_path: Path) -> None:
    rule = rules(rewards={"vowels": Down(2, 3)}, steps={"steps": 4})
    rows = rows_of(tmp_path, bytes_model, rule)
    assert [row.get("skipped", 0.0) for row in rows] == [0, 1, 1, 0]
    assert [row["scored"] for row in rows] == [1, 0, 0, 1]


def test_when_nobody_scores_it_ends_soon_and_goes_on_later(bytes_model: str, tmp_path: Path) -> None:
    with pytest.raises(Unscored, match="3 steps in a row, up to step 6"):
        rows_of(tmp_path, bytes_model, rules(rewards={"vowels": Down(*range(4, 100))}))
    again = rows_of(tmp_path, bytes_model, rules())
    assert [row["step"] for row in again] == [5, 6]


def test_a_judge_that_gives_no_number_is_not_scored() -> None:
    odd = [math.nan, math.inf, None, 0.5]
    cases: Any = [(one, None) for one in people(4)]
    found = table({"odd": lambda _: odd}, {"odd": 1.0}, {"gate": lambda _: [True, True, True, False]}, cases)
    assert found.values.isnan().flatten().tolist() == [True, True, True, False]
    assert float(found.values[3, 0]) == 0
    assert found.figures()["scored"] == 0.25
    none = table({"one": lambda _: [1.0] * 4}, {"one": 1.0}, {"gate": lambda _: [None, True, True, False]}, cases)
    assert none.figures()["gated"] == 0.25
    assert none.figures()["reward.one"] == pytest.approx(2 / 3)


def test_what_explodes_ends_before_it_is_written(bytes_model: str, tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r"nats a token away.*adapt\.steps\.max_kl"):
        rows_of(tmp_path / "kl", bytes_model, rules(steps={"learning_rate": 5.0, "max_kl": 0.5, "steps": 20}))
    with pytest.raises(FloatingPointError, match=r"(loss|gradient) is (nan|inf)"):
        rows_of(tmp_path / "nan", bytes_model, rules(rewards={"vowels": huge}, advantage=Advantage(scale="none")))
    assert not (tmp_path / "nan" / "weights").exists()


def huge(cases: Any) -> list[float]:
    return [1e300 * number for number in range(len(cases))]


def test_weights_without_rewards_and_rewards_without_weight_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"adapt\.weights"):
        rules(weights={"other": 1.0})
    with pytest.raises(ConfigError, match="nothing to learn from"):
        rules(weights={"vowels": 0.0})
