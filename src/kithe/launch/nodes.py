"""Worker processes on one machine, or on all machines of a SLURM job."""

import os
import socket
import sys
from collections.abc import Sequence

from kithe.errors import ConfigError

# How many machines a cell's worker processes are spread over; set by what starts a cell inside a job.
NODES = "KITHE_NODES"
RENDEZVOUS_S = 60


def nodes() -> int:
    """How many machines share a cell that takes several processes."""
    return int(os.environ.get(NODES, "1"))


def spread(processes: int) -> int:
    """Processes on each machine.

    Raises:
        ConfigError: they do not divide evenly among the machines.
    """
    each, rest = divmod(processes, nodes())
    if rest:
        raise ConfigError(
            f"runtime: {processes} processes do not divide evenly among {nodes()} nodes; "
            "change runtime.processes or hydra.launcher.nodes"
        )
    return each


def started(processes: int, module: Sequence[str]) -> list[str]:
    """The command that runs a module in so many processes: plain, under torchrun, or under one torchrun on each machine.

    Raises:
        ConfigError: they do not divide evenly among the machines.
    """
    if processes == 1:
        return [sys.executable, "-m", *module]
    torchrun = [sys.executable, "-m", "torch.distributed.run"]
    if nodes() == 1:
        return [*torchrun, "--standalone", "--nproc-per-node", str(processes), "-m", *module]
    each, count = str(spread(processes)), str(nodes())
    meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"{socket.gethostname()}:{free_port()}", "--rdzv-id", "kithe"]
    patience = ["--rdzv-conf", f"join_timeout={RENDEZVOUS_S},timeout={RENDEZVOUS_S}"]
    # The cell itself is a step of the job, on its first machine, and holds what the workers are to use.
    step = ["srun", "--overlap", "--nodes", count, "--ntasks", count, "--ntasks-per-node", "1", "--kill-on-bad-exit=1"]
    return [*step, *torchrun, "--nnodes", count, "--nproc-per-node", each, *meeting, *patience, "-m", *module]


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as asked:
        asked.bind(("", 0))
        port: int = asked.getsockname()[1]
        return port
