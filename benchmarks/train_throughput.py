"""kithe's training against TRL's SFTTrainer: `python -m benchmarks.train_throughput [--small] [--only laps/lora]`.

The same random weights of SmolLM2's shape, the same tokens, AdamW with the same schedule, fp32, the same effective batch. Lengths
are those of LAPS and MSC (real conversations, as kithe asks about them), or all the same. Opponents: kithe; TRL as it comes;
TRL tuned (no activation checkpointing, its own packing). All run in one process and take turns, so that other work on the machine
hits all of them; speeds are per second of processor time, with wall time beside. The first step of each turn does not count.
With equal lengths, rows come in the same order to both, and the losses of every step are compared.
"""

import argparse
import ctypes
import gc
import json
import math
import shlex
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

import torch
from torch import Tensor

from benchmarks.common import write
from benchmarks.rows import Rows
from kithe.config.compose import compose, instantiate, plain
from kithe.llm.chat import Encoded, encode_example
from kithe.llm.models import Folder, PackagedGGUF, Shape
from kithe.training.adapters import FullSFT, Lora, Recipe
from kithe.training.data import Plan, Tokenised
from kithe.training.fit import learn
from kithe.training.run import Run
from kithe.training.trainer import Hardware, Ranks
from kithe.worker import Meter

OPPONENTS = ("kithe", "trl", "trl_tuned")
LENGTHS = ("laps", "msc", "fixed")
ADAPTS = ("lora", "sft")
FIXED = 256
RATE = 1e-3
RANK, ALPHA = 16, 32


@dataclass
class Steps:
    """What was seen at the end of every optimiser step of a turn."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    supervised: list[int] = field(default_factory=list)
    peak_mb: float = 0.0

    def note(self, loss: float | None = None, supervised: int | None = None) -> None:
        """A step has ended."""
        self.cpu.append(time.process_time())
        self.wall.append(time.perf_counter())
        if loss is not None:
            self.losses.append(loss)
        if supervised is not None:
            self.supervised.append(supervised)

    def row(self) -> dict[str, Any]:
        """Seconds and supervised tokens after the first step."""
        return {
            "cpu_s": self.cpu[-1] - self.cpu[0],
            "wall_s": self.wall[-1] - self.wall[0],
            "supervised": sum(self.supervised[1 : len(self.cpu)]),
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
    micro: int

    @property
    def recipe(self) -> Recipe:
        """Constant but for the schedule both sides have: one step of warm-up, then half a cosine."""
        decay = 0.0 if self.adapt == "lora" else 0.01
        return Recipe(RATE, 1, self.effective, self.micro, 2048, 1 / self.steps, decay)

    def plan(self) -> Plan:
        """kithe's order."""
        lengths, supervised = [len(row.ids) for row in self.rows], [row.targets for row in self.rows]
        return Plan.make(lengths, supervised, seed=0, epochs=1, effective_batch=self.effective, micro_batch=self.micro, world=1)


def kithe(setting: Setting) -> dict[str, Any]:
    """A turn of kithe."""
    adapter = Lora(setting.recipe, RANK, ALPHA) if setting.adapt == "lora" else FullSFT(setting.recipe)
    spec = Folder("shape", str(setting.folder))
    rows = Tokenised(setting.rows, 0)
    run = Run(adapter, spec, spec.tokenizer(), rows, Tokenised([], 0), setting.plan(), Ranks(), "fp32", 0)
    seen, meter = Steps(), Meter()

    def note(row: dict[str, Any]) -> None:
        seen.note(row["loss"], row["supervised_tokens"])
        seen.peak_mb = meter.read()["peak_memory_mb"]  # before the weights are written and compared

    with tempfile.TemporaryDirectory() as folder:
        learn(run, Path(folder), note, Hardware(), every=10**6, progress=False, stop=lambda: False)
    return seen.row()


def trl(setting: Setting, tuned: bool) -> dict[str, Any]:
    """A turn of TRL; it gets tokens, so that templates make no difference."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    seen, meter, pending = Steps(), Meter(), [0]

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *args: Any, **named: Any) -> None:
            seen.note(None, pending[0])
            seen.peak_mb, pending[0] = meter.read()["peak_memory_mb"], 0

    class Counting(SFTTrainer):  # type: ignore[misc]
        def compute_loss(self, model: Any, inputs: Any, *args: Any, **named: Any) -> Tensor:
            pending[0] += int((inputs["labels"][:, 1:] != -100).sum())
            found: Tensor = super().compute_loss(model, inputs, *args, **named)
            return found

    order = [row for batch in setting.plan().batches for row in batch] if fixed(setting) else range(len(setting.rows))
    data = Dataset.from_list(
        [{"input_ids": setting.rows[row].ids, "completion_mask": [int(x) for x in setting.rows[row].supervised]} for row in order]
    )
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=1 if tuned else setting.micro,
            gradient_accumulation_steps=packed(setting) if tuned else setting.effective // setting.micro,
            max_steps=setting.steps if not tuned else -1,
            num_train_epochs=1,
            learning_rate=RATE,
            lr_scheduler_type="cosine",
            warmup_steps=1,
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
        lora = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
        trainer = Counting(
            model=AutoModelForCausalLM.from_pretrained(setting.folder, dtype=torch.float32),
            args=config,
            train_dataset=data,
            processing_class=AutoTokenizer.from_pretrained(setting.folder),
            peft_config=lora if setting.adapt == "lora" else None,
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
    done = kithe(setting) if opponent == "kithe" else trl(setting, tuned=opponent == "trl_tuned")
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
        for figure, other, where in (("real_lengths", "trl", real), ("tuned", "trl_tuned", real), ("fixed", "trl", ("fixed",))):
            mine, theirs = (speed(rows, opponent=(who,), adapt=(adapt,), lengths=where) for who in ("kithe", other))
            found[f"times_trl_{figure}_{adapt}"] = mine / theirs
        peaks = {
            who: max((row["peak_mb"] for row in rows if row["opponent"] == who and row["adapt"] == adapt), default=math.nan)
            for who in OPPONENTS
        }
        found[f"memory_of_trl_{adapt}"] = peaks["kithe"] / peaks["trl"]
        found[f"memory_of_trl_tuned_{adapt}"] = peaks["kithe"] / peaks["trl_tuned"]
    tuned = [value for name, value in found.items() if name.startswith("times_trl_tuned") and not math.isnan(value)]
    found["times_trl_tuned"] = min(tuned, default=math.nan)
    curves = {(row["opponent"], row["adapt"], row["turn"]): row["losses"] for row in rows if row["lengths"] == "fixed"}
    gaps = [
        abs(a - b)
        for (who, adapt, number), losses in curves.items()
        if who == "kithe" and (other := curves.get(("trl", adapt, number)))
        for a, b in zip(losses, other, strict=False)
    ]
    found["largest_loss_difference_fixed"] = max(gaps, default=math.nan)
    return {name: value for name, value in found.items() if not math.isnan(value)}


def main() -> None:
    """Measure what is missing, print the figures and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="six layers; printed and not written")
    parser.add_argument("--steps", type=int, default=4, help="optimiser steps of a turn, the first of which is not counted")
    parser.add_argument("--effective", type=int, default=8, help="examples in a step, four at most at once")
    parser.add_argument("--turns", type=int, default=2, help="turns of each opponent")
    parser.add_argument("--only", default="", help="settings whose name holds this, such as laps/lora")
    options = parser.parse_args()
    spec = instantiate(plain(compose([]))["model"])
    shape = replace(spec.shape, hidden=192, feed_forward=512, layers=6, heads=3, kv_heads=3) if options.small else spec.shape
    kept = Rows(f"train_throughput-{options.steps}x{options.effective}", options.small)
    with tempfile.TemporaryDirectory() as place:
        folder = model(shape, spec, Path(place))
        for lengths, adapt in product(LENGTHS, ADAPTS):
            if options.only in f"{lengths}/{adapt}":
                rows = lengths_of(lengths, options.steps * options.effective, spec.tokenizer())
                setting = Setting(folder, rows, adapt, options.steps, options.effective, min(4, options.effective))
                take_turns(kept, setting, lengths, options.turns)
    rows = list(kept.found.values())
    figures = summary(rows)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    if not options.only:
        kept.close()
    if not options.small:
        write("train_throughput", shlex.join(["python", "-m", "benchmarks.train_throughput", *sys.argv[1:]]), rows, figures)


def take_turns(kept: Rows, setting: Setting, lengths: str, turns: int) -> None:
    """Every opponent once, and again."""
    for number, opponent in product(range(turns), OPPONENTS):
        key = f"{lengths}/{setting.adapt}/{opponent}/{number}"
        row = kept.measure(key, {"lengths": lengths, "turn": number}, partial(turn, setting, opponent))
        sys.stderr.write(f"{key}: {row['supervised'] / row['cpu_s']:.1f} supervised tokens/cpu s, {row['peak_mb']:.0f} MB\n")


if __name__ == "__main__":
    main()
