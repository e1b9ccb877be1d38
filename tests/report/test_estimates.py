"""Means over seeds, against numbers computed by hand."""

import math
from math import hypot, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.report.estimates import Estimate, mean_over_seeds, read_estimate, t_quantile
from kithe.report.rows import bounds


def test_one_seed_keeps_its_interval() -> None:
    estimate = Estimate(0.4, 0.3, 0.55, 12)
    assert mean_over_seeds([estimate]) is estimate


def test_three_seeds_by_hand() -> None:
    found = mean_over_seeds([Estimate(0.40, 0.35, 0.44, 30), Estimate(0.42, 0.36, 0.47, 30), Estimate(0.47, 0.43, 0.50, 30)])
    # mean .43; deviations -.03, -.01, .04: s = sqrt((.0009 + .0001 + .0016) / 2); t(.975, 2) = 4.302653
    spread = 4.302653 * sqrt(0.0013) / sqrt(3)
    assert found.value == pytest.approx(0.43)
    assert found.low == pytest.approx(0.43 - hypot((0.05 + 0.06 + 0.04) / 3, spread), abs=1e-6)
    assert found.high == pytest.approx(0.43 + hypot((0.04 + 0.05 + 0.03) / 3, spread), abs=1e-6)
    assert found.n == 30


def test_equal_seeds_leave_only_the_uncertainty_about_users() -> None:
    found = mean_over_seeds([Estimate(0.5, 0.4, 0.65, 9)] * 4)
    assert [found.low, found.high] == pytest.approx([0.4, 0.65])


def test_the_interval_ends_at_0_and_1() -> None:
    found = mean_over_seeds([Estimate(0.02, 0.0, 0.1), Estimate(0.98, 0.9, 1.0)])
    assert (found.low, found.high) == (0.0, 1.0)


def test_a_seed_without_interval_takes_it_from_the_mean() -> None:
    found = mean_over_seeds([Estimate(0.4, 0.3, 0.5), Estimate(0.6)])
    assert found == Estimate(0.5, None, None, None)


@pytest.mark.parametrize(("freedom", "value"), [(1, 12.7062), (2, 4.3027), (4, 2.7764), (1000, 1.9623)])
def test_quantiles_of_t_are_the_printed_ones(freedom: int, value: float) -> None:
    assert t_quantile(freedom) == pytest.approx(value, abs=1e-4)


def test_undefined_values_are_no_estimates() -> None:
    assert read_estimate({"value": None, "low": None, "high": None, "n": 3}) is None
    assert read_estimate({"value": 0.0, "low": 0.0, "high": 0.1, "n": 3}) == Estimate(0.0, 0.0, 0.1, 3)


shares = st.floats(0, 1)


@given(st.lists(st.tuples(shares, shares, shares), min_size=2, max_size=6))
def test_never_narrower_than_one_seed_alone(triples: list[tuple[float, float, float]]) -> None:
    estimates = [Estimate(middle, low, high, 5) for low, middle, high in map(sorted, triples)]
    found = mean_over_seeds(estimates)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
    mean_below = sum(e.value - (e.low or 0) for e in estimates) / len(estimates)
    assert found.low == 0 or found.value - found.low >= mean_below - 1e-12


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("f1", (0, 1)),
        ("win_rate.oracle", (0, 1)),
        ("items_per_history", (0, math.inf)),
        ("personalisation", (1, 10)),
        ("completion.original@amber", (1, 10)),
        ("delta.total", (-math.inf, math.inf)),
        ("length_ratio", (0, math.inf)),
    ],
)
def test_ends_are_cut_where_a_metric_ends(name: str, ends: tuple[float, float]) -> None:
    assert bounds(name) == ends


def test_scores_above_one_and_losses_below_zero_keep_their_intervals() -> None:
    scores = mean_over_seeds([Estimate(6.0, 5.7, 6.3), Estimate(6.1, 5.8, 6.4)], *bounds("personalisation"))
    assert scores.low is not None
    assert scores.high is not None
    assert scores.low < 6.05 < scores.high < 10
    losses = mean_over_seeds([Estimate(-0.2, -0.3, -0.1), Estimate(-0.21, -0.3, -0.1)], *bounds("delta.total"))
    assert losses.low is not None
    assert losses.low < -0.205
