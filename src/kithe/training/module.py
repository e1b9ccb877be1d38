"""Supervised fine-tuning as a LightningModule: the loss of a micro-batch, the optimiser, and what a checkpoint holds."""

import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from kithe.errors import ConfigError
from kithe.training.adapters import Recipe
from kithe.training.data import Batch

if TYPE_CHECKING:
    from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig


def supervised_logits(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logits only where a supervised token is predicted, and those tokens.

    The output layer is given the hidden states of those positions alone, inside the model's own forward pass, so whatever the
    model does to logits afterwards (such as capping) still happens, and logits of prompts are never computed.

    Returns:
        logits of shape [supervised tokens, vocabulary] and their targets of shape [supervised tokens].
    """
    learnt = batch.supervised[:, 1:]
    with predicting(model, torch.nn.functional.pad(learnt, (0, 1))):
        logits: Tensor = model(input_ids=batch.ids, attention_mask=batch.attention, use_cache=False).logits
    return logits, batch.ids[:, 1:][learnt]


@contextmanager
def predicting(model: nn.Module, where: Tensor) -> Iterator[None]:
    """The output layer sees the positions `where` [rows, length] alone: logits are [positions, vocabulary]."""
    head: nn.Module = model.get_output_embeddings()  # type: ignore[operator]
    hook = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][where],))
    try:
        yield
    finally:
        hook.remove()


def loss_sum(model: nn.Module, batch: Batch) -> Tensor:
    """The negative log-likelihood of the supervised tokens in nats, summed, in fp32."""
    logits, targets = supervised_logits(model, batch)
    return cross_entropy(logits.float(), targets, reduction="sum")


def rate(step: int, steps: int, warmup: float) -> float:
    """The share of the peak learning rate at an optimiser step: linear up over `warmup * steps`, then half a cosine down."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def adamw(learnt: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.AdamW:
    """AdamW in one kernel for each parameter: nothing beside the weight, its gradient and two moments is kept in memory.

    It differs in rounding from torch's other forms, which take as much again as the largest parameter (on CPUs) or all (on GPUs).
    """
    first, second = recipe.betas
    peak, decay = recipe.learning_rate, recipe.weight_decay
    optimiser = torch.optim.AdamW(learnt, lr=peak, betas=(first, second), weight_decay=decay, fused=True)
    # It could undo the scaling of gradients, which is never done here; Lightning would not clip what might be scaled.
    optimiser._step_supports_amp_scaling = False
    return optimiser


class SFTModule(pl.LightningModule):
    """Learns the supervised tokens of chat examples.

    Args:
        model: with gradients required where it is to learn; None where `later` makes it.
        recipe: see `Recipe`.
        steps: optimiser steps altogether.
        world: number of ranks.
        seed: root of the draws of dropout.
        identity: what a checkpoint must agree about to be continued, as plain values.
        later: makes the model from Lightning's strategy, once its processes have met.
    """

    model: nn.Module

    def __init__(
        self,
        model: nn.Module | None,
        recipe: Recipe,
        *,
        steps: int,
        world: int,
        seed: int,
        identity: dict[str, Any],
        later: Callable[[Any], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.strict_loading = False  # checkpoints lack the frozen weights; `on_load_checkpoint` is strict about the others
        self._later = later
        if model is not None:
            self.model = model
        self._recipe, self._steps, self._world, self._seed = recipe, steps, world, seed
        self._identity = json.dumps(identity, sort_keys=True)

    def configure_model(self) -> None:
        """Make the model where it was left for later."""
        if self._later is not None:
            self.model, self._later = self._later(self.trainer.strategy), None

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """`loss` for Lightning to differentiate, and the plain sum `nll` for the journal."""
        torch.manual_seed(zlib.crc32(f"{self._seed}/dropout/{batch.step}/{batch.draw}".encode()))
        total = loss_sum(self.model, batch)
        return {"loss": total * (self._divided_by() / batch.targets), "nll": total.detach()}

    def _divided_by(self) -> int:
        """What gradients are divided by on their way, where the number of supervised tokens alone is wanted.

        Averaging over ranks divides by their number, Lightning by the micro-batches of a rank, and a strategy that accumulates
        itself (DeepSpeed) divides by the latter again.
        """
        accumulated = self.trainer.accumulate_grad_batches
        return self._world * accumulated ** (2 if self.trainer.strategy.handles_gradient_accumulation else 1)

    def configure_optimizers(self) -> "OptimizerLRSchedulerConfig":
        """AdamW over what requires gradients, and the schedule over our own number of steps."""
        recipe, steps = self._recipe, self._steps
        optimiser = adamw([parameter for parameter in self.parameters() if parameter.requires_grad], recipe)
        schedule = LambdaLR(optimiser, lambda step: rate(step, steps, recipe.warmup))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def optimizer_step(self, *args: Any, **named: Any) -> None:
        """Make a step, and give the gradients' memory back at once; Lightning would keep them through the next forward pass."""
        super().optimizer_step(*args, **named)
        if not self.trainer.strategy.handles_gradient_accumulation:  # DeepSpeed sees to its own
            self.zero_grad(set_to_none=True)

    def learnt(self) -> set[str]:
        """Names of the parameters that learn."""
        return {name for name, parameter in self.named_parameters() if parameter.requires_grad}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep only what is learnt; settings go in as text, so that `weights_only=True` can read them."""
        learnt = self.learnt()
        checkpoint["state_dict"] = {name: value for name, value in checkpoint["state_dict"].items() if name in learnt}
        checkpoint["kithe"] = self._identity

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Check that the checkpoint is of this run and set Lightning's batch counters for the micro-batches of today.

        Raises:
            ConfigError: it is of another run or of other parameters.
        """
        weights = checkpoint.get("state_dict", self.learnt())  # ZeRO keeps them elsewhere and is strict itself
        if checkpoint.get("kithe") != self._identity or set(weights) != self.learnt():
            raise ConfigError(
                "the checkpoint in this folder was made with other settings; delete its 'checkpoint' folder to start anew"
            )
        done = checkpoint["global_step"] * self.trainer.accumulate_grad_batches
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        for scope in ("total", "current"):
            progress[scope] = dict.fromkeys(progress[scope], done)
