import numpy as np
import pytest
from scipy import stats

from kithe.evaluation.power import detectable, needed, power, power_table, spread
from kithe.evaluation.statistics import Ratio, interval


def ratio(values: np.ndarray, sizes: np.ndarray) -> Ratio:
    return Ratio(tuple(f"u{index}" for index in range(len(values))), values.astype(float), sizes.astype(float))


def test_the_textbook_numbers() -> None:
    # (1.96 + 0.8416) x 0.2 / 10.
    assert detectable(0.2, 100) == pytest.approx(0.05603, abs=1e-5)
    assert power(detectable(0.2, 100), 0.2, 100) == pytest.approx(0.8, abs=1e-4)
    assert needed(detectable(0.2, 100), 0.2) == 100
    assert power(0.0, 0.2, 100) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="difference of 0"):
        needed(0.0, 0.2)


def test_power_is_how_often_a_t_test_finds_it() -> None:
    random, found = np.random.default_rng(0), 0
    for _ in range(500):
        found += stats.ttest_1samp(random.normal(0.06, 0.2, 80), 0).pvalue < 0.05
    assert found / 500 == pytest.approx(power(0.06, 0.2, 80), abs=0.06)


def test_the_spread_of_a_ratio_of_sums_is_that_of_its_bootstrap() -> None:
    random = np.random.default_rng(1)
    sizes = random.integers(1, 8, 150)
    hits = random.binomial(sizes, 0.4)
    nothing = ratio(np.zeros(150), np.ones(150))
    low, high = interval(ratio(hits, sizes))
    assert (high - low) / 2 == pytest.approx(1.96 * spread(ratio(hits, sizes), nothing) / np.sqrt(150), rel=0.08)


def test_more_users_show_less() -> None:
    random = np.random.default_rng(2)
    one, other = (ratio(random.binomial(5, rate, 60), np.full(60, 5)) for rate in (0.6, 0.5))
    table = power_table(one, other)
    assert [row.difference for row in table] == sorted((row.difference for row in table), reverse=True)
    assert [row.power_of_observed for row in table] == sorted(row.power_of_observed for row in table)
    strict = power_table(one, other, comparisons=15)
    assert all(a.difference < b.difference for a, b in zip(table, strict, strict=True))


def test_a_spread_needs_two_users_in_common() -> None:
    one = ratio(np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="two or more"):
        spread(one, one)
    assert power(0.1, 0.0, 10) == 1.0
