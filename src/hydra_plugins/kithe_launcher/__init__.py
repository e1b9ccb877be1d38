"""Hydra finds launchers in this namespace only; the work is done in `kithe.launch`."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class ProcessLauncher(Launcher):
    """Each cell of a multirun is a process tree of its own on this machine, so many at once."""

    def __init__(self, n_jobs: int = 1) -> None:
        self.n_jobs = n_jobs

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what composing the cells needs."""
        self.context, self.config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the cells of these overrides; the sweep's tables are printed at the end."""
        from kithe.launch import local
        from kithe.launch.also import extended

        job_overrides = extended(job_overrides, self.config.sweep.also)
        loader = self.context.config_loader
        composed: list[Any] = [loader.load_sweep_config(self.config, list(overrides)) for overrides in job_overrides]
        local.sweep(composed, self.n_jobs)
        return [JobReturn(overrides=list(overrides), status=JobStatus.COMPLETED) for overrides in job_overrides]
