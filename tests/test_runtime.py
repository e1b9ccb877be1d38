"""Where a cell runs."""

from pathlib import Path

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
def test_auto_divides_what_a_process_may_not_hold() -> None:
    small = Auto(cpu_processes=2, memory_gb=1e-6, timeout_s=7)
    assert small.place(trains=True, copy=800, parts=2) == Placement("cpu", 2, "ddp", timeout_s=7)
    assert small.place(trains=True, copy=801, parts=2) == Placement("cpu", 2, "zero3", timeout_s=7)
    assert small.place(trains=True, copy=801, parts=3).strategy == "single"
    assert small.place(trains=False, copy=10**9).strategy == "single"


def test_auto_moves_to_the_host_what_all_gpus_together_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setattr(runtime, "gpu_memory", lambda: 1000)
    assert Auto().place(trains=True, copy=800, parts=2) == Placement("gpu", 2, "ddp")
    assert Auto().place(trains=True, copy=1600, parts=2) == Placement("gpu", 2, "zero3")
    assert Auto().place(trains=True, copy=1600, parts=2, divided=lambda devices: 1602 // devices) == Placement(
        "gpu", 2, "zero3", offload=True
    )
    assert Auto(recompute=True).place(trains=True, copy=1600, parts=1) == Placement("gpu", 1, "zero3", True, recompute=True)


def test_the_driver_tells_the_smallest_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 81559\necho 24564\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert runtime.gpu_memory() == 24564 * 2**20
    tool.write_text("#!/bin/sh\necho '[N/A]'\n")
    assert runtime.gpu_memory() is None


@pytest.mark.usefixtures("no_gpu")
def test_what_the_user_divides_is_divided_where_something_learns() -> None:
    fixed = Fixed("cpu", 2, "zero3", offload=True)
    assert fixed.place(trains=True, copy=1, parts=2) == Placement("cpu", 2, "zero3", offload=True)
    assert fixed.place(trains=False, copy=1) == Placement("cpu", 2, "ddp")
    assert Fixed("cpu", None, "zero2").place(trains=True, copy=1) == Placement("cpu", 1, "zero2")
    with pytest.raises(ConfigError, match=r"runtime.offload=true: only ZeRO"):
        Fixed("cpu", 2, offload=True)


def test_every_gpu_is_taken_where_no_number_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    assert Cell.of(compose(["adapt=sft", "runtime=zero3"])).placement == Placement("gpu", 3, "zero3")
    assert Cell.of(compose(["adapt=sft", "runtime=zero2"])).placement.strategy == "zero2"


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


@pytest.mark.usefixtures("no_gpu")
def test_a_large_full_fine_tuning_is_divided_and_keeps_its_name() -> None:
    small = ["model=tiny", "runtime.cpu_processes=2", "runtime.memory_gb=0.03"]
    cells = {name: Cell.of(compose([f"adapt={name}", *small])) for name in ("zero-shot", "lora", "sft")}
    places = {name: cell.placement for name, cell in cells.items()}
    assert {name: (place.strategy, place.processes) for name, place in places.items()} == {
        "zero-shot": ("single", 1),
        "lora": ("ddp", 2),
        "sft": ("zero3", 2),
    }
    assert cells["sft"].identity == Cell.of(compose(["adapt=sft", "model=tiny"])).identity
