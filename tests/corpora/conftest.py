"""The real sets, where they are."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder with the record files; without it a test is skipped, in continuous integration it fails."""
    folder = os.environ.get("KITHE_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    reason = "needs the real sets: set KITHE_DATA to the folder that holds laps/, msc/, personachat/, …"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
