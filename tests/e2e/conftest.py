"""A store, a small folder of data in the shape of the real sets, and a way to run commands on a model of two random layers."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from small import SMALL, Run, laps_rows, msc_rows, persona_rows

from kithe.config.compose import ROOT


@pytest.fixture(scope="session")
def folder_of_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hand-made rows in the record form of the real sets."""
    folder = tmp_path_factory.mktemp("sets")
    for name, rows in (("personachat", persona_rows), ("laps", laps_rows), ("msc", msc_rows)):
        (folder / name).mkdir()
        for split in ("train", "validation", "test"):
            with gzip.open(folder / name / f"{split}.jsonl.gz", "wt", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(row)}\n" for row in rows(split))
    return folder


@pytest.fixture
def run(tmp_path: Path, folder_of_sets: Path) -> Run:
    """Run `run.py` with these words on the small settings; the store is `tmp_path / "store"` unless one is named."""

    def command(words: Sequence[str], *, check: bool = True, store: Path | None = None) -> "subprocess.CompletedProcess[str]":
        full = [sys.executable, str(ROOT / "run.py"), *words, *SMALL, f"paths.store={store or tmp_path / 'store'}"]
        done = subprocess.run(
            full, capture_output=True, text=True, check=False, env={**os.environ, "KITHE_DATA": str(folder_of_sets)}
        )
        assert not check or done.returncode == 0, done.stderr[-3000:]
        return done

    return command
