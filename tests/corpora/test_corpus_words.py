"""Detokenising, plain words and content stems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.corpora.words import stems, tidy, words


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("hi , i do n't know ! bye .", "hi, i don't know! bye."),
        ("neat ! ! i love it", "neat!! i love it"),
        ("well ... ok", "well... ok"),
        ("what is it ?\n\nRecipe :", "what is it?\n\nRecipe:"),
        ("smile :) and wink ;)", "smile :) and wink ;)"),
        ("he 's here , she 'll come", "he's here, she'll come"),
        ("get 'em , the 'best' of .33", "get 'em, the 'best' of .33"),
        ("two  spaces", "two spaces"),
    ],
)
def test_tidy_closes_a_tokenisers_gaps(raw: str, expected: str) -> None:
    assert tidy(raw) == expected


@given(st.text(alphabet="ab'nt ,.!?:;\n", max_size=40))
def test_tidying_removes_spaces_only_and_only_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert "".join(tidy(text).split()) == "".join(text.split())


def test_spellings_of_the_same_words_agree() -> None:
    assert words("I'm sure I can't; it’s TWO dogs.") == words("i am sure i can not it is 2 dogs")


def test_stems_leave_out_what_any_statement_holds() -> None:
    assert stems("I love my two dogs.") == frozenset({"2", "dog"})
    assert stems("Walking the dog") == frozenset({"walk", "dog"})
    assert stems("I like it.") == frozenset()
