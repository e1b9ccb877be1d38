import json
from collections import Counter

import pytest

from kithe.evaluation.calibration import FOLDER, calibrate, calibrated_threshold, halves, pairs
from kithe.llm.embed import Embedder


def test_there_are_enough_pairs_of_every_kind() -> None:
    rows = pairs()
    kinds = Counter(pair.kind for pair in rows)
    assert len(rows) >= 440
    assert sum(pair.same for pair in rows) >= 180
    assert {"same", "topic", "polarity", "number", "specific", "person", "tense"} <= set(kinds)
    assert min(kinds.values()) >= 30


def test_no_pair_stands_there_twice() -> None:
    keys = [frozenset({pair.a.casefold(), pair.b.casefold()}) for pair in pairs()]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 2 for key in keys)


def test_halves_are_disjoint_and_stratified() -> None:
    rows = pairs()
    choose, report = halves(rows)
    assert set(choose) | set(report) == set(rows)
    assert not set(choose) & set(report)
    first, second = Counter(pair.kind for pair in choose), Counter(pair.kind for pair in report)
    assert all(0 <= first[kind] - second[kind] <= 1 for kind in first)


def test_threshold_json_is_what_calibration_finds(encoder: Embedder) -> None:
    stored = json.loads((FOLDER / "threshold.json").read_text(encoding="utf-8"))
    found = calibrate(encoder).as_dict()
    assert calibrated_threshold() == stored["threshold"] == pytest.approx(found["threshold"], abs=0.0011)
    assert found | {"threshold": stored["threshold"]} == stored


def test_the_rule_is_good_enough_on_pairs_that_did_not_choose_it() -> None:
    stored = json.loads((FOLDER / "threshold.json").read_text(encoding="utf-8"))
    assert stored["report"]["n"] >= 220
    assert stored["report"]["low"] > 0.8
    assert stored["report"]["low"] > stored["without_guards"]["high"]
    assert stored["specificity"]["accuracy"] > 0.9
    assert stored["report"]["accuracy"] == pytest.approx(
        sum(row["n"] * row["accuracy"] for row in stored["kinds"].values()) / stored["report"]["n"], abs=1e-3
    )
