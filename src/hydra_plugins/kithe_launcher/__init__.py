"""Hydra finds launchers in this namespace only; the work is done in `kithe.launch`."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SweepLauncher(Launcher):
    """Composes the cells of a multirun and hands them over together."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what composing the cells needs."""
        self.context, self.config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the cells of these overrides; the sweep's tables are printed at the end."""
        from kithe.launch import local
        from kithe.launch.also import extended

        job_overrides = extended(job_overrides, self.config.sweep.also)
        start, loader = self.starter(), self.context.config_loader
        composed: list[Any] = [loader.load_sweep_config(self.config, list(overrides)) for overrides in job_overrides]
        local.sweep(composed, start)
        return [JobReturn(overrides=list(overrides), status=JobStatus.COMPLETED) for overrides in job_overrides]

    @abstractmethod
    def starter(self) -> Callable[[Sequence[Any]], None]:
        """What runs the runs that are not done, and returns when all have ended."""


class ProcessLauncher(SweepLauncher):
    """Each cell of a multirun is a process tree of its own on this machine, so many at once."""

    def __init__(self, n_jobs: int = 1) -> None:
        self.n_jobs = n_jobs

    def starter(self) -> Callable[[Sequence[Any]], None]:
        """See `kithe.launch.local.here`."""
        from kithe.launch import local

        return partial(local.here, at_once=self.n_jobs)


class ClusterLauncher(SweepLauncher):
    """The cells of a multirun are tasks of a cluster."""

    cluster: ClassVar[str]

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def starter(self) -> Callable[[Sequence[Any]], None]:
        """The `start` of the cluster that the settings describe."""
        from kithe.config.compose import built

        start: Callable[[Sequence[Any]], None] = built("hydra.launcher", {"_target_": self.cluster, **self.settings}).start
        return start


class SlurmLauncher(ClusterLauncher):
    """One SLURM job array; see `kithe.launch.slurm.Slurm`."""

    cluster = "kithe.launch.slurm.Slurm"


class RayLauncher(ClusterLauncher):
    """Ray tasks; see `kithe.launch.ray.OnRay`."""

    cluster = "kithe.launch.ray.OnRay"
