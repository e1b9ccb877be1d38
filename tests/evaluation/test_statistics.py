from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.evaluation.statistics import (
    Ratio,
    by_user,
    compare,
    divide,
    holm,
    interval,
    intervals,
    mcnemar,
    percentiles,
    totals,
    wilson,
)


def ratio(numerator: list[float], denominator: list[float], first: int = 0) -> Ratio:
    ids = tuple(f"u{first + i}" for i in range(len(numerator)))
    return Ratio(ids, np.array(numerator, dtype=float), np.array(denominator, dtype=float))


def test_two_users_have_three_possible_resamples() -> None:
    # 1/2, (1+3)/(2+4), 3/4 with probabilities 1/4, 1/2, 1/4: both ends are reached.
    assert interval(ratio([1, 3], [2, 4])) == (0.5, 0.75)


def test_one_user_has_no_spread() -> None:
    assert interval(ratio([1], [2])) == (0.5, 0.5)


def test_the_bootstrap_agrees_with_the_normal_approximation() -> None:
    random = np.random.default_rng(0)
    hits = random.binomial(1, 0.3, 400).astype(float)
    low, high = interval(ratio(list(hits), [1.0] * 400))
    half = 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / 400)
    assert low == pytest.approx(hits.mean() - half, abs=0.006)
    assert high == pytest.approx(hits.mean() + half, abs=0.006)


def test_users_not_items_are_resampled() -> None:
    # 40 users of 10 items that are all right or all wrong know no more than 40 items.
    clustered = interval(ratio([10.0, 0.0] * 20, [10.0] * 40))
    items = interval(ratio([1.0, 0.0] * 200, [1.0] * 400))
    assert clustered[1] - clustered[0] > 2.5 * (items[1] - items[0])


def test_coverage_is_near_95_percent() -> None:
    random, truth, covered = np.random.default_rng(1), 2 / 3, 0
    for repeat in range(300):
        sizes = random.integers(1, 8, 60)
        rates = random.beta(2, 1, 60)
        low, high = interval(ratio(list(random.binomial(sizes, rates)), list(sizes)), resamples=400, seed=repeat)
        covered += low <= truth <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_several_ratios_at_once_are_as_each_alone() -> None:
    one, other = ratio([1, 0, 2], [2, 1, 3]), ratio([5, 1, 0], [6, 2, 0])
    assert intervals([one, other], resamples=700, seed=3) == [interval(one, 700, 3), interval(other, 700, 3)]


def test_seeds_decide_the_resamples() -> None:
    one = ratio(list(range(30)), [40] * 30)
    assert interval(one, seed=1) == interval(one, seed=1) != interval(one, seed=2)


def test_resamples_without_a_denominator_are_left_out() -> None:
    assert interval(ratio([1, 0], [1, 0])) == (1.0, 1.0)
    with pytest.raises(ValueError, match="nothing below the line"):
        interval(ratio([0, 0], [0, 0]))


def test_the_permutation_test_is_exact_in_the_limit() -> None:
    ours, theirs = [3.0, 2.0, 4.0, 1.0], [1.0, 2.0, 1.0, 0.0]
    observed = sum(ours) - sum(theirs)
    flips = [
        abs(sum(sign * (a - b) for sign, a, b in zip(signs, ours, theirs, strict=True))) for signs in product((1, -1), repeat=4)
    ]
    exact = np.mean([flip >= observed for flip in flips])
    found = compare(ratio(ours, [5.0] * 4), ratio(theirs, [5.0] * 4))
    assert found.value == pytest.approx(6 / 20)
    assert found.p == pytest.approx(exact, abs=0.015)


def test_the_permutation_exchanges_denominators_too() -> None:
    # Every user has the same share in both systems: exchanging them changes nothing when denominators go with numerators.
    ours, theirs = ratio([2, 1, 3], [4, 2, 6]), ratio([1, 2, 1], [2, 4, 2])
    found = compare(ours, theirs)
    assert found.value == pytest.approx(0)
    assert found.p == 1.0


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    random = np.random.default_rng(2)
    base = random.uniform(0, 1, 100)
    better = np.clip(base + 0.05 + random.normal(0, 0.02, 100), 0, 1.2)
    found = compare(ratio(list(better), [1.0] * 100), ratio(list(base), [1.0] * 100))
    unpaired = interval(ratio(list(base), [1.0] * 100))
    assert found.high - found.low < 0.2 * (unpaired[1] - unpaired[0])
    assert found.low < found.value < found.high
    assert found.p < 0.001


def test_no_difference_has_uniform_p_values() -> None:
    random, small = np.random.default_rng(3), 0
    for repeat in range(200):
        one, other = random.uniform(0, 1, (2, 20))
        small += compare(ratio(list(one), [1.0] * 20), ratio(list(other), [1.0] * 20), resamples=200, seed=repeat).p <= 0.1
    assert 0.04 <= small / 200 <= 0.17


def test_only_the_same_users_are_compared() -> None:
    with pytest.raises(ValueError, match="same users"):
        compare(ratio([1, 2], [2, 2]), ratio([1, 2], [2, 2], first=1))
    with pytest.raises(ValueError, match="every user once"):
        Ratio(("a", "a"), np.ones(2), np.ones(2))


def test_holm_on_a_textbook_example() -> None:
    # Four hypotheses at 0.01, 0.04, 0.03, 0.005: 4 * .005, 3 * .01, 2 * .03, then never below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.7, 0.9]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    assert [q for _, q in sorted(zip(p_values, adjusted, strict=True))] == sorted(adjusted)


def test_mcnemar_by_hand() -> None:
    # 1 against 7: 2 * (1 + 8) / 2^8.
    assert mcnemar(1, 7) == mcnemar(7, 1) == pytest.approx(18 / 256)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(4, 4) == 1.0


def test_wilson_by_hand() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10)[1] == 1.0


def test_rows_are_summed_by_user_in_order_of_appearance() -> None:
    assert by_user(["b", "a", "b"], np.array([[1.0, 1], [2, 0], [4, 1]])).tolist() == [[5, 2], [2, 0]]


def test_totals_are_those_of_as_many_users_as_there_are() -> None:
    drawn = totals(np.array([[1.0, 10], [1, 20], [1, 30]]), 500, seed=4)
    assert (drawn[:, 0] == 3).all()
    assert drawn[:, 1].min() == 30
    assert drawn[:, 1].max() == 90
    assert drawn[:, 1].mean() == pytest.approx(60, abs=2)


def test_a_share_of_nothing_is_undefined() -> None:
    found = divide(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    assert found[0] == 0.5
    assert np.isnan(found[1])
    assert percentiles(found) == (0.5, 0.5)
    with pytest.raises(ValueError, match="no interval"):
        percentiles(found[1:])
