"""Lightning's DeepSpeed strategy on CPUs over gloo, which it refuses by itself; real ZeRO partitions for tests without GPUs."""

import os

os.environ.setdefault("DS_ACCELERATOR", "cpu")

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from lightning_fabric.utilities.seed import reset_seed
from pytorch_lightning.strategies import DeepSpeedStrategy


@contextmanager
def _without_device_index() -> Iterator[None]:
    """Lightning passes the CPU's index, None, where DeepSpeed compares with 0."""
    import deepspeed

    real = deepspeed.initialize

    def initialize(*args: Any, **named: Any) -> Any:
        return real(*args, **{**named, "args": argparse.Namespace()})

    with mock.patch.object(deepspeed, "initialize", initialize):
        yield


class CPUDeepSpeedStrategy(DeepSpeedStrategy):
    def __init__(self, **named: Any) -> None:
        super().__init__(process_group_backend="gloo", **named)

    def setup_environment(self) -> None:
        import deepspeed

        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # compiling it takes more than a minute
        super(DeepSpeedStrategy, self).setup_environment()

    def setup_distributed(self) -> None:
        reset_seed()
        self.set_world_ranks()
        self._init_deepspeed_distributed()

    def init_deepspeed(self) -> None:
        with _without_device_index():
            super().init_deepspeed()
