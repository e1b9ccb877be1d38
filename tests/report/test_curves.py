"""Curves over test sets that are steps of one thing."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from report_cases import metric, result, zero_shot

from kithe.report import charts, curves
from kithe.report.site import stepped
from kithe.report.study import Study, study


def scored_on(name: str, adapt: str, figures: dict[str, float], measure: str = "personalisation") -> dict[str, object]:
    found = {f"{test_set}/{measure}": metric(value, value - 0.5, value + 0.5) for test_set, value in figures.items()}
    return result(name, cell={"adapt": adapt}, metrics=found)


@pytest.fixture
def sparse(tmp_path: Path) -> Study:
    taught = scored_on("taught", "grpo", {"past_0": 3.5, "past_2": 6.0, "past_10": 8.0, "wrong_past": 3.0})
    plain = scored_on("plain", "lora", {"past_0": 3.4, "past_10": 5.0, "past_2": 4.0})
    return study(tmp_path, "sparse", [taught, plain])


def test_steps_are_in_the_order_of_their_numbers_and_other_sets_stay_out(sparse: Study) -> None:
    (curve,) = curves.curves(sparse.test_sets)
    assert (curve.name, curve.measure, curve.steps) == ("past", "personalisation", (0, 2, 10))
    assert sorted([each.value for each in own if each] for own in curve.points.values()) == [[3.4, 4.0, 5.0], [3.5, 6.0, 8.0]]
    assert curve.table.header == ("cell", "past 0", "past 2", "past 10")
    assert curve.table.body[0][3].startswith("8.0")


def test_a_clean_set_is_step_0_of_every_curve_and_one_step_is_none(tmp_path: Path) -> None:
    noisy = scored_on("noisy", "grpo", {"clean": 8.0, "surface_50": 7.0, "surface_100": 6.0, "odd_thing_3": 1.0}, "accuracy")
    found = {curve.name: curve for curve in curves.curves(study(tmp_path, "noise", [noisy]).test_sets)}
    assert {name: curve.steps for name, curve in found.items()} == {"surface": (0, 50, 100), "odd thing": (0, 3)}
    alone = scored_on("noisy", "grpo", {"laps": 8.0, "surface_50": 7.0}, "accuracy")
    assert curves.curves(study(tmp_path, "one", [alone, zero_shot()]).test_sets) == []


def test_the_plot_is_drawn_and_escapes_names(sparse: Study) -> None:
    (curve,) = curves.curves(sparse.test_sets)
    image = ElementTree.fromstring(charts.steps("<i>personalisation", curve))
    lines = [each.attrib["points"].split() for each in image.iter("polyline")]
    assert [len(points) for points in lines] == [3, 3]
    heights = [[float(point.split(",")[1]) for point in points] for points in lines]
    assert all(own == sorted(own, reverse=True) for own in heights)
    assert len(list(image.iter("circle"))) == 6
    page = "".join(stepped(sparse))
    assert "personalisation as past grows." in page
    assert "<i>" not in charts.steps("<i>", curve)
