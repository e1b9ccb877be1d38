"""What a sweep submits to SLURM: the batch file, to the letter. `sbatch` is a stand-in that keeps the file and says a number."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kithe.cell import Cell
from kithe.config.compose import built, compose
from kithe.errors import ConfigError
from kithe.launch.slurm import Slurm

GOLDEN = Path(__file__).parent / "golden"
SBATCH = """#!/bin/sh
cp "$1" "$KITHE_SEEN"
[ -z "$KITHE_DONE" ] || echo '{"state": "done"}' > "$KITHE_DONE"
echo "Submitted batch job 41"
"""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the batch file is kept; `sbatch` and `srun` are stand-ins."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("sbatch", SBATCH), ("srun", "#!/bin/sh\n")):
        (tools / name).write_text(text, encoding="ascii")
        (tools / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("KITHE_SEEN", str(tmp_path / "seen.sh"))
    return tmp_path / "seen.sh"


def cells(store: Path, *seeds: int) -> list[Cell]:
    return [Cell.of(compose(["adapt=lora", "model=tiny", f"seed={seed}", f"paths.store={store}"])) for seed in seeds]


CLUSTER = {
    "partition": "gpu",
    "account": "lab",
    "time_min": 90,
    "nodes": 2,
    "cpus": 8,
    "gpus": 4,
    "mem_gb": 32,
    "setup": ["module load cuda"],
    "more": {"mail-type": "FAIL"},
    "at_once": 3,
}


@pytest.mark.parametrize(("name", "settings", "seeds"), [("array", CLUSTER, (0, 1, 2, 3)), ("single", {"requeue": 0}, (0,))])
def test_the_batch_file(name: str, settings: dict[str, object], seeds: tuple[int, ...], tmp_path: Path, seen: Path) -> None:
    store = tmp_path / "store"
    runs = cells(store, *seeds)
    jobs = built("hydra.launcher", {"_target_": "kithe.launch.slurm.Slurm", "folder": str(store / "slurm"), **settings}).submit(
        runs
    )
    text = seen.read_text(encoding="utf-8").replace(str(store), "/store").replace(sys.executable, "/python")
    assert text == (GOLDEN / f"{name}.sh").read_text(encoding="utf-8")
    assert sorted(jobs.values()) == (["41_0", "41_1", "41_2", "41_3"] if len(seeds) > 1 else ["41"])
    assert [run.folder.read("slurm.json")["job"] for run in runs] == list(jobs.values())
    assert [run.folder.state for run in runs] == ["planned"] * len(runs)
    assert subprocess.run(["bash", "-n", str(seen)], check=False).returncode == 0


def test_a_run_that_ends_before_its_submission_does_keeps_its_state(
    tmp_path: Path, seen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = cells(tmp_path, 0)
    run.folder.mark("failed", error="earlier")
    monkeypatch.setenv("KITHE_DONE", str(run.folder.path / "state.json"))
    Slurm(str(tmp_path / "slurm")).submit([run])
    assert run.folder.read("state.json") == {"state": "done"}


def test_what_a_cluster_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hydra\.launcher\.nodes=0"):
        Slurm(str(tmp_path), nodes=0)
    with pytest.raises(ConfigError, match="told to stop as it starts"):
        Slurm(str(tmp_path), time_min=1, signal_s=60)
    with pytest.raises(ConfigError, match="did you mean 'partition'"):
        built("hydra.launcher", {"_target_": "kithe.launch.slurm.Slurm", "folder": "x", "partitoin": "gpu"})
    with pytest.raises(ConfigError, match=r"hydra\.launcher\.cpus"):
        built("hydra.launcher", {"_target_": "kithe.launch.slurm.Slurm", "folder": "x", "cpus": "many"})


def test_without_slurm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no sbatch here"):
        Slurm(str(tmp_path)).start(cells(tmp_path, 0))
    Slurm(str(tmp_path)).start([])
