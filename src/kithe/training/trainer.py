"""A Lightning Trainer for one process of a fixed number: it never starts processes, distributes data or writes logs."""

import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning_fabric.plugins.io import TorchCheckpointIO
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.strategies import DDPStrategy, Strategy
from pytorch_lightning.trainer.connectors.signal_connector import _SignalConnector

from kithe.errors import unknown


@dataclass(frozen=True)
class Ranks:
    """Where this process stands among those torchrun started; alone without torchrun."""

    rank: int = 0
    world: int = 1
    local_world: int = 1

    @classmethod
    def of_this_process(cls) -> "Ranks":
        """What torchrun says, and nothing else: variables of SLURM or of an earlier run are not believed."""
        if "TORCHELASTIC_RUN_ID" not in os.environ:
            return cls()
        return cls(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")))


STRATEGIES: Final = ("single", "ddp", "zero2", "zero3")


@dataclass(frozen=True)
class Hardware:
    """Where to compute; changes no result.

    Attributes:
        accelerator: `cpu` or `gpu`.
        strategy: `single`, `ddp`, `zero2` or `zero3` (DeepSpeed).
        offload: under ZeRO, keep on the host what is divided.
        recompute: compute activations anew in the backward pass, to save memory.
        timeout_s: seconds after which a process that the others wait for counts as hung.
    """

    accelerator: str = "cpu"
    strategy: str = "single"
    offload: bool = False
    recompute: bool = False
    timeout_s: float = 1800.0

    @property
    def divides(self) -> bool:
        """Whether ZeRO divides the optimiser's state, and maybe the weights."""
        return self.strategy.startswith("zero")

    @property
    def answering(self) -> "Hardware":
        """The same devices with a copy of the model each, as answering needs it."""
        return replace(self, strategy="ddp") if self.divides else self


def make_trainer(
    hardware: Hardware,
    ranks: Ranks,
    folder: Path,
    *,
    steps: int,
    accumulation: int,
    micro_batch: int = 1,
    bf16: bool = False,
    mixed: bool,
    clip: float,
    callbacks: Sequence[Callback],
    progress: bool,
) -> pl.Trainer:
    """A trainer for so many optimiser steps.

    Args:
        micro_batch: examples in memory at once.
        bf16: whether arithmetic is to be bf16.
        mixed: whether the weights are fp32 nevertheless. Otherwise Lightning leaves weights as they are, except under DeepSpeed,
            which would make them fp32 and so is told to keep fp32 masters of what is learnt.
        progress: whether one of `callbacks` is a progress bar.

    Raises:
        ConfigError: the strategy does not exist.
    """
    silence()
    strategy = _strategy(hardware, ranks, micro_batch)
    masters = mixed or (bf16 and hardware.divides)
    place = TorchElasticEnvironment() if "TORCHELASTIC_RUN_ID" in os.environ else LightningEnvironment()
    trainer = pl.Trainer(
        accelerator=hardware.accelerator,
        devices=ranks.local_world,
        num_nodes=ranks.world // ranks.local_world,
        strategy=strategy,
        plugins=[place] if hardware.divides else [place, ToFile()],
        precision="bf16-mixed" if masters else "32-true",
        max_steps=steps,
        accumulate_grad_batches=accumulation,
        gradient_clip_val=clip or None,
        callbacks=list(callbacks),
        limit_val_batches=0,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=progress,
        default_root_dir=folder,
        deterministic="warn",
    )
    trainer._signal_connector = NoSignals(trainer)
    return trainer


class NoSignals(_SignalConnector):
    """Leaves SIGTERM to who asked for it (`StopFlag`).

    Lightning would end the process with status 0 in the middle of its work and without a checkpoint, and talk to other processes
    from inside the handler. Schedulers send it to every process of a job, and so to this one.
    """

    def register_signal_handlers(self) -> None:
        """None."""


class ToFile(TorchCheckpointIO):  # type: ignore[misc]
    """Writes a checkpoint into its file as it goes; Lightning would first make all of it in memory."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None) -> None:
        """Not whole or not at all: that is the caller's to see to (`Checkpoints`).

        Raises:
            OSError: the file cannot be written.
        """
        try:
            with open(path, "wb") as file:
                torch.save(checkpoint, file)
        except RuntimeError as error:  # torch's own words about a position in the file
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def _strategy(hardware: Hardware, ranks: Ranks, micro_batch: int) -> str | Strategy:
    if hardware.strategy not in STRATEGIES:
        raise unknown("training strategy", hardware.strategy, STRATEGIES)
    timeout = timedelta(seconds=hardware.timeout_s)
    if hardware.divides:
        from kithe.training.zero import Zero

        stage, cpu = int(hardware.strategy[-1]), hardware.accelerator == "cpu"
        return Zero(stage, micro_batch, offload=hardware.offload, cpu=cpu, timeout=timeout)
    if hardware.strategy == "single" and ranks.world == 1:
        return "auto"
    # Buffers are the same everywhere, and gradients need no second copy.
    return DDPStrategy(broadcast_buffers=False, gradient_as_bucket_view=True, timeout=timeout)


def silence() -> None:
    """Keep Lightning's advice to programmers away from users."""
    import torch.utils.deterministic

    # Deterministic kernels are wanted, not the filling of every fresh tensor that comes with asking for them.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    for name in ("pytorch_lightning", "lightning_fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric)\..*")
