"""Sweeps on a real SLURM: two nodes that are daemons on loopback (`slurm.sh`), real jobs, real signals, no accounting."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from kithe.config.compose import ROOT
from kithe.launch.slurm import Slurm
from kithe.store import Folder

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]
HERE = Path(__file__).parent
SMALL = [
    "data=synthetic",
    "model=tiny",
    "task/test=sample",
    "task.test.sample.limit=3",
    "corpus.facts=12",
    "corpus.validation=2",
    "task.format.max_new_tokens=12",
    "judge.resamples=200",
    "progress=false",
]
CLUSTER = ["hydra/launcher=slurm", "hydra.launcher.cpus=2", "hydra.launcher.mem_gb=2", "hydra.launcher.poll_s=0.5"]


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A SLURM of two nodes; in CI its absence is a failure."""
    root = tmp_path_factory.mktemp("slurm")
    environment = {**os.environ, "SLURM_TEST_ROOT": str(root)}
    # To a file: daemons keep what they are given as standard output.
    with open(root / "start.txt", "w+", encoding="utf-8") as told:
        code = subprocess.run([HERE / "slurm.sh", "start", "2"], env=environment, stdout=told, check=False).returncode
        told.seek(0)
        text = told.read()
    if code == 3 and not os.environ.get("CI"):
        pytest.skip(f"no SLURM: {text}")
    assert code == 0, text
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", text.splitlines()[-1])
        patch.setenv("PYTHONPATH", f"{os.environ.get('PYTHONPATH', '')}:{HERE}")
        yield
        subprocess.run(["scancel", "--user=root"], check=False)
    subprocess.run([HERE / "slurm.sh", "stop"], env=environment, check=True)


def started(store: Path, *words: str) -> "subprocess.Popen[str]":
    given = {word.partition("=")[0] for word in words}
    small = [word for word in SMALL if word.partition("=")[0] not in given]
    full = [sys.executable, str(ROOT / "run.py"), *words, *small, f"paths.store={store}"]
    return subprocess.Popen(full, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]", code: int = 0) -> tuple[str, str]:
    out, err = process.communicate()
    assert process.returncode == code, err[-3000:]
    return out, err


def results(store: Path) -> dict[str, dict[str, Any]]:
    return {file.parent.name: json.loads(file.read_text()) for file in sorted(store.glob("runs/*/result.json"))}


def losses(store: Path, weights: str) -> list[float]:
    return [json.loads(line)["loss"] for line in (store / "weights" / weights / "metrics.jsonl").read_text().splitlines()]


def waited(look: Callable[[], Any], process: "subprocess.Popen[str]") -> Any:
    """What `look` finds, as soon as it finds something."""
    while not (found := look()):
        assert process.poll() is None, process.communicate()[1][-3000:]
        time.sleep(0.05)
    return found


def state(job: str) -> str:
    asked = subprocess.run(["squeue", "--noheader", "--states=all", "--format=%T", "--jobs", job], capture_output=True, text=True)
    return asked.stdout.strip()


def test_a_sweep_of_cells_of_two_processes_each(tmp_path: Path) -> None:
    words = ["-m", "adapt=lora,sft", "seed=0,1", "runtime=ddp", "sweep.name=square", *CLUSTER, "hydra.launcher.at_once=1"]
    out, err = ended(started(tmp_path / "slurm", *words))
    found = results(tmp_path / "slurm")
    assert sorted((value["cell"]["adapt"], value["cell"]["seed"]) for value in found.values()) == [
        ("lora", 0),
        ("lora", 1),
        ("sft", 0),
        ("sft", 1),
    ]
    assert {(value["environment"]["world_size"], value["environment"]["strategy"]) for value in found.values()} == {(2, "ddp")}
    assert "4 runs submitted as job" in err
    assert err.count(": COMPLETED)") == 4
    assert "table.md" in out
    assert len((tmp_path / "slurm" / "sweeps" / "square" / "runs.csv").read_text().splitlines()) == 5
    # A corpus for each seed, made once and read by both adaptations.
    assert len(list((tmp_path / "slurm").glob("corpus/*/train.jsonl"))) == 2
    ended(started(tmp_path / "here", "adapt=lora", "seed=0"))
    ((name, alone),) = results(tmp_path / "here").items()
    assert found[name]["metrics"] == alone["metrics"]
    weights = alone["provenance"]["stages"]["weights"]
    one, two = losses(tmp_path / "here", weights), losses(tmp_path / "slurm", weights)
    assert max(abs(a - b) for a, b in zip(one, two, strict=True)) < 1e-5
    out, err = ended(started(tmp_path / "slurm", *words))
    assert "submitted" not in err
    assert "table.md" in out


def test_a_failing_cell(tmp_path: Path) -> None:
    out, err = ended(started(tmp_path, "-m", "adapt=lora", "adapt.target_modules=no_such_layer", *CLUSTER), 1)
    (folder,) = tmp_path.glob("runs/*")
    error = Folder(folder).read("state.json")["error"]
    assert "Traceback" in error
    assert "no_such_layer" in error
    assert "failed" in out
    assert ": failed (job" in err


@dataclass(frozen=True)
class Waits:
    """A run whose program waits to be told to stop."""

    folder: Folder
    name: str
    module: str = "stuck"
    config: ClassVar[dict[str, Any]] = {"sweep": {"name": None, "fail_fast": False}}

    def prepare(self) -> Path:
        self.folder.path.mkdir(parents=True)
        return self.folder.path


def test_jobs_that_are_cancelled_before_and_after_they_begin_and_two_that_take_too_long(tmp_path: Path) -> None:
    stuck: list[Any] = [Waits(Folder(tmp_path / name), name) for name in ("slow", "cancelled", "waiting")]
    runs = [Waits(Folder(tmp_path / "patient"), "patient", "patient"), *stuck]
    slurm = Slurm(str(tmp_path / "slurm"), time_min=1, signal_s=10, cpus=1, mem_gb=1, poll_s=0.5, at_once=3, requeue=3)
    thread = Thread(target=slurm.start, args=(runs,))
    thread.start()
    while not all((tmp_path / name / "begun").exists() for name in ("patient", "slow", "cancelled")):
        assert thread.is_alive()
        time.sleep(0.05)
    patient, *jobs = [run.folder.read("slurm.json")["job"] for run in runs]
    assert [state(job) for job in jobs] == ["RUNNING", "RUNNING", "PENDING"]
    subprocess.run(["scancel", jobs[2]], check=True)
    subprocess.run(["scancel", jobs[1]], check=True)
    # SLURM itself says that the time limit comes near.
    while not (restarts(patient) and state(patient) == "PENDING"):
        assert thread.is_alive()
        time.sleep(0.05)
    at_once(patient)
    thread.join()
    slow, cancelled, waiting = (run.folder.read("state.json") for run in stuck)
    assert "TIMEOUT; the time limit was too short" in slow["error"]
    assert "CANCELLED; somebody cancelled it" in cancelled["error"]
    assert "CANCELLED; somebody cancelled it" in waiting["error"]
    assert not (tmp_path / "waiting" / "begun").exists()
    # None of them came back, but for the one that saved.
    assert [state(job) for job in jobs] == ["TIMEOUT", "CANCELLED", "CANCELLED"]
    assert runs[0].folder.done
    assert restarts(patient) == 1


def test_two_nodes_share_a_cell(tmp_path: Path) -> None:
    sweep = started(tmp_path, "-m", "adapt=lora", "runtime=ddp", *CLUSTER, "hydra.launcher.nodes=2")
    listing = ["squeue", "--steps", "--noheader", "--format=%N"]
    waited(lambda: "n[1-2]" in subprocess.run(listing, capture_output=True, text=True).stdout.split(), sweep)
    ended(sweep)
    (value,) = results(tmp_path).values()
    assert value["environment"]["world_size"] == 2


STEPS = ["adapt=lora", "corpus.facts=60", "task.test.sample.limit=8", "task.batch_tokens=700", "checkpoint_every=2"]
STEPS += ["adapt.recipe.effective_batch=4", "adapt.recipe.micro_batch=2", "adapt.recipe.epochs=10"]
TRAINS, ANSWERS = "weights/*/metrics.jsonl", "predictions/*/*/generations.rank0.jsonl"


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run leaves that nobody interrupts."""
    store: Path = tmp_path_factory.mktemp("straight")
    ended(started(store, *STEPS))
    return kept(store)


def kept(store: Path) -> dict[str, Any]:
    """Everything a run leaves, without what may differ: times and places."""
    patterns = ("corpus/*/*.jsonl", "weights/*/metrics.jsonl", "predictions/*/*/predictions.jsonl", "runs/*/scores/*.jsonl")
    found: dict[str, Any] = {
        str(file.relative_to(store)): file.read_bytes()
        for pattern in (*patterns, "weights/*/weights/*.safetensors")
        for file in store.glob(pattern)
    }
    return found | {name: value["metrics"] for name, value in results(store).items()}


def lines(store: Path, *patterns: str) -> int:
    """How far a run is, in rows of these files."""
    return sum(file.read_text(encoding="utf-8").count("\n") for pattern in patterns for file in store.glob(pattern))


def job_of(store: Path) -> str:
    return str(json.loads(next(store.glob("runs/*/slurm.json")).read_text())["job"])


def test_a_preempted_job_queues_itself_again_and_ends_as_if_nothing_had_happened(
    straight: dict[str, Any], tmp_path: Path
) -> None:
    sweep = started(tmp_path, "-m", *STEPS, *CLUSTER)
    interruptions = (
        ([TRAINS], ["scancel", "--signal=USR1"]),
        ([TRAINS, ANSWERS], ["scancel", "--signal=USR2"]),
        ([TRAINS, ANSWERS], ["scancel", "--signal=TERM"]),
        ([ANSWERS], ["scontrol", "requeue"]),
    )
    for starts, (where, tell) in enumerate(interruptions):
        begun = lines(tmp_path, *where)
        waited(lambda where=where, begun=begun: lines(tmp_path, *where) > begun, sweep)
        job = job_of(tmp_path)
        subprocess.run([*tell, job], check=True)
        waited(lambda job=job, starts=starts: restarts(job) > starts and state(job) == "PENDING", sweep)
        assert not results(tmp_path)
        at_once(job)
        waited(lambda job=job: state(job) == "RUNNING", sweep)
    ended(sweep)
    assert restarts(job) == 4
    (log,) = (tmp_path / "slurm").glob("*_log.err")
    said = log.read_text(encoding="utf-8")
    assert [f"queues itself again ({number} of 10)" in said for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert unlike(straight, tmp_path) == []


def test_a_cancelled_cell_does_not_come_back_and_the_same_command_goes_on(straight: dict[str, Any], tmp_path: Path) -> None:
    sweep = started(tmp_path, "-m", *STEPS, *CLUSTER)
    waited(lambda: lines(tmp_path, TRAINS), sweep)
    first = job_of(tmp_path)
    subprocess.run(["scancel", first], check=True)
    assert f"failed (job {first}: CANCELLED)" in ended(sweep, 1)[1]
    (folder,) = tmp_path.glob("runs/*")
    assert "somebody cancelled it; repeat the command to go on" in Folder(folder).read("state.json")["error"]
    assert (state(first), restarts(first)) == ("CANCELLED", 0)
    before = lines(tmp_path, TRAINS, ANSWERS)
    ended(started(tmp_path, "-m", *STEPS, *CLUSTER))
    assert job_of(tmp_path) != first
    assert lines(tmp_path, TRAINS, ANSWERS) > before
    assert unlike(straight, tmp_path) == []


def unlike(straight: dict[str, Any], store: Path) -> list[str]:
    """What a store holds otherwise than the uninterrupted run."""
    found = kept(store)
    assert set(found) == set(straight)
    assert len(found) == 7
    return [name for name in straight if straight[name] != found[name]]


def at_once(job: str) -> None:
    """Start a job that was queued again, which SLURM would hold back for two minutes."""
    subprocess.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], check=True)


def restarts(job: str) -> int:
    shown = subprocess.run(["scontrol", "--oneliner", "show", "job", job], capture_output=True, text=True).stdout
    return int(shown.partition("Restarts=")[2].split()[0])


GENERATE = ["task=generate", "task.personas=40", "task.rows_per_file=10", "task.together=10"]


def test_the_shards_of_a_corpus_are_tasks_too_and_whoever_waits_may_leave_and_come_back(tmp_path: Path) -> None:
    command, many = [sys.executable, str(ROOT / "run.py")], tmp_path / "many"
    subprocess.run([*command, *GENERATE, f"paths.store={tmp_path / 'one'}"], check=True, capture_output=True)
    shards = ["-m", *GENERATE, "task.shards=3", "task.shard=0,1,2", *CLUSTER, f"paths.store={many}"]
    first = subprocess.Popen([*command, *shards], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    waited(lambda: len(list(many.glob("generated/*/shards/*/slurm.json"))) == 3, first)
    first.send_signal(signal.SIGINT)
    assert "the same command waits for them again" in ended(first, 1)[1]
    said = subprocess.run([*command, *shards], check=True, capture_output=True, text=True)
    assert "are in the queue already" in said.stderr
    assert "submitted" not in said.stderr
    assert corpus(tmp_path / "one") == corpus(many)


def corpus(store: Path) -> dict[str, bytes]:
    """The published corpus and the rows it is made from."""
    files = [*store.glob("rows/*/*.jsonl"), *store.glob("generated/*/**/*.jsonl"), *store.glob("generated/*/**/*.parquet")]
    assert len(files) > 5
    return {str(file.relative_to(store)): file.read_bytes() for file in files if "shards" not in file.parts}
