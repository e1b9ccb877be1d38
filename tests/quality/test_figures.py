"""Intervals, AUC and corrections against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.quality.figures import Figure, auc, auc_figure, benjamini_hochberg, mean, minus, over_draws, ratio, share


def test_a_share_has_a_wilson_interval() -> None:
    found = share(5, 10)
    assert (found.value, found.n) == (0.5, 10)
    assert found.low == pytest.approx(0.2366, abs=1e-4)
    assert found.high == pytest.approx(0.7634, abs=1e-4)
    assert share(0, 0) == Figure(0.0, 0.0, 1.0, 0)


def test_a_ratio_is_of_sums_and_resamples_histories() -> None:
    found = ratio(["a", "b"], [2, 4], [1, 2])
    assert (found.value, found.low, found.high, found.n) == (2.0, 2.0, 2.0, 3)
    assert ratio(["a"], [0], [0]).n == 0


def test_differences_add_their_half_widths_in_squares() -> None:
    found = minus(Figure(5.0, 2.0, 8.0, 10), Figure(1.0, -3.0, 5.0, 4))
    assert (found.value, found.low, found.high, found.n) == (4.0, -1.0, 9.0, 4)
    assert minus(Figure(5.0), Figure(1.0, 0.0, 2.0)).low is None


def test_auc_counts_ties_half() -> None:
    labels = np.array([True, True, False, False])
    assert auc(np.array([3.0, 4.0, 1.0, 2.0]), labels) == 1.0
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), labels) == 0.5
    assert auc(np.array([2.0, 4.0, 1.0, 3.0]), labels) == 0.75
    assert auc(np.array([1.0]), np.array([True])) == 0.5


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_is_the_share_of_pairs(rows: list[tuple[int, bool]]) -> None:
    scores, labels = np.array([float(score) for score, _ in rows]), np.array([label for _, label in rows])
    ones, zeros = scores[labels], scores[~labels]
    pairs = [(one > zero) + (one == zero) / 2 for one in ones for zero in zeros]
    assert auc(scores, labels) == pytest.approx(sum(pairs) / len(pairs) if pairs else 0.5)


def test_the_interval_of_an_auc_covers_it() -> None:
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(1, 1, 200), rng.normal(0, 1, 200)])
    found = auc_figure(scores, np.arange(400) < 200, [str(row // 4) for row in range(400)])
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.7602 < found.high  # of two unit normals one apart


def test_benjamini_hochberg_by_hand() -> None:
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert benjamini_hochberg([]) == []


def test_draws_and_means_are_reproducible() -> None:
    assert over_draws(lambda rng: rng.random(), 5) == over_draws(lambda rng: rng.random(), 5)
    assert mean([1.0, 2.0, 3.0]).value == 2.0
    assert mean([]) == Figure(0.0)
