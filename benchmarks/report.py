"""How long a report of a done grid takes: `python -m benchmarks.report`; a minute, no model.

Eighteen cells (six with three seeds) on two test sets of a hundred users, all simulated: histories are scripted (written by a
program), and a cell finds each fact with a chance of its own and makes things up with another. So the files are as large as those
of a real grid, and no figure in the report is a finding. What is timed is `kithe report` in a fresh process, start included.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import write
from kithe.dialogues.scripted import Scripted
from kithe.evaluation.scores import UserScore, metrics, score_user
from kithe.records.base import write_json, write_lines
from kithe.records.chat import Prediction
from kithe.records.history import History

USERS = 100
SEEDS = 3
CELLS = {"a": (0.25, 0.8), "b": (0.4, 0.6), "c": (0.5, 0.5), "d": (0.55, 0.45), "e": (0.6, 0.4), "f": (0.8, 0.2)}
SETS = ("first", "second")


def histories(name: str) -> list[History]:
    """A scripted test set."""
    teacher, start = Scripted(), 1 + SETS.index(name) * USERS
    return [teacher.dialogue(teacher.persona(2, start + index, unseen=True), 2, 0) for index in range(USERS)]


def said(history: History, other: History, chances: tuple[float, float], draw: random.Random) -> tuple[Prediction, UserScore]:
    """What a simulated cell says of a user, some of it true of somebody else, and its score."""
    found = [(index, item) for index, item in enumerate(history.items) if draw.random() < chances[0]]
    wrong = [(None, item.model_copy(update={"evidence": ()})) for item in other.items if draw.random() < chances[1]]
    items = [(index, item.model_copy(update={"confidence": draw.random()})) for index, item in (*found, *wrong)]
    prediction = Prediction(id=history.id, items=tuple(item for _, item in items), units=1, raw=(history.turns[0].text,))
    matches = [(index, place, 1.0) for place, (index, _) in enumerate(items) if index is not None]
    return prediction, score_user(history, prediction, matches)


def cell(store: Path, name: str, seed: int, sets: dict[str, list[History]]) -> str:
    """Write one finished cell; returns its id."""
    run, scored = f"{name}-s{seed}", {}
    for test_set, people in sets.items():
        draw, folder = random.Random(f"{run}/{test_set}"), store / "predictions" / run / test_set
        pairs = [said(one, other, CELLS[name], draw) for one, other in zip(people, [*people[1:], people[0]], strict=True)]
        write_lines(folder / "predictions.jsonl", (prediction.line() for prediction, _ in pairs))
        write_lines(folder / "histories.jsonl", (history.line() for history in people))
        rows = [score for _, score in pairs]
        write_lines(store / "runs" / run / "scores" / f"{test_set}.jsonl", (json.dumps(row.row()) for row in rows))
        scored |= {f"{test_set}/{metric}": value for metric, value in metrics(rows, 200).items()}
    choices = {"task": "pki", "data": name, "adapt": "simulated", "model": "none", "judge": "gold", "seed": seed}
    result = {"run_id": run, "cell": choices, "metrics": scored, "provenance": {"stages": {"predictions": run}}}
    write_json(store / "runs" / run / "result.json", result)
    write_json(store / "runs" / run / "state.json", {"state": "done"})
    return run


def report(store: Path) -> dict[str, Any]:
    """Rebuild the report of the grid in a fresh process."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "kithe.cli", "report", "grid", "--store", str(store)], check=True, capture_output=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    page = store / "sweeps" / "grid" / "report.html"
    return {"wall_s": wall, "cpu_s": cpu, "page_mb": page.stat().st_size / 1e6, "load": os.getloadavg()[0]}


def measured(store: Path, times: int) -> Iterator[dict[str, Any]]:
    """The grid, reported several times."""
    sets = {name: histories(name) for name in SETS}
    runs = [cell(store, name, seed, sets) for name in CELLS for seed in range(SEEDS)]
    write_json(store / "sweeps" / "grid" / "sweep.json", {"sweep_id": "grid", "runs": runs, "command": "simulated"})
    for _ in range(times):
        yield {"cells": len(runs), "users": USERS * len(SETS), **report(store)}


def main() -> None:
    """Measure and write `results/report.json`."""
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measured(Path(folder), 3))
    best = {key: min(row[key] for row in rows) for key in ("wall_s", "cpu_s", "page_mb")}
    summary = {f"report_{key}": round(value, 2) for key, value in best.items()}
    note = "simulated cells on scripted histories; wall time depends on what else the machine does (load beside it)"
    print(write("report", "python -m benchmarks.report", rows, {**summary, "cells": rows[0]["cells"]}, note=note), summary)


if __name__ == "__main__":
    main()
