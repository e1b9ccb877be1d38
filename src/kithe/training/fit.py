"""Adapting a model to examples: tokens, plan, Lightning, weights on disk."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from kithe.errors import ConfigError, Stopped
from kithe.llm.models import ModelSpec
from kithe.records.base import write_json
from kithe.records.chat import ChatExample
from kithe.training.adapters import Trainable
from kithe.training.callbacks import Bar, Checkpointing, Sink
from kithe.training.checkpoints import Checkpoints
from kithe.training.export import export, gather, release
from kithe.training.run import Run
from kithe.training.trainer import Hardware, make_trainer


@dataclass(frozen=True)
class FitReport:
    """What training took.

    Attributes:
        examples: training examples, each learnt from once an epoch.
        tokens: tokens of all optimiser steps, padding not counted.
        supervised_tokens: those among them that were learnt.
        steps: optimiser steps.
        dropped: training examples left out because they were too long.
        dropped_validation: the same of validation examples.
        seconds: wall-clock time of training, earlier processes of the same run included.
        logits_check: largest difference of logits between trained and exported weights.
    """

    examples: int
    tokens: int
    supervised_tokens: int
    steps: int
    dropped: int
    dropped_validation: int
    seconds: float
    logits_check: float


def fit(
    adapter: Trainable,
    model: ModelSpec,
    examples: Sequence[ChatExample],
    validation: Sequence[ChatExample],
    *,
    precision: str,
    seed: int,
    folder: Path,
    sink: Sink,
    hardware: Hardware | None = None,
    checkpoint_every: int = 50,
    progress: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> FitReport:
    """Adapt `model` to `examples`; called in every process that torchrun started, or in one process without torchrun.

    Repeating the call goes on where the last one ended, and returns at once if it was done: `folder` then holds `weights/`
    and `fit.json`, while it is at work `checkpoint/`.

    Args:
        precision: `fp32` or `bf16`.
        sink: takes rows of metrics on rank 0; after a resumption, rows since the last checkpoint come again, unchanged.
        hardware: where to compute; by default one process on the CPU.
        checkpoint_every: optimiser steps between checkpoints.
        stop: asked after every step; on True a checkpoint is saved and `Stopped` raised.

    Raises:
        ConfigError: recipe and number of processes do not fit, nothing is left to learn from, or the checkpoint is another's.
        ValueError: an example cannot be learnt from.
        Stopped: see `stop`.
    """
    done = folder / "fit.json"
    if not done.is_file():
        run = Run.make(adapter, model, examples, validation, precision, seed)
        learn(run, folder, sink, hardware or Hardware(), checkpoint_every, progress, stop)
    return FitReport(**json.loads(done.read_text(encoding="utf-8")))


def learn(run: Run, folder: Path, sink: Sink, hardware: Hardware, every: int, progress: bool, stop: Callable[[], bool]) -> None:
    """Train a prepared run and write its weights and report; see `fit`."""
    journal = run.journal(sink, stop)
    kind = hardware.strategy if hardware.divides else "plain"
    checkpoints = Checkpoints(folder / "checkpoint", kind, run.ranks.world)
    saving = Checkpointing(checkpoints, run.plan, every, journal)
    trainer = make_trainer(
        hardware,
        run.ranks,
        folder,
        steps=run.plan.steps,
        accumulation=run.plan.accumulation,
        micro_batch=run.plan.micro_batch,
        bf16=run.precision == "bf16",
        mixed=run.mixed,
        clip=run.recipe.clip,
        callbacks=[journal, saving, *([Bar(run.plan, journal)] if progress else [])],
        progress=progress,
    )
    first = run.ranks.rank == 0
    if first:
        sys.stderr.write(run.division(hardware))
    module = run.module(hardware)
    # DeepSpeed reads its shards with pickle: they are this run's own, and never another's.
    with advised():
        trainer.fit(module, run.loader(), ckpt_path=checkpoints.find(first), weights_only=not hardware.divides)
    if journal.stopped and trainer.global_step < run.plan.steps:
        raise Stopped(f"stopped after step {trainer.global_step} of {run.plan.steps}; the same command goes on from there")
    seconds, gathered = saving.seconds(), gather(module.model, first) if hardware.divides else None
    if gathered is not None:
        release(trainer)
    if trainer.is_global_zero:
        write_json(folder / "fit.json", asdict(_finish(run, module.model, gathered, folder, seconds)))
        shutil.rmtree(folder / "checkpoint")
    trainer.strategy.barrier()


@contextmanager
def advised() -> Iterator[None]:
    """What helps where memory ran out or a process was lost, instead of an allocator's or a network's words.

    Raises:
        ConfigError: memory ran out.
        ConnectionError: another process died, or did not answer in time.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, torch.distributed.DistError) or any(word in str(error) for word in ("gloo", "NCCL")):
            raise ConnectionError(
                "another process of this cell died, or did not answer within runtime.timeout_s; the last checkpoint is intact, "
                f"and the same command goes on from there ({str(error).strip().splitlines()[0]})"
            ) from error
        if not (isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)):
            raise
        raise ConfigError(
            "memory ran out while training; the last checkpoint is intact. Lower adapt.recipe.micro_batch (the result stays the "
            "same), set runtime.recompute=true, or divide the model: runtime=zero3, if need be with runtime.offload=true"
        ) from error


def _finish(run: Run, model: nn.Module, gathered: dict[str, Tensor] | None, folder: Path, seconds: float) -> FitReport:
    if gathered is not None:  # what DeepSpeed trained is no plain model any more
        model = run.model()
        model.load_state_dict(gathered, strict=False)
    check = export(
        run.adapter,
        model,
        run.tokenizer,
        folder / "weights",
        spec=run.spec,
        precision=run.precision,
        example=run.shortest(),
    )
    return FitReport(
        examples=len(run.train.rows),
        tokens=run.plan.tokens,
        supervised_tokens=sum(run.plan.targets),
        steps=run.plan.steps,
        dropped=run.train.dropped,
        dropped_validation=run.held_out.dropped,
        seconds=seconds,
        logits_check=check,
    )
