"""Speed and memory of scripted generation: `python -m benchmarks.generate_scripted [--small] [--many N]`.

Runs of 10,000 and of 200,000 dialogues, four a persona, and one of 10,000 with a persona each; each in a process of its own: all
stages, then what is published.
Speeds are per second of processor time of one process, so that a busy machine does not change them; wall times stand beside them.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import write
from kithe import generate
from kithe.config.compose import compose
from kithe.dialogues.scripted import Scripted
from kithe.generation.pipeline import VALIDATION_SHARE

FEW, MANY = 10_000, 200_000
EACH = 4
PERSONAS = 2_000


def personas_per_s() -> float:
    """Personas drawn in a second of processor time."""
    teacher = Scripted()
    teacher.persona(0, 0)
    start = time.process_time()
    for index in range(PERSONAS):
        teacher.persona(1, index)
    return PERSONAS / (time.process_time() - start)


def measure(dialogues: int, each: int, store: str) -> dict[str, Any]:
    """One run in this process; `publish` is what comes after the rows."""
    personas = dialogues * VALIDATION_SHARE // (VALIDATION_SHARE + 1) // each
    words = ["task=generate", f"task.personas={personas}", f"task.stages.dialogues.each={each}", f"paths.store={store}"]
    run = generate.Generation.of(compose(words))
    next(iter(run.plan.stages["personas"].write([("0", {})], 0)))
    begun, start = time.perf_counter(), time.process_time()
    run.pipeline.run(run.plan.own())
    rows_s, rows_wall = time.process_time() - start, time.perf_counter() - begun
    generate.publish(run)
    card = run.corpus.read("card.json")
    written = sum(card[split]["dialogues"] for split in ("train", "validation"))
    return {
        "dialogues": written,
        "each": each,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows_cpu_s": rows_s,
        "rows_wall_s": rows_wall,
        "publish_cpu_s": time.process_time() - start - rows_s,
        "publish_wall_s": time.perf_counter() - begun - rows_wall,
        "published_mb": sum(file["bytes"] for file in card["files"].values()) / 1e6,
    }


def apart(dialogues: int, each: int) -> dict[str, Any]:
    """`measure` in a process of its own, in a folder that is removed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.generate_scripted", "--measure", str(dialogues), str(each), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="1,000 and 5,000 dialogues, printed and not written")
    parser.add_argument("--many", type=int, default=MANY, help="dialogues of the large run")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        sys.stdout.write(json.dumps(measure(int(options.measure[0]), int(options.measure[1]), options.measure[2])) + "\n")
        return
    few, many = (1_000, 5_000) if options.small else (FEW, options.many)
    rows = [apart(few, EACH), apart(few, 1), apart(many, EACH)]
    summary = {
        "personas_per_s_core": personas_per_s(),
        "dialogues_per_s_core": rows[2]["dialogues"] / rows[2]["rows_cpu_s"],
        "dialogues_per_s_core_persona_each": rows[1]["dialogues"] / rows[1]["rows_cpu_s"],
        "dialogues_per_s_core_published": rows[2]["dialogues"] / (rows[2]["rows_cpu_s"] + rows[2]["publish_cpu_s"]),
        f"rss_growth_{few // 1000}k_to_{many // 1000}k": rows[2]["peak_rss_mb"] / rows[0]["peak_rss_mb"],
    }
    sys.stdout.write(json.dumps({"rows": rows, "summary": summary}, indent=1) + "\n")
    if not options.small:
        write("generate_scripted", "python -m benchmarks.generate_scripted", rows, summary)


if __name__ == "__main__":
    main()
