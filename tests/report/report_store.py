"""A store written by hand, as the stages of a cell leave it."""

import json
from pathlib import Path
from typing import Any

from kithe.records.base import write_json, write_lines
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem, Turn


def write_run(store: Path, result: dict[str, Any], scores: dict[str, list[dict[str, Any]]] | None = None) -> None:
    """A finished run with per-user rows: test set -> rows."""
    folder = store / "runs" / result["run_id"]
    write_json(folder / "result.json", result)
    write_json(folder / "state.json", {"state": "done"})
    for test_set, rows in (scores or {}).items():
        write_lines(folder / "scores" / f"{test_set}.jsonl", map(json.dumps, rows))


def write_failed(store: Path, run_id: str, error: str, choices: dict[str, str]) -> None:
    """A run that failed."""
    folder = store / "runs" / run_id
    counted = {**choices, "seed": 3}
    config = {"seed": 3, "data": {"teacher": {}}}
    write_json(folder / "cell.json", {"config": config, "choices": choices, "counted": counted, "identity": {"weights": "w"}})
    write_json(folder / "state.json", {"state": "failed", "error": error})


def write_sweep(store: Path, sweep_id: str, runs: list[str]) -> None:
    """A sweep's list of runs."""
    write_json(store / "sweeps" / sweep_id / "sweep.json", {"sweep_id": sweep_id, "runs": runs, "command": "run.py -m"})


def write_training(store: Path, weights: str, rows: list[dict[str, Any]]) -> None:
    """What training wrote down, step by step."""
    write_lines(store / "weights" / weights / "metrics.jsonl", map(json.dumps, rows))


def write_predictions(
    store: Path, predictions: str, test_set: str, said: dict[str, list[str]], told: dict[str, list[str]]
) -> None:
    """Predictions, user id -> statements, and the histories they are about, user id -> what the user says (and is true)."""
    folder = store / "predictions" / predictions / test_set
    made = (Prediction(id=key, items=tuple(KnowledgeItem(statement=text) for text in texts)) for key, texts in said.items())
    write_lines(folder / "predictions.jsonl", (item.line() for item in made))
    asked = (
        History(
            id=key,
            source="hand",
            user="ann",
            turns=tuple(Turn(speaker="ann", text=text) for text in texts),
            items=tuple(KnowledgeItem(statement=text) for text in texts),
        )
        for key, texts in told.items()
    )
    write_lines(folder / "histories.jsonl", (history.line() for history in asked))
