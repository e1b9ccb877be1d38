"""Who somebody can be: validity, the official enumeration with its skew, and even ages."""

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.ip_dialog.people import Person, Sampling, changed, count, people, problems
from kithe.ip_dialog.schema import schema, tasks


def drawn(sampling: Sampling, many: int = 4000, seed: int = 0) -> list[Person]:
    return list(islice(people(sampling, seed), many))


def test_the_enumeration_has_the_published_size() -> None:
    assert count("official") == 115_776
    # Young adults may study: two incomes, two residences and 576 combinations of the rest more.
    assert count("fixed") == 115_776 + 4 * 576


def test_official_young_adults_never_study_and_nearly_all_are_adults() -> None:
    found = drawn("official")
    assert not any(one["age"] == "young adult" and one["profession"] == "student" for one in found)
    share = sum(one["age"] in ("child", "teenager", "elderly") for one in found) / len(found)
    assert share == pytest.approx(6 / 201, abs=0.01)  # of the 201 combinations of what rules speak of


def test_fixed_ages_are_even_and_young_adults_may_study() -> None:
    found = drawn("fixed")
    ages = Counter(one["age"] for one in found)
    assert all(value == pytest.approx(len(found) / 6, rel=0.15) for value in ages.values())
    assert any(one["age"] == "young adult" and one["profession"] == "student" for one in found)


@given(st.sampled_from(["official", "fixed"]), st.integers(0, 50))
def test_everybody_is_valid_whole_and_the_same_for_a_seed(sampling: Sampling, seed: int) -> None:
    found = drawn(sampling, 20, seed)
    assert found == drawn(sampling, 20, seed)
    for one in found:
        assert not problems(one, sampling)
        assert tuple(one) == schema().names
        schema().check(one)


def test_health_is_drawn_by_weight() -> None:
    for sampling in ("official", "fixed"):
        share = Counter(one["health"] for one in drawn(sampling))  # type: ignore[arg-type]
        assert share["healthy"] / 4000 == pytest.approx(0.7, abs=0.03)
        assert share["disabled"] / 4000 == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    "person",
    [
        {"age": "child", "profession": "driver"},
        {"age": "elderly", "income level": "high"},
        {"age": "adult", "profession": "retiree"},
        {"profession": "cleaner", "income level": "high"},
        {"profession": "farmer", "residence": "urban"},
    ],
)
def test_invalid_people(person: Person) -> None:
    assert problems(person)
    assert not problems({})


def test_a_change_leaves_a_person_valid() -> None:
    one = drawn("fixed", 1)[0]
    assert all(not problems(other) for name in one for other in changed(one, name))
    child = {**one, "age": "child", "profession": "student", "income level": "low"}
    assert changed(child, "profession") == []


def test_values_out_of_range_are_named() -> None:
    with pytest.raises(ConfigError, match="no such attribute: 'hobbies'; did you mean 'hobby'"):
        schema().check({"hobbies": "music"})
    with pytest.raises(ConfigError, match="value of the attribute 'residence': 'suburb'"):
        schema().check({"residence": "suburb"})


def test_attributes_can_be_added() -> None:
    more = schema().extended({"diet": ("vegan", "halal", "none"), "neurodivergence": ("adhd", "none")})
    one = next(people("fixed", 0, more))
    assert one["diet"] in ("vegan", "halal", "none")
    assert tuple(one)[-1] == "neurodivergence"
    more.check(one)


def test_the_tasks_have_the_published_shape() -> None:
    assert Counter(task.form for task in tasks().values()) == {"yes_no": 2, "options": 2, "order": 1, "list": 3, "text": 2}
    assert [len(task.domains) for task in tasks().values()] == [14, 14, 14, 15, 17, 0, 12, 12, 12, 15]
