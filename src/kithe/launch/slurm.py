"""A sweep as one SLURM job array: a task for each run that is not done, waited for until all have ended."""

import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kithe.errors import ConfigError, at_least
from kithe.launch.jobs import ENDED, states
from kithe.launch.local import Run
from kithe.launch.task import Task
from kithe.records.base import write_json

NOTE = "slurm.json"
SHARED_DISK_S = 60
MEANINGS = {
    "TIMEOUT": "the time limit was too short; what it saved stays, repeat the command to go on or raise hydra.launcher.time_min",
    "CANCELLED": "somebody cancelled it; repeat the command to go on",
    "OUT_OF_MEMORY": "raise hydra.launcher.mem_gb or lower adapt.recipe.micro_batch",
    "NODE_FAIL": "a machine failed; repeat the command",
    "PREEMPTED": "it was preempted and not queued again; repeat the command",
    "GONE": "SLURM no longer knows the job, and the run did not say how it ended",
}


@dataclass(frozen=True)
class Slurm:
    """What a cluster is asked for; see `conf/hydra/launcher/slurm.yaml`.

    Attributes:
        folder: where submitit keeps batch files and logs, on a disk all machines share.
        time_min: minutes a task may take; one that needs more saves, and starts again if `requeue` allows.
        nodes: machines for each run; a run of several processes is spread over them, one torchrun on each.
        signal_s: seconds before the limit at which a task is told to save.
        requeue: how many times a task that was stopped may start again.
        at_once: tasks of the array that may run at a time.
        setup: shell lines before the program, such as `module load cuda`.
        more: further sbatch options, name -> value.
        poll_s: seconds between two looks at the queue.
    """

    folder: str
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    time_min: int = 60
    nodes: int = 1
    cpus: int = 4
    gpus: int = 0
    mem_gb: float = 16
    signal_s: int = 90
    requeue: int = 10
    at_once: int = 32
    setup: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    poll_s: float = 10

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a number is too small, or the warning would come before the start.
        """
        for name, value in (("time_min", self.time_min), ("nodes", self.nodes), ("cpus", self.cpus), ("at_once", self.at_once)):
            at_least(f"hydra.launcher.{name}", value, 1)
        if self.signal_s >= 60 * self.time_min:
            raise ConfigError(
                f"hydra.launcher.signal_s={self.signal_s}: it must be less than the time limit ({self.time_min} minutes), "
                "or every task would be told to stop as it starts"
            )

    def parameters(self, name: str) -> dict[str, Any]:
        """The sbatch file's parameters, in submitit's names."""
        wanted = {
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "constraint": self.constraint,
            "gpus_per_node": self.gpus or None,
        }
        # The step is the cell's own process; it spreads its workers itself. srun does not take over the job's cores.
        step = ["--nodes=1", "--ntasks=1", f"--cpus-per-task={self.cpus}"]
        return {
            "job_name": name,
            "time": self.time_min,
            "nodes": self.nodes,
            "ntasks_per_node": 1,
            "cpus_per_task": self.cpus,
            "mem": f"{int(self.mem_gb * 1024)}M",
            "signal_delay_s": self.signal_s,
            "array_parallelism": self.at_once,
            "setup": self.setup or None,
            "srun_args": step,
            "additional_parameters": {"requeue": True, **self.more} if self.requeue else {"no-requeue": True, **self.more},
            **{key: value for key, value in wanted.items() if value is not None},
        }

    def start(self, waiting: Sequence[Run]) -> None:
        """Submit what is not in the queue already, and wait for all of it.

        Raises:
            ConfigError: there is no SLURM here, submitit is not installed, or SLURM refuses the job.
        """
        if not waiting:
            return
        if shutil.which("sbatch") is None:
            raise ConfigError("hydra/launcher=slurm: there is no sbatch here; run this on a machine that submits to SLURM")
        there = states(job for run in waiting if (job := noted(run)))
        jobs = {run.name: job for run in waiting if (job := noted(run)) in there and there[job] not in ENDED}
        new = [run for run in waiting if run.name not in jobs]
        if jobs:
            say(f"{len(jobs)} of {len(waiting)} runs are in the queue already ({', '.join(sorted(jobs.values()))})")
        jobs |= self.submit(new) if new else {}
        try:
            self.wait({run.name: run for run in waiting}, jobs)
        except KeyboardInterrupt:
            arrays = " ".join(sorted({job.partition("_")[0] for job in jobs.values()}))
            raise SystemExit(
                f"kithe: the jobs go on; the same command waits for them again, `scancel {arrays}` ends them"
            ) from None

    def submit(self, runs: Sequence[Run]) -> dict[str, str]:
        """One array for these runs; returns run -> job."""
        try:
            from submitit import SlurmExecutor
            from submitit.core.utils import FailedJobError
        except ImportError:
            raise ConfigError("hydra/launcher=slurm needs submitit: pip install 'kithe[slurm]'") from None
        tasks = [Task(run.module, str(run.prepare().resolve()), self.requeue) for run in runs]
        name = runs[0].config["sweep"]["name"] or "kithe"
        executor = SlurmExecutor(folder=Path(self.folder).resolve(), max_num_timeout=self.requeue)
        executor.update_parameters(**self.parameters(name))
        try:
            made = executor.map_array(Task.in_slurm, tasks)
        except FailedJobError as error:
            raise ConfigError(f"SLURM refuses the job: {' '.join(str(error).split())}") from None
        jobs = {run.name: str(job.job_id) for run, job in zip(runs, made, strict=True)}
        for run in runs:
            write_json(run.folder.path / NOTE, {"job": jobs[run.name]})
        array = made[0].job_id.partition("_")[0]
        say(f"{len(runs)} runs submitted as job {array}; logs: {executor.folder}/{array}_*_log.*")
        return jobs

    def wait(self, runs: Mapping[str, Run], jobs: Mapping[str, str]) -> None:
        """Look at the queue until every job has ended; say what changes, and note for a run what it could not say itself."""
        open_jobs, told, ended_early = dict(jobs), Counter[str](), False
        while open_jobs:
            now = states(open_jobs.values())
            for name, job in list(open_jobs.items()):
                if now.get(job) in ENDED:
                    del open_jobs[name]
                    self.ended(runs[name], job, now[job], quiet=ended_early)
                    if runs[name].folder.state == "failed" and runs[name].config["sweep"]["fail_fast"] and not ended_early:
                        ended_early = True
                        cancel_pending(open_jobs.values())
            count = Counter(now[job] for job in open_jobs.values() if job in now)
            if count and count != told:
                say(", ".join(f"{number} {state.lower()}" for state, number in sorted(count.items())))
                told = count
            if open_jobs:
                time.sleep(self.poll_s)

    def ended(self, run: Run, job: str, state: str, quiet: bool = False) -> None:
        """Say how a run's job ended; where the run has not said it, note it."""
        if state == "CANCELLED" and quiet and run.folder.state == "planned":
            return
        if not settled(run, patience=SHARED_DISK_S if state == "COMPLETED" else 0):
            log = Path(self.folder).resolve() / f"{job}_0_log.err"
            run.folder.mark("failed", error=f"SLURM job {job}: {state}; {MEANINGS.get(state, f'see {log}')}")
        say(f"{run.name}: {run.folder.state} (job {job}: {state})")


def settled(run: Run, patience: float) -> bool:
    """Whether a run says how it ended; files of another machine may take some seconds to show."""
    end = time.monotonic() + patience
    while run.folder.state not in ("done", "failed"):
        if time.monotonic() >= end:
            return False
        time.sleep(1)
    return True


def noted(run: Run) -> str:
    """The job a run was last submitted as; empty where it was not."""
    return str(run.folder.read(NOTE).get("job", ""))


def cancel_pending(jobs: Iterable[str]) -> None:
    """Take out of the queue what has not begun."""
    subprocess.run(["scancel", "--state=PENDING", *jobs], check=False)


def say(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(f"kithe: {text}\n")
