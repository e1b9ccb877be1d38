"""The files for `wandb sweep`: valid by W&B's own schema, equal budgets, and a command that `run.py` understands.

No W&B server runs here: W&B's own search draws the parameters and its agent's own code makes the command.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kithe.cell import Cell
from kithe.config.compose import ROOT, compose, plain

FILES = sorted((ROOT / "sweeps" / "wandb").glob("*.yaml"))


def read(path: Path) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return config


def command(config: dict[str, Any], drawn: dict[str, Any]) -> list[str]:
    """What W&B's agent runs for these parameters; see `Agent._command_run` in wandb/wandb_agent.py."""
    from wandb.sdk.launch.sweeps import utils

    parts: dict[str, Any] = utils.create_sweep_command_args({"args": drawn})
    parts |= {"env": ["/usr/bin/env"], "interpreter": [sys.executable], "program": [config["program"]]}
    words: list[str] = []
    for chunk in utils.create_sweep_command(list(config["command"])):
        words += parts[chunk[2:-1]] if chunk.startswith("${") else [chunk]
    return words


@pytest.fixture(scope="module")
def drawn() -> dict[str, dict[str, Any]]:
    """File -> the first parameters that W&B's search draws for it."""
    import sweeps

    return {path.stem: sweeps.next_run(read(path), []).config for path in FILES}


def test_they_are_valid_by_wandbs_own_schema() -> None:
    from sweeps.config.schema import validator

    assert [path.stem for path in FILES] == ["lora", "sft"]
    for path in FILES:
        assert [error.message for error in validator.iter_errors(read(path))] == []
    broken = {**read(FILES[0]), "method": "guess"}
    assert list(validator.iter_errors(broken))


def test_both_methods_have_the_same_budget_around_their_own_preset() -> None:
    budgets = []
    for path in FILES:
        config = read(path)
        rates = config["parameters"]["adapt.recipe.learning_rate"]["values"]
        preset = plain(compose([f"adapt={path.stem}"]))["adapt"]["recipe"]["learning_rate"]
        assert rates == pytest.approx([0.3 * preset, preset, 3 * preset])
        budgets.append((config["method"], config["metric"], len(rates), config["parameters"]["adapt.recipe.epochs"]))
    assert budgets[0] == budgets[1]
    assert budgets[0][1] == {"name": "validation/loss", "goal": "minimize"}


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_run_py_understands_what_an_agent_runs(name: str, drawn: dict[str, dict[str, Any]]) -> None:
    config = read(ROOT / "sweeps" / "wandb" / f"{name}.yaml")
    words = command(config, drawn[name])
    assert words[:3] == ["/usr/bin/env", sys.executable, "run.py"]
    cell = Cell.of(compose(words[3:]))
    assert cell.choices["adapt"] == name
    rate = drawn[name]["adapt.recipe.learning_rate"]["value"]
    assert cell.config["adapt"]["recipe"]["learning_rate"] == pytest.approx(rate)
    assert cell.config["logger"]["mode"] == "online"


@pytest.mark.system
def test_an_agents_run_gets_its_numbers(tmp_path: Path, drawn: dict[str, dict[str, Any]]) -> None:
    from wandb_file import read_finished

    small = ["data=synthetic", "model=tiny", "task/test=sample", "task.test.sample.limit=3", "task.format.max_new_tokens=8"]
    small += ["corpus.facts=12", "corpus.validation=2", "judge.resamples=50", "progress=false", f"paths.store={tmp_path}"]
    words = [*command(read(FILES[0]), drawn["lora"]), *small, "logger.mode=offline"]
    agent = {**os.environ, "WANDB_SWEEP_ID": "sweep1", "WANDB_RUN_ID": "agents1"}
    subprocess.run(words, cwd=ROOT, env=agent, check=True)
    (folder,) = (tmp_path / "wandb").glob("offline-run-*-agents1")
    found = read_finished(folder)
    assert found.run.run_id == "agents1"
    assert found.summary["validation/loss"] > 0
    assert found.config["adapt"]["recipe"]["learning_rate"] == pytest.approx(drawn["lora"]["adapt.recipe.learning_rate"]["value"])
