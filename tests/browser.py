"""A headless Chromium for tests that look at pages as people do. Tests that use it are marked `system`."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 180_000  # milliseconds that a step may take where others need the machine too
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def installed() -> str | None:
    """The path of a Chromium: one on PATH, or else the one playwright installed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            found = playwright.chromium.executable_path
    return found if Path(found).exists() else None


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A running headless Chromium. Without one the test is skipped; in CI it fails."""
    missing = None
    try:
        path = installed()
        missing = None if path else "no Chromium: `make browser` installs one"
    except ImportError:
        path, missing = None, "playwright is not installed: it is in the extra `dev`"
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


if __name__ == "__main__":
    raise SystemExit(installed() is None)
