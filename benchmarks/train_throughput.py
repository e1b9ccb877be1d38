"""kithe's training against TRL's SFTTrainer: `python -m benchmarks.train_throughput [--small] [--only laps/lora]`.

The same random weights of SmolLM2's shape, the same tokens, AdamW with the same schedule, fp32, the same effective batch.
Lengths are those of LAPS and MSC (real conversations, as kithe asks about them), or all the same. Opponents: kithe, one row
at a time (with --recompute also recomputing activations); TRL as it comes (the whole batch at once, activation checkpointing,
fused AdamW); TRL tuned (no checkpointing, its own packing into rows of 1,024 tokens). All run in one process and take turns,
so that other work on the machine hits all of them; speeds are per second of processor time, with wall time beside, from the
start of the first step to the end of the last. With equal lengths, rows come in the same order to both, and the losses of
every step are compared.

Every measurement is a row of the result, which is written after each comparison; what stands there is not measured again.
"""

import argparse
import ctypes
import gc
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from benchmarks.common import write
from benchmarks.rows import Rows
from kithe.config.compose import compose, instantiate, plain
from kithe.llm.chat import Encoded, encode_example
from kithe.llm.models import Folder, PackagedGGUF, Shape
from kithe.training.adapters import FullSFT, Lora, Recipe
from kithe.training.data import Loader, Plan, Tokenised
from kithe.training.fit import learn
from kithe.training.module import rate
from kithe.training.run import Run
from kithe.training.trainer import Hardware, Ranks
from kithe.worker import Meter

OPPONENTS = ("kithe", "trl", "trl_tuned")
RECOMPUTING = ("kithe_recompute",)
LENGTHS = ("laps", "msc", "fixed")
ADAPTS = ("lora", "sft")
FIXED = 256
RATE = 1e-3
RANK, ALPHA = 16, 32


@dataclass
class Steps:
    """What was seen at the beginning of a turn and at the end of every optimiser step."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    supervised: list[int] = field(default_factory=list)
    peak_mb: float = 0.0

    def note(self, loss: float | None = None, supervised: int | None = None) -> None:
        """The first step begins, or a step has ended."""
        self.cpu.append(time.process_time())
        self.wall.append(time.perf_counter())
        if loss is not None:
            self.losses.append(loss)
        if supervised is not None:
            self.supervised.append(supervised)

    def row(self) -> dict[str, Any]:
        """Seconds and supervised tokens of all steps."""
        return {
            "cpu_s": self.cpu[-1] - self.cpu[0],
            "wall_s": self.wall[-1] - self.wall[0],
            "supervised": sum(self.supervised),
            "steps": len(self.cpu) - 1,
            "losses": self.losses,
            "peak_mb": self.peak_mb,
        }


@dataclass(frozen=True)
class Setting:
    """One comparison."""

    folder: Path
    rows: list[Encoded]
    adapt: str
    steps: int
    effective: int

    @property
    def recipe(self) -> Recipe:
        """Constant but for the schedule both sides have: one step of warm-up, then half a cosine."""
        decay = 0.0 if self.adapt == "lora" else 0.01
        return Recipe(RATE, 1, self.effective, 1, 2048, 1 / self.steps, decay)

    @property
    def adapter(self) -> Lora | FullSFT:
        """What both sides begin with, the random adapters included."""
        return Lora(self.recipe, RANK, ALPHA) if self.adapt == "lora" else FullSFT(self.recipe)

    def plan(self) -> Plan:
        """kithe's order."""
        lengths, supervised = [len(row.ids) for row in self.rows], [row.targets for row in self.rows]
        return Plan.make(lengths, supervised, seed=0, epochs=1, effective_batch=self.effective, micro_batch=1, world=1)


@dataclass(frozen=True)
class Timed(Run):
    """A run that notes when its first step begins."""

    seen: Steps

    def loader(self) -> Loader:
        """See `Run.loader`."""
        self.seen.note()
        return super().loader()


def kithe(setting: Setting, recompute: bool) -> dict[str, Any]:
    """A turn of kithe."""
    spec = Folder("shape", str(setting.folder))
    rows = Tokenised(setting.rows, 0)
    seen, meter = Steps(), Meter()
    run = Timed(setting.adapter, spec, spec.tokenizer(), rows, Tokenised([], 0), setting.plan(), Ranks(), "fp32", 0, seen)

    def note(row: dict[str, Any]) -> None:
        seen.note(row["loss"], row["supervised_tokens"])
        seen.peak_mb = meter.read()["peak_memory_mb"]  # before the weights are written and compared

    with tempfile.TemporaryDirectory() as folder:
        learn(run, Path(folder), note, Hardware(recompute=recompute), every=10**6, progress=False, stop=lambda: False)
    return seen.row()


def trl(setting: Setting, tuned: bool) -> dict[str, Any]:
    """A turn of TRL; it gets tokens, so that templates make no difference."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    seen, meter, pending = Steps(), Meter(), [0]

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, *args: Any, **named: Any) -> None:
            seen.note()

        def on_step_end(self, *args: Any, **named: Any) -> None:
            seen.note(None, pending[0])
            seen.peak_mb, pending[0] = meter.read()["peak_memory_mb"], 0

    class Counting(SFTTrainer):  # type: ignore[misc]
        def compute_loss(self, model: Any, inputs: Any, *args: Any, **named: Any) -> Tensor:
            pending[0] += int((inputs["labels"][:, 1:] != -100).sum())
            found: Tensor = super().compute_loss(model, inputs, *args, **named)
            return found

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> LambdaLR:
            share = partial(rate, steps=num_training_steps, warmup=setting.recipe.warmup)
            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, share)
            return self.lr_scheduler

    order = [row for batch in setting.plan().batches for row in batch] if fixed(setting) else range(len(setting.rows))
    data = Dataset.from_list(
        [{"input_ids": setting.rows[row].ids, "completion_mask": [int(x) for x in setting.rows[row].supervised]} for row in order]
    )
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=1 if tuned else setting.effective,
            gradient_accumulation_steps=packed(setting) if tuned else 1,
            max_steps=setting.steps if not tuned else -1,
            num_train_epochs=1,
            learning_rate=RATE,
            adam_beta2=0.95,
            weight_decay=setting.recipe.weight_decay,
            max_grad_norm=1.0,
            max_length=1024,
            train_sampling_strategy="sequential",
            completion_only_loss=True,
            packing=tuned,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            bf16=False,
            seed=0,
            logging_steps=1,
            disable_tqdm=True,
            **({"gradient_checkpointing": False} if tuned else {}),
        )
        model = AutoModelForCausalLM.from_pretrained(setting.folder, dtype=torch.float32)
        pl.seed_everything(0, workers=True, verbose=False)
        trainer = Counting(
            model=setting.adapter.prepare(model),
            args=config,
            train_dataset=data,
            processing_class=AutoTokenizer.from_pretrained(setting.folder),
            callbacks=[Watch()],
        )
        trainer.train()
        seen.losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return seen.row()


def fixed(setting: Setting) -> bool:
    """Whether all rows are equally long."""
    return len({len(row.ids) for row in setting.rows}) == 1


def packed(setting: Setting) -> int:
    """Packed rows of 1,024 tokens in as many tokens as an effective batch has."""
    return max(1, round(setting.effective * statistics.mean(len(row.ids) for row in setting.rows) / 1024))


def turn(setting: Setting, opponent: str) -> dict[str, Any]:
    """A turn, after the memory of the one before was given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    if opponent.startswith("kithe"):
        done = kithe(setting, recompute=opponent == "kithe_recompute")
    else:
        done = trl(setting, tuned=opponent == "trl_tuned")
    return {"opponent": opponent, "adapt": setting.adapt, "threads": torch.get_num_threads(), **done}


def lengths_of(name: str, count: int, tokenizer: Any) -> list[Encoded]:
    """Rows of a corpus as kithe asks about it, or random rows that are all equally long and whose last quarter is learnt."""
    if name == "fixed":
        torch.manual_seed(0)
        ids = torch.randint(1000, 40_000, (count, FIXED)).tolist()
        return [Encoded(row, [False] * (FIXED * 3 // 4) + [True] * (FIXED // 4)) for row in ids]
    config = plain(compose(["data=real", f"data.shares={{{name}: 1}}", "task.format.unit=history"]))
    task, source = instantiate(config["task"]), instantiate(config["data"])
    people = []
    for history in source.histories("train", 0):
        people.append(history)
        if len(people) >= 3 * count:
            break
    rows = [encode_example(tokenizer, example) for example in task.format.examples(people)]
    return [row for row in rows if len(row.ids) <= 1024][:count]


def model(shape: Shape, spec: PackagedGGUF, folder: Path) -> Path:
    """Random weights of that shape with SmolLM2's tokenizer."""
    from transformers import AutoModelForCausalLM

    tokenizer = spec.tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    AutoModelForCausalLM.from_config(shape.config(2048, **ends), dtype=torch.float32).save_pretrained(folder)
    return folder


def speed(rows: Sequence[dict[str, Any]], **wanted: Any) -> float:
    """Supervised tokens per second of processor time over all rows that fit."""
    chosen = [row for row in rows if all(row[key] in value for key, value in wanted.items())]
    seconds = sum(row["cpu_s"] for row in chosen)
    return sum(row["supervised"] for row in chosen) / seconds if seconds else math.nan


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures, of what was measured."""
    found: dict[str, Any] = {}
    real = ("laps", "msc")
    for adapt in ADAPTS:
        for figure, mine, other, where in (
            ("real_lengths", "kithe", "trl", real),
            ("tuned", "kithe", "trl_tuned", real),
            ("fixed", "kithe", "trl", ("fixed",)),
            ("recompute", "kithe_recompute", "trl", real),
        ):
            here = [name for name in where if {mine, other} <= {row["opponent"] for row in chosen(rows, adapt, name)}]
            ours, theirs = (speed(rows, opponent=(who,), adapt=(adapt,), lengths=here) for who in (mine, other))
            found[f"times_trl_{figure}_{adapt}"] = ours / theirs
        found |= memory(rows, adapt)
    tuned = [value for name, value in found.items() if name.startswith("times_trl_tuned") and not math.isnan(value)]
    found["times_trl_tuned"] = min(tuned, default=math.nan)
    found["largest_loss_difference_fixed"] = max(gaps(rows), default=math.nan)
    return {name: value for name, value in found.items() if not math.isnan(value)}


def chosen(rows: Sequence[dict[str, Any]], adapt: str, lengths: str) -> list[dict[str, Any]]:
    """The rows of a comparison."""
    return [row for row in rows if row["adapt"] == adapt and row["lengths"] == lengths]


def memory(rows: Sequence[dict[str, Any]], adapt: str) -> dict[str, float]:
    """Peaks against TRL's, the largest ratio over comparisons; what TRL does is named last."""
    pairs = (("", "kithe", "trl"), ("_tuned", "kithe", "trl_tuned"), ("_recompute", "kithe_recompute", "trl"))
    found = {}
    for name, mine, other in pairs:
        ratios = []
        for lengths, size in product(LENGTHS, {size_of(row) for row in rows}):
            peaks = {row["opponent"]: row["peak_mb"] for row in chosen(rows, adapt, lengths) if size_of(row) == size}
            if {mine, other} <= peaks.keys():
                ratios.append(peaks[mine] / peaks[other])
        found[f"memory_of_trl{name}_{adapt}"] = max(ratios, default=math.nan)
    return found


def size_of(row: dict[str, Any]) -> str:
    """Steps and examples a step, such as `2x4`."""
    return str(row["key"].split("/")[3])


def gaps(rows: Sequence[dict[str, Any]]) -> list[float]:
    """How far the losses of kithe and TRL are from each other where both saw the same rows in the same order."""
    even = [row for row in rows if row["lengths"] == "fixed"]
    curves = {(row["opponent"], row["adapt"], size_of(row), row["turn"]): row["losses"] for row in even}
    return [
        abs(a - b)
        for (who, *same), losses in curves.items()
        if who == "kithe" and (other := curves.get(("trl", *same)))
        for a, b in zip(losses, other, strict=True)
    ]


def main() -> None:
    """Measure what is missing, print the figures and write them after each comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="six layers; printed and not written")
    parser.add_argument("--steps", type=int, default=2, help="optimiser steps of a turn")
    parser.add_argument("--effective", type=int, default=4, help="examples in a step")
    parser.add_argument("--turns", type=int, default=1, help="turns of each opponent")
    parser.add_argument("--recompute", action="store_true", help="also kithe recomputing activations")
    parser.add_argument("--only", default="", help="settings whose name holds this, such as laps/lora")
    options = parser.parse_args()
    spec = instantiate(plain(compose([]))["model"])
    shape = replace(spec.shape, hidden=192, feed_forward=512, layers=6, heads=3, kv_heads=3) if options.small else spec.shape
    kept = Rows("train_throughput", options.small, published=True)
    with tempfile.TemporaryDirectory() as place:
        folder = model(shape, spec, Path(place))
        for lengths, adapt in product(LENGTHS, ADAPTS):
            if options.only in f"{lengths}/{adapt}":
                rows = lengths_of(lengths, options.steps * options.effective, spec.tokenizer())
                sys.stderr.write(f"{lengths}: {[len(row.ids) for row in rows]} tokens\n")
                setting = Setting(folder, rows, adapt, options.steps, options.effective)
                take_turns(kept, setting, lengths, options.turns, OPPONENTS + RECOMPUTING * options.recompute)
                publish(kept, options.small)


def publish(kept: Rows, small: bool) -> None:
    """Print the figures, and write them unless they are only a trial's."""
    rows = list(kept.found.values())
    figures = summary(rows)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    if not small:
        missing = [f"{lengths}/{adapt}" for lengths, adapt in product(LENGTHS, ADAPTS) if not chosen(rows, adapt, lengths)]
        write("train_throughput", "python -m benchmarks.train_throughput", rows, figures, not_measured=missing, note=NOTE)


NOTE = "Other work shared the machine; speeds are per second of processor time of one process, and wall times stand in the rows."


def take_turns(kept: Rows, setting: Setting, lengths: str, turns: int, opponents: Sequence[str]) -> None:
    """Every opponent once, and again."""
    for number, opponent in product(range(turns), opponents):
        key = f"{lengths}/{setting.adapt}/{opponent}/{setting.steps}x{setting.effective}/{number}"
        row = kept.measure(key, {"lengths": lengths, "turn": number}, partial(turn, setting, opponent))
        sys.stderr.write(f"{key}: {row['supervised'] / row['cpu_s']:.1f} supervised tokens/cpu s, {row['peak_mb']:.0f} MB\n")


if __name__ == "__main__":
    main()
