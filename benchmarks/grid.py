"""The grid of the paper's Tables 1 and 2 on public data: `KITHE_DATA=… python -m benchmarks.grid [--small] [--report]`.

{synthetic, real, spc} × {zero-shot, lora, sft} with SmolLM2-135M, tested on PersonaChat and LAPS; LoRA with two seeds. A cell
takes about twenty minutes on two quiet cores; finished cells are not run again, and the result file says which are missing.
"""

import argparse
import subprocess
import sys
from typing import Any

from benchmarks.common import write
from kithe.cell import Cell
from kithe.config.compose import ROOT, compose

DATA = ("synthetic", "real", "spc")
SMALL = ["model=tiny", "corpus.facts=40"]
SMALL += ["task.test.personachat.limit=10", "task.test.laps.limit=5", "task.format.max_new_tokens=16"]
# In the order of what the comparison needs most.
CELLS = [
    *[(data, "zero-shot", 0) for data in DATA],
    *[(data, "lora", 0) for data in DATA],
    *[(data, "sft", 0) for data in DATA],
    *[(data, "lora", 1) for data in DATA],
]


def words(data: str, adapt: str, seed: int, small: bool) -> list[str]:
    """The overrides of a cell."""
    return [f"data={data}", f"adapt={adapt}", f"seed={seed}", *(SMALL if small else [])]


def result(data: str, adapt: str, seed: int, small: bool) -> dict[str, Any]:
    """A cell's result; empty while it is not done."""
    folder = Cell.of(compose(words(data, adapt, seed, small))).folder
    return folder.read("result.json") if folder.done else {}


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
    options = parser.parse_args()
    for cell in [None] if options.report else CELLS:
        if cell is not None:
            subprocess.run([sys.executable, str(ROOT / "run.py"), *words(*cell, options.small)], check=False)
        found = {each: result(*each, options.small) for each in CELLS}
        rows = [row(*each, value) for each, value in found.items() if value]
        missing = [" ".join(map(str, each)) for each, value in found.items() if not value]
        name = "grid_small" if options.small else "grid"
        write(name, f"python -m benchmarks.grid{' --small' if options.small else ''}", rows, summary(rows), missing=missing)


if __name__ == "__main__":
    main()
