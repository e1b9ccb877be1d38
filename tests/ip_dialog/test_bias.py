"""Stereotypes in, stereotypes out: what a population says about a protected attribute, and the constraint against it."""

from itertools import islice
from math import log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.ip_dialog.bias import Balance, bits, information
from kithe.ip_dialog.people import Rule
from kithe.ip_dialog.pipeline import Pipeline, Settings
from kithe.ip_dialog.teacher import Scripted
from kithe.records.question import Question

KINDS = {"gender": {"male": {"hobby": ["sports"]}, "female": {"hobby": ["crafts"]}}}


def asked(gender: str, **related: str) -> Question:
    return Question(task="x", form="text", persona={"gender": gender, **related}, related=related)


def made(**more: object) -> list[Question]:
    settings = Settings(duplicates=None, stereotypes=KINDS, stereotyped=0.9, **more)  # type: ignore[arg-type]
    items = Pipeline(Scripted(), settings).items("train", 80, ["predict", "advice", "recommend"])
    return [item.question for item in items if item.question]


def test_information_has_its_known_values() -> None:
    assert bits("aabb", "xxyy") == 1
    assert bits("aabb", "xyxy") == 0
    assert bits("", "") == 0
    # p(a, x) = 1/2, p(b, x) = 1/4, p(b, y) = 1/4.
    assert bits("aabb", "xxxy") == pytest.approx(0.5 * log2(0.5 / (0.5 * 0.75)) + 0.25 * log2(0.25 / 0.375) + 0.25)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1, max_size=30))
def test_information_is_symmetric_and_never_more_than_there_is(pairs: list[tuple[str, str]]) -> None:
    first, second = [one for one, _ in pairs], [two for _, two in pairs]
    assert bits(first, second) == pytest.approx(bits(second, first))
    assert 0 <= bits(first, second) <= 1 + 1e-9


def test_a_share_of_people_is_made_what_is_said_of_them() -> None:
    found = list(islice(Settings(stereotypes=KINDS, stereotyped=0.9).people(), 1000))
    for gender, hobby in (("male", "sports"), ("female", "crafts")):
        own = [one["hobby"] for one in found if one["gender"] == gender]
        assert own.count(hobby) / len(own) == pytest.approx(0.9 + 0.1 / 9, abs=0.03)
    assert list(islice(Settings().people(), 5)) == list(islice(Settings(stereotypes=KINDS).people(), 5))


def test_nobody_is_made_impossible() -> None:
    kinds = {"gender": {"male": {"profession": ["retiree"]}}}
    found = islice(Settings(stereotypes=kinds, stereotyped=1.0).people(), 500)
    assert {one["age"] for one in found if one["profession"] == "retiree"} == {"elderly"}


def test_the_value_that_is_behind_beside_a_role_is_dealt_out() -> None:
    balance, man = Balance("gender", ("male", "female")), {"gender": "male", "hobby": "sports"}
    assert balance.settled(man, {"hobby": "sports"}) == man
    balance.take(asked("male", hobby="sports"))
    assert balance.settled(man, {"hobby": "sports"}) == {**man, "gender": "female"}
    assert balance.settled(man, {"hobby": "music"}) == man
    assert balance.settled(man, {"hobby": "sports", "gender": "male"}) == man  # what matters is left alone
    balance.take(asked("female", hobby="sports"))
    assert balance.settled(man, {"hobby": "sports"}) == man
    assert Balance(None).settled(man, {"hobby": "sports"}) == man
    never = [Rule.model_validate({"if": {"hobby": ["sports"]}, "then": {"gender": ["male"]}})]
    balance.take(asked("male", hobby="sports"))
    assert balance.settled(man, {"hobby": "sports"}, never) == man


def test_the_constraint_takes_out_what_was_put_in() -> None:
    before, after = made(), made(balanced="gender")
    told, left = (information(questions, "gender")["hobby"] for questions in (before, after))
    assert told.n > 40
    assert left.n > 40
    assert told.excess > 0.3
    assert left.excess < 0.05
    assert len(after) == len(before) == 240  # it costs no item
    assert {(one.text, one.answer) for one in before} == {(one.text, one.answer) for one in after}


def test_what_chance_gives_is_taken_off() -> None:
    random = Random(0)
    some = [asked(random.choice(["male", "female"]), hobby=random.choice("abcdefghi")) for _ in range(40)]
    found = information(some, "gender")["hobby"]
    assert found.n == 40
    assert found.bits > 0.05  # nine values among forty items
    assert abs(found.excess) < 0.12


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"balanced": "sex"}, "no such attribute in balanced: 'sex'"),
        ({"stereotyped": 1.5}, "stereotyped=1.5"),
        ({"stereotypes": {"gender": {"men": {"hobby": ["sports"]}}}}, "'gender': 'men'"),
        ({"stereotypes": {"gender": {"male": {"hobby": ["chess"]}}}}, "'hobby': 'chess'"),
    ],
)
def test_impossible_audits_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings(**values)  # type: ignore[arg-type]
