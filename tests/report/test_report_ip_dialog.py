"""The page on IP-Dialog's runs, from files written by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kithe.cli import main
from kithe.errors import ConfigError
from kithe.records.base import write_json, write_lines
from kithe.records.history import History, Turn
from kithe.records.question import Question
from kithe.report.ip_dialog import write

FORMAT = {"_target_": "kithe.ip_dialog.task.IPDialog", "pathway": "type_guided", "calls": "strict"}


def row(number: int, accuracy: float, named: dict[str, str]) -> dict[str, Any]:
    related = {"age": "adult", "hobby": "music"}
    return {"id": f"i{number}", "accuracy": accuracy, "related": related, "named": named, "twin_of": None, "said": ["yes"]}


def run(store: Path, name: str, rows: list[dict[str, Any]], intervention: str = "none", **figures: float) -> str:
    folder = store / "runs" / name
    task = {"format": {**FORMAT, "intervention": intervention}, "test": {"ip_dialog": {"swap": "gender"}}}
    config = {"task": task, "data": {"per_task": 1}, "adapt": {}, "model": {}, "seed": 0}
    metrics = {
        f"ip_dialog/{key}": {"value": value, "low": value, "high": value, "n": len(rows)} for key, value in figures.items()
    }
    write_json(folder / "result.json", {"run_id": name, "cell": {}, "config": config, "metrics": metrics})
    write_json(folder / "cell.json", {"identity": {"corpus": "made"}, "config": config})
    write_json(folder / "state.json", {"state": "done"})
    write_lines(folder / "scores" / "ip_dialog.jsonl", [json.dumps(one) for one in rows])
    return name


def corpus(store: Path, telling: bool) -> None:
    items = [
        History(
            id=f"{gender}-{number}",
            source="ip_dialog",
            user="user",
            turns=(Turn(speaker="user", text="Hi."),),
            question=Question(task="x", form="text", related={"hobby": hobby}, persona={"gender": gender, "hobby": hobby}),
        )
        for number in range(20)
        for gender in ("male", "female")
        for hobby in ([{"male": "sports", "female": "crafts"}[gender]] if telling else ["sports", "crafts"])
    ]
    write_lines(store / "corpus" / "made" / "train.jsonl", [item.line() for item in items])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    right, wrong = {"age": "adult"}, {"age": "child", "gender": "male"}
    as_it_is = [row(number, float(number % 2), right if number % 4 else wrong) for number in range(20)]
    given = [row(number, 1.0, right) for number in range(20)]
    figures = {"unmoved_by_the_irrelevant": 0.75}
    run(tmp_path, "plain", as_it_is, accuracy=0.5, atf=0.6, rva=0.5, **figures)
    run(tmp_path, "set", given, "gold_attributes", accuracy=1.0, atf=1.0, rva=1.0)
    run(tmp_path, "third", as_it_is, accuracy=0.4, atf=0.5, rva=0.9)
    corpus(tmp_path, telling=True)
    return tmp_path


def tables(store: Path) -> dict[str, Any]:
    write(store, ["plain", "set", "third"], store / "out")
    found = json.loads((store / "out" / "ip_dialog.json").read_text(encoding="utf-8"))
    assert set(found["runs"]) == {"plain/ip_dialog", "set/ip_dialog", "third/ip_dialog"}
    return {name.split(",")[0]: table for name, table in found["tables"].items()}


def test_every_section_has_its_known_figures(store: Path) -> None:
    found = tables(store)
    # Pearson of (.6, 1, .5) and (.5, 1, .4): the second is linear in the first but for rounding.
    assert found["Do attributes and answers go together?"][0] == {"figures": "atf and accuracy", "r": ".999", "cells": "3"}
    effects = found["What setting a node changes"]
    assert [line["cell"].split()[0] for line in effects] == ["set"]
    assert effects[0]["effect on accuracy"].startswith("+.500 [")
    plain = [line for line in found["Each attribute"] if line["run"].startswith("plain")]
    assert [(line["attribute"], line["items"], line["named"][:5]) for line in plain] == [
        ("age", "20", "1.000"),
        ("hobby", "20", ".000 "),
    ]
    assert plain[0]["named with the right value"].startswith(".750 [")
    pairs = found["Pairs of attribute values"]
    assert {line["pair"] for line in pairs} == {"age=adult × hobby=music"}
    (bias,) = found["Bias"]
    assert (bias["swapped"], bias["role that tells it most"], bias["same answer after the swap"][:4]) == (
        "gender",
        "hobby",
        ".750",
    )
    assert float(bias["bits beyond chance"]) > 0.9


def test_a_balanced_corpus_says_nothing_about_the_protected_attribute(store: Path) -> None:
    corpus(store, telling=False)
    (bias,) = tables(store)["Bias"]
    assert float(bias["bits beyond chance"]) <= 0


def test_the_command_takes_sweeps_and_runs(store: Path, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]) -> None:
    write_json(store / "sweeps" / "mine" / "sweep.json", {"runs": ["plain", "set"]})
    main(["report", "ip_dialog", "mine", "--store", str(store)])
    page = store / "sweeps" / "mine" / "ip_dialog.md"
    assert str(page) in capsys.readouterr().out
    assert "## Bias" in page.read_text(encoding="utf-8")
    assert "which runs" in refused("report", "ip_dialog", "--store", store)


def test_runs_of_other_tasks_are_no_material(store: Path) -> None:
    write_json(store / "runs" / "other" / "result.json", {"run_id": "other", "config": {"task": {"format": {}}}, "metrics": {}})
    write_json(store / "runs" / "other" / "state.json", {"state": "done"})
    with pytest.raises(ConfigError, match="none of these runs"):
        write(store, ["other", "missing"], store / "out")
