"""Waiting for SLURM jobs: `squeue`, `sacct` and `scancel` are stand-ins that read files; tests/system has the real ones."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kithe.launch import jobs, slurm
from kithe.launch.jobs import states
from kithe.launch.slurm import Slurm
from kithe.records.base import write_json
from kithe.store import Folder

SQUEUE = """#!/bin/sh
echo "squeue $*" >> "$KITHE_CALLS"
for number; do job=$number; done
[ -e "$KITHE_SAID/silent" ] && { echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1; }
[ -e "$KITHE_SAID/$job" ] || { echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; }
# Each answer is given once; the last one stays.
head -n 1 "$KITHE_SAID/$job" | tr ' ' '\\n'
[ "$(wc -l < "$KITHE_SAID/$job")" -gt 1 ] && sed -i 1d "$KITHE_SAID/$job"
exit 0
"""
SACCT = (
    '#!/bin/sh\n[ -e "$KITHE_SAID/sacct" ] && cat "$KITHE_SAID/sacct" || { echo "accounting storage is disabled" >&2; exit 1; }\n'
)
SCANCEL = '#!/bin/sh\necho "scancel $*" >> "$KITHE_CALLS"\n'


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of answers: a file per job, a line per question."""
    tools, folder = tmp_path / "tools", tmp_path / "said"
    tools.mkdir()
    folder.mkdir()
    for name, text in (("squeue", SQUEUE), ("sacct", SACCT), ("scancel", SCANCEL), ("sbatch", "#!/bin/sh\nexit 9\n")):
        (tools / name).write_text(text, encoding="ascii")
        (tools / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("KITHE_SAID", str(folder))
    monkeypatch.setenv("KITHE_CALLS", str(tmp_path / "calls"))
    return folder


def test_states_come_from_the_queue_then_the_accounting(said: Path) -> None:
    (said / "7").write_text("7_0|RUNNING 7_1|TIMEOUT\n")
    assert states(["7_0", "7_1", "8"]) == {"7_0": "RUNNING", "7_1": "TIMEOUT", "8": "GONE"}
    (said / "sacct").write_text("8|CANCELLED by 0\n9_1|OUT_OF_ME+\n")
    assert states(["8", "7_0"]) == {"8": "CANCELLED", "7_0": "RUNNING"}
    assert states([]) == {}


def test_a_silent_controller_says_nothing_about_a_job(said: Path) -> None:
    (said / "silent").touch()
    assert states(["7_0"]) == {}
    (said / "sacct").write_text("7_0|RUNNING\n")
    assert states(["7_0", "7_1"]) == {"7_0": "RUNNING"}


def test_every_state_that_ends_a_run_is_explained() -> None:
    assert set(slurm.MEANINGS) < jobs.ENDED


@dataclass(frozen=True)
class Small:
    """As much of a run as waiting looks at."""

    name: str
    folder: Folder
    config: dict[str, Any]


def submitted(store: Path, count: int, fail_fast: bool = False) -> list[Any]:
    """Runs that an earlier command has submitted as tasks of job 5."""
    runs = [Small(f"r{number}", Folder(store / f"r{number}"), {"sweep": {"fail_fast": fail_fast}}) for number in range(count)]
    for number, run in enumerate(runs):
        write_json(run.folder.path / "slurm.json", {"job": f"5_{number}"})
    return runs


def test_the_same_command_waits_for_jobs_that_are_there(said: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, three = runs = submitted(tmp_path / "store", 3)
    first = "5_0|RUNNING 5_1|PENDING 5_2|RUNNING"
    later = ("5_0|COMPLETED 5_1|RUNNING 5_2|TIMEOUT", "5_0|COMPLETED 5_1|FAILED 5_2|TIMEOUT")
    (said / "5").write_text("\n".join((first, first, *later)) + "\n")
    one.folder.mark("done")
    two.folder.mark("failed", error="its own words")
    Slurm(str(tmp_path), poll_s=0).start(runs)
    assert [run.folder.state for run in runs] == ["done", "failed", "failed"]
    assert two.folder.read("state.json")["error"] == "its own words"
    assert "SLURM job 5_2: TIMEOUT; the time limit was too short" in three.folder.read("state.json")["error"]
    told = capsys.readouterr().err
    assert "3 of 3 runs are in the queue already" in told
    assert "1 pending, 2 running" in told
    assert f"{three.name}: failed (job 5_2: TIMEOUT)" in told


def test_what_nobody_knows_any_more_is_a_failure_unless_the_run_says_otherwise(said: Path, tmp_path: Path) -> None:
    one, two = submitted(tmp_path / "store", 2)
    one.folder.mark("done")
    Slurm(str(tmp_path), poll_s=0).wait({run.name: run for run in (one, two)}, {one.name: "5_0", two.name: "5_1"})
    assert one.folder.done
    assert "no longer knows the job" in two.folder.read("state.json")["error"]


def test_a_finished_job_whose_files_are_late_is_waited_for(said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = submitted(tmp_path / "store", 1)
    (said / "5").write_text("5_0|COMPLETED\n")
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            run.folder.mark("done")

    monkeypatch.setattr(slurm.time, "sleep", nap)
    Slurm(str(tmp_path)).wait({run.name: run}, {run.name: "5_0"})
    assert run.folder.done
    assert len(naps) == 3


def test_a_sweep_that_stops_at_its_first_failure_takes_the_rest_out_of_the_queue(said: Path, tmp_path: Path) -> None:
    one, two = runs = submitted(tmp_path / "store", 2, fail_fast=True)
    (said / "5").write_text("5_0|FAILED 5_1|PENDING\n5_0|FAILED 5_1|CANCELLED\n")
    one.folder.mark("failed", error="")
    Slurm(str(tmp_path), poll_s=0).wait({run.name: run for run in runs}, {one.name: "5_0", two.name: "5_1"})
    assert "scancel --state=PENDING 5_1" in (tmp_path / "calls").read_text()
    assert two.folder.state == "planned"
