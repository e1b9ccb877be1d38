"""kill -9 at any moment loses no finished row, and the resumed result equals the uninterrupted one, bit for bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from small import SMALL

from kithe.config.compose import ROOT
from kithe.launch.signals import AGAIN
from kithe.store import Folder

WORDS = [
    "data=synthetic",
    "adapt=lora",
    "task/test=sample",
    "task.test.sample.limit=8",
    "task.batch_tokens=700",
    "corpus.facts=60",
    "checkpoint_every=2",
    "adapt.recipe.effective_batch=4",
    "adapt.recipe.micro_batch=2",
]


def start(store: Path) -> "subprocess.Popen[bytes]":
    words = [*WORDS, *[word for word in SMALL if "corpus.facts" not in word], f"paths.store={store}"]
    return subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), *words],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def straight(store: Path) -> float:
    begun = time.monotonic()
    assert start(store).wait(timeout=300) == 0
    return time.monotonic() - begun


def interrupted(store: Path, kills: int, longest: float, draw: random.Random) -> int:
    """Kill the whole process tree `kills` times at random moments, then let it finish; returns how many hit a living run."""
    hits = 0
    for turn in range(kills):
        process = start(store)
        # Stratified over the run's length, so that corpus, training, prediction and scoring are all hit.
        wait = longest * (turn + draw.random()) / kills
        try:
            process.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            hits += 1
    assert start(store).wait(timeout=300) == 0
    return hits


def files(store: Path) -> dict[str, Any]:
    """Everything a store says, without what may differ: times, the state of the checkout."""
    found: dict[str, Any] = {}
    for pattern in ("corpus/*/*.jsonl", "weights/*/metrics.jsonl", "predictions/*/*/predictions.jsonl", "runs/*/scores/*.jsonl"):
        found |= {str(file.relative_to(store)): file.read_bytes() for file in store.glob(pattern)}
    for file in store.glob("weights/*/weights/*.safetensors"):
        found[str(file.relative_to(store))] = file.read_bytes()
    for file in store.glob("runs/*/result.json"):
        value = json.loads(file.read_text(encoding="utf-8").replace(str(store), "store"))
        value["cost"] = {"tokens": value["cost"]["tokens"]}
        del value["environment"], value["provenance"]["git"]
        found[file.name] = value
    return found


def compare(straight_store: Path, longest: float, store: Path, seed: int) -> int:
    """Kill a run three times, compare it with the straight one, and say how many kills hit a living run."""
    hits = interrupted(store, 3, longest, random.Random(seed))
    one, other = files(straight_store), files(store)
    assert set(one) == set(other)
    assert len(one) == 7
    assert [name for name in one if one[name] != other[name]] == []
    return hits


def test_three_kills_change_nothing(tmp_path: Path) -> None:
    longest = straight(tmp_path / "straight")
    assert compare(tmp_path / "straight", longest, tmp_path / "killed", seed=1) >= 2


def test_a_worker_ends_with_its_killed_parent(tmp_path: Path) -> None:
    process = start(tmp_path)
    deadline = time.monotonic() + 60
    while not children(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    (worker,) = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def descendants(pid: int) -> list[int]:
    return [found for child in children(pid) for found in (child, *descendants(child))]


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="ascii")


@pytest.mark.system
@pytest.mark.parametrize(("name", "all_of_them"), [("SIGTERM", False), ("SIGUSR1", False), ("SIGTERM", True), ("SIGUSR2", True)])
def test_a_run_that_is_asked_to_stop_saves_where_it_is_and_goes_on_from_there(
    tmp_path: Path, name: str, all_of_them: bool
) -> None:
    straight(tmp_path / "straight")
    store = tmp_path / "stopped"
    stops = []
    for pattern in ("weights/*/metrics.jsonl", "predictions/*/*/generations.rank0.jsonl"):
        process = start(store)
        deadline = time.monotonic() + 120
        while not list(store.glob(pattern)) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in [process.pid, *(descendants(process.pid) if all_of_them else [])]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.Signals[name])
        stops.append(process.wait(timeout=120))
        assert [Folder(path.parent).state for path in store.glob("runs/*/state.json")] == ["interrupted"]
    assert stops == [AGAIN, AGAIN]
    assert list(store.glob("weights/*/weights/*.safetensors"))
    assert start(store).wait(timeout=300) == 0
    one, other = files(tmp_path / "straight"), files(store)
    assert [key for key in one if one[key] != other.get(key)] == []


@pytest.mark.system
def test_ten_kills_at_other_moments_change_nothing(tmp_path: Path) -> None:
    longest = straight(tmp_path / "straight")
    hits = sum(compare(tmp_path / "straight", longest, tmp_path / f"killed{seed}", seed) for seed in range(2, 7))
    assert hits >= 10
