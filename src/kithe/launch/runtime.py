"""Where a cell runs: decided per cell, recorded in its result, never part of its identity."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Literal, Protocol

from kithe.errors import ConfigError, at_least
from kithe.launch.nodes import nodes

Accelerator = Literal["cpu", "gpu"]
Strategy = Literal["single", "ddp"]


@dataclass(frozen=True)
class Placement:
    """So many processes on such devices."""

    accelerator: Accelerator
    processes: int
    strategy: Strategy

    def environment(self) -> dict[str, str]:
        """Variables of the worker processes: the cores divided among them, and no busy waiting where they share cores."""
        threads = max(1, cores() * nodes() // self.processes)
        # Packages import deepspeed on the side, and it would warn about the absence of what nobody asked for.
        quiet = {"DS_ACCELERATOR": "cpu", "DS_LOG_LEVEL": "error"} if self.accelerator == "cpu" else {}
        return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads)), "OMP_WAIT_POLICY": "PASSIVE", **quiet}


class Runtime(Protocol):
    """An option of the group `runtime`."""

    def place(self, trains: bool, copy: int, parts: int = 1) -> Placement:
        """Where a cell goes.

        Args:
            trains: whether it changes weights.
            parts: micro-batches in an effective batch, which processes share evenly.
            copy: bytes that each process holds of weights, gradients and optimiser state.
        """


@dataclass(frozen=True)
class Auto:
    """One process for a cell that trains nothing, all devices under ddp for one that does.

    On CPUs `cpu_processes` is the most that may be used; fewer are where memory does not hold a copy of the model for each.
    """

    cpu_processes: int = 1

    def __post_init__(self) -> None:
        """Check the value.

        Raises:
            ConfigError: there would be no process.
        """
        at_least("runtime.cpu_processes", self.cpu_processes, 1)

    def place(self, trains: bool, copy: int, parts: int = 1) -> Placement:
        """See `Runtime.place`."""
        devices = gpus()
        most = devices or max(1, min(self.cpu_processes, memory() // max(1, copy)))
        processes = max(count for count in range(1, most + 1) if parts % count == 0) if trains else 1
        return Placement("gpu" if devices else "cpu", processes, "ddp" if processes > 1 else "single")


@dataclass(frozen=True)
class Fixed:
    """What the user says, for every cell."""

    accelerator: Accelerator
    processes: int = 1

    def __post_init__(self) -> None:
        """Check the value.

        Raises:
            ConfigError: there would be no process.
        """
        at_least("runtime.processes", self.processes, 1)

    def place(self, trains: bool, copy: int, parts: int = 1) -> Placement:
        """See `Runtime.place`.

        Raises:
            ConfigError: there are fewer GPUs than processes.
        """
        if self.accelerator == "gpu" and gpus() < self.processes:
            raise ConfigError(
                f"runtime.processes: {self.processes} GPU processes asked for, {gpus()} found; use runtime=cpu or runtime=auto"
            )
        return Placement(self.accelerator, self.processes, "ddp" if self.processes > 1 else "single")


def memory() -> int:
    """Bytes of memory in this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def cores() -> int:
    """Processor cores this process may use, which under a scheduler are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> int:
    """NVIDIA GPUs a cell may use, found without importing torch: the visible ones, on each of its machines."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return nodes() * len([item for item in visible.split(",") if item.strip() not in ("", "-1")])
    if shutil.which("nvidia-smi") is None:
        return 0
    listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    return nodes() * sum(line.startswith("GPU ") for line in listing.splitlines())
