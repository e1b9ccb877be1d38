"""What a sweep costs beside its cells: `python -m benchmarks.sweep_overhead [--cells 20] [--composed 1000]`.

A sweep of cells that train nothing, on two random layers and one written history: time a cell, most of it the start of its
processes. The same sweep when it is done. And composing many cells, with their identities, in one process. Where other work
shares the machine, processor time is what to read.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import write
from benchmarks.rows import Rows
from kithe.cell import Cell
from kithe.config.compose import ROOT, compose

TRIVIAL = [
    "model=tiny",
    "data=synthetic",
    "adapt=zero-shot",
    "task/test=sample",
    "task/validation=sample",
    "task.test.sample.limit=1",
    "judge.resamples=40",
    "progress=false",
]


def sweep(cells: int, store: str) -> dict[str, float]:
    """Seconds of a sweep over so many lengths of an answer."""
    lengths = ",".join(str(length) for length in range(4, 4 + cells))
    words = ["-m", *TRIVIAL, f"task.format.max_new_tokens={lengths}", f"paths.store={store}"]
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "run.py"), *words], check=True, capture_output=True, env=os.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    done = len(list(Path(store).glob("runs/*/result.json")))
    if done != cells:
        raise RuntimeError(f"{done} of {cells} cells are done")
    return {"cells": cells, "wall_s": time.perf_counter() - wall, "cpu_s": cpu}


def composing(cells: int) -> dict[str, float]:
    """Seconds to compose, check and name so many cells."""
    compose(TRIVIAL)
    cpu, wall = time.process_time(), time.perf_counter()
    names = {Cell.of(compose([*TRIVIAL, f"task.format.max_new_tokens={length}"])).name for length in range(4, 4 + cells)}
    if len(names) != cells:
        raise RuntimeError(f"{len(names)} names for {cells} cells")
    return {"cells": cells, "wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=20, help="cells of the sweep")
    parser.add_argument("--composed", type=int, default=1000, help="cells that are only composed")
    parser.add_argument("--small", action="store_true", help="printed and not written")
    options = parser.parse_args()
    cells, many = options.cells, options.composed
    kept = Rows("sweep_overhead", options.small)
    composed = kept.measure(f"compose/{many}", {}, lambda: composing(many))
    with tempfile.TemporaryDirectory() as store:
        fresh = kept.measure(f"sweep/{cells}", {}, lambda: {**sweep(cells, store), "repeat": sweep(cells, store)})
    figures = {
        "cells": cells,
        "seconds_a_cell": fresh["wall_s"] / cells,
        "cpu_seconds_a_cell": fresh["cpu_s"] / cells,
        "seconds_done_sweep": fresh["repeat"]["wall_s"],
        "cpu_seconds_done_sweep": fresh["repeat"]["cpu_s"],
        "cpu_ms_compose_a_cell": 1000 * composed["cpu_s"] / many,
    }
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    rows = kept.close()
    if not options.small:
        command = f"python -m benchmarks.sweep_overhead --cells {cells} --composed {many}"
        write("sweep_overhead", command, rows, figures)


if __name__ == "__main__":
    main()
