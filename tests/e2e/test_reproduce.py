"""An experiment with a real pretrained model gives the numbers that are written down beside it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_quick_experiment_is_as_expected(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kithe.reproduce", "quick"]
    # Nothing else runs beside it, so it may have all cores.
    inherited = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**inherited, "KITHE_STORE": str(tmp_path)})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "quick: as expected" in done.stdout
