"""Runs of `job.py` in processes of their own, forked from a server that has imported everything and computed nothing."""

import json
import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import job

Rows = list[dict[str, Any]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def server() -> Any:
    """Needs PYTHONPATH to hold this folder, because the server finds modules by that variable alone."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["job", "kithe.training.zero"])
    context.Process(target=int).start()
    return context


def rendezvous(rank: int, port: int) -> dict[str, str]:
    ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": port, "GROUP_RANK": 0}
    quiet = {"DS_ACCELERATOR": "cpu", "DS_LOG_LEVEL": "error"}
    named = {key: str(value) for key, value in ranks.items()}
    return {"MASTER_ADDR": "127.0.0.1", "TORCHELASTIC_RUN_ID": "test", **quiet, **named}


@dataclass
class Processes:
    """One process or two."""

    context: Any

    def one(self, settings: dict[str, Any]) -> int | None:
        process = self.context.Process(target=job.main, args=(settings,))
        process.start()
        process.join(240)
        return process.exitcode  # type: ignore[no-any-return]

    def two(self, settings: dict[str, Any]) -> list[int | None]:
        pair = self.started(settings)
        pair[0].join(240)
        if pair[0].exitcode != 0 and not {"stop", "term"} & settings.keys():
            pair[1].kill()  # as torchrun does when one has failed
        pair[1].join(240)
        return [process.exitcode for process in pair]

    def killed(self, settings: dict[str, Any], when: Callable[[], bool]) -> list[int | None]:
        """Two that are both killed as soon as something is so; what they say if they ended before."""
        pair = self.started(settings)
        while not when() and any(process.is_alive() for process in pair):
            time.sleep(0.001)
        for process in pair:
            process.kill()
            process.join(240)
        return [process.exitcode for process in pair]

    def started(self, settings: dict[str, Any]) -> list[Any]:
        port = free_port()
        pair = [self.context.Process(target=job.main, args=(settings, rendezvous(rank, port))) for rank in (0, 1)]
        for process in pair:
            process.start()
        return pair


def rows(folder: Path) -> Rows:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def weights(folder: Path) -> bytes:
    return next((folder / "weights").glob("*model.safetensors")).read_bytes()


def path_variable() -> str:
    return os.pathsep.join([str(Path(job.__file__).parent), os.environ.get("PYTHONPATH", "")])
