from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from kithe.evaluation import correction
from kithe.evaluation.correction import (
    METHODS,
    Counts,
    Judged,
    Labelled,
    clustered,
    correct,
    count,
    difference,
    weight,
    wilson_of,
)

# 100 labels: 60 + 10 right, 6 + 24 wrong; 1000 more items, of which the judge calls 700 right.
COUNTS = Counts(hit=60, missed=10, false=6, rejected=24, positive=700, judged=1000)


def expanded(counts: Counts) -> tuple[Labelled, Judged]:
    hit, missed, false, rejected, positive, judged = (int(value) for value in counts.arrays())
    truth = [True] * (hit + missed) + [False] * (false + rejected)
    said = [True] * hit + [False] * missed + [True] * false + [False] * rejected
    labelled = Labelled(truth, said, [f"l{index}" for index in range(len(truth))])
    verdicts = [True] * positive + [False] * (judged - positive)
    return labelled, Judged(verdicts, [f"j{index}" for index in range(judged)])


def test_rogan_gladen_by_hand() -> None:
    q1, q0 = 61 / 72, 25 / 32
    theta = (0.7 + q0 - 1) / (q0 + q1 - 1)
    spread = 0.21 / 1000 + (1 - theta) ** 2 * q0 * (1 - q0) / 32 + theta**2 * q1 * (1 - q1) / 72
    half = 1.959964 * np.sqrt(spread) / (q0 + q1 - 1)
    found = correction.rogan_gladen(COUNTS)
    assert (found.value, found.low, found.high) == pytest.approx((theta, theta - half, theta + half))


def test_ppi_by_hand() -> None:
    found = correction.ppi(COUNTS)
    assert found.value == pytest.approx(0.7 + (10 - 6) / 100)
    # Errors Y - f are +1 for 10.5, -1 for 6.5 and 0 for the rest of 102 (half a label in each cell).
    spread = 17 / 102 - (4 / 102) ** 2
    assert found.high - found.value == pytest.approx(1.959964 * np.sqrt(0.21 / 1000 + spread / 100))


def test_the_weight_of_ppi_plus_by_the_definition_on_rows() -> None:
    labelled, _ = expanded(COUNTS)
    truth, said = np.array(labelled.truth, dtype=float), np.array(labelled.verdicts, dtype=float)
    covariance = np.cov(truth, said, bias=True)
    expected = covariance[0, 1] / ((1 + 100 / 1000) * covariance[1, 1])
    assert weight(COUNTS) == pytest.approx(expected)
    found = correction.ppi_plus(COUNTS)
    assert found.value == pytest.approx(expected * 0.7 + np.mean(truth - expected * said))


def test_wilson_is_that_of_scipy() -> None:
    for yes, n in product((0, 3, 10), (10, 25)):
        expected = binomtest(yes, n).proportion_ci(method="wilson")
        found = wilson_of(np.float64(yes), np.float64(n))
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_perfect_judge_needs_no_correction() -> None:
    counts = Counts(70, 0, 0, 30, 700, 1000)
    assert weight(counts) == pytest.approx(1 / 1.1)
    assert correction.ppi(counts).value == pytest.approx(0.7)
    assert correction.ppi_plus(counts).width < correction.human_only(counts).width
    assert correction.ppi(counts).width > 0


def test_a_judge_that_tells_nothing_is_not_listened_to() -> None:
    coin = Counts(35, 35, 15, 15, 500, 1000)
    assert weight(coin) == 0
    assert correction.ppi_plus(coin).value == correction.human_only(coin).value
    found = correction.rogan_gladen(Counts(10, 60, 25, 5, 500, 1000))
    assert (found.low, found.high) == (0, 1)


def test_the_judge_alone_and_people_alone() -> None:
    assert correction.naive(COUNTS).value == 0.7
    assert correction.human_only(COUNTS).value == 0.7
    nothing_judged = Counts(60, 10, 6, 24, 0, 0)
    assert correction.ppi_plus(nothing_judged).value == pytest.approx(0.7)


CELLS = st.integers(0, 30)


@given(CELLS, CELLS, CELLS, st.integers(1, 30), st.integers(0, 50), st.integers(50, 100))
def test_every_estimate_is_a_rate_within_its_interval(a: int, b: int, c: int, d: int, yes: int, n: int) -> None:
    for method in METHODS.values():
        found = method(Counts(a, b, c, d, yes, n))
        assert 0 <= found.low <= found.value + 1e-9
        assert found.value <= found.high + 1e-9 <= 1 + 2e-9


def test_rows_and_counts_are_the_same() -> None:
    labelled, judged = expanded(COUNTS)
    assert count(labelled, judged) == COUNTS
    assert correct(labelled, judged)["ppi_plus"].value == correction.ppi_plus(COUNTS).value


def test_the_bootstrap_agrees_with_the_formula_for_independent_items_and_widens_for_clusters() -> None:
    labelled, judged = expanded(COUNTS)
    expected = correction.ppi_plus(COUNTS)
    alone = clustered(labelled, judged, resamples=2000)["ppi_plus"]
    assert alone.value == expected.value
    assert alone.width == pytest.approx(float(expected.width), rel=0.08)
    people = Labelled(labelled.truth, labelled.verdicts, [f"u{index // 10}" for index in range(100)])
    assert clustered(people, judged, resamples=2000)["ppi_plus"].width > 1.5 * alone.width


def test_few_labels_without_a_slip_claim_no_certainty() -> None:
    labelled = Labelled([True] * 12 + [False] * 8, [True] * 12 + [False] * 8, [f"u{index}" for index in range(20)])
    found = clustered(labelled, Judged([True] * 600 + [False] * 400, [f"j{index}" for index in range(1000)]), resamples=300)
    assert found["ppi_plus"].width > 0.1
    assert set(found) == set(METHODS)


def test_nothing_labelled_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one labelled"):
        Labelled([], [], [])


def arms(random: np.random.Generator, rates: tuple[float, float], errors: tuple[float, float]) -> tuple[Labelled, Judged, Judged]:
    """Two systems judged with the same errors, on the same users, with labels on a third sample."""
    sensitivity, specificity = errors

    def judge(truth: np.ndarray) -> list[bool]:
        return np.where(truth, random.random(len(truth)) < sensitivity, random.random(len(truth)) > specificity).tolist()

    users = [f"u{index // 5}" for index in range(1000)]
    first, second = (random.random(1000) < rate for rate in rates)
    truth = random.random(300) < sum(rates) / 2
    labelled = Labelled(truth.tolist(), judge(truth), [f"l{index // 3}" for index in range(300)])
    return labelled, Judged(judge(first), users), Judged(judge(second), users)


def test_a_difference_is_stretched_back_to_its_true_size() -> None:
    # The judge shrinks 0.3 to (0.9 + 0.7 - 1) 0.3 = 0.18; Rogan-Gladen with the same labels for both stretches it back.
    labelled, first, second = arms(np.random.default_rng(0), (0.8, 0.5), (0.9, 0.7))
    raw = np.mean(first.verdicts) - np.mean(second.verdicts)
    found = difference(labelled, first, second, correction.rogan_gladen, resamples=2000)
    assert raw == pytest.approx(0.18, abs=0.04)
    assert found.value == pytest.approx(0.3, abs=0.06)
    assert found.low < 0.3 < found.high
    assert found.p < 0.01


def test_no_difference_is_seldom_found() -> None:
    significant = 0
    for repeat in range(60):
        labelled, first, second = arms(np.random.default_rng(repeat), (0.7, 0.7), (0.9, 0.7))
        significant += difference(labelled, first, second, resamples=300, seed=repeat).p < 0.05
    assert significant <= 7


def test_a_judge_that_favours_one_arm_is_corrected_by_labels_of_each_arm() -> None:
    random = np.random.default_rng(1)
    plain, first, _ = arms(random, (0.6, 0.6), (0.9, 0.8))
    biased, second, _ = arms(random, (0.6, 0.6), (0.99, 0.4))
    wrong = difference(plain, first, second, resamples=1000)
    right = difference((plain, biased), first, second, resamples=1000)
    assert wrong.high < 0 or wrong.p < 0.05
    assert right.low < 0 < right.high


def test_with_users_as_clusters_the_bootstrap_covers_where_the_formula_does_not() -> None:
    # Every user has a rate of their own: ten items of one user know much less than ten items of ten users.
    random, truth, held, formula = np.random.default_rng(2), 0.6, 0, 0
    for repeat in range(120):
        rates = random.beta(0.6, 0.4, 120)
        right = random.random((120, 10)) < rates[:, None]
        said = np.where(right, random.random((120, 10)) < 0.9, random.random((120, 10)) > 0.7)
        users = [f"u{item // 10}" for item in range(1200)]
        labelled = Labelled(right[:40].ravel().tolist(), said[:40].ravel().tolist(), users[:400])
        judged = Judged(said[40:].ravel().tolist(), users[400:])
        found = clustered(labelled, judged, resamples=300, seed=repeat)["ppi_plus"]
        plain = correction.ppi_plus(count(labelled, judged))
        held += bool(found.low <= truth <= found.high)
        formula += bool(plain.low <= truth <= plain.high)
    assert held / 120 >= 0.87
    assert formula / 120 < 0.75
