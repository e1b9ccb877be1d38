"""What an object does not take, and what is not there, is refused before anything starts, in the object's own words."""

from pathlib import Path

import pytest

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError

CASES = [
    (["task.format.window_turns=0"], ["task.format.window_turns=0", "at least 1"]),
    (["task=ip_dialog", "judge=gold"], ["judge=gold scores items", "gives is answers", "judge=ip_dialog"]),
    (["judge=ip_dialog"], ["judge=ip_dialog scores answers", "judge=gold"]),
    (["task.format.fields=[statment]"], ["task.format.fields", "did you mean 'statement'?"]),
    (["task.format.empty_share=1.5"], ["task.format.empty_share=1.5", "between 0 and 1"]),
    (["task.batch_tokens=-1"], ["task.batch_tokens=-1"]),
    (["adapt=lora", "adapt.rank=-4"], ["adapt.rank=-4"]),
    (["adapt=lora", "adapt.target_modules="], ["adapt.target_modules"]),
    (["adapt=lora", "adapt.recipe.learning_rate=-1"], ["adapt.recipe.learning_rate=-1"]),
    (["adapt=sft", "adapt.recipe.epochs=0"], ["adapt.recipe.epochs=0", "more than 0"]),
    (["adapt=lora", "adapt.recipe.micro_batch=0"], ["adapt.recipe.micro_batch=0"]),
    (["adapt.shots=[]"], ["adapt.shots", "[0]"]),
    (["adapt.shots=[-1]"], ["adapt.shots=-1"]),
    (["runtime=ddp", "runtime.processes=0"], ["runtime.processes=0"]),
    (["runtime.cpu_processes=0"], ["runtime.cpu_processes=0"]),
    (["adapt=lora", "data=real", "data.shares={laps: 0}"], ["shares", "above 0"]),
    (["adapt=lora", "data.folder=nonsense"], ["no generated corpus", "task=generate"]),
    (["adapt=lora", "data=sample"], ["no split 'train'", "another data=…"]),
    (["+foo=1"], ["no such key: 'foo'"]),
    (["~adapt"], ["adapt", "needed"]),
    (["adapt=lora", "data.shares.laps=2"], ["no such key in 'data': 'shares'"]),
    (["adapt.shots"], ["adapt.shots", "key=value"]),
    (["~task.test.sample"], ["task.test is empty", "task/test=sample"]),
    (["task.test.sample.limit=0"], ["sample.limit=0", "at least 1"]),
    (["task/test=real", "task.test.laps.limit=0"], ["laps.limit=0", "at least 1"]),
    (["task/test=real", "task.test.laps.name=lpas"], ["no such real set", "did you mean 'laps'?"]),
    (["task.test.ip_dialog.per_task=3"], ["no such key in 'task.test': 'ip_dialog'"]),
    (["judge.resamples=1"], ["judge.resamples=1", "at least 40"]),
    (["judge=rules", "judge.resamples=0"], ["judge.resamples=0", "at least 40"]),
    (["recall=extractive", "recall.resamples=1"], ["recall.resamples=1", "at least 40"]),
    (["adapt=lora", "data.personas=0"], ["data.personas=0", "at least 1"]),
    (["adapt=lora", "adapt.dropout=1.5"], ["adapt.dropout=1.5", "below 1"]),
    (["model.layers=0"], ["model.layers=0", "at least 1"]),
    (["model.heads=3"], ["model.hidden=64", "model.heads=3"]),
    (["paths.store="], ["paths.store", "at least 1 character"]),
    (["adapt=null"], ["adapt=null", "cannot be left out"]),
    (["data="], ["option of the config group 'data'", "synthetic"]),
]


@pytest.mark.parametrize(("words", "parts"), CASES, ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_it_is_refused_and_said_why(words: list[str], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        Cell.of(compose(["model=tiny", "task/test=sample", *words]))
    assert "\n" not in str(refused.value)
    for part in parts:
        assert part in str(refused.value)


def test_data_that_is_not_there_is_missed_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KITHE_DATA", str(tmp_path))
    with pytest.raises(ConfigError, match=r"no .*laps.*: point KITHE_DATA"):
        Cell.of(compose(["model=tiny", "task/test=sample", "data=real", "adapt=lora"]))


def test_an_effective_batch_without_a_remainder(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell.of(compose(["model=tiny", "task/test=sample", "adapt=lora", "adapt.recipe.micro_batch=3"]))
    with pytest.raises(ConfigError, match="effective_batch=8: it must be a multiple"):
        cell.line()
