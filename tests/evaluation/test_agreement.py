import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from kithe.evaluation.agreement import agreement, kappa, krippendorff

COUNTS = {(True, True): 20, (True, False): 5, (False, True): 10, (False, False): 15}


def items(counts: dict[tuple[bool, bool], int]) -> tuple[list[bool], list[bool]]:
    rows = [pair for pair, n in counts.items() for _ in range(n)]
    return [a for a, _ in rows], [b for _, b in rows]


def test_the_textbook_table_by_hand() -> None:
    # 20 + 15 of 50 agree: 0.7; by chance (25 x 30 + 25 x 20) / 50^2 = 0.5: kappa 0.4.
    found = agreement(*items(COUNTS), resamples=500)
    values = {name: metric["value"] for name, metric in found.items()}
    assert values == pytest.approx(
        {
            "agreement": 0.7,
            "kappa": 0.4,
            "pabak": 0.4,
            "sensitivity": 0.8,
            "specificity": 0.6,
            "prevalence": 0.5,
            "judged": 0.6,
        }
    )
    assert (found["sensitivity"]["n"], found["kappa"]["n"]) == (25, 50)
    assert all(metric["low"] <= metric["value"] <= metric["high"] for metric in found.values())


def test_raw_agreement_flatters_where_one_verdict_is_common() -> None:
    found = agreement(*items({(True, True): 90, (True, False): 5, (False, True): 5}), resamples=200)
    assert found["agreement"]["value"] == 0.9
    assert found["kappa"]["value"] < 0
    assert found["pabak"]["value"] == pytest.approx(0.8)


def test_what_is_not_defined_is_left_out() -> None:
    found = agreement([True, True], [True, True], resamples=50)
    assert "specificity" not in found
    assert "kappa" not in found
    assert found["sensitivity"]["value"] == 1.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=60))
def test_kappa_is_that_of_scikit_learn(rows: list[tuple[str, str]]) -> None:
    first, second = [a for a, _ in rows], [b for _, b in rows]
    if len({*first, *second}) < 2:
        with pytest.raises(ValueError, match="undefined"):
            kappa(first, second, resamples=5)
    else:
        assert kappa(first, second, resamples=5)["value"] == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_the_interval_of_kappa_agrees_with_its_standard_error() -> None:
    # Cohen (1960): sqrt(p_o (1 - p_o) / (n (1 - p_e)^2)), here sqrt(.7 x .3 / (800 x .25)).
    found = kappa(*items({pair: n * 16 for pair, n in COUNTS.items()}))
    assert (found["high"] - found["low"]) / 2 == pytest.approx(1.96 * np.sqrt(0.21 / 200), rel=0.06)


def test_coverage_of_the_interval_of_kappa() -> None:
    random, held = np.random.default_rng(0), 0
    for repeat in range(200):
        truth = random.random(200) < 0.6
        said = np.where(random.random(200) < 0.8, truth, ~truth)
        found = kappa(truth.tolist(), said.tolist(), resamples=300, seed=repeat)
        held += found["low"] <= 0.5918 <= found["high"]  # p_o 0.8, p_e 0.56 x 0.6 + 0.44 x 0.4 = 0.512
    assert 0.90 <= held / 200 <= 0.99


def test_users_are_resampled_where_they_are_known() -> None:
    truth, said = items({(True, True): 200, (True, False): 50, (False, True): 50, (False, False): 200})
    users = [f"u{index // 25}" for index in range(500)]
    alone, together = kappa(truth, said), kappa(truth, said, users)
    assert together["value"] == alone["value"]
    assert together["high"] - together["low"] > 2 * (alone["high"] - alone["low"])


def test_krippendorff_on_the_textbook_table() -> None:
    # Krippendorff (2011), four observers, twelve units, gaps: nominal alpha 0.743.
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    found = krippendorff(list(zip(*rows, strict=True)), resamples=500)
    assert found["value"] == pytest.approx(0.743, abs=5e-4)
    assert found["n"] == 11
    assert found["low"] < 0.743 < found["high"] <= 1


def test_krippendorff_of_full_agreement_and_of_nothing_to_compare() -> None:
    assert krippendorff([["a", "a"], ["b", "b"], ["a", None]], resamples=50)["value"] == 1.0
    with pytest.raises(ValueError, match="two annotators"):
        krippendorff([["a", None], [None, "b"]])
    with pytest.raises(ValueError, match="undefined"):
        krippendorff([["a", "a"], ["a", "a"]], resamples=5)


@pytest.mark.parametrize(("truth", "said", "users"), [([], [], None), ([True], [], None), ([True], [True], ["a", "b"])])
def test_lengths_must_agree(truth: list[bool], said: list[bool], users: list[str] | None) -> None:
    with pytest.raises(ValueError, match="at least one item"):
        agreement(truth, said, users)
