"""The rows of a training: each once, none lost, none of an earlier attempt that led nowhere."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kithe.metrics import MetricsLog


def row(step: int, attempt: int = 0, stage: str = "train") -> dict[str, Any]:
    return {"stage": stage, "step": step, "loss": (attempt + 1) / step}


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(path: Path, first: int, last: int, attempt: int = 0) -> None:
    """Training from one step to another, with a row of validation after every second one."""
    log = MetricsLog(path)
    for step in range(first, last + 1):
        log(row(step, attempt))
        if step % 2 == 0:
            log(row(step, attempt, "validation"))


@pytest.mark.parametrize("seed", range(6))
def test_kills_and_resumptions_leave_no_trace(tmp_path: Path, seed: int) -> None:
    run(tmp_path / "straight", 1, 9)
    rng, saved = Random(seed), 0
    for _ in range(3):
        reached = rng.randint(saved, 9)
        run(tmp_path / "killed", saved + 1, reached)
        with open(tmp_path / "killed", "ab") as file:
            file.write(b'{"stage": "train", "st'[: rng.randint(0, 22)])
        saved = max(saved, reached - rng.randint(0, 3))
    run(tmp_path / "killed", saved + 1, 9)
    assert (tmp_path / "killed").read_bytes() == (tmp_path / "straight").read_bytes()


def test_training_begun_anew_leaves_only_its_own_rows(tmp_path: Path) -> None:
    """As after `checkpoint` was deleted because settings have changed; also where it ends sooner."""
    path = tmp_path / "metrics.jsonl"
    run(path, 1, 7)
    run(path, 1, 3, attempt=1)
    assert written(path) == [row(1, 1), row(2, 1), row(2, 1, "validation"), row(3, 1)]


def test_other_numbers_since_the_checkpoint_replace_those_that_led_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    run(path, 1, 5)
    run(path, 4, 6, attempt=1)
    expected = [row(1), row(2), row(2, 0, "validation"), row(3)]
    assert written(path) == [*expected, row(4, 1), row(4, 1, "validation"), row(5, 1), row(6, 1), row(6, 1, "validation")]


def test_a_start_never_empties_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that takes no byte, as after a kill between emptying and writing, every row is still there."""

    def full(path: Path, *given: object, **named: object) -> int:
        path.open("w").close()
        raise OSError(28, "No space left on device")

    path = tmp_path / "metrics.jsonl"
    run(path, 1, 3)
    before = path.read_bytes()
    with open(path, "ab") as file:
        file.write(b'{"stage"')
    monkeypatch.setattr(Path, "write_text", full)
    MetricsLog(path)
    assert path.read_bytes() == before
