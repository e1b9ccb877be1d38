"""Tables 1 and 2 from hand-made rows: which rows, which reference, and the figures in them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kithe.report import paper
from kithe.report.estimates import Estimate
from kithe.report.rows import Row

USERS = [f"u{number}" for number in range(12)]
SHARES = {
    "large": (6, 4), "small": (5, 5), "real-lora": (7, 5), "real-sft": (7, 6), "synthetic-lora": (8, 6), "synthetic-sft": (9, 8),
}  # fmt: skip


def paper_files(*given: Any) -> dict[str, str]:
    return paper.paper_files(*given, resamples=200)


def row(name: str, data: str | None, adapt: str, model: str, seeds: int = 3) -> Row:
    numbers = tuple(range(seeds if data else 0))
    runs = tuple(f"{name}/{seed}" for seed in numbers) or (f"{name}/0",)
    choices = {"task": "pki", "data": data, "adapt": adapt, "model": model, "judge": "gold"}
    shown = {None: "none", "real": "real (laps)", "synthetic": "synthetic (scripted)"}[data]
    return Row(choices, shown, "", runs, numbers, "sample", metrics={"precision": Estimate(0.5), "recall": Estimate(0.5)})


ROWS = [
    row("large", None, "zero-shot", "endpoint"),
    row("small", None, "zero-shot", "tiny"),
    *(row(f"{data}-{adapt}", data, adapt, "tiny") for data in ("synthetic", "real") for adapt in ("sft", "lora")),
]


def read(run: str, kind: str, test_set: str) -> Mapping[str, Mapping[str, Any]]:
    """Ten items and ten facts a user, with the same hits for every user and seed."""
    hits, found = SHARES[run.split("/")[0]]
    if kind == "recall":
        return {}
    return {user: {"id": user, "tp": hits, "predicted": 10, "gold": 10 * hits / found} for user in USERS}


def lines(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")][2:]


def test_table_1_has_six_rows_in_the_papers_order_minus_the_large_model() -> None:
    found = lines(paper_files(["table1"], ROWS, read)["table1.md"])
    assert [(line[1], line[2], line[3]) for line in found] == [
        ("none", "zero-shot", "endpoint"),
        ("none", "zero-shot", "tiny"),
        ("real (laps)", "lora", "tiny"),
        ("real (laps)", "sft", "tiny"),
        ("synthetic (scripted)", "lora", "tiny"),
        ("synthetic (scripted)", "sft", "tiny"),
    ]
    # Precision .6 for the large model; recall is the second number of the pair, in tenths.
    assert found[0][5] == "0.0"
    assert [line[5] for line in found[1:]] == [f"{sign}.0 [{sign}.0, {sign}.0]" for sign in ("-10", "+10", "+10", "+20", "+30")]
    assert [line[7] for line in found][1:3] == ["+10.0 [+10.0, +10.0]", "+10.0 [+10.0, +10.0]"]
    assert [line[4] for line in found] == ["–", "–", "3", "3", "3", "3"]


def test_without_a_large_model_its_row_is_absent_and_the_small_one_is_the_reference() -> None:
    found = lines(paper_files(["table1"], ROWS[1:], read)["table1.md"])
    assert found[0][3] == "absent"
    assert found[0][5] == "absent"
    assert [line[5] for line in found[1:3]] == ["0.0", "+20.0 [+20.0, +20.0]"]


def test_table_2_is_synthetic_minus_real_method_by_method() -> None:
    files = paper_files(["table2"], ROWS, read)
    found = lines(files["table2.md"])
    assert [line[1] for line in found] == ["synthetic (scripted) minus real (laps)"] * 2
    assert [(line[2], line[5], line[7]) for line in found] == [
        ("lora", "+10.0 [+10.0, +10.0]", "+10.0 [+10.0, +10.0]"),
        ("sft", "+20.0 [+20.0, +20.0]", "+20.0 [+20.0, +20.0]"),
    ]
    assert set(files) == {"table2.md", "table2.tex", "table2.csv"}
    assert "delta_precision_low" in files["table2.csv"].splitlines()[0]


def test_recall_of_questions_goes_before_that_of_gold_facts() -> None:
    def with_questions(run: str, kind: str, test_set: str) -> Mapping[str, Mapping[str, Any]]:
        asked = {user: {"id": user, "qa_found": 3, "qa_asked": 4} for user in USERS}
        return asked if kind == "recall" else read(run, kind, test_set)

    found = lines(paper_files(["table1"], ROWS, with_questions)["table1.md"])
    assert {line[-1] for line in found} == {"questions"}
    assert {line[-2] for line in found} == {".750 [.750, .750]"}


def test_a_judge_of_items_alone_has_no_recall() -> None:
    judged = [replace(each, metrics={"precision": Estimate(0.5)}) for each in ROWS]
    found = lines(paper_files(["table1"], judged, read)["table1.md"])
    assert {(line[7], line[10], line[11]) for line in found} == {("–", "–", "–")}


def test_a_cell_that_failed_says_so() -> None:
    broken = Row({"data": "real", "adapt": "sft", "model": "tiny"}, "real (laps)", "", ("x",), problem="failed: no memory")
    found = lines(paper_files(["table1"], [*ROWS[:3], broken], read)["table1.md"])
    assert found[-1][:6] == ["sample", "real (laps)", "sft", "tiny", "–", "failed: no memory"]


def test_users_that_differ_are_not_compared() -> None:
    def fewer(run: str, kind: str, test_set: str) -> Mapping[str, Mapping[str, Any]]:
        return dict(list(read(run, kind, test_set).items())[1:]) if run.startswith("large") else read(run, kind, test_set)

    found = lines(paper_files(["table1"], ROWS, fewer)["table1.md"])
    assert {line[5] for line in found[1:]} == {"–"}


@pytest.mark.parametrize("wanted", [[], ["table1"], ["table1", "table2"]])
def test_only_what_is_asked_for_is_written(wanted: list[str]) -> None:
    assert {name.split(".")[0] for name in paper_files(wanted, ROWS, read)} == set(wanted)
