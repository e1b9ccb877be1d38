"""What a sweep costs beside its cells: `python -m benchmarks.sweep_overhead [--cells 20] [--composed 1000] [--only compose]`.

A sweep of cells that train nothing, on two random layers and one written history: time a cell, most of it the start of its
processes. The same sweep when it is done. And composing many cells, with their identities, in one process. Where other work
shares the machine, processor time is what to read. What the result holds already is not measured again.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def figures(rows: Mapping[str, dict[str, Any]], cells: int, many: int) -> dict[str, float]:
    """Of what was measured."""
    found: dict[str, float] = {}
    if composed := rows.get(f"compose/{many}"):
        found |= {"composed": many, "cpu_ms_compose_a_cell": 1000 * composed["cpu_s"] / many}
    if fresh := rows.get(f"sweep/{cells}"):
        again = fresh["repeat"]
        found |= {"cells": cells, "seconds_a_cell": fresh["wall_s"] / cells, "cpu_seconds_a_cell": fresh["cpu_s"] / cells}
        found |= {"seconds_done_sweep": again["wall_s"], "cpu_seconds_done_sweep": again["cpu_s"]}
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=20, help="cells of the sweep")
    parser.add_argument("--composed", type=int, default=1000, help="cells that are only composed")
    parser.add_argument("--only", choices=("compose", "sweep"), help="measure this alone")
    parser.add_argument("--small", action="store_true", help="printed and not written")
    options = parser.parse_args()
    cells, many = options.cells, options.composed
    kept = Rows("sweep_overhead", options.small, published=True)
    if options.only != "sweep":
        kept.measure(f"compose/{many}", {}, lambda: composing(many))
    if options.only != "compose":
        with tempfile.TemporaryDirectory() as store:
            kept.measure(f"sweep/{cells}", {}, lambda: {**sweep(cells, store), "repeat": sweep(cells, store)})
    wanted = {f"compose/{many}": f"composing {many} cells", f"sweep/{cells}": f"a sweep of {cells} cells, new and done"}
    found = figures(kept.found, cells, many)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    rows = [row for row in kept.close() if row["key"] in wanted]
    if not options.small:
        command = f"python -m benchmarks.sweep_overhead --cells {cells} --composed {many}"
        missing = [what for key, what in wanted.items() if key not in kept.found]
        write("sweep_overhead", command, rows, found, not_measured=missing, note=NOTE)


NOTE = "Other work shared the machine; read the processor time."


if __name__ == "__main__":
    main()
