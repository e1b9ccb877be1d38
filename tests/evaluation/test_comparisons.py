import numpy as np
import pytest
from scipy import stats

from kithe.evaluation.comparisons import compare_seeded, drawn, every_pair, pooled, seeded
from kithe.evaluation.statistics import Ratio, compare, holm, interval


def ratio(values: np.ndarray, first: int = 0) -> Ratio:
    ids = tuple(f"u{first + index}" for index in range(len(values)))
    return Ratio(ids, np.asarray(values, dtype=float), np.ones(len(values)))


def cell(random: np.random.Generator, mean: float, users: np.ndarray, seeds: int, spread: float) -> list[Ratio]:
    """Users with levels of their own, seeds with luck of their own."""
    return [ratio(mean + users + random.normal(0, spread) + random.normal(0, 0.02, len(users))) for _ in range(seeds)]


def test_one_seed_is_the_plain_bootstrap() -> None:
    one = ratio(np.random.default_rng(0).random(40))
    found = seeded([one], 500, seed=3)
    assert (found["low"], found["high"]) == interval(one, 500, 3)
    assert found["value"] == one.value


def test_seeds_add_up_and_must_share_their_users() -> None:
    first, second = ratio(np.array([1.0, 0.0])), ratio(np.array([0.5, 0.5]))
    assert pooled([first, second]).value == 0.5
    assert pooled([first, second]).denominator.tolist() == [2, 2]
    with pytest.raises(ValueError, match="same users"):
        pooled([first, ratio(np.array([1.0, 0.0]), first=1)])
    with pytest.raises(ValueError, match="at least one seed"):
        pooled([])


def test_the_variance_over_seeds_is_unbiased() -> None:
    # Equal users: only the seeds vary, and the variance of a drawn mean must be s^2 / k.
    values = [0.2, 0.5, 0.9, 0.4]
    spread = drawn([ratio(np.full(10, value)) for value in values], 20_000, 0).var()
    assert spread == pytest.approx(np.var(values, ddof=1) / 4, rel=0.03)


def test_seeds_that_differ_widen_the_interval() -> None:
    random = np.random.default_rng(1)
    users = random.normal(0, 0.1, 60)
    calm, wild = cell(random, 0.5, users, 5, 0.0), cell(random, 0.5, users, 5, 0.1)
    widths = [found["high"] - found["low"] for found in (seeded(calm, 2000), seeded(wild, 2000))]
    assert widths[1] > 1.5 * widths[0]


def test_coverage_over_users_and_seeds() -> None:
    random, held, alone = np.random.default_rng(2), 0, 0
    for repeat in range(200):
        made = cell(random, 0.5, random.normal(0, 0.2, 40), 8, 0.08)
        found = seeded(made, 400, seed=repeat)
        held += found["low"] <= 0.5 <= found["high"]
        low, high = interval(made[0], 400, repeat)
        alone += low <= 0.5 <= high
    assert 0.88 <= held / 200 <= 0.98
    assert alone / 200 < 0.75


def test_a_difference_is_that_of_the_summed_seeds_with_users_paired() -> None:
    random = np.random.default_rng(3)
    users = random.normal(0, 0.3, 50)
    good, bad = cell(random, 0.6, users, 3, 0.01), cell(random, 0.5, users, 3, 0.01)
    found = compare_seeded(good, bad, 1000)
    assert found.value == pytest.approx(0.1, abs=0.03)
    assert found.high - found.low < 0.1
    assert found.p == compare(pooled(good), pooled(bad), 1000).p < 0.01


def test_every_pair_of_a_grid_is_compared_and_adjusted() -> None:
    random = np.random.default_rng(4)
    users = random.normal(0, 0.2, 30)
    cells = {name: cell(random, mean, users, 2, 0.01) for name, mean in (("a", 0.5), ("b", 0.52), ("c", 0.9), ("d", 0.5))}
    found = every_pair(cells, 500)
    assert [(pair.first, pair.second) for pair in found] == [
        ("a", "b"),
        ("a", "c"),
        ("a", "d"),
        ("b", "c"),
        ("b", "d"),
        ("c", "d"),
    ]
    assert [pair.p_holm for pair in found] == holm([pair.difference.p for pair in found])
    assert {pair.second for pair in found if pair.first == "a" and pair.p_holm < 0.05} >= {"c"}
    other = {**cells, "e": [ratio(np.ones(30), first=5)]}
    with pytest.raises(ValueError, match="same users"):
        every_pair(other, 10)


def test_the_paired_test_agrees_with_scipy() -> None:
    random = np.random.default_rng(5)
    one = random.random(12)
    other = one - 0.1 + random.normal(0, 0.2, 12)
    expected = stats.permutation_test(
        (one, other),
        lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        permutation_type="samples",
        vectorized=True,
    )
    assert compare(ratio(one), ratio(other)).p == pytest.approx(expected.pvalue, abs=0.015)


def test_the_bootstrap_agrees_with_scipy() -> None:
    values = np.random.default_rng(6).random(50)
    expected = stats.bootstrap((values,), np.mean, method="percentile", random_state=0).confidence_interval
    assert interval(ratio(values)) == pytest.approx((expected.low, expected.high), abs=0.005)
