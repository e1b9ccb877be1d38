import pytest

from kithe.evaluation.correction import METHODS
from kithe.evaluation.simulation import SETTINGS, Setting, draw, simulate, worst

PAPER = SETTINGS[0]


@pytest.mark.parametrize("setting", SETTINGS[:-1], ids=str)
def test_corrected_intervals_hold_the_truth_where_the_naive_one_fails(setting: Setting) -> None:
    found = simulate(setting)
    assert set(found) == set(METHODS)
    if setting.labels >= 200:
        assert worst(found) >= 0.93 - 2 * found["ppi_plus"].error
        assert found["ppi_plus"].width < found["human_only"].width
    assert found["naive"].coverage < 0.25
    assert abs(found["ppi_plus"].bias) < 0.005
    assert abs(found["naive"].bias) > 0.02


def test_a_lucky_setting_says_nothing_about_the_naive_interval() -> None:
    assert simulate(SETTINGS[-1])["naive"].coverage > 0.93


def test_the_spec_was_measured_alike() -> None:
    # 4,000 repeats with 200 labels: naive .22 / .033, Rogan-Gladen .97 / .175, PPI++ .95 / .082, labels alone .94 / .099.
    found = simulate(PAPER)
    assert found["naive"].coverage == pytest.approx(0.2, abs=0.07)
    assert found["ppi_plus"].width == pytest.approx(0.082, abs=0.002)
    assert found["human_only"].width == pytest.approx(0.099, abs=0.002)
    assert found["rogan_gladen"].width == pytest.approx(0.165, abs=0.02)


def test_the_seed_decides() -> None:
    assert simulate(PAPER, 200, seed=1) == simulate(PAPER, 200, seed=1) != simulate(PAPER, 200, seed=2)
    counts = draw(PAPER, 10, 0)
    assert (sum(counts.arrays()[:4]) == PAPER.labels).all()
