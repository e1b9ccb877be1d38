"""What a user would write instead of kithe, on the same facts and test rows, scored by the same matcher.

TRL's SFTTrainer with LoRA and a greedy `generate` loop: `KITHE_DATA=… python -m benchmarks.plain_script [--data real]
[--unit window] [--small]`. Needs `pip install kithe[bench]`.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer

from benchmarks.common import RESULTS, write
from benchmarks.grid import SMALL
from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.corpora.build import build
from kithe.evaluation.judges import GoldJudge
from kithe.knowledge.task import PKI
from kithe.llm.chat import render
from kithe.records.chat import ChatExample, ChatRequest, Generation
from kithe.records.history import History


def train(cell: Cell, examples: Sequence[ChatExample], folder: Path) -> Any:
    """A model tuned with the settings most tutorials use."""
    rows = [
        {
            "prompt": [message.model_dump() for message in example.prompt],
            "completion": [{"role": "assistant", "content": example.answer}],
        }
        for example in examples
    ]
    model = cell.build("model")
    config = SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        num_train_epochs=2,
        learning_rate=1e-3,
        lr_scheduler_type="cosine",
        warmup_steps=5,
        save_strategy="no",
        report_to=[],
        use_cpu=not torch.cuda.is_available(),
        bf16=False,
        max_length=1024,
        seed=cell.config["seed"],
        gradient_checkpointing=False,
    )
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    trainer = SFTTrainer(
        model=model.load("fp32"),
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=model.tokenizer(),
        peft_config=lora,
    )
    trainer.train()
    return trainer.model.eval()


def answers(model: Any, tokenizer: Any, requests: Sequence[ChatRequest], new_tokens: int, rows: int = 16) -> list[Generation]:
    """Greedy answers, in batches by length."""
    prompts = {request.id: render(tokenizer, request.prompt) for request in requests}
    order = sorted(prompts, key=lambda name: len(prompts[name]))
    found: dict[str, Generation] = {}
    for start in range(0, len(order), rows):
        names = order[start : start + rows]
        batch = tokenizer.pad({"input_ids": [prompts[name] for name in names]}, return_tensors="pt")
        with torch.no_grad():
            out = model.generate(**batch, max_new_tokens=new_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        for name, ids in zip(names, out[:, batch["input_ids"].shape[1] :], strict=True):
            text = tokenizer.decode(ids, skip_special_tokens=True)
            size = len(prompts[name])
            found[name] = Generation(id=name, text=text, finish="stop", prompt_tokens=size, new_tokens=len(ids))
    return [found[request.id] for request in requests]


def score(model: Any, tokenizer: Any, task: PKI, histories: Sequence[History]) -> dict[str, Any]:
    """Metrics on these histories, by kithe's parser and matcher."""
    requests = [task.requests(history) for history in histories]
    flat = answers(model, tokenizer, [request for some in requests for request in some], task.max_new_tokens)
    by_id = {item.id: item for item in flat}
    found = [task.prediction(one, [by_id[request.id] for request in some]) for one, some in zip(histories, requests, strict=True)]
    metrics: dict[str, Any] = GoldJudge().score(histories, found).metrics
    return metrics


def measure(data: str, unit: str, small: bool) -> dict[str, Any]:
    """Train and score one setting of the script."""
    cell = Cell.of(compose([f"data={data}", "adapt=lora", *(SMALL if small else [])]))
    rules, task = cell.config["corpus"], PKI(unit=unit, max_new_tokens=160 if unit == "history" else 64)
    corpus = build(cell.build("data"), rules["facts"], 0, rules["expressed"])
    begun = time.perf_counter()
    model = train(cell, task.examples(corpus.train), Path("outputs") / "plain_script")
    seconds = time.perf_counter() - begun
    tokenizer = cell.build("model").tokenizer()
    sets = {name: list(source.histories("test", 0)) for name, source in cell.build("task").test.items()}
    scores = {name: score(model, tokenizer, task, histories) for name, histories in sets.items()}
    return {"data": data, "unit": unit, "train_s": seconds, "metrics": scores}


def main() -> None:
    """Measure the settings asked for, add them to those measured before, and write all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="real")
    parser.add_argument("--unit", default="window", choices=("window", "history"))
    parser.add_argument("--small", action="store_true", help="a random model and a handful of users")
    options = parser.parse_args()
    name = "plain_script_small" if options.small else "plain_script"
    file = RESULTS / f"{name}.json"
    before = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    key = (options.data, options.unit)
    rows = [*[item for item in before if (item["data"], item["unit"]) != key], measure(*key, options.small)]
    summary = {
        f"f1_{r['data']}_{r['unit']}_{name}": m["f1"]["value"] for r in rows for name, m in r["metrics"].items() if "f1" in m
    }
    write(name, "python -m benchmarks.plain_script --data … --unit …", rows, summary)


if __name__ == "__main__":
    main()
