"""Precision corrected by labels that lie beside a run, from the files alone."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from report_store import write_run

from kithe.evaluation.judging.validation import Label
from kithe.records.base import write_json, write_lines
from kithe.report.build import build

USERS, ITEMS = 40, 5
TRUE_RATE = {"one": 0.8, "two": 0.5}


def run(store: Path, name: str, labelled: float, seed: int) -> None:
    """A judged run whose judge has sensitivity .9 and specificity .6, with labels of a share of its items."""
    draw, rows, labels = random.Random(seed), [], []
    for user in range(USERS):
        verdicts = []
        for place in range(ITEMS):
            truth = draw.random() < TRUE_RATE[name]
            said = draw.random() < (0.9 if truth else 0.4)
            item = f"u{user}#{place}"
            verdicts.append({"item": item, "user": f"u{user}", "relevance": said, "sensibility": True})
            if draw.random() < labelled:
                labels.append(Label(item=item, annotator="ann", relevance=truth, sensibility=True))
        tp = sum(bool(each["relevance"]) for each in verdicts)
        rows.append({"id": f"u{user}", "tp": tp, "predicted": ITEMS, "gold": 3, "verdicts": verdicts})
    metrics = {"sample/precision": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 1}}
    cell = {"task": "pki", "data": "synthetic", "adapt": name, "model": "tiny", "judge": "rules", "seed": 0}
    write_run(store, {"run_id": name, "cell": cell, "metrics": metrics, "config": {}}, {"sample": rows})
    write_json(store / "runs" / name / "cell.json", {"identity": {"predictions": f"p-{name}"}})
    if labels:
        write_lines(store / "runs" / name / "labels.jsonl", (label.line() for label in labels))


def table(path: Path) -> list[list[str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def middle(text: str) -> float:
    return float(text.split()[0])


def test_naive_and_corrected_stand_side_by_side(tmp_path: Path) -> None:
    run(tmp_path, "one", 0.4, 1)
    run(tmp_path, "two", 0.4, 2)
    build(tmp_path, ["one", "two"], tmp_path / "out")
    rows = {row[1].split(", ")[1]: row for row in table(tmp_path / "out" / "corrected.md")}
    assert set(rows) == {"one", "two"}
    for name, row in rows.items():
        naive, human, rogan, ppi, plus = (middle(text) for text in row[6:])
        # The judge's share of yes is .5 t + .4.
        assert naive == pytest.approx(0.5 * TRUE_RATE[name] + 0.4, abs=0.09)
        for corrected in (human, rogan, ppi, plus):
            assert abs(corrected - TRUE_RATE[name]) < 0.13
        assert "[" in row[10]
    differences = table(tmp_path / "out" / "corrected_differences.md")
    assert len(differences) == 1
    assert middle(differences[0][3]) == pytest.approx(0.3, abs=0.15)
    assert (tmp_path / "out" / "corrected.csv").read_text(encoding="utf-8").count("\n") == 3


def test_labels_of_one_run_correct_the_other_too(tmp_path: Path) -> None:
    run(tmp_path, "one", 0.5, 1)
    run(tmp_path, "two", 0.0, 2)
    build(tmp_path, ["one", "two"], tmp_path / "out")
    assert len(table(tmp_path / "out" / "corrected.md")) == 1
    assert len(table(tmp_path / "out" / "corrected_differences.md")) == 1


def test_labels_beside_the_predictions_count_for_every_judge_and_mistakes_are_told(tmp_path: Path) -> None:
    run(tmp_path, "one", 0.0, 1)
    folder = tmp_path / "predictions" / "p-one" / "labels"
    good = [{"item": f"u{user}#0", "annotator": "ann", "relevance": True, "sensibility": True} for user in range(20)]
    unknown = {"item": "nobody#0", "annotator": "ann", "relevance": True, "sensibility": True}
    bad: list[Any] = [unknown, {"item": "u1#1", "relevance": True}]
    write_lines(folder / "ann.jsonl", map(json.dumps, [*good, good[0], *bad]))
    build(tmp_path, ["one"], tmp_path / "out")
    text = (tmp_path / "out" / "corrected.md").read_text(encoding="utf-8")
    assert table(tmp_path / "out" / "corrected.md")[0][4] == "20"
    for part in ("nobody#0", "labelled several times", "could not be read"):
        assert part in text


def test_without_labels_nothing_is_written(tmp_path: Path) -> None:
    run(tmp_path, "one", 0.0, 1)
    build(tmp_path, ["one"], tmp_path / "out")
    assert not list((tmp_path / "out").glob("corrected*"))
