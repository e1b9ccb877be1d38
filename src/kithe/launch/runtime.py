"""Where a cell runs: decided per cell, recorded in its result, never part of its identity."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from kithe.errors import ConfigError, at_least, more_than
from kithe.launch.nodes import nodes

Accelerator = Literal["cpu", "gpu"]
Strategy = Literal["single", "ddp", "zero2", "zero3"]
Divided = Callable[[int], int]

# The share of a device's memory for weights, gradients and optimiser state; activations need the rest.
STATES_SHARE: Final = 0.8
GB: Final = 10**9
TIMEOUT_S: Final = 1800.0


@dataclass(frozen=True)
class Placement:
    """So many processes on such devices.

    Attributes:
        strategy: one process, copies with averaged gradients, or DeepSpeed's ZeRO in stage 2 or 3.
        offload: keep what ZeRO divides on the host.
        recompute: compute activations anew in the backward pass.
        timeout_s: seconds after which a process that the others wait for counts as hung.
    """

    accelerator: Accelerator
    processes: int
    strategy: Strategy
    offload: bool = False
    recompute: bool = False
    timeout_s: float = TIMEOUT_S

    def environment(self) -> dict[str, str]:
        """Variables of the worker processes: the cores divided among them, and no busy waiting where they share cores."""
        threads = max(1, cores() * nodes() // self.processes)
        # Packages import deepspeed on the side, and it would warn about the absence of what nobody asked for.
        quiet = {"DS_ACCELERATOR": "cpu", "DS_LOG_LEVEL": "error"} if self.accelerator == "cpu" else {}
        return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads)), "OMP_WAIT_POLICY": "PASSIVE", **quiet}


class Runtime(Protocol):
    """An option of the group `runtime`."""

    def place(self, trains: bool, copy: int, parts: int = 1, divided: Divided | None = None) -> Placement:
        """Where a cell goes.

        Args:
            trains: whether it changes weights.
            parts: micro-batches in an effective batch, which processes share evenly.
            copy: bytes of weights, gradients and optimiser state, all of which each process holds unless ZeRO divides them.
            divided: bytes on each of so many devices where ZeRO-3 divides them (None: an even share).
        """


@dataclass(frozen=True)
class Auto:
    """One process for a cell that trains nothing; all devices for one that does, under ddp, or under ZeRO-3 if it is too large.

    Attributes:
        cpu_processes: the most on CPUs; fewer are started where memory does not hold a copy of the model for each.
        memory_gb: memory of a device, or on CPUs of a process (None: what its driver says; otherwise no limit).
    """

    cpu_processes: int = 1
    memory_gb: float | None = None
    recompute: bool = False
    timeout_s: float = TIMEOUT_S

    def __post_init__(self) -> None:
        """Check the value.

        Raises:
            ConfigError: there would be no process.
        """
        at_least("runtime.cpu_processes", self.cpu_processes, 1)
        more_than("runtime.timeout_s", self.timeout_s, 0)
        if self.memory_gb is not None:
            more_than("runtime.memory_gb", self.memory_gb, 0)

    def place(self, trains: bool, copy: int, parts: int = 1, divided: Divided | None = None) -> Placement:
        """See `Runtime.place`."""
        devices = gpus()
        kind: Accelerator = "gpu" if devices else "cpu"
        if not trains:
            return Placement(kind, 1, "single", timeout_s=self.timeout_s)
        if self._holds(copy, devices):
            processes = _divisor(devices or min(self.cpu_processes, memory() // max(1, copy)), parts)
            return self._placed(kind, processes, "ddp" if processes > 1 else "single")
        processes = _divisor(devices or self.cpu_processes, parts)
        if not devices:  # one process on a CPU has nothing to divide, and the host is where it is already
            return self._placed(kind, processes, "zero3" if processes > 1 else "single")
        share = divided(processes) if divided else copy // processes
        return self._placed(kind, processes, "zero3", offload=not self._holds(share, devices))

    def _holds(self, states: int, devices: int) -> bool:
        limit = self.memory_gb * GB if self.memory_gb is not None else gpu_memory() if devices else None
        return limit is None or states <= STATES_SHARE * limit

    def _placed(self, kind: Accelerator, processes: int, strategy: Strategy, offload: bool = False) -> Placement:
        return Placement(kind, processes, strategy, offload, self.recompute, self.timeout_s)


@dataclass(frozen=True)
class Fixed:
    """What the user says, for every cell.

    Attributes:
        processes: how many share a cell; None: one a GPU, or one on CPUs.
        strategy: `zero2` or `zero3` for cells that train; None: ddp where there are several processes.
        offload: under ZeRO, keep on the host what is divided.
    """

    accelerator: Accelerator
    processes: int | None = 1
    strategy: Literal["zero2", "zero3"] | None = None
    offload: bool = False
    recompute: bool = False
    timeout_s: float = TIMEOUT_S

    def __post_init__(self) -> None:
        """Check the value.

        Raises:
            ConfigError: there would be no process.
        """
        if self.processes is not None:
            at_least("runtime.processes", self.processes, 1)
        more_than("runtime.timeout_s", self.timeout_s, 0)
        if self.offload and self.strategy is None:
            raise ConfigError("runtime.offload=true: only ZeRO divides what could be moved to the host; use runtime=zero3")

    def place(self, trains: bool, copy: int, parts: int = 1, divided: Divided | None = None) -> Placement:
        """See `Runtime.place`.

        Raises:
            ConfigError: there are fewer GPUs than processes.
        """
        processes = self.processes or (max(1, gpus()) if self.accelerator == "gpu" else 1)
        if self.accelerator == "gpu" and gpus() < processes:
            raise ConfigError(
                f"runtime.processes: {processes} GPU processes asked for, {gpus()} found; use runtime=cpu or runtime=auto"
            )
        plain: Strategy = "ddp" if processes > 1 else "single"
        zero = self.strategy if trains else None
        offload = self.offload and zero is not None
        return Placement(self.accelerator, processes, zero or plain, offload, self.recompute, self.timeout_s)


def _divisor(most: int, parts: int) -> int:
    """The largest number of processes up to `most` that shares so many micro-batches evenly."""
    return max(count for count in range(1, max(1, most) + 1) if parts % count == 0)


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


def gpu_memory() -> int | None:
    """Bytes of the smallest NVIDIA GPU, found without importing torch; None where its driver does not say."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return min(int(line) for line in listing.split()) * 2**20
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
