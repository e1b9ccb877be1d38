"""The grid of the paper's Tables 1 and 2 on public data: `KITHE_DATA=… python -m benchmarks.grid`.

{synthetic, real, spc} × {zero-shot, lora, sft} with SmolLM2-135M, tested on PersonaChat and LAPS; LoRA with two seeds. A cell
takes about twenty minutes on two quiet cores. A cell that stands in the result file, with the commit it ran at, is not run again,
on whatever machine it was; the file says which cells are missing, and `--again synthetic` measures those of a source anew.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.common import RESULTS, write
from kithe.cell import Cell
from kithe.config.compose import ROOT, compose

DATA = ("synthetic", "real", "spc")
BASE = ["corpus.facts=300", "task.test.personachat.limit=100", "task.test.laps.limit=100", "task.format.max_new_tokens=64"]
SMALL = ["model=tiny", "corpus.facts=40"]
SMALL += ["task.test.personachat.limit=10", "task.test.laps.limit=5", "task.format.max_new_tokens=16"]
# In the order of what the comparison needs most.
CELLS = [
    ("synthetic", "zero-shot", 0),
    *[(data, "lora", 0) for data in DATA],
    *[(data, "lora", 1) for data in DATA],
    *[(data, "sft", 0) for data in DATA],
    *[(data, "zero-shot", 0) for data in DATA[1:]],
]


def words(data: str, adapt: str, seed: int, small: bool) -> list[str]:
    """The overrides of a cell."""
    return [f"data={data}", f"adapt={adapt}", f"seed={seed}", *(SMALL if small else BASE)]


def cell_of(data: str, adapt: str, seed: int, small: bool) -> Cell:
    """A cell of the grid."""
    return Cell.of(compose(words(data, adapt, seed, small)))


def row(data: str, adapt: str, seed: int, found: dict[str, Any]) -> dict[str, Any]:
    """One cell's figures."""
    account = found["provenance"]["corpus"]
    return {
        "data": data,
        "adapt": adapt,
        "seed": seed,
        "run_id": found["run_id"],
        "metrics": found["metrics"],
        "cost": found["cost"],
        "facts": account.get("facts"),
        "dropped": account.get("dropped"),
        "contamination": found["provenance"]["contamination"],
        "git": found["provenance"]["git"],
        "environment": found["environment"],
    }


def finished(data: str, adapt: str, seed: int, small: bool) -> dict[str, Any]:
    """A cell's figures if it is done; otherwise empty."""
    folder = cell_of(data, adapt, seed, small).folder
    return row(data, adapt, seed, folder.read("result.json")) if folder.done else {}


def run(data: str, adapt: str, seed: int, small: bool) -> dict[str, Any]:
    """Run a cell; its figures, with the seconds the command took beyond its stages (None after a restart); empty if it failed."""
    cell = cell_of(data, adapt, seed, small)
    # A stage that another cell or an earlier attempt has finished costs this command nothing.
    straight = cell.folder.state == "planned"
    started = time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "run.py"), *words(data, adapt, seed, small)], check=False)
    wall = time.perf_counter() - started
    if not (found := finished(data, adapt, seed, small)):
        return {}
    spent = sum(stage["wall_s"] for stage in found["cost"]["stages"].values())
    return {**found, "command_wall_s": wall, "overhead_s": wall - spent if straight else None}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """`cells`, and the mean F1 over seeds per adaptation, data and test set."""
    values: dict[str, list[float]] = {}
    for item in rows:
        for name, metric in item["metrics"].items():
            test_set, _, kind = name.partition("/")
            if kind == "f1":
                values.setdefault(f"f1_{item['adapt']}_{item['data']}_{test_set}", []).append(metric["value"])
    return {"cells": len({item["run_id"] for item in rows}), **{name: sum(found) / len(found) for name, found in values.items()}}


def main() -> None:
    """Run what is missing, unless only a report is asked for; write the figures after every cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a random model and a handful of users: minutes, no meaning")
    parser.add_argument("--report", action="store_true", help="run nothing, write what is finished")
    parser.add_argument("--again", nargs="*", default=[], choices=DATA, help="sources whose cells are measured anew")
    options = parser.parse_args()
    name = "grid_small" if options.small else "grid"
    command = f"python -m benchmarks.grid{' --small' if options.small else ''}"
    file = RESULTS / f"{name}.json"
    before = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    rows = [item for item in before if item["data"] not in options.again]
    # Without examples a zero-shot cell reads no data: one run stands in three places of the grid.
    bare = [{**item, "data": data} for item in rows if item["adapt"] == "zero-shot" for data in DATA]
    known = {(item["data"], item["adapt"], item["seed"]): item for item in [*bare, *rows]}
    for each in CELLS:
        if each not in known and (found := (finished if options.report else run)(*each, options.small)):
            known[each] = found
        rows = [known[cell] for cell in CELLS if cell in known]
        missing = [" ".join(map(str, cell)) for cell in CELLS if cell not in known]
        write(name, command, rows, summary(rows), missing=missing)


if __name__ == "__main__":
    main()
