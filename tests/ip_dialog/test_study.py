"""Correlations, effects and cells against figures known beforehand."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr

from kithe.ip_dialog.study import cells, effect, pearson


def rows(values: list[float], **related: str) -> list[dict[str, Any]]:
    return [{"id": str(i), "accuracy": value, "related": related or {"age": "adult"}} for i, value in enumerate(values)]


def test_the_correlation_is_that_of_scipy_with_its_interval() -> None:
    draw = np.random.default_rng(3)
    first = draw.normal(size=12)
    second = 0.7 * first + draw.normal(size=12)
    found, wanted = pearson(list(first), list(second)), pearsonr(first, second)
    assert found is not None
    assert found.r == pytest.approx(wanted.statistic)
    bounds = wanted.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high), abs=1e-6)


def test_few_cells_or_none_have_no_interval() -> None:
    found = pearson([1, 2, 3], [2, 4, 7])
    assert found is not None
    assert found.low is None
    assert pearson([1, 1], [1, 2]) is None
    assert pearson([], []) is None
    with pytest.raises(ValueError, match="every cell"):
        pearson([1], [])


def test_setting_a_node_has_a_paired_effect() -> None:
    found = effect(rows([1, 1, 1, 0] * 10), rows([1, 0, 0, 0] * 10), resamples=500)
    assert found.value == pytest.approx(0.5)
    assert 0 < found.low < 0.5 < found.high
    assert found.p < 0.05
    with pytest.raises(ValueError, match="same users"):
        effect(rows([1, 1]), rows([1]))


def test_cells_are_pairs_of_values_with_enough_items_worst_first() -> None:
    good = rows([1.0] * 12, age="adult", hobby="music")
    bad = [{**row, "id": f"b{row['id']}"} for row in rows([0.0] * 11, age="adult", gender="male", hobby="music")]
    found = cells([*good, *bad], least=11, resamples=100)
    assert [cell.values for cell in found][:2] == [("age=adult", "gender=male"), ("gender=male", "hobby=music")]
    assert found[-1].values == ("age=adult", "hobby=music")
    assert found[-1].n == 23
    assert found[-1].accuracy == pytest.approx(12 / 23)
    assert cells(good, least=13) == []
