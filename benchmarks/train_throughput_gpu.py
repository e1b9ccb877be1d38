"""Training speed on one GPU: `python -m benchmarks.train_throughput_gpu [--tiny] [--only 4b] [--out FILE]`.

Random weights of Qwen3's shapes learn random tokens, a quarter of each row supervised, through kithe's own training step and
Trainer: full fine-tuning with fp32 masters and bf16 arithmetic, LoRA on a bf16 base. Rows have 1,024 tokens, or lengths drawn
evenly between 128 and 1,920 and sorted, as kithe does. Variants: layers compiled; rows packed instead of padded; adapters
under autocast; and TRL's SFTTrainer as it comes, where TRL is installed. Shares of the peak (MFU) are of the arithmetic that
learning needs (recomputed activations and padding count nothing), against a matrix product measured in the same call.

Needs torch, transformers, peft and Lightning alone. A variant that fails, or that would begin after `--minutes`, says so in
its row.
"""

import argparse
import gc
import importlib.metadata
import importlib.util
import json
import platform
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from torch import nn

from benchmarks.packed import PackedModule, filled, loss_sum, ready
from kithe.llm.models import Shape
from kithe.training import module
from kithe.training.adapters import FullSFT, Lora, Recipe
from kithe.training.data import Batch
from kithe.training.trainer import Hardware, Ranks, make_trainer

ROOT = Path(__file__).resolve().parent.parent
LENGTH, SHORTEST, LONGEST = 1024, 128, 1920
WARM = 2
RATE = 1e-5
TINY = Shape("qwen3", 64, 128, 2, 4, 2, 4096, 16)


@dataclass(frozen=True)
class Case:
    """One measurement.

    Attributes:
        model: an option of `conf/model`.
        way: `padded`, `packed` or `trl`.
        rows: rows of a batch, or of as many tokens where they are packed; each batch is an optimiser step.
    """

    model: str
    adapt: str
    rows: int
    lengths: str = "fixed"
    way: str = "padded"
    compiled: bool = False
    autocast: bool = False
    recompute: bool = False
    steps: int = 8

    @property
    def key(self) -> str:
        """Its name."""
        marks = [name for name in ("compiled", "autocast", "recompute") if getattr(self, name)]
        return "/".join([self.model, self.adapt, self.lengths, self.way, *marks])

    @property
    def mixed(self) -> bool:
        """Whether fp32 weights are used with bf16 arithmetic."""
        return self.adapt == "sft" or self.autocast


CASES = (
    Case("qwen3-4b", "sft", 16),
    Case("qwen3-8b", "lora", 8),
    Case("qwen3-4b", "sft", 16, "mixed"),
    Case("qwen3-4b", "sft", 16, "mixed", "packed"),
    Case("qwen3-4b", "sft", 16, "mixed", "trl"),
    Case("qwen3-8b", "lora", 8, autocast=True),
    Case("qwen3-4b", "sft", 16, compiled=True),
    Case("qwen3-8b", "lora", 8, compiled=True),
    Case("qwen3-0.6b", "sft", 32),
    Case("qwen3-8b", "sft", 1, recompute=True),
)


@dataclass
class Clock(pl.Callback):
    """Seconds at the end of every step, with the device's work done; the loss of each."""

    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note it."""
        finish()
        self.seconds.append(time.perf_counter())
        self.losses.append(float(outputs["nll"]) / batch.targets)


def finish() -> None:
    """Wait for the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def device() -> str:
    """Where it runs."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def shape(model: str, tiny: bool) -> Shape:
    """A model's dimensions."""
    node = yaml.safe_load((ROOT / "conf" / "model" / f"{model}.yaml").read_text(encoding="utf-8"))["shape"]
    return TINY if tiny else Shape(**{key: value for key, value in node.items() if key != "_target_"})


def lengths_of(case: Case, tiny: bool) -> list[list[int]]:
    """The lengths of the rows of each step; whichever way they are laid, the tokens of all steps are about as many."""
    scale, draw = (16 if tiny else 1), random.Random(0)
    if case.lengths == "fixed":
        return [[LENGTH // scale] * case.rows for _ in range(case.steps)]
    drawn = [draw.randint(SHORTEST, LONGEST) // scale for _ in range(case.rows * case.steps)]
    drawn.sort(reverse=True)
    if case.way == "packed":
        batches = [[drawn[row] for row in part] for part in filled(drawn, case.rows * LENGTH // scale)]
    elif case.way == "trl":
        draw.shuffle(drawn)
        batches = [drawn[start : start + case.rows] for start in range(0, len(drawn), case.rows)]
    else:
        batches = [drawn[start : start + case.rows] for start in range(0, len(drawn), case.rows)]
    return batches if case.way == "trl" else [batches[0], *draw.sample(batches[1:], len(batches) - 1)]


def batch_of(lengths: Sequence[int], vocabulary: int, step: int) -> Batch:
    """Rows of random tokens, padded, the last quarter of each supervised."""
    torch.manual_seed(step)
    place = torch.arange(max(lengths))
    ends = torch.tensor(lengths)[:, None]
    real = place < ends
    supervised = real & (place >= ends - ends // 4)
    ids = torch.randint(0, vocabulary, tuple(real.shape)) * real
    return Batch(ids, real.long(), supervised, int(supervised[:, 1:].sum()), step, 0)


def needed(size: Shape, case: Case, lengths: Sequence[int], adapters: int) -> float:
    """Floating-point operations that learning from rows of these lengths needs.

    A product with a weight takes two a token forward, two for the gradient of its input and two for its own, which a frozen one
    does without. Logits count at supervised positions alone; causal attention counts half its square.
    """
    head = size.vocabulary * size.hidden
    body = size.parameters() - head * (1 if size.tied else 2)
    tokens, supervised = sum(lengths), sum(length // 4 for length in lengths)
    each = 4 if case.adapt == "lora" else 6
    width = size.heads * (size.head_size or size.hidden // size.heads)
    squares = 6 * width * size.layers * sum(length**2 for length in lengths)
    return float(each * (body * tokens + head * supervised) + 6 * adapters * tokens + squares)


def matrix_rate(tiny: bool) -> float:
    """Operations a second of a product of random bf16 matrices."""
    size = 256 if tiny else 8192
    left, right = (torch.randn(size, size, device=device(), dtype=torch.bfloat16) for _ in range(2))
    rounds = 10
    for _ in range(3):
        left @ right
    finish()
    start = time.perf_counter()
    for _ in range(rounds):
        left @ right
    finish()
    return rounds * 2 * size**3 / (time.perf_counter() - start)


def model_of(case: Case, size: Shape) -> nn.Module:
    """Random weights on the device."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    dtype = torch.float32 if case.adapt == "sft" else torch.bfloat16
    with torch.device(device()):
        model: nn.Module = AutoModelForCausalLM.from_config(size.config(4096), dtype=dtype)
    return model


def learnt(case: Case, size: Shape, lengths: Sequence[Sequence[int]]) -> dict[str, Any]:
    """A run of kithe's training."""
    recipe = Recipe(RATE, effective_batch=case.rows, micro_batch=case.rows)
    adapter = FullSFT(recipe) if case.adapt == "sft" else Lora(recipe)
    model = adapter.prepare(model_of(case, size)).to(device()).train()  # type: ignore[arg-type]
    if case.recompute:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if case.way == "packed":
        ready(model)
    if case.compiled:
        for layer in (model.get_base_model() if case.adapt == "lora" else model).model.layers:
            layer.compile()
    kind = PackedModule if case.way == "packed" else module.SFTModule
    sft = kind(model, recipe, steps=len(lengths), world=1, seed=0, identity={})
    batches = [batch_of(rows, size.vocabulary, step) for step, rows in enumerate(lengths)]
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(
            Hardware("gpu" if device() == "cuda" else "cpu"),
            Ranks(),
            Path(folder),
            steps=len(batches),
            accumulation=1,
            bf16=True,
            mixed=case.mixed,
            clip=recipe.clip,
            callbacks=[clock],
            progress=False,
        )
        trainer.fit(sft, torch.utils.data.DataLoader(batches, batch_size=None))
    adapters = sum(part.numel() for part in model.parameters() if part.requires_grad) if case.adapt == "lora" else 0
    return {"seconds": clock.seconds, "losses": clock.losses, "adapters": adapters}


def by_trl(case: Case, size: Shape, lengths: Sequence[Sequence[int]]) -> dict[str, Any]:
    """A run of TRL's SFTTrainer with its defaults (activation checkpointing, fused AdamW), full fine-tuning in bf16 over fp32."""
    from datasets import Dataset
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    seconds: list[float] = []

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *args: Any, **named: Any) -> None:
            finish()
            seconds.append(time.perf_counter())

    rows = []
    for step, part in enumerate(lengths):
        batch = batch_of(part, size.vocabulary, step)
        for ids, real, mask in zip(batch.ids, batch.attention.bool(), batch.supervised, strict=True):
            rows.append({"input_ids": ids[real].tolist(), "completion_mask": mask[real].int().tolist()})
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"a": 0, "b": 1})), pad_token="a", eos_token="b"
    )
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=case.rows,
            max_steps=len(lengths),
            learning_rate=RATE,
            max_length=LONGEST,
            completion_only_loss=True,
            train_sampling_strategy="sequential",
            bf16=True,
            use_cpu=device() == "cpu",
            save_strategy="no",
            report_to=[],
            logging_steps=1,
            disable_tqdm=True,
        )
        trainer = SFTTrainer(
            model=model_of(case, size),
            args=config,
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            callbacks=[Watch()],
        )
        trainer.train()
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {"seconds": seconds, "losses": losses, "adapters": 0}


def measure(case: Case, tiny: bool, peak: float) -> dict[str, Any]:
    """A row; its steps after the first two are timed."""
    size, lengths = shape(case.model, tiny), lengths_of(case, tiny)
    if device() == "cuda":
        torch.cuda.reset_peak_memory_stats()
    done = (by_trl if case.way == "trl" else learnt)(case, size, lengths)
    seconds = done["seconds"][-1] - done["seconds"][WARM - 1]
    counted = lengths[WARM : len(done["seconds"])]
    tokens = sum(map(sum, counted))
    work = sum(needed(size, case, rows, done["adapters"]) for rows in counted)
    memory = torch.cuda.max_memory_allocated() / 2**30 if device() == "cuda" else None
    return {
        "steps": len(counted),
        "seconds": seconds,
        "tokens_per_s": tokens / seconds,
        "mfu": work / seconds / peak,
        "peak_gib": memory,
        "losses": done["losses"],
    }


def packing_difference(tiny: bool) -> float:
    """Largest relative difference of a row's loss, alone and padded, and packed with others that must not be seen."""
    size, case = replace(TINY, layers=4) if not tiny else TINY, Case("tiny", "lora", 1)
    model, lengths = model_of(case, size).eval(), [60, 17, 128]
    if device() == "cpu":
        model = model.float()
    batch = Batch(
        *(part.to(device()) if isinstance(part, torch.Tensor) else part for part in batch_of(lengths, size.vocabulary, 0))
    )
    with torch.no_grad():
        alone = module.loss_sum(model, batch)
        return float((loss_sum(ready(model), batch) - alone).abs() / alone)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The figures, of what was measured."""
    found = {row["key"]: row for row in rows if "mfu" in row}
    best = {name: [row["mfu"] for key, row in found.items() if key.startswith(start)] for name, start in FIGURES.items()}
    figures = {f"mfu_{name}": max(values) for name, values in best.items() if values}
    speeds = {way: found.get(f"qwen3-4b/sft/mixed/{way}", {}).get("tokens_per_s") for way in ("padded", "packed", "trl")}
    if speeds["padded"] and speeds["trl"]:
        figures["times_trl_4b"] = speeds["padded"] / speeds["trl"]
    if speeds["padded"] and speeds["packed"]:
        figures["times_padded_packed"] = speeds["packed"] / speeds["padded"]
    return figures


FIGURES = {"0.6b_sft": "qwen3-0.6b/sft", "4b_sft": "qwen3-4b/sft", "8b_lora": "qwen3-8b/lora", "8b_sft": "qwen3-8b/sft"}


def attempted(case: Case, tiny: bool, peak: float) -> dict[str, Any]:
    """A row, or why there is none; the memory is given back."""
    if case.way == "trl" and importlib.util.find_spec("trl") is None:
        return {"key": case.key, "missing": "TRL is not installed here"}
    try:
        return {"key": case.key, **measure(case, tiny, peak)}
    except Exception as error:  # one variant less, and the next begins
        return {"key": case.key, "missing": f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"}
    finally:
        gc.collect()
        torch.cuda.empty_cache()


def main() -> None:
    """Measure, print each row, write after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="two layers of 64; shows that it runs and measures nothing")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--minutes", type=float, default=8.0, help="no case begins later")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "train_throughput_gpu.json")
    options = parser.parse_args()
    if device() == "cpu" and not options.tiny:
        raise SystemExit("there is no GPU here; --tiny runs everything on a tiny shape")
    start, peak, text = time.perf_counter(), matrix_rate(options.tiny), ""
    rows: list[dict[str, Any]] = []
    head = {
        "name": "train_throughput_gpu",
        "command": "python -m benchmarks.train_throughput_gpu",
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft", "pytorch-lightning")},
        "machine": {"device": torch.cuda.get_device_name() if device() == "cuda" else "cpu", "python": platform.python_version()},
        "matrix_tflops": peak / 1e12,
        "packing_difference": packing_difference(options.tiny),
    }
    for case in CASES:
        if options.only not in case.key:
            continue
        late = time.perf_counter() - start > 60 * options.minutes
        rows.append({"key": case.key, "missing": "no time left"} if late else attempted(case, options.tiny, peak))
        sys.stdout.write(json.dumps(rows[-1]) + "\n")
        sys.stdout.flush()
        text = json.dumps({**head, "rows": rows, "summary": summary(rows)}, indent=1) + "\n"
        if not options.tiny:
            options.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
