"""A mistake on the command line is one line that says what is wrong and what would be right."""

import subprocess
import sys
from pathlib import Path

import pytest

from kithe.config.compose import ROOT
from kithe.errors import one_line_errors

CASES = [
    (["adpt=lora"], ["no such key: 'adpt'", "did you mean 'adapt'?"]),
    (["adapt=loar"], ["option of the config group 'adapt'", "'loar'", "did you mean 'lora'?"]),
    (["adapt=lora", "adapt.rnak=3"], ["'adapt'", "'rnak'", "did you mean 'rank'?"]),
    (["adapt=lora", "adapt.recipe.lerning_rate=1"], ["'adapt.recipe'", "did you mean 'learning_rate'?"]),
    (["-m", "adapt=lora,sft", "adapt.rank=4", "plan=true"], ["no such key in 'adapt': 'rank'", "recipe", "decode"]),
    (["experiments=frist"], ["'experiments'", "did you mean 'first'?"]),
    (["task/tset=sample"], ["config group", "did you mean 'task/test'?"]),
    (["teacher.mix={hgh: 0.2}"], ["'teacher.mix'", "did you mean 'high'?"]),
    (["adapt.decode=schema"], ["adapt.decode: should be a list, such as [schema]"]),
    (["adapt.shots=3"], ["adapt.shots: should be a list, such as [3]"]),
    (["sweeps=gird"], ["'sweeps'", "did you mean 'grid'?"]),
    (["adapt=lora", "adapt.rank=many"], ["adapt.rank", "many"]),
    (["seed=-1"], ["seed", "-1"]),
    (["precision=fp8"], ["precision", "fp8", "fp32", "bf16"]),
    (["corpus.facts=0"], ["corpus.facts"]),
    (["+from=nothing"], ["no run 'nothing'"]),
    (["-m", "adapt=lora,sfft"], ["'sfft'", "did you mean 'sft'?"]),
    (["data=real", "adapt=[lora"], ["adapt"]),
    (["model=folder"], ["model.path"]),
]


@pytest.mark.parametrize(("words", "parts"), CASES, ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_a_mistake_is_explained_in_one_line(words: list[str], parts: list[str], tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "run.py"), *words, f"paths.store={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode != 0
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert lines[0].startswith("kithe: ")
    for part in parts:
        assert part in lines[0]
    assert not (tmp_path / "runs").exists()


def test_a_key_pressed_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, one_line_errors("stopped; the same command goes on where it was"):
        raise KeyboardInterrupt
    assert ended.value.code == 130
    assert capsys.readouterr().err == "kithe: stopped; the same command goes on where it was\n"
