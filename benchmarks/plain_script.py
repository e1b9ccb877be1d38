"""What a user would write instead of kithe, on the same facts and test rows, scored by the same matcher.

TRL's SFTTrainer with LoRA at the settings of most tutorials, a prompt and a parser of a few lines, a greedy `generate` loop:
`KITHE_DATA=… python -m benchmarks.plain_script [--data real] [--unit window] [--seed 0] [--small]`. From kithe it takes the
training corpus, the test rows and the matcher, and nothing between them. Needs `pip install kithe[bench]`.
"""

import argparse
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from sentence_transformers import SentenceTransformer
from trl import SFTConfig, SFTTrainer

from benchmarks.common import RESULTS, write
from benchmarks.grid import BASE, SMALL
from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.evaluation.judges import GoldJudge
from kithe.llm.embed import model_folder
from kithe.records.base import write_lines
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem

WINDOW, ALIKE = 4, 0.85
NEW_TOKENS, ROWS = {"history": 160, "window": 64}, {"history": 16, "window": 32}
ASK = (
    "Read this conversation and list what {user} says about themselves, as a JSON list of short sentences. If nothing, answer []."
)


def prompt(history: History, turns: Sequence[int]) -> list[dict[str, str]]:
    """One user message: the instruction and these turns."""
    text = "\n".join(f"{history.turns[turn].speaker}: {history.turns[turn].text}" for turn in turns)
    return [{"role": "user", "content": f"{ASK.format(user=history.user)}\n\n{text}"}]


def parts(history: History, unit: str) -> Iterator[tuple[list[int], list[str]]]:
    """Turns with the facts revealed in them: all at once, or four turns at a time."""
    size = WINDOW if unit == "window" else len(history.turns)
    for start in range(0, len(history.turns), size):
        turns = list(range(start, min(start + size, len(history.turns))))
        if any(history.turns[turn].speaker == history.user for turn in turns):
            yield turns, [item.statement for item in history.items if any(part.turn in turns for part in item.evidence)]


def train(cell: Cell, histories: Sequence[History], unit: str, seed: int, folder: Path) -> tuple[Any, int]:
    """A model tuned with the settings most tutorials use, and how many examples it saw."""
    examples = [
        {"prompt": prompt(history, turns), "completion": [{"role": "assistant", "content": json.dumps(facts)}]}
        for history in histories
        for turns, facts in parts(history, unit)
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
        seed=seed,
        gradient_checkpointing=False,
    )
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    trainer = SFTTrainer(
        model=model.load("fp32"),
        args=config,
        train_dataset=Dataset.from_list(examples),
        processing_class=model.tokenizer(),
        peft_config=lora,
    )
    trainer.train()
    return trainer.model.eval(), len(examples)


def answers(model: Any, tokenizer: Any, prompts: Sequence[list[dict[str, str]]], new_tokens: int, rows: int) -> list[str]:
    """Greedy answers, in batches by length."""
    texts = [tokenizer.apply_chat_template(each, add_generation_prompt=True, tokenize=False) for each in prompts]
    order, found = sorted(range(len(texts)), key=lambda place: len(texts[place])), [""] * len(texts)
    for start in range(0, len(order), rows):
        places = order[start : start + rows]
        batch = tokenizer(
            [texts[place] for place in places], return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
        )
        with torch.no_grad():
            out = model.generate(**batch, max_new_tokens=new_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        for place, ids in zip(places, out[:, batch["input_ids"].shape[1] :], strict=True):
            found[place] = tokenizer.decode(ids, skip_special_tokens=True)
    return found


def listed(text: str) -> list[str]:
    """The sentences of an answer; of a broken list, those in quotation marks."""
    start = text.find("[")
    if start < 0:
        return []
    try:
        return [str(item) for item in json.JSONDecoder().raw_decode(text[start:])[0]]
    except ValueError:
        return re.findall(r'"((?:[^"\\]|\\.)*)"', text[start:])


def once(sentences: Sequence[str], encoder: SentenceTransformer) -> list[str]:
    """The sentences without those that are nearly one before them."""
    different = [sentence for sentence in dict.fromkeys(sentences) if sentence.strip()][:40]
    vectors, kept = encoder.encode(different, normalize_embeddings=True), []
    for place in range(len(different)):
        if all(vectors[place] @ vectors[other] < ALIKE for other in kept):
            kept.append(place)
    return [different[place] for place in kept]


def extract(model: Any, tokenizer: Any, histories: Sequence[History], unit: str) -> list[Prediction]:
    """What the model lists for each history."""
    work = [(history, turns) for history in histories for turns, _ in parts(history, unit)]
    texts = answers(model, tokenizer, [prompt(*each) for each in work], NEW_TOKENS[unit], ROWS[unit])
    found: dict[str, list[str]] = {history.id: [] for history in histories}
    for (history, _), text in zip(work, texts, strict=True):
        found[history.id] += listed(text)
    encoder = SentenceTransformer(str(model_folder()))
    return [
        Prediction(id=name, items=tuple(KnowledgeItem(statement=sentence) for sentence in once(sentences, encoder)))
        for name, sentences in found.items()
    ]


def measure(data: str, unit: str, seed: int, small: bool) -> dict[str, Any]:
    """Train and score one setting of the script."""
    cell = Cell.of(compose([f"data={data}", "adapt=lora", f"seed={seed}", *(SMALL if small else BASE)]))
    folder, corpus = Path("outputs") / "plain_script" / f"{data}-{unit}-{seed}{'-small' * small}", cell.build_corpus()
    begun = time.perf_counter()
    model, examples = train(cell, corpus.train, unit, seed, folder)
    trained = time.perf_counter()
    tokenizer, metrics = cell.build("model").tokenizer(), {}
    for name, source in cell.build("task").test.items():
        histories = list(source.histories("test", 0))
        made = extract(model, tokenizer, histories, unit)
        write_lines(folder / f"{name}.jsonl", (item.line() for item in made))
        metrics[name] = GoldJudge().score(histories, made).metrics
    return {
        "data": data,
        "unit": unit,
        "seed": seed,
        "facts": sum(len(history.items) for history in corpus.train),
        "examples": examples,
        "train_s": trained - begun,
        "predict_s": time.perf_counter() - trained,
        "metrics": metrics,
    }


def main() -> None:
    """Measure the setting asked for, add it to those measured before, and write all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="real")
    parser.add_argument("--unit", default="window", choices=("window", "history"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="a random model and a handful of users")
    options = parser.parse_args()
    name = "plain_script_small" if options.small else "plain_script"
    file = RESULTS / f"{name}.json"
    before = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    key = (options.data, options.unit, options.seed)
    rows = [*[item for item in before if (item["data"], item["unit"], item["seed"]) != key], measure(*key, options.small)]
    summary = {
        f"f1_{row['data']}_{row['unit']}_s{row['seed']}_{test}": found["f1"]["value"]
        for row in rows
        for test, found in row["metrics"].items()
    }
    write(name, "python -m benchmarks.plain_script --data … --unit … --seed …", rows, summary)


if __name__ == "__main__":
    main()
