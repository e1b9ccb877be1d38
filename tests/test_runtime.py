"""Where a cell runs."""

import pytest

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError
from kithe.launch import runtime
from kithe.launch.runtime import Auto, Fixed, Placement


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.mark.usefixtures("no_gpu")
def test_auto_trains_in_as_many_processes_as_allowed_and_asks_in_one() -> None:
    assert Auto(cpu_processes=2).place(trains=True, copy=1, parts=12) == Placement("cpu", 2, "ddp")
    assert Auto(cpu_processes=2).place(trains=False, copy=1) == Placement("cpu", 1, "single")
    assert Auto().place(trains=True, copy=1, parts=12) == Placement("cpu", 1, "single")


@pytest.mark.usefixtures("no_gpu")
def test_auto_starts_no_more_processes_than_memory_holds_copies() -> None:
    assert Auto(cpu_processes=8).place(trains=True, copy=runtime.memory() // 3, parts=12).processes == 3
    assert Auto(cpu_processes=8).place(trains=True, copy=runtime.memory() * 2).processes == 1


def test_auto_takes_every_visible_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3,5")
    assert Auto().place(trains=True, copy=1, parts=12) == Placement("gpu", 3, "ddp")
    assert Auto().place(trains=False, copy=1) == Placement("gpu", 1, "single")


@pytest.mark.usefixtures("no_gpu")
def test_gpus_that_are_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match="1 GPU processes asked for, 0 found"):
        Fixed("gpu").place(trains=True, copy=1, parts=12)
    assert Fixed("cpu", 2).place(trains=False, copy=1) == Placement("cpu", 2, "ddp")


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)))
    assert Placement("cpu", 4, "ddp").environment()["OMP_NUM_THREADS"] == "2"
    assert Placement("cpu", 16, "ddp").environment()["OMP_NUM_THREADS"] == "1"


@pytest.mark.usefixtures("no_gpu")
def test_a_cell_is_placed_by_what_it_trains() -> None:
    places = {
        name: Cell.of(compose([f"adapt={name}", "runtime.cpu_processes=2"])).placement for name in ("zero-shot", "lora", "sft")
    }
    assert {name: place.processes for name, place in places.items()} == {"zero-shot": 1, "lora": 2, "sft": 2}
