import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve

from kithe.evaluation.confidence import average_precision, curve, reliability
from kithe.evaluation.outcomes import Outcome


def draw(n: int, right: float = 1.0, seed: int = 0, users: int = 20) -> list[Outcome]:
    """Items that are right as often as their confidence says, times a factor."""
    random = np.random.default_rng(seed)
    sure, luck = np.round(random.random(n), 2).tolist(), random.random(n)
    return [Outcome(f"u{index % users}", bool(luck[index] < right * sure[index]), sure[index]) for index in range(n)]


def hits(outcomes: list[Outcome]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([each.hit for each in outcomes]), np.array([each.confidence for each in outcomes])


def gold(outcomes: list[Outcome]) -> dict[str, int]:
    users = sorted({each.user for each in outcomes})
    return {user: sum(each.hit for each in outcomes if each.user == user) for user in users}


def test_the_curve_is_that_of_scikit_learn_where_every_fact_is_found() -> None:
    made = draw(300)
    precision, recall, thresholds = precision_recall_curve(*hits(made))
    points = curve(made, gold(made), thresholds=list(thresholds[::10]), resamples=20)
    assert [point.precision["value"] for point in points if point.precision] == pytest.approx(list(precision[:-1:10]))
    assert [point.recall["value"] for point in points] == pytest.approx(list(recall[:-1:10]))
    assert average_precision(made, sum(gold(made).values())) == pytest.approx(average_precision_score(*hits(made)))


def test_facts_that_nobody_inferred_count_for_recall() -> None:
    made = [Outcome("a", True, 0.9), Outcome("a", False, 0.4)]
    low, middle, high = curve(made, {"a": 2, "b": 2}, thresholds=(0.0, 0.5, 0.95), resamples=200)
    assert low.precision is not None
    assert (low.precision["value"], low.recall["value"], low.recall["n"]) == (0.5, 0.25, 4)
    assert middle.precision is not None
    assert (middle.precision["value"], middle.recall["low"], middle.recall["high"]) == (1.0, 0.0, 0.5)
    assert (high.precision, high.recall["value"]) == (None, 0.0)
    assert average_precision(made, 4) == pytest.approx(0.25)
    assert average_precision([], 4) == 0.0


def test_calibration_bins_by_hand() -> None:
    made = [Outcome("a", True, 0.9), Outcome("a", False, 0.9), Outcome("b", True, 0.3), Outcome("b", True, 0.2)]
    found = reliability(made, resamples=100)
    assert [(each.low, each.high, each.n) for each in found.bins] == [(0.0, 0.2, 1), (0.2, 0.4, 1), (0.8, 1.0, 2)]
    # Gaps 0.8, 0.7 and 2 x 0.4 over four items.
    assert found.ece["value"] == pytest.approx((0.8 + 0.7 + 0.8) / 4)


def test_bins_agree_with_scikit_learn() -> None:
    made = [each for each in draw(500) if each.confidence is not None and (each.confidence * 5) % 1 > 0]
    right, sure = calibration_curve(*hits(made), n_bins=5)
    bins = reliability(made, resamples=20).bins
    assert [each.accuracy["value"] for each in bins] == pytest.approx(list(right))
    assert [each.confidence for each in bins] == pytest.approx(list(sure))


def test_the_interval_of_ece_holds_the_truth() -> None:
    # Right 0.7 times as often as said: the distance is 0.3 x confidence, 0.15 on average.
    held = 0
    for repeat in range(60):
        found = reliability(draw(800, right=0.7, seed=repeat, users=80), resamples=300, seed=repeat).ece
        held += found["low"] <= 0.15 <= found["high"]
    assert held / 60 >= 0.8


def test_right_confidences_are_seldom_called_wrong() -> None:
    found = [reliability(draw(400, seed=repeat), resamples=100, seed=repeat) for repeat in range(40)]
    assert sum(each.p < 0.05 for each in found) <= 5
    assert sum(each.ece["low"] > 0 for each in found) <= 5
    assert np.mean([each.ece["value"] - each.by_chance for each in found]) == pytest.approx(0, abs=0.005)
    assert reliability(draw(400, right=0.7), resamples=100).p < 0.01


def test_what_cannot_be_computed_is_refused() -> None:
    sure = [Outcome("a", True, 0.5)]
    with pytest.raises(ValueError, match="1 of 1 items have no confidence"):
        reliability([Outcome("a", True)])
    with pytest.raises(ValueError, match="without items"):
        reliability([])
    with pytest.raises(ValueError, match="no number of gold facts for 1 users, such as a"):
        curve(sure, {"b": 1})
    with pytest.raises(ValueError, match="no gold fact"):
        curve(sure, {"a": 0}, resamples=5)
    with pytest.raises(ValueError, match="no gold fact"):
        average_precision(sure, 0)
