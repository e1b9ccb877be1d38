"""Which results become one row, and what stands in it."""

from itertools import permutations
from typing import Any

import pytest
from report_cases import metric, result, zero_shot

from kithe.report.estimates import Estimate
from kithe.report.rows import rows
from kithe.report.tables import train_facts


def test_one_row_for_a_cell_and_a_test_set() -> None:
    value = result("a")
    value["metrics"] |= result("a", "sample/small", f1=metric(0.9, 0.8, 1.0, 7))["metrics"]
    first, second = rows([value])
    assert (first.test_set, second.test_set) == ("laps", "sample/small")
    assert second.metrics["f1"] == Estimate(0.9, 0.8, 1.0, 7)
    assert (first.unscored, second.unscored) == (2, None)


def test_cells_that_differ_in_the_seed_are_averaged() -> None:
    seeds = [
        result(
            f"s{seed}", f1=metric(f1, f1 - 0.1, f1 + 0.1), cell={"seed": seed, "runtime": runtime}, unscored={"laps": unscored}
        )
        for seed, f1, runtime, unscored in ((0, 0.4, "cpu", 1), (1, 0.5, "gpu", 4), (2, 0.6, "auto", 4))
    ]
    (row,) = rows(seeds)
    assert row.seeds == (0, 1, 2)
    assert row.runs == ("s0", "s1", "s2")
    assert row.metrics["f1"].value == pytest.approx(0.5)
    assert row.unscored == 3
    assert row.dropped == {"facts not expressed": 120, "histories without an expressed fact": 2}
    assert row.train_facts == 900
    assert len(rows(seeds, over_seeds=False)) == 3


def test_an_arm_with_too_few_facts_is_told_in_the_table() -> None:
    value = result("a")
    value["provenance"]["corpus"] |= {"facts": 847, "card": {"missing_facts": 153, "train": {}}}
    (row,) = rows([value])
    assert train_facts(row) == "847 (153 fewer than asked for)"
    assert train_facts(rows([result("a")])[0]) == "900"


def test_costs_are_means_but_memory_is_the_highest() -> None:
    cheap = result("a", cost={"seconds_per_history": 0.5, "peak_memory_mb": 100.0})
    dear = result("b", cell={"seed": 1}, cost={"seconds_per_history": 1.5, "peak_memory_mb": 300.0})
    (row,) = rows([cheap, dear])
    assert (row.seconds_per_history, row.peak_memory_mb) == (1.0, 300.0)


def test_a_metric_that_one_seed_has_not_is_left_out() -> None:
    (row,) = rows([result("a"), result("b", cell={"seed": 1}, f1=metric(None))])
    assert "f1" not in row.metrics
    assert "recall" in row.metrics


def test_other_config_values_are_no_seeds() -> None:
    low = [result(f"low{seed}", cell={"seed": seed}, config={"adapt": {"rank": 8, "lr": 0.001}}) for seed in (0, 1)]
    high = [result(f"high{seed}", cell={"seed": seed}, config={"adapt": {"rank": 8, "lr": 0.01}}) for seed in (0, 1)]
    found = rows([*low, *high])
    assert [(row.variant, row.runs) for row in found] == [
        ("adapt.lr=0.001", ("low0", "low1")),
        ("adapt.lr=0.01", ("high0", "high1")),
    ]


def test_a_seed_inside_a_group_is_a_seed() -> None:
    (row,) = rows([result("a", config={"data": {"seed": 0}}), result("b", cell={"seed": 1}, config={"data": {"seed": 1}})])
    assert row.seeds == (0, 1)
    assert row.variant == ""


def test_what_no_number_depends_on_splits_no_row() -> None:
    unread = [zero_shot("a", config={"data": {"name": "x"}, "seed": 0}), result("b", config={"runtime": {"processes": 2}})]
    assert [row.variant for row in rows(unread)] == ["", ""]


def test_the_same_run_twice_counts_once() -> None:
    (row,) = rows([result("a"), result("a")])
    assert row.runs == ("a",)


@pytest.mark.parametrize(
    ("cell", "corpus", "name"),
    [
        ({}, {"scripted": True, "source": "scripted"}, "synthetic (scripted)"),
        ({}, {"scripted": False, "source": "endpoint"}, "synthetic (endpoint)"),
        ({"data": "real"}, {"source": "personachat"}, "real (personachat)"),
        ({"data": "spc"}, {"source": "spc"}, "spc"),
        ({"data": "real"}, {"source": "real", "card": {"train": {"facts_by_set": {"msc": 5, "laps": 4}}}}, "real (laps, msc)"),
        ({"data": "real"}, {}, "real"),
        ({"data": None}, {}, "none"),
    ],
)
def test_data_have_honest_names(cell: dict[str, Any], corpus: dict[str, Any], name: str) -> None:
    (row,) = rows([result("a", cell=cell, provenance={"corpus": corpus})])
    assert row.data == name


def test_a_cell_without_numbers_is_a_row_that_says_so() -> None:
    error = 'Traceback (most recent call last):\n  File "x.py"\nValueError: no such thing\n'
    failed = {"run_id": "f", "cell": {"data": "real", "adapt": "lora", "seed": 0}, "state": "failed", "error": error}
    planned = {"run_id": "p", "cell": {}, "state": "planned", "error": ""}
    found = rows([failed, planned, result("a")])
    assert [row.problem for row in found] == ["", "planned", "failed: ValueError: no such thing"]
    assert [row.data for row in found[1:]] == ["", "real"]


def test_a_failed_seed_is_not_averaged_away() -> None:
    failed = {"run_id": "b", "cell": result("b", cell={"seed": 1})["cell"], "state": "failed", "error": "out of memory"}
    done, lost = rows([result("a"), failed])
    assert done.seeds == (0,)
    assert lost.problem == "failed: out of memory"
    assert lost.runs == ("b",)


def test_the_order_depends_on_content_only() -> None:
    results = [
        result("b", cell={"adapt": "sft"}),
        result("a"),
        zero_shot(),
        {"run_id": "f", "cell": {}, "state": "failed", "error": ""},
    ]
    orders = {tuple(row.runs for row in rows(order)) for order in permutations(results)}
    assert orders == {(("zero",), ("a",), ("b",), ("f",))}


def test_the_teacher_names_the_data_it_wrote_and_no_other() -> None:
    wrote = {"data": {"_target_": "Synthetic", "teacher": {"_target_": "Scripted"}}}
    synthetic = result("a", config=wrote, provenance={"corpus": {"source": "synthetic", "scripted": False}})
    endpoint = result("b", config=wrote, cell={"teacher": "endpoint"}, provenance={"corpus": {"source": "synthetic"}})
    people = [result(run, cell={"data": "laps", "teacher": run, "seed": seed}, provenance={}) for seed, run in enumerate("cd")]
    assert [row.data for row in rows([synthetic, endpoint])] == ["synthetic (endpoint)", "synthetic (scripted)"]
    (row,) = rows(people)
    assert row.choices["teacher"] is None
    assert row.seeds == (0, 1)
