"""With what a result was made."""

import importlib.metadata
import os
import platform
import subprocess
from functools import cache
from pathlib import Path

PACKAGES = ("torch", "transformers", "peft", "pytorch-lightning", "sentence-transformers", "xgrammar", "numpy")


@cache
def environment() -> dict[str, str]:
    """Versions of what can change numbers, and the machine in general words."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **versions, "platform": platform.machine(), "cores": str(os.cpu_count())}


@cache
def git_state() -> dict[str, str]:
    """The commit the code stands at, and whether it was changed since; empty outside a checkout."""
    root = Path(__file__).resolve().parents[2]

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False).stdout.strip()

    commit = git("rev-parse", "HEAD")
    return {"commit": commit, "changed": str(bool(git("status", "--porcelain", "--untracked-files=no")))} if commit else {}
