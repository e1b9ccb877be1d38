"""A Lightning Trainer for one process of a fixed number: it never starts processes, distributes data or writes logs."""

import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.strategies import DDPStrategy, Strategy

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


@dataclass(frozen=True)
class Hardware:
    """Where to compute; changes no result.

    Attributes:
        accelerator: `cpu` or `gpu`.
        strategy: `single`, `ddp`, or a Lightning strategy.
        recompute: compute activations anew in the backward pass, to save memory.
    """

    accelerator: str = "cpu"
    strategy: str | Strategy = "single"
    recompute: bool = False


def make_trainer(
    hardware: Hardware,
    ranks: Ranks,
    folder: Path,
    *,
    steps: int,
    accumulation: int,
    mixed: bool,
    clip: float,
    callbacks: Sequence[Callback],
    progress: bool,
) -> pl.Trainer:
    """A trainer for so many optimiser steps.

    Args:
        mixed: whether arithmetic is bf16 over fp32 weights; otherwise it is what the weights are.
        progress: whether one of `callbacks` is a progress bar.

    Raises:
        ConfigError: the strategy does not exist.
    """
    _silence()
    return pl.Trainer(
        accelerator=hardware.accelerator,
        devices=ranks.local_world,
        num_nodes=ranks.world // ranks.local_world,
        strategy=_strategy(hardware, ranks),
        plugins=[TorchElasticEnvironment() if "TORCHELASTIC_RUN_ID" in os.environ else LightningEnvironment()],
        precision="bf16-mixed" if mixed else "32-true",
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


def _strategy(hardware: Hardware, ranks: Ranks) -> str | Strategy:
    if not isinstance(hardware.strategy, str):
        return hardware.strategy
    if hardware.strategy not in ("single", "ddp"):
        raise unknown("training strategy", hardware.strategy, ("single", "ddp"))
    if hardware.strategy == "single" and ranks.world == 1:
        return "auto"
    # Buffers are the same everywhere, and gradients need no second copy.
    return DDPStrategy(broadcast_buffers=False, gradient_as_bucket_view=True)


def _silence() -> None:
    import torch.utils.deterministic

    # Deterministic kernels are wanted, not the filling of every fresh tensor that comes with asking for them.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    for name in ("pytorch_lightning", "lightning_fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric)\..*")
