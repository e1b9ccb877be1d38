"""What SLURM says of its jobs: by its queue, and by its accounting where there is any."""

import subprocess
from collections.abc import Iterable

# From these no job comes back by itself.
ENDED = frozenset(
    {
        "COMPLETED",
        "FAILED",
        "TIMEOUT",
        "CANCELLED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "BOOT_FAIL",
        "DEADLINE",
        "REVOKED",
        "GONE",
    }
)


def states(jobs: Iterable[str]) -> dict[str, str]:
    """Job -> state, such as PENDING, RUNNING or TIMEOUT; GONE: SLURM does not know it (any more).

    A job that nothing could be learnt of just now, because no controller answers, is left out.

    Args:
        jobs: `123`, or `123_4` for a task of an array.
    """
    wanted = sorted(set(jobs))
    if not wanted:
        return {}
    found, silent = queued(wanted)
    missing = [job for job in wanted if job not in found]
    found |= accounted(missing) if missing else {}
    gone = {} if silent else {job: "GONE" for job in wanted if job not in found}
    return {job: found[job] for job in wanted if job in found} | gone


def queued(jobs: Iterable[str]) -> tuple[dict[str, str], bool]:
    """What the queue holds, also of jobs that ended a few minutes ago; and whether the controller gave no answer."""
    found: dict[str, str] = {}
    silent = False
    # One question for each array: the queue refuses a list that names a job it has forgotten.
    for job in sorted({job.partition("_")[0] for job in jobs}):
        command = ["squeue", "--noheader", "--array", "--states=all", "--format=%i|%T", "--jobs", job]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        silent |= asked.returncode != 0 and "Invalid job id" not in asked.stderr
        found |= read(asked.stdout)
    return found, silent


def accounted(jobs: Iterable[str]) -> dict[str, str]:
    """What the accounting holds; nothing where there is none."""
    command = ["sacct", "--noheader", "--allocations", "--parsable2", "--format=JobID,State", "--jobs", ",".join(jobs)]
    try:
        return read(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    except FileNotFoundError:
        return {}


def read(text: str) -> dict[str, str]:
    """Lines of `job|state` as a dict; `CANCELLED by 1000` is CANCELLED."""
    pairs = (line.split("|") for line in text.splitlines() if "|" in line)
    return {job.strip(): state.split()[0].rstrip("+") for job, state in pairs if state.strip()}
