"""Every row is a pair and the guards that must keep it apart; none means that no guard may interfere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.evaluation.calibration import pairs
from kithe.evaluation.guards import conflicts

TABLE = [
    ("I love cooking.", "I hate cooking.", "polarity"),
    ("I can swim.", "I can't swim.", "polarity"),
    ("I can swim.", "I cannot swim.", "polarity"),
    ("I have a car.", "I don’t have a car.", "polarity"),
    ("I have a car.", "i dont have a car.", "polarity"),
    ("I drink.", "I never drink.", "polarity"),
    ("I am tall.", "I am short.", "polarity"),
    ("I am not tall.", "I am not short.", "polarity"),
    ("I am not tall.", "I am short.", ""),
    ("I don't eat meat.", "I am a vegetarian.", ""),
    ("I am a vegetarian.", "I am not a vegetarian.", "polarity"),
    ("I'm single.", "I'm not married.", ""),
    ("I don't like and never drink soda.", "I do not drink soda.", ""),
    ("I own a yacht and rent it out when I'm not using it.", "I own a yacht.", ""),
    ("Heights don't scare me.", "I'm not afraid of heights.", ""),
    ("I have two cats.", "I have 2 cats.", ""),
    ("I have two cats.", "I have three cats.", "number"),
    ("I have two cats.", "I have cats.", ""),
    ("I have one sister.", "I have a sister.", ""),
    ("I have one sister.", "I have four sisters.", "number"),
    ("I run once a week.", "I run once a month.", "number"),
    ("I start at 5 pm.", "I start at 17:00.", ""),
    ("I start at 5 pm.", "I start at 5 am.", "number"),
    ("I am a nurse.", "My sister is a nurse.", "person"),
    ("I am a nurse.", "She is a nurse.", "person"),
    ("My sister is a nurse.", "She is a nurse.", ""),
    ("My mother is a nurse.", "My mom is a nurse.", ""),
    ("My mother is a nurse.", "My father is a nurse.", "person"),
    ("My little brother is a nurse.", "I have a brother who is a nurse.", ""),
    ("My wife and I have a boat.", "I have a boat.", ""),
    ("I have a brother.", "I have a sibling.", ""),
    ("I live with my parents.", "I live with my boyfriend.", "person"),
    ("I smoke.", "I used to smoke.", "time"),
    ("I am a teacher.", "I want to be a teacher.", "time"),
    ("I used to be a teacher.", "I was a teacher.", ""),
    ("I was born in Ohio.", "I am from Ohio.", ""),
    ("I used to be a teacher.", "I want to be a teacher.", "time"),
    ("My favorite color is red.", "My favorite color is blue.", "thing"),
    ("I play the cello.", "I play an instrument.", "thing"),
    ("I have a puppy.", "I have a dog.", ""),
    ("I have a cat and a dog.", "I have a dog.", ""),
    ("I'm an attorney.", "I'm a lawyer.", ""),
    ("My dog is called Max.", "My dog is called Bella.", "thing"),
    ("My dog is called Max.", "Max is the name of my dog.", ""),
]


@pytest.mark.parametrize(("one", "other", "guard"), TABLE)
def test_table(one: str, other: str, guard: str) -> None:
    assert conflicts(one, other) == ([guard] if guard else [])


@given(st.sampled_from(pairs()))
def test_the_order_of_two_statements_does_not_matter(pair) -> None:  # type: ignore[no-untyped-def]
    assert conflicts(pair.a, pair.b) == conflicts(pair.b, pair.a)


@given(st.text(max_size=40))
def test_a_statement_never_conflicts_with_itself(text: str) -> None:
    assert conflicts(text, text) == []
