"""Two processes under ddp, ZeRO-2 and ZeRO-3 against one: the same losses and weights, and they go on where they stopped."""

import signal
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
from kithe.launch.signals import AGAIN
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
    # As a scheduler does, which tells every process of a job.
    assert processes.two({**settings, "term": 3}) == [AGAIN, AGAIN]
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


KILLED = -signal.SIGKILL


@pytest.mark.system
@pytest.mark.parametrize("adapt", ["sft", "lora"])
@pytest.mark.parametrize("strategy", ["zero2", "zero3"])
def test_killed_shards_end_as_straight_ones(
    strategy: str, adapt: str, processes: Processes, spec: Folder, straight: Straight, tmp_path: Path
) -> None:
    settings = {"model": spec.path, "adapt": adapt, "micro_batch": 2, "strategy": strategy}
    assert processes.two({**settings, "folder": str(tmp_path / "straight")}) == [0, 0]
    killed = {**settings, "folder": str(tmp_path / "killed")}
    kept = Checkpoints(tmp_path / "killed" / "checkpoint", strategy, 2)

    # Before there is any checkpoint; the other process is killed as well, as torchrun does.
    assert processes.two({**killed, "die": 1}) == [KILLED, KILLED]
    assert not kept.last.exists()
    # While the shards of step 2 are being written.
    assert processes.killed(killed, kept.part.exists) == [KILLED, KILLED]
    # With step 4 saved, step 5 made and lost.
    assert processes.two({**killed, "die": 5}) == [KILLED, KILLED]
    assert kept.find() == kept.last
    assert len(list(kept.last.rglob("*zero_pp_rank_[01]_*optim_states.pt"))) == 2
    # The other rank alone, after the second step from there, before its shard of step 6.
    first, second = processes.two({**killed, "die_1": 2})
    assert (first, second) == (1, KILLED)
    assert processes.two(killed) == [0, 0]

    found, wanted = rows(tmp_path / "killed"), rows(tmp_path / "straight")
    assert [row["step"] for row in found if row["stage"] == "train"][-2:] == [5, 6]
    assert len(found) > len(wanted)
    # Also what was computed twice is the same, to the bit.
    assert all(row in wanted for row in found)
    assert {(row["stage"], row["step"]) for row in found} == {(row["stage"], row["step"]) for row in wanted}
    assert weights(tmp_path / "killed") == weights(tmp_path / "straight")
    assert losses(found) == pytest.approx(losses(rows(straight(adapt))), abs=1e-5)
