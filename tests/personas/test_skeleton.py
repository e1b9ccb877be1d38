"""Backgrounds: none breaks a rule, and the same values without their ties do."""

from collections import Counter
from random import Random

import pytest

from kithe.personas.ontology import ontology
from kithe.personas.rules import RULES, violations
from kithe.personas.skeleton import SETTLED, Skeleton, draw_skeleton, shuffled


@pytest.fixture(scope="module")
def lives() -> list[Skeleton]:
    """Ten thousand backgrounds."""
    return [draw_skeleton(Random(f"life/{index}")) for index in range(10_000)]


def test_no_rule_is_broken_in_ten_thousand(lives: list[Skeleton]) -> None:
    assert sum(bool(violations(life)) for life in lives) == 0


def test_independent_draws_of_the_same_shares_break_rules(lives: list[Skeleton]) -> None:
    loose = shuffled(lives[:2000], Random(0))
    assert Counter(life.employment_status for life in loose) == Counter(life.employment_status for life in lives[:2000])
    assert sum(bool(violations(life)) for life in loose) > 1000


def test_every_rule_can_be_broken(lives: list[Skeleton]) -> None:
    broken = {rule.name for seed in range(3) for life in shuffled(lives[:4000], Random(seed)) for rule in violations(life)}
    assert {rule.name for rule in RULES} - broken == set()
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.reason for rule in RULES)


def test_values_fit_the_ontology_and_vary(lives: list[Skeleton]) -> None:
    for life in lives[:1000]:
        for key, value in life.facts().items():
            assert value is None or not ontology().by_key[key].problem(value), (key, value)
    assert set(lives[0].facts()) == set(SETTLED)
    for key, least in (("region_of_residence", 45), ("primary_language", 25), ("occupation", 45), ("age_band", 8)):
        assert len({life.facts()[key] for life in lives}) >= least


def test_the_same_seed_gives_the_same_life() -> None:
    assert draw_skeleton(Random(5)) == draw_skeleton(Random(5))
    assert draw_skeleton(Random(5)) != draw_skeleton(Random(6))
