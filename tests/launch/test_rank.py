"""Workers that are still importing when everything above them is killed end too."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

OWNER = """
import sys
from pathlib import Path
from kithe.launch.processes import run_worker
from kithe.launch.runtime import Placement
from kithe.launch.signals import StopFlag
run_worker(Path(sys.argv[1]), Placement("cpu", 2, "ddp"), StopFlag())
"""
# An import of the worker that does not end.
ENDLESS = """
import os, sys, time
from pathlib import Path
class Endless:
    def find_spec(self, name, *rest):
        if name == "kithe.worker":
            Path(os.environ["BEGUN"], str(os.getpid())).touch()
            time.sleep(600)
sys.meta_path.insert(0, Endless())
"""


@pytest.mark.slow
def test_no_rank_outlives_its_parents(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    (tmp_path / "sitecustomize.py").write_text(ENDLESS, encoding="utf-8")
    paths = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    variables = {**os.environ, "PYTHONPATH": paths, "BEGUN": str(begun)}
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], env=variables)
    while len(ranks := [int(file.name) for file in begun.iterdir()]) < 2:
        assert owner.poll() is None
        time.sleep(0.1)
    owner.kill()
    owner.wait()
    while any(lives(rank) for rank in ranks):
        time.sleep(0.1)


def lives(process: int) -> bool:
    """Whether a process is there and has not ended."""
    file = Path(f"/proc/{process}/stat")
    return file.exists() and file.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
