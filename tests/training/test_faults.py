"""What can go wrong while training: each ends in words that help, and the last good state goes on as if nothing had been."""

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from pairs import Processes, path_variable, rows, server

from kithe.errors import ConfigError, Stopped
from kithe.llm.models import Folder
from kithe.records.chat import ChatExample
from kithe.training.adapters import FullSFT, Recipe
from kithe.training.fit import advised, fit

RECIPE = Recipe(learning_rate=1e-2, epochs=2, effective_batch=8, micro_batch=8, max_length=200)
Rows = list[dict[str, Any]]
Train = Callable[..., Rows]


@pytest.fixture
def train(spec: Folder, rows: list[ChatExample], tmp_path: Path) -> Train:
    """Six steps with a checkpoint after every second one; returns the rows of training."""

    def call(stop: Callable[[], bool] = lambda: False, folder: str = "run") -> Rows:
        found: Rows = []
        place = tmp_path / folder
        fit(
            FullSFT(RECIPE),
            spec,
            rows,
            [],
            precision="fp32",
            seed=0,
            folder=place,
            sink=found.append,
            checkpoint_every=2,
            stop=stop,
        )
        return found

    return call


def at(step: int, what: Callable[[], Any]) -> Callable[[], bool]:
    """A `stop` that never stops, but does something after a step."""
    steps = iter(range(1, 100))

    def stop() -> bool:
        if next(steps) == step:
            what()
        return False

    return stop


@contextmanager
def files_of_at_most(size: int) -> Iterator[Callable[[], None]]:
    """What makes every larger file fail from then on, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_the_last_checkpoint(train: Train, tmp_path: Path) -> None:
    straight = train(folder="straight")
    with (
        files_of_at_most(10_000) as full,
        pytest.raises(OSError, match=r"step 4 could not .*File too large.* is intact; free some"),
    ):
        train(at(3, full))
    assert not (tmp_path / "run" / "checkpoint" / ".last.ckpt.part").exists()
    assert train() == straight[2:]
    with files_of_at_most(10_000) as full, pytest.raises(OSError, match=r"step 2 could not be written .* there is none yet"):
        train(at(1, full), folder="other")


def test_a_damaged_checkpoint_is_seen_and_the_one_before_goes_on(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    straight = train(folder="straight")
    kept = tmp_path / "run" / "checkpoint"

    def damage(*names: str) -> None:
        for name in names:
            content = bytearray((kept / name).read_bytes())
            content[len(content) // 2] = (content[len(content) // 2] + 1) % 256
            (kept / name).write_bytes(content)

    steps = iter(range(1, 100))
    with pytest.raises(Stopped):
        train(lambda: next(steps) == 5)
    damage("last.ckpt")
    steps = iter(range(5, 100))
    with pytest.raises(Stopped):
        train(lambda: next(steps) == 5)
    assert "last.ckpt is damaged; trying the one before it" in capsys.readouterr().err
    damage("last.ckpt", ".last.ckpt.old")
    assert train() == straight
    assert "starting over from step 0" in capsys.readouterr().err


def test_memory_that_runs_out_is_explained(train: Train) -> None:
    straight = train(folder="straight")
    with pytest.raises(ConfigError, match=r"memory ran out .*micro_batch .* runtime.recompute=true.* runtime=zero3"):
        train(at(3, lambda: torch.empty(2**60, dtype=torch.uint8)))
    assert train() == straight[2:]
    with pytest.raises(ConfigError, match="memory ran out"), advised():
        raise torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(RuntimeError, match="another"), advised():
        raise RuntimeError("another")


@pytest.mark.system
@pytest.mark.parametrize(("fault", "said"), [("die_1", "Connection"), ("hang_1", "Timed out")])
def test_a_dead_or_hung_rank_ends_the_others_and_the_run_goes_on(
    fault: str, said: str, spec: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", path_variable())
    processes = Processes(server())
    settings = {"model": spec.path, "adapt": "lora", "micro_batch": 4, "strategy": "ddp", "timeout_s": 30}
    faulty = {**settings, "folder": str(tmp_path / "run")}
    first, second = processes.two({**faulty, fault: 5})
    assert (first, second) == (1, -signal.SIGKILL)  # the hung one by the launcher, which sees that the other failed
    assert said in (tmp_path / "run" / "error.txt").read_text(encoding="utf-8")
    assert processes.two(faulty) == [0, 0]
    assert processes.two({**settings, "folder": str(tmp_path / "straight")}) == [0, 0]
    found = {(row["stage"], row["step"]): row for row in rows(tmp_path / "run")}
    assert found == {(row["stage"], row["step"]): row for row in rows(tmp_path / "straight")}
