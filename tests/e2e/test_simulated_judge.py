"""A judge of single items, scored by the stages of a cell and shown in the report."""

import json
from pathlib import Path

import pytest

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.records.base import write_lines
from kithe.records.chat import Prediction
from kithe.worker import Worker

WORDS = ["judge=rules", "model=tiny", "adapt=zero-shot", "task/test=sample", "task.test.sample.limit=4", "judge.resamples=100"]


def scored(store: Path, *words: str) -> Cell:
    """A cell whose predictions are the gold facts themselves and one invention a user."""
    cell = Cell.of(compose([*WORDS, *words, f"paths.store={store}"]))
    cell.prepare()
    worker = Worker(cell)
    for name, source in worker.task.test.items():
        people = list(source.histories("test", 0))
        invented = {"statement": "I keep three camels in Timbuktu."}
        made = [Prediction.model_validate({"id": each.id, "items": [*each.items, invented], "units": 1}) for each in people]
        folder = worker.predictions.path / name
        write_lines(folder / "histories.jsonl", (each.line() for each in people))
        write_lines(folder / "predictions.jsonl", (each.line() for each in made))
    worker.score()
    return cell


def test_the_worker_scores_with_it_and_its_verdicts_are_kept(tmp_path: Path) -> None:
    cell = scored(tmp_path, "judge.sensitivity=1", "judge.specificity=1")
    found = json.loads((cell.folder.path / "scores.json").read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (cell.folder.path / "scores" / "sample.jsonl").read_text(encoding="utf-8").splitlines()]
    facts = sum(row["gold"] for row in rows)
    assert found["metrics"]["sample/precision"]["value"] == pytest.approx(facts / (facts + 4))
    assert found["judge"] == {"simulated": True, "sensitivity": 1, "specificity": 1}
    assert found["unscored"] == {"sample": 0}
    assert [row["verdicts"][-1]["relevance"] for row in rows] == [False] * 4
    assert all({"tp", "predicted", "gold"} <= row.keys() for row in rows)


def test_another_error_rate_is_another_run_on_the_same_predictions(tmp_path: Path) -> None:
    one, other = (Cell.of(compose([*WORDS, word, f"paths.store={tmp_path}"])) for word in ("judge.seed=0", "judge.seed=1"))
    assert one.identity.predictions == other.identity.predictions
    assert one.identity.run != other.identity.run
