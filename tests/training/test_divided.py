"""Two processes under ddp, ZeRO-2 and ZeRO-3 against one: the same losses and weights, and they go on where they stopped."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from pairs import Processes, Rows, path_variable, rows, server, weights
from safetensors.torch import load
from tiny import examples
from transformers import AutoModelForCausalLM

from kithe.errors import ConfigError
from kithe.llm.chat import encode
from kithe.llm.models import Folder
from kithe.training.checkpoints import Checkpoints

Straight = Callable[[str], Path]


@pytest.fixture(scope="module")
def processes() -> Processes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path_variable())
        return Processes(server())


@pytest.fixture(scope="module")
def straight(processes: Processes, spec: Folder, tmp_path_factory: pytest.TempPathFactory) -> Straight:
    """What one process leaves, by what it adapts."""

    @cache
    def run(adapt: str) -> Path:
        folder = tmp_path_factory.mktemp(adapt)
        assert processes.one({"model": spec.path, "adapt": adapt, "micro_batch": 2, "folder": str(folder)}) == 0
        return folder

    return run


def losses(found: Rows) -> dict[tuple[str, int], float]:
    return {(row["stage"], row["step"]): row["loss"] for row in found}


def logits(spec: Folder, adapt: str, folder: Path) -> torch.Tensor:
    """By transformers and peft alone."""
    if adapt == "sft":
        model = AutoModelForCausalLM.from_pretrained(folder / "weights").eval()
    else:
        model = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(spec.path), folder / "weights").eval()
    row = encode(spec.tokenizer(), *((example := examples(1)[0]).prompt, example.answer))
    with torch.no_grad():
        return model(torch.tensor([row.ids])).logits  # type: ignore[no-any-return]


def check(
    strategy: str, adapt: str, processes: Processes, spec: Folder, straight: Straight, folder: Path, offload: bool = False
) -> None:
    settings: dict[str, Any] = {"model": spec.path, "adapt": adapt, "micro_batch": 2, "folder": str(folder)}
    settings |= {"strategy": strategy, "offload": offload}
    assert all(processes.two({**settings, "stop": 3}))
    assert (folder / "checkpoint" / "last.ckpt").is_dir() == strategy.startswith("zero")
    if strategy != "ddp":
        with pytest.raises(ConfigError, match=f"runtime={strategy} runtime.processes=2"):
            Checkpoints(folder / "checkpoint", strategy, 1).find()
    assert processes.two(settings) == [0, 0]
    wanted = rows(straight(adapt))
    assert [(row["stage"], row["step"]) for row in rows(folder)] == [(row["stage"], row["step"]) for row in wanted]
    assert losses(rows(folder)) == pytest.approx(losses(wanted), abs=1e-5)
    mine, theirs = load(weights(folder)), load(weights(straight(adapt)))
    assert mine.keys() == theirs.keys()
    assert all(torch.allclose(mine[name], theirs[name], atol=1e-4) for name in theirs)
    assert torch.allclose(logits(spec, adapt, folder), logits(spec, adapt, straight(adapt)), atol=1e-3)


def test_zero3_learns_what_one_process_learns_and_resumes(
    processes: Processes, spec: Folder, straight: Straight, tmp_path: Path
) -> None:
    check("zero3", "sft", processes, spec, straight, tmp_path)


@pytest.mark.system
@pytest.mark.parametrize("adapt", ["sft", "lora"])
@pytest.mark.parametrize("strategy", ["ddp", "zero2", "zero3"])
def test_two_processes_learn_what_one_learns_and_resume(
    strategy: str, adapt: str, processes: Processes, spec: Folder, straight: Straight, tmp_path: Path
) -> None:
    check(strategy, adapt, processes, spec, straight, tmp_path)


@pytest.mark.system
def test_what_lies_on_the_host_learns_the_same(processes: Processes, spec: Folder, straight: Straight, tmp_path: Path) -> None:
    check("zero3", "sft", processes, spec, straight, tmp_path, offload=True)


@pytest.mark.system
@pytest.mark.parametrize("strategy", ["zero2", "zero3"])
def test_adapters_are_written_as_exactly_as_they_were_learnt(
    strategy: str, processes: Processes, spec: Folder, tmp_path: Path
) -> None:
    settings = {"model": spec.path, "adapt": "lora", "micro_batch": 2, "strategy": strategy, "precision": "bf16"}
    assert processes.two({**settings, "folder": str(tmp_path)}) == [0, 0]
    found = load(weights(tmp_path))
    assert {value.dtype for value in found.values()} == {torch.float32}
    # DeepSpeed computes with adapters in bf16, where these would all be equal to themselves rounded.
    assert any(not torch.equal(value, value.bfloat16().float()) for value in found.values())
