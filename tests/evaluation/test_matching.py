from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from stub import StubEncoder

from kithe.evaluation.matching import as_statement, assign, match, similarity
from kithe.records.history import KnowledgeItem


def items(*statements: str) -> list[KnowledgeItem]:
    return [KnowledgeItem(statement=text) for text in statements]


def brute_force(similarities: NDArray[np.float64], threshold: float) -> tuple[int, float]:
    """The most admissible pairs and their largest sum, over all one-to-one assignments."""
    if similarities.shape[0] > similarities.shape[1]:
        similarities = similarities.T
    rows, columns = similarities.shape
    best = (0, 0.0)
    for chosen in permutations(range(columns), rows):
        values = [similarities[i, j] for i, j in enumerate(chosen) if similarities[i, j] >= threshold]
        best = max(best, (len(values), sum(values)))
    return best


matrices = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1, 1))
)


@given(matrices, st.floats(0.05, 0.95))
def test_assignment_is_as_good_as_the_best_of_all(similarities: NDArray[np.float64], threshold: float) -> None:
    pairs = assign(similarities, threshold)
    count, total = brute_force(similarities, threshold)
    assert len(pairs) == count
    assert sum(value for _, _, value in pairs) == pytest.approx(total)
    assert len({i for i, _, _ in pairs}) == len({j for _, j, _ in pairs}) == count
    assert all(similarities[i, j] == value >= threshold for i, j, value in pairs)


def test_more_pairs_come_before_more_similar_ones() -> None:
    # Raw cosines would pair 0-0 (0.99) and waste 1-1 (0.10): 1.09 against 0.75 + 0.72.
    assert assign(np.array([[0.99, 0.75], [0.72, 0.10]]), 0.7) == [(0, 1, 0.75), (1, 0, 0.72)]


def test_pairs_below_the_threshold_take_no_partner() -> None:
    # Raw cosines would prefer 0.69 + 0.69 over the single admissible pair.
    assert assign(np.array([[0.71, 0.69], [0.69, 0.0]]), 0.7) == [(0, 0, 0.71)]


VECTORS = {
    "I like tea.": (1.0, 0.0),
    "I dislike tea.": (1.0, 0.05),
    "Tea is nice.": (1.0, 0.1),
    "I have a boat.": (0.0, 1.0),
    "I own a boat.": (0.1, 1.0),
}


def test_a_guard_keeps_near_identical_vectors_apart() -> None:
    gold, predicted = items("I like tea.", "I have a boat."), items("I own a boat.", "I dislike tea.", "Tea is nice.")
    found = match(gold, predicted, StubEncoder(VECTORS), 0.8)
    assert [(i, j) for i, j, _ in found] == [(0, 2), (1, 0)]
    assert found[0][2] == pytest.approx(1 / np.sqrt(1.01), abs=1e-6)
    assert similarity(gold, predicted, StubEncoder(VECTORS), 0.8)[0, 1] == -1


def test_an_item_matches_one_gold_item_only() -> None:
    gold, predicted = items("I like tea.", "I like tea."), items("Tea is nice.")
    assert len(match(gold, predicted, StubEncoder(VECTORS), 0.8)) == 1


def test_nothing_to_match_asks_for_no_vectors() -> None:
    encoder = StubEncoder({})
    assert match([], items("I like tea."), encoder, 0.8) == match(items("I like tea."), [], encoder, 0.8) == []
    assert encoder.calls == []


def test_statements_differ_neither_by_spacing_nor_by_a_full_stop() -> None:
    assert as_statement(items("I  like tea ")[0]) == as_statement(items("I like tea.")[0]) == "I like tea."
