"""A run inside a job of a cluster: started, told to stop, and started again where there was no time to finish.

Light on purpose: this is what a cluster's own process imports before the run's process begins.
"""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from kithe.errors import Stopped
from kithe.launch.nodes import NODES
from kithe.launch.processes import end_with_parent, environment
from kithe.launch.signals import AGAIN, StopFlag, hold
from kithe.store import Folder


@dataclass(frozen=True)
class Task:
    """One run, as a cluster's job carries it.

    Attributes:
        module: the program, such as `kithe.experiment`.
        folder: the prepared run folder, on a disk that all machines share.
        again: how many times the job may be started anew after it was stopped.
    """

    module: str
    folder: str
    again: int = 0

    def run(self) -> None:
        """Run; note in the folder how it ended where it could not say so itself.

        Raises:
            Stopped: it was asked to stop and has saved where it was.
            RuntimeError: it failed.
        """
        stop, folder = StopFlag().listen(), Folder(Path(self.folder))
        variables = {**environment(), NODES: os.environ.get("SLURM_JOB_NUM_NODES", "1")}
        command = [sys.executable, "-m", self.module, self.folder]
        with subprocess.Popen(command, env=variables, preexec_fn=_led) as process:
            stop.tell(lambda: process.send_signal(signal.SIGUSR1))
            code = process.wait()
        # A program that does not listen is ended by the signal, and has nothing to save.
        if code == AGAIN or (code < 0 and stop()):
            raise Stopped
        if code:
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
            if folder.state not in ("done", "failed"):
                folder.mark("failed", error=f"{self.module} {how} on {os.uname().nodename} and left no traceback")
            raise RuntimeError(f"{self.module} {how}; why stands in {folder.path / 'state.json'}")

    def in_slurm(self) -> None:
        """Run as a SLURM job, which queues itself again if it has to stop.

        Raises:
            SystemExit: with `AGAIN`, where it may not be started anew.
        """
        try:
            self.run()
        except Stopped:
            job, starts = os.environ["SLURM_JOB_ID"], int(os.environ.get("SLURM_RESTART_COUNT", "0"))
            running = _running(job)
            if running and starts < self.again:
                sys.stderr.write(f"kithe: saved; job {job} queues itself again ({starts + 1} of {self.again})\n")
                subprocess.run(["scontrol", "requeue", job], check=True)
                # SLURM ends this process now; to return would end the job before it is queued again.
                time.sleep(600)
            if running:
                why = f"told to stop, it may not start again (hydra.launcher.requeue={self.again}); repeat the command to go on"
                Folder(Path(self.folder)).mark("failed", error=f"SLURM job {job}: {why}")
            raise SystemExit(AGAIN) from None


def _running(job: str) -> bool:
    """Whether the job is not being ended: a cancelled one must not come back, a preempted one is brought back by SLURM."""
    shown = subprocess.run(["scontrol", "--oneliner", "show", "job", job], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\bJobState=(\S+)", shown)
    return found is not None and found[1] == "RUNNING"


def _led() -> None:
    end_with_parent()
    hold()


def main() -> None:
    """`python -m kithe.launch.task MODULE FOLDER`: a run on behalf of a process that must not fork, as one with many threads.

    The exit status is 0, `AGAIN` where it stopped as asked, or 1.
    """
    end_with_parent()
    try:
        Task(sys.argv[1], sys.argv[2]).run()
    except Stopped:
        sys.exit(AGAIN)
    except RuntimeError as error:
        sys.exit(f"kithe: {error}")


if __name__ == "__main__":
    main()
