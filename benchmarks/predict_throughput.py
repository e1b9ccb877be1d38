"""Answering histories: kithe against a plain `generate` loop: `python -m benchmarks.predict_throughput [--small] [--count N]`.

SmolLM2-135M (with --small random weights of six layers) answers windows of LAPS and PersonaChat test histories, greedily, with
lengths mixed as they come. The plain loop is what one writes first: one prompt after the other, `generate` with its defaults. A
second opponent gives `generate` padded batches of eight, in the order the prompts come. Answers are held together: the share that
are the same to the letter is reported. They take turns in one process; speeds are per second of processor time.
"""

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import write
from benchmarks.rows import Rows
from kithe.config.compose import compose, instantiate, plain
from kithe.llm.chat import render
from kithe.records.chat import ChatRequest
from kithe.training.predict import predict

OPPONENTS = ("kithe", "plain", "batches")
NEW = 48
PADDED = 8


def requests(count: int) -> list[ChatRequest]:
    """What kithe asks about test histories: windows of real dialogues."""
    config = plain(compose(["data=synthetic"]))
    task = instantiate(config["task"])
    found: list[ChatRequest] = []
    for source in task.test.values():
        people = list(source.histories("test", 0))[: count // 4]
        found += [request for person in people for request in task.format.requests(person, [])][: count // len(task.test)]
    return found


def by_kithe(model: Any, tokenizer: Any, asked: Sequence[ChatRequest]) -> tuple[list[str], int]:
    """Texts and new tokens."""
    with tempfile.TemporaryDirectory() as folder:
        done = predict(model, tokenizer, asked, folder=Path(folder), max_new_tokens=NEW, progress=False)
    return [item.text for item in done.generations], sum(item.new_tokens for item in done.generations)


def by_generate(model: Any, tokenizer: Any, asked: Sequence[ChatRequest], rows: int) -> tuple[list[str], int]:
    """Texts and new tokens of `generate` on so many prompts at a time."""
    texts, new = [], 0
    for start in range(0, len(asked), rows):
        prompts = [render(tokenizer, request.prompt) for request in asked[start : start + rows]]
        batch = tokenizer.pad({"input_ids": prompts}, return_tensors="pt", padding_side="left")
        made = model.generate(**batch, max_new_tokens=NEW, do_sample=False)[:, batch["input_ids"].shape[1] :]
        for answer in made.tolist():
            ends = [place for place, token in enumerate(answer) if token == tokenizer.eos_token_id]
            answer = answer[: ends[0] + 1] if ends else answer
            new += len(answer)
            texts.append(tokenizer.decode(answer, skip_special_tokens=True))
    return texts, new


def measure(work: Callable[[], tuple[list[str], int]]) -> dict[str, Any]:
    """Seconds, tokens and answers."""
    cpu, wall = time.process_time(), time.perf_counter()
    texts, new = work()
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "new_tokens": new, "texts": texts}


def figures(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """How many times as fast, and how many answers are alike."""
    kithe, plain_, batches = (found[who] for who in OPPONENTS)
    alike = sum(a.strip() == b.strip() for a, b in zip(kithe["texts"], plain_["texts"], strict=True)) / len(kithe["texts"])
    return {
        "times_plain_generate": plain_["cpu_s"] / kithe["cpu_s"],
        "times_plain_generate_wall": plain_["wall_s"] / kithe["wall_s"],
        "times_padded_batches": batches["cpu_s"] / kithe["cpu_s"],
        "tokens_per_cpu_s": kithe["new_tokens"] / kithe["cpu_s"],
        "same_answers": alike,
    }


def main() -> None:
    """Measure what is missing, print the figures and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="random weights of six layers; printed and not written")
    parser.add_argument("--count", type=int, default=64, help="requests")
    options = parser.parse_args()
    words = ["model=tiny", "model.hidden=192", "model.layers=6"] if options.small else []
    spec = instantiate(plain(compose(words))["model"])
    model, tokenizer, asked = spec.load("fp32"), spec.tokenizer(), requests(options.count)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    kept = Rows("predict_throughput", options.small)
    work: dict[str, Callable[[], tuple[list[str], int]]] = {
        "kithe": partial(by_kithe, model, tokenizer, asked),
        "plain": partial(by_generate, model, tokenizer, asked, 1),
        "batches": partial(by_generate, model, tokenizer, asked, PADDED),
    }
    known = {"requests": len(asked), "threads": torch.get_num_threads()}
    with torch.no_grad():
        found = {who: kept.measure(who, {"opponent": who, **known}, partial(measure, work[who])) for who in OPPONENTS}
    result = figures(found)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    rows = [{key: value for key, value in row.items() if key != "texts"} for row in kept.close()]
    if not options.small:
        write("predict_throughput", shlex.join(["python", "-m", "benchmarks.predict_throughput", *sys.argv[1:]]), rows, result)


if __name__ == "__main__":
    main()
