from collections import Counter

import numpy as np
import pytest
from judged_talks import talk

from kithe.evaluation.outcomes import (
    Outcome,
    contrast,
    equal_budget,
    frequency_bands,
    gold_outcomes,
    inferred_outcomes,
    share,
    sliced,
    unequal,
)
from kithe.records.chat import Prediction
from kithe.records.history import Evidence, KnowledgeItem


def test_labels_of_gold_facts() -> None:
    turns = [f"U: line {index}" for index in range(30)]
    made = talk("ann", *turns)
    items = (
        KnowledgeItem(
            statement="I ski.", category="Sports", inference="explicit", evidence=(Evidence(turn=2), Evidence(turn=27))
        ),
        KnowledgeItem(statement="I sew.", category="Crafts", inference="implicit", evidence=(Evidence(turn=4),)),
        KnowledgeItem(statement="I hum."),
    )
    found = gold_outcomes(made.model_copy(update={"items": items}), [(1, 0, 0.9)], {"Sports": "head"})
    assert [each.hit for each in found] == [False, True, False]
    assert [each.labels["distance"] for each in found] == ["0-4 turns", "20 turns or more", "unknown"]
    assert [each.labels["frequency"] for each in found] == ["head", "unseen", "unknown"]
    assert [each.labels["inference"] for each in found] == ["explicit", "implicit", "unknown"]


def test_inferred_items_keep_their_confidence() -> None:
    items = (KnowledgeItem(statement="I ski.", confidence=0.9, category="Sports"), KnowledgeItem(statement="I sew."))
    found = inferred_outcomes(Prediction(id="ann", items=items), [1])
    assert [(each.hit, each.confidence) for each in found] == [(False, 0.9), (True, None)]
    assert "frequency" not in found[0].labels


def test_bands_hold_equal_parts_of_the_items() -> None:
    topics = ["a"] * 50 + ["b"] * 20 + ["c"] * 15 + ["d"] * 10 + ["e"] * 5 + [None] * 9
    assert frequency_bands(topics) == {"a": "head", "b": "tail", "c": "tail", "d": "tail", "e": "tail"}
    even = [f"t{index}" for index in range(10) for _ in range(7)]
    assert Counter(frequency_bands(even, ("1", "2", "3", "4", "5")).values()) == dict.fromkeys("12345", 2)
    assert frequency_bands([]) == {}


OUTCOMES = [
    Outcome("a", True, 0.9, {"k": "x"}),
    Outcome("a", False, 0.8, {"k": "x"}),
    Outcome("a", True, 0.7, {"k": "y"}),
    Outcome("b", False, 0.6, {"k": "y"}),
    Outcome("b", True, None, {}),
]


def test_slices_by_hand() -> None:
    found = sliced(OUTCOMES, "k", resamples=100)
    assert {value: (metric["value"], metric["n"]) for value, metric in found.items()} == {
        "unknown": (1.0, 1),
        "x": (0.5, 2),
        "y": (0.5, 2),
    }
    assert share(OUTCOMES).value == 0.6
    assert share(OUTCOMES, "k", "y").numerator.tolist() == [1, 0]


def test_a_contrast_is_found_where_there_is_one() -> None:
    random = np.random.default_rng(0)
    rates = {"head": 0.8, "tail": 0.5}
    made = [
        Outcome(f"u{index % 40}", bool(random.random() < rates[band]), labels={"frequency": band})
        for index in range(600)
        for band in rates
    ]
    found = contrast(made, "frequency", "head", "tail", resamples=1000)
    assert found.value == pytest.approx(0.3, abs=0.06)
    assert found.low > 0.2
    assert found.p < 0.01
    none = contrast([Outcome(each.user, each.hit, labels={"k": str(i % 2)}) for i, each in enumerate(made[::2])], "k", "0", "1")
    assert none.low < 0 < none.high


def test_equal_budget_keeps_the_most_confident_of_both() -> None:
    greedy = [Outcome("a", True, 0.9), Outcome("a", False, 0.2), Outcome("a", True, 0.5), Outcome("b", False, 0.9)]
    modest = [Outcome("a", False, None), Outcome("a", True, 0.3), Outcome("c", True, 0.3)]
    ours, theirs = equal_budget(greedy, modest)
    assert ours.ids == theirs.ids == ("a", "b", "c")
    assert ours.denominator.tolist() == theirs.denominator.tolist() == [2, 0, 0]
    assert (ours.value, theirs.value) == (1.0, 0.5)


def test_unequal_training_is_told() -> None:
    cells = {"real": {"facts": 900, "tokens": 10_000}, "synthetic": {"facts": 900, "tokens": 12_000}, "none": {}}
    assert unequal(cells) == {"tokens": (10_000, 12_000)}
    assert unequal(cells, tolerance=0.2) == {}
