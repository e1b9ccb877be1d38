"""A sweep on a Ray cluster: each run is a Ray task that starts a process tree of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kithe.errors import ConfigError, Stopped, at_least
from kithe.launch.local import Run
from kithe.launch.signals import AGAIN


@dataclass(frozen=True)
class OnRay:
    """Where Ray is and what a run takes; see `conf/hydra/launcher/ray.yaml`.

    Attributes:
        address: of a running cluster, `auto` for the one of this machine; None: one is started here and ends with the sweep.
        cpus: cores of a run.
        gpus: GPUs of a run.
        again: how many times Ray runs a run anew whose machine died; it goes on where it was.
        local_cpus: cores of the cluster that is started here (None: all).
    """

    address: str | None = None
    cpus: int = 1
    gpus: int = 0
    again: int = 3
    local_cpus: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a run would have no core.
        """
        at_least("hydra.launcher.cpus", self.cpus, 1)

    def start(self, waiting: Sequence[Run]) -> None:
        """Run all of them, as many at a time as the cluster has room for.

        Raises:
            ConfigError: Ray is not installed, or there is no cluster at the address.
        """
        if not waiting:
            return
        ray = imported()
        local = {"num_cpus": self.local_cpus, "include_dashboard": False} if self.address is None else {}
        try:
            ray.init(address=self.address, configure_logging=False, log_to_driver=True, **local)
        except ConnectionError as error:
            raise ConfigError(f"hydra.launcher.address={self.address}: no Ray cluster answers there ({error})") from None
        try:
            self.work(ray, waiting)
        finally:
            ray.shutdown()

    def work(self, ray: Any, waiting: Sequence[Run]) -> None:
        """Hand the runs to Ray and wait; where one fails and the sweep is to stop, the rest is not begun."""
        remote = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=self.again, retry_exceptions=[Stopped])(on_ray)
        tasks = {remote.remote(run.module, str(run.prepare().resolve()), self.cpus): run for run in waiting}
        left = list(tasks)
        while left:
            (ended,), left = ray.wait(left)
            run = tasks[ended]
            try:
                ray.get(ended)
            except ray.exceptions.RayError as error:
                if run.folder.state not in ("done", "failed"):
                    run.folder.mark("failed", error=f"Ray: {str(error).strip().splitlines()[-1]}")
            sys.stderr.write(f"kithe: [{len(tasks) - len(left)}/{len(tasks)}] {run.name}: {run.folder.state}\n")
            if run.folder.state == "failed" and run.config["sweep"]["fail_fast"]:
                for other in left:
                    ray.cancel(other)
                left = []


def on_ray(module: str, folder: str, cpus: int) -> None:
    """A Ray task: run, with the cores Ray has set aside for it.

    Raises:
        Stopped: it was asked to stop and has saved where it was.
        RuntimeError: it failed.
    """
    # Ray's worker has many threads: a plain start is safe in it, code of ours between fork and exec is not.
    command = [sys.executable, "-m", "kithe.launch.task", module, folder]
    code = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": str(cpus)}, check=False).returncode
    if code == AGAIN:
        raise Stopped
    if code:
        raise RuntimeError(f"{module} failed; why stands in {folder}/state.json")


def imported() -> Any:
    """Ray.

    Raises:
        ConfigError: it is not installed.
    """
    # It would report how it is used, and colour what it prints for a terminal it may not have.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise ConfigError("hydra/launcher=ray needs Ray: pip install 'kithe[ray]'") from None
    return ray
