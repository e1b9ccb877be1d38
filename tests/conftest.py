"""What all tests share: real data where it is, and a failure instead of a skip where it must be."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.browser import chromium
from tests.llm.serving import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Tests run two at a time on two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# Where the tests are started in the background SIGINT is ignored, also by what they start; some send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples every time, however long the first one takes.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of human conversations; in CI its absence is a failure."""
    folder = os.environ.get("KITHE_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    if os.environ.get("CI"):
        pytest.fail("KITHE_DATA names no folder: in CI the real data must be there")
    pytest.skip("KITHE_DATA names no folder of real data")


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Call `kithe` with words it must refuse with status 2; the one line it says."""

    def line(*words: object) -> str:
        from kithe import cli

        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main(list(map(str, words)))
        assert end.value.code == 2
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith("kithe: ")
        return said

    return line


@pytest.fixture(scope="session")
def served_model() -> Iterator[Served]:
    """SmolLM2-135M behind an OpenAI-compatible server on loopback; only for tests marked `slow`."""
    with serving() as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A headless Chromium; only for tests marked `system`."""
    with chromium() as running:
        yield running
