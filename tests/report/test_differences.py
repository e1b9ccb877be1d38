"""Which rows are compared, and with what numbers."""

import random
from typing import Any

import pytest
from report_cases import result, zero_shot

from kithe.report.differences import Comparison, Scores, compare, differences_table
from kithe.report.rows import rows
from kithe.report.writers import write_markdown

USERS = [f"u{number:02}" for number in range(30)]


def counts(hits: int, users: list[str] = USERS) -> Scores:
    """Everybody has four facts and four inferred items, so many of them right."""
    return {user: {"id": user, "tp": hits, "predicted": 4, "gold": 4, "matches": []} for user in users}


def compared(results: list[dict[str, Any]], scores: dict[str, Scores]) -> list[Comparison]:
    """Comparisons of these results with these per-user rows: run -> rows."""
    return compare(rows(results), lambda run, test_set: scores[run])


def test_every_pair_says_in_what_it_differs_and_the_untrained_cell_is_the_reference() -> None:
    results = [
        zero_shot("zero"),
        result("ls"),
        result("fs", cell={"adapt": "sft"}),
        result("lr", cell={"data": "real"}, provenance={"corpus": {"source": "personachat"}}),
        result("big", cell={"model": "big"}),
        result("other", test_set="sample"),
    ]
    found = compared(results, {run["run_id"]: counts(2) for run in results})
    synthetic, real = "synthetic (scripted), lora, tiny", "real (personachat), lora, tiny"
    sft, big, zero = "synthetic (scripted), sft, tiny", "synthetic (scripted), lora, big", "none, zero-shot, tiny"
    assert {(item.cell, item.reference): item.differ_in for item in found} == {
        (synthetic, zero): "adapt",
        (real, zero): "adapt",
        (sft, zero): "adapt",
        (big, zero): "adapt, model",
        (real, synthetic): "data",
        (real, sft): "data, adapt",
        (real, big): "data, model",
        (synthetic, sft): "adapt",
        (big, synthetic): "model",
        (big, sft): "adapt, model",
    }
    assert {item.test_set for item in found} == {"laps"}
    assert all(item.reference_runs == "zero" for item in found if item.reference == zero)


def test_another_judge_is_another_scale() -> None:
    assert compared([result("a"), result("b", cell={"judge": "rules"})], {"a": counts(1), "b": counts(3)}) == []


def test_variants_are_compared() -> None:
    results = [result("a", config={"adapt": {"lr": 0.1}}), result("b", config={"adapt": {"lr": 0.2}})]
    (found,) = compared(results, {"a": counts(1), "b": counts(3)})
    assert (found.cell, found.reference) == (
        "synthetic (scripted), lora, tiny, adapt.lr=0.1",
        "synthetic (scripted), lora, tiny, adapt.lr=0.2",
    )
    assert found.differ_in == "variant"


def test_difference_by_hand() -> None:
    (found,) = compared([zero_shot("zero"), result("lora")], {"zero": counts(1), "lora": counts(3)})
    assert found.difference == pytest.approx(0.75 - 0.25)
    assert [found.low, found.high] == pytest.approx([0.5, 0.5])
    assert found.p == found.p_holm < 0.001
    assert found.n == 30


def test_seeds_add_their_counts() -> None:
    seeds = [result("s0"), result("s1", cell={"seed": 1})]
    (found,) = compared([zero_shot("zero"), *seeds], {"zero": counts(1), "s0": counts(2), "s1": counts(4)})
    assert found.difference == pytest.approx(0.75 - 0.25)
    assert found.high - found.low > 0.3  # one seed found twice as much as the other, and users are all alike


def test_where_no_missed_facts_are_known_precision_is_compared() -> None:
    judged = [zero_shot("zero"), result("lora")]
    for each in judged:
        del each["metrics"]["laps/f1"]
    scores = {"zero": {u: {**row, "gold": 0} for u, row in counts(1).items()}, "lora": counts(3)}
    (found,) = compared(judged, scores)
    assert (found.metric, found.difference) == ("precision", 0.75 - 0.25)


def test_rewriters_are_compared_in_what_a_user_is_worth_and_not_in_counts() -> None:
    results = [result("a"), result("b", cell={"adapt": "sft"})]
    for each in results:
        each["metrics"]["laps/personalisation"] = {"value": 5.0, "low": 4.0, "high": 6.0, "n": 30}
    before = {user: {**row, "personalisation": 4.0 + (number % 3)} for number, (user, row) in enumerate(counts(2).items())}
    after = {
        user: {**row, "personalisation": row["personalisation"] + 1 if user != "u07" else None} for user, row in before.items()
    }
    (found,) = compared(results, {"a": before, "b": after})
    value = {
        run: [row["personalisation"] for row in own.values() if row["personalisation"] is not None]
        for run, own in (("a", before), ("b", after))
    }
    wanted = sum(value["b"]) / 29 - sum(value["a"]) / 30
    assert (found.metric, found.n) == ("personalisation", 30)
    assert abs(found.difference) == pytest.approx(abs(wanted))
    assert found.p < 0.01


def test_p_values_are_adjusted_for_the_whole_table() -> None:
    draw = random.Random("differences")
    noisy = {user: {**row, "tp": draw.randint(1, 3)} for user, row in counts(2).items()}
    results = [zero_shot("zero"), result("lora"), result("sft", cell={"adapt": "sft"})]
    found = compared(results, {"zero": counts(2), "lora": noisy, "sft": counts(4)})
    ordered = sorted(found, key=lambda item: item.p)
    largest, expected = 0.0, []
    for rank, item in enumerate(ordered):
        largest = max(largest, min(1.0, item.p * (len(ordered) - rank)))
        expected.append(largest)
    assert len(found) == 3
    assert [item.p_holm for item in ordered] == pytest.approx(expected)
    assert any(item.p_holm > item.p for item in found)


@pytest.mark.parametrize("other", [counts(2, USERS[:-1]), {}])
def test_other_users_are_not_compared(other: Scores) -> None:
    assert compared([zero_shot("zero"), result("lora")], {"zero": counts(1), "lora": other}) == []


def test_seeds_with_other_users_are_not_compared() -> None:
    seeds = [result("s0"), result("s1", cell={"seed": 1})]
    assert compared([zero_shot("zero"), *seeds], {"zero": counts(1), "s0": counts(2), "s1": counts(2, USERS[1:])}) == []


def test_the_table_shows_signs_and_small_p_values() -> None:
    items = [
        Comparison("laps", "lora", "zero-shot", "f1", "adapt", 30, 0.0214, -0.01, 0.05, 0.0001, 0.0312),
        Comparison("x", "a", "b", "f1", "data", 5, -0.5, -0.6, -0.4, 1.0, 1.0),
    ]
    lines = write_markdown(differences_table(items)).splitlines()
    assert (
        lines[2] == "| laps     | lora | zero-shot | adapt     | f1     |  30 | +.021 [-.010, +.050]\\* | &lt;.001 |     .031 |"
    )
    assert lines[3] == "| x        | a    | b         | data      | f1     |   5 |   -.500 [-.600, -.400] |    1.000 |    1.000 |"


def test_no_comparison_is_said() -> None:
    assert write_markdown(differences_table([])).splitlines()[2].count("–") == 9
