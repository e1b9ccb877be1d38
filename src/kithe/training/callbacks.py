"""What happens after an optimiser step: a row of metrics, validation, a checkpoint, and perhaps a stop."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ProgressBar
from torch import Tensor

from kithe.training.checkpoints import Checkpoints
from kithe.training.data import Batch, Plan
from kithe.training.module import loss_sum
from kithe.training.shown import Shown, shown

Sink = Callable[[dict[str, Any]], None]


class Course(Protocol):
    """How far training goes."""

    @property
    def steps(self) -> int:
        """Optimiser steps, or whatever a checkpoint is made between."""

    @property
    def accumulation(self) -> int:
        """Batches in a step."""


class Progress(Protocol):
    """What the journal of a way of learning tells the other callbacks."""

    loss: float
    stopped: bool


class Journal(Callback):
    """Writes one row of metrics for every optimiser step, and one for every validation.

    Args:
        plan: what the steps learn from.
        sink: takes the rows, on rank 0.
        held_out: this rank's validation batches; none for no validation.
        every: optimiser steps between validations; there is also one after the last step.
        stop: asked after every step, on every rank; any rank's yes ends training at that step.

    Attributes:
        loss: that of the last optimiser step.
        stopped: whether training was asked to stop.
    """

    def __init__(self, plan: Plan, sink: Sink, held_out: Sequence[Batch], every: int, stop: Callable[[], bool]) -> None:
        self._plan, self._sink, self._held_out, self._every, self._stop = plan, sink, held_out, every, stop
        self._nll = 0.0
        self._rate = 0.0
        self._norm: dict[str, float] = {}
        self.loss = math.nan
        self.stopped = False

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int) -> None:
        """Remember the learning rate the step is made with."""
        self._rate = trainer.optimizers[0].param_groups[0]["lr"]

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Measure the gradient before it is clipped; DeepSpeed keeps it to itself."""
        gradients = [parameter.grad for parameter in pl_module.parameters() if parameter.grad is not None]
        self._norm = {"gradient_norm": float(torch.nn.utils.get_total_norm(gradients))} if gradients else {}

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Add up the micro-batches; at the end of a step write its row.

        Raises:
            FloatingPointError: the loss is no number any more.
        """
        self._nll += float(outputs["nll"])
        if (batch_idx + 1) % self._plan.accumulation:
            return
        nll, stops = _summed(trainer, [self._nll, float(self._stop())])
        self._nll, self.stopped = 0.0, stops > 0
        self._write(trainer, batch, nll / batch.targets)
        step = batch.step + 1
        if self._held_out and (step % self._every == 0 or step == self._plan.steps):
            self._validate(trainer, pl_module, step)

    def _write(self, trainer: pl.Trainer, batch: Batch, loss: float) -> None:
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} at step {batch.step + 1}; a smaller adapt.recipe.learning_rate may help"
            )
        self.loss = loss
        row = {"stage": "train", "step": batch.step + 1, "loss": loss, "lr": self._rate, "supervised_tokens": batch.targets}
        self._put(trainer, {**row, **self._norm})

    def _validate(self, trainer: pl.Trainer, module: pl.LightningModule, step: int) -> None:
        module.eval()
        nll, count = 0.0, 0
        with torch.no_grad(), trainer.precision_plugin.val_step_context():
            for batch in self._held_out:
                moved = trainer.strategy.batch_to_device(batch)
                nll += float(loss_sum(module.model, moved))  # type: ignore[arg-type]
                count += int(batch.supervised[:, 1:].sum())
        module.train()
        nll, total = _summed(trainer, [nll, count])
        self._put(trainer, {"stage": "validation", "step": step, "loss": nll / total, "supervised_tokens": int(total)})

    def _put(self, trainer: pl.Trainer, row: dict[str, Any]) -> None:
        if trainer.is_global_zero:
            self._sink(row)


class Checkpointing(Callback):
    """Saves every so many optimiser steps, after the last one, and where training is asked to stop.

    It must come after the `Journal`, so that a step that is in a checkpoint has its rows written.
    """

    def __init__(self, checkpoints: Checkpoints, plan: Course, every: int, journal: Progress) -> None:
        self._checkpoints, self._plan, self._every, self._journal = checkpoints, plan, every, journal
        self._before = 0.0
        self._begun = 0.0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._begun = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Save at the boundary of a step: a killed process leaves either the old checkpoint or the new one.

        Raises:
            OSError: it could not be written; the old one is intact.
        """
        if (batch_idx + 1) % self._plan.accumulation:
            return
        step = batch.step + 1
        trainer.should_stop |= self._journal.stopped
        if self._journal.stopped or step % self._every == 0 or step == self._plan.steps:
            self._save(trainer, step)

    def _save(self, trainer: pl.Trainer, step: int) -> None:
        kept = self._checkpoints
        try:
            trainer.save_checkpoint(kept.part)
            trainer.strategy.barrier()  # ZeRO's processes write a shard each
            if trainer.is_global_zero:
                kept.put_in_place()
        except (OSError, RuntimeError) as error:
            kept.drop_part()
            there = f"the one at {kept.last} is intact" if kept.last.exists() else "there is none yet"
            raise OSError(
                f"the checkpoint of step {step} could not be written to {kept.folder} ({str(error).splitlines()[0]}); {there}; "
                "free some space and repeat the command"
            ) from error
        trainer.strategy.barrier()

    def seconds(self) -> float:
        """Training time of this and earlier processes of the run."""
        return self._before + time.perf_counter() - self._begun

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep the time spent so far."""
        checkpoint["seconds"] = self.seconds()

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Count the time earlier processes took."""
        self._before = float(checkpoint["seconds"])


class Bar(ProgressBar):
    """Counts the optimiser steps, on rank 0, with the loss of the last one beside them."""

    def __init__(self, plan: Course, journal: Progress) -> None:
        super().__init__()
        self._plan, self._journal = plan, journal
        self._shown = True
        self._bar: Shown | None = None

    def disable(self) -> None:
        """Show nothing; Lightning asks for it on the other ranks."""
        self._shown = False

    def enable(self) -> None:
        """Show the bar."""
        self._shown = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin where the checkpoint ended."""
        steps, done = self._plan.steps, trainer.global_step
        self._bar = shown("train", "step", steps, done) if self._shown else None

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Count whole steps."""
        if self._bar is not None and (batch_idx + 1) % self._plan.accumulation == 0:
            self._bar.update(note=f"loss={self._journal.loss:.3f}")

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


def _summed(trainer: pl.Trainer, values: Sequence[float]) -> list[float]:
    """The sums over ranks, the same on all of them."""
    tensor = torch.tensor(values, dtype=torch.float64, device=trainer.strategy.root_device)
    total: Tensor = trainer.strategy.reduce(tensor, reduce_op="sum")
    return [float(value) for value in total]
