"""Drawing personas: the law of counts, distance, strategies, coherence."""

from collections import Counter
from itertools import combinations
from random import Random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.gym.bank import bank
from kithe.gym.coherence import coherence, read_coherence
from kithe.gym.diversity import Neighbours, hamming
from kithe.gym.sampling import GymPersona, Preference, Rules, Sampler, Stratified


@pytest.fixture(scope="module")
def people() -> list[GymPersona]:
    return list(Sampler().personas(600, 1))


def test_law_of_counts(people: list[GymPersona]) -> None:
    sizes = [len(person.values) for person in people]
    assert min(sizes) >= 15
    assert max(sizes) <= 21
    assert mean(sizes) == pytest.approx(17.8, abs=0.4)
    for person in people:
        own = [name for name in person.values if name in bank().constraints]
        assert 5 <= len(own) <= 20
        assert "query_length_pref" in person.values
        assert list(person.values) == [name for name in bank().names if name in person.values]


def test_availability_is_the_share_kept_before_padding() -> None:
    free = [name for name in bank().names if name not in bank().constraints]
    for availability in (0.3, 0.7):
        sampler, rng = Sampler(availability=availability), Random(0)
        kept = sum(len(sampler.masked(bank(), rng, bank().names)) for _ in range(500))
        n = 500 * len(free)
        assert abs(kept / n - availability) < 4 * (availability * (1 - availability) / n) ** 0.5


def test_a_rule_about_what_is_drawn_before_is_refused() -> None:
    backwards = Preference(given="explanation_depth", among=("in depth",), then="ai_familiarity", values=("never",), p=1.0)
    with pytest.raises(ConfigError, match="ai_familiarity is drawn before explanation_depth"):
        Rules((backwards,))


def test_no_mask_keeps_everything_that_is_no_constraint() -> None:
    names = Sampler(availability=1.0, size=17).dimensions(bank(), Random(0))
    assert {name for name in bank().names if name not in bank().constraints} <= set(names)


def test_two_differ_enough(people: list[GymPersona]) -> None:
    assert not any(person.near for person in people)
    assert all(hamming(a.values, b.values) >= 3 for a, b in combinations(people[:200], 2))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=9, max_size=9), max_size=12), st.integers(0, 9))
def test_neighbours_agree_with_comparing_all(rows: list[list[int]], distance: int) -> None:
    names = [f"d{n}" for n in range(9)]
    filed, before = Neighbours(names, distance), list[dict[str, str]]()
    for row in rows:
        values = {name: str(value) for name, value in zip(names, row, strict=True) if value}
        assert filed.near(values) == any(hamming(values, other) < distance for other in before)
        filed.add(values)
        before.append(values)


def test_comparisons_do_not_grow_with_the_number_of_personas() -> None:
    compared = []
    filed = Neighbours(bank().names, 3)
    for person in Sampler(distance=0).personas(700, 5):
        before = filed.compared
        filed.near(person.values)
        filed.add(person.values)
        compared.append(filed.compared - before)
    assert mean(compared[-200:]) < 20  # comparing with all would be hundreds


def test_keys_stay_few_however_far_apart_two_must_be() -> None:
    person = next(Sampler(distance=0).personas(1, 5))
    assert all(len(Neighbours(bank().names, distance)._keys(person.values)) <= 128 for distance in range(34))


@pytest.mark.parametrize("most", [3, 5, 12])
def test_nobody_has_more_constraints_than_the_most(most: int) -> None:
    sampler = Sampler(size=33, constraints=3, most_constraints=most)
    counts = {len(set(sampler.dimensions(bank(), Random(seed))) & set(bank().constraints)) for seed in range(60)}
    assert max(counts) == most


def test_a_space_that_is_too_small_is_marked() -> None:
    crowded = list(Sampler(size=1, constraints=1, distance=3, tries=2).personas(40, 0))
    assert any(person.near for person in crowded)


def test_fewer_are_the_beginning_of_more(people: list[GymPersona]) -> None:
    assert list(Sampler().personas(20, 1)) == people[:20]
    assert list(Sampler().personas(20, 2)) != people[:20]


def test_stratified_domains_are_even() -> None:
    drawn = Sampler(strategy=Stratified(("domain",)), availability=1.0, size=17, coherent=False).personas(260, 0)
    counts = Counter(person.values["domain"] for person in drawn)
    assert set(counts.values()) == {10}


def test_rules_prefer() -> None:
    rule = Preference("risk_posture", ("bold",), "time_sensitivity", ("right now",), 0.8)
    drawn = list(Sampler(strategy=Rules((rule,)), availability=1.0, size=17, coherent=False).personas(500, 0))
    bold = [person.values["time_sensitivity"] for person in drawn if person.values["risk_posture"] == "bold"]
    rest = [person.values["time_sensitivity"] for person in drawn if person.values["risk_posture"] != "bold"]
    for found, law in ((bold, 0.85), (rest, 0.25)):
        assert abs(found.count("right now") / len(found) - law) < 3 * (law * (1 - law) / len(found)) ** 0.5


def test_coherent_against_independent(people: list[GymPersona]) -> None:
    alone = list(Sampler(coherent=False).personas(600, 1))
    assert all(coherence().broken(person.values) == 0 for person in people)
    assert sum(coherence().broken(person.values) > 0 for person in alone) > 40
    assert mean(coherence().score(person.values) for person in people) > 0.94
    assert mean(coherence().score(person.values) for person in alone) < 0.8


def test_score_by_hand() -> None:
    rules = read_coherence(
        "hard: [{if: {age_band: [under 18]}, then: {role: [a pupil]}}]\n"
        "soft: [{a: {risk_posture: [bold]}, b: {error_tolerance: [very badly]}, times: 0.1}]",
        bank(),
    )
    assert rules.score({}) == 1
    assert rules.score({"age_band": "under 18", "role": "a lawyer"}) == 0
    assert rules.score({"age_band": "under 18", "role": "a lawyer", "risk_posture": "bold", "error_tolerance": "lightly"}) == 0.5
    assert rules.factors("error_tolerance", {"risk_posture": "bold"}) == {"very badly": 0.1}
    assert rules.factors("risk_posture", {"error_tolerance": "very badly"}) == {"bold": 0.1}


@pytest.mark.parametrize("text", ["hard: [{if: {age: [x]}, then: {role: [a pupil]}}]", "hard: [{then: {role: [a pupil]}}]",
                                  "soft: [{a: {role: [a king]}, b: {role: [a pupil]}, times: 2}]",
                                  "soft: [{a: {role: [a pupil]}, b: {role: [a pupil]}, times: 0}]"])  # fmt: skip
def test_faulty_rules(text: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        read_coherence(text, bank(), "mine.yaml")


@pytest.mark.parametrize(
    "options",
    [
        {"availability": 1.2},
        {"size": 40},
        {"constraints": 9, "most_constraints": 3},
        {"constraints": 17},
        {"most_constraints": 0, "constraints": 0},
        {"tries": 0},
    ],
)
def test_impossible_samplers(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Sampler(**options)  # type: ignore[arg-type]


def test_others_stands_for_a_text_of_the_persona(people: list[GymPersona]) -> None:
    found = [(person, name) for person in people for name, value in person.values.items() if value == "others"]
    assert len(found) > 20
    assert all(person.said(name) in bank().by_name[name].others for person, name in found)
    assert len({person.said(name) for person, name in found}) > 5
    assert all(set(person.texts) == {name for name, value in person.values.items() if value == "others"} for person in people)


def test_samplers_of_a_config_can_be_told_apart() -> None:
    rule = {"given": "risk_posture", "then": "time_sensitivity"}
    made = [Rules([Preference(among=["bold"], values=["right now"], **rule)]) for _ in range(2)]
    assert hash(Sampler(strategy=made[0])) == hash(Sampler(strategy=made[1]))
    assert hash(Stratified(["domain"])) == hash(Stratified(("domain",)))
    with pytest.raises(ConfigError, match="did you mean 'domain'"):
        Stratified(["domains"])


def test_what_is_given_is_kept() -> None:
    given_values = {"age_band": "over 60", "domain": "music", "length_pref": "terse"}
    for seed in range(50):
        found = Sampler().values(bank(), Random(seed), given_values, Counter())
        assert given_values.items() <= found.items()
        assert coherence().broken(found) == 0
