"""Process trees that end with whoever started them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kithe.launch.nodes import started
from kithe.launch.runtime import Placement
from kithe.launch.signals import AGAIN, StopFlag, defer, tell_group

# What an outer launcher says of its own process group, or W&B of its own service, must not reach a cell's.
FOREIGN = (
    "WANDB_SERVICE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "RANK",
    "LOCAL_RANK",
    "NODE_RANK",
    "GROUP_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
)
SET_PARENT_DEATH_SIGNAL = 1
LOOK_S = 1.0


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, where the kernel can (Linux).

    A parent that is killed frees its locks; a child that went on would write to files somebody else holds by then.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def environment() -> dict[str, str]:
    """This process's environment without another process group's rendezvous."""
    return {key: value for key, value in os.environ.items() if key not in FOREIGN and not key.startswith("TORCHELASTIC")}


def run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a program that ends with this process; returns its exit status, negative for a signal."""
    full = [sys.executable, "-m", *command]
    return subprocess.run(full, env={**environment(), **variables}, preexec_fn=end_with_parent, check=False).returncode


def run_worker(folder: Path, placement: Placement, stop: StopFlag) -> int:
    """Run the stages of a prepared cell that need a model, in as many processes as its placement says.

    Returns:
        The exit status; `AGAIN` for any but 0 where `stop` was set. That is passed on to the processes until they end, as they do
        not listen while they start.
    """
    command = started(placement.processes, ["kithe.launch.rank", str(folder)])
    variables = {**environment(), **placement.environment()}
    # A group of their own: a request to stop must reach the workers behind torchrun, and not this process twice.
    with subprocess.Popen(command, env=variables, preexec_fn=_led, start_new_session=True) as process:
        try:
            code = _waited(process, stop)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return AGAIN if code and stop() else code


def _waited(process: "subprocess.Popen[bytes]", stop: StopFlag) -> int:
    while True:
        try:
            return process.wait(timeout=LOOK_S)
        except subprocess.TimeoutExpired:
            if stop():
                tell_group(process.pid)


def _led() -> None:
    end_with_parent()
    defer()
