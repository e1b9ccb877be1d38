"""The close reading of the part of a turn that a statement would rest on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.evaluation.verifier.clauses import borne, clauses, objections, resting, sign


@pytest.mark.parametrize(
    ("said", "statement", "part"),
    [
        ("I sail, but my brother plays chess.", "I play chess.", "my brother plays chess"),
        ("Tea? No thanks. Coffee keeps me going.", "I drink coffee.", "coffee keeps me going"),
        ("We don't fish. We do hunt.", "I hunt.", "we do hunt"),
    ],
)
def test_a_statement_rests_on_the_part_that_shares_its_words(said: str, statement: str, part: str) -> None:
    found = resting(said, statement)
    assert found is not None
    assert found.text == part


def test_nothing_is_rested_on_where_no_word_is_shared() -> None:
    assert resting("Lovely weather!", "I play chess.") is None
    assert resting("", "I play chess.") is None


@pytest.mark.parametrize(
    ("text", "anothers"),
    [
        ("my brother plays chess", True),
        ("well she plays chess", True),
        ("the neighbours fish", True),
        ("i play chess", False),
        ("my brother and i play chess", False),
        ("yes we fish", False),
        ("playing chess again tonight", False),
    ],
)
def test_whose_a_part_is(text: str, anothers: bool) -> None:
    (found,) = clauses(text)
    assert found.anothers == anothers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i like chess", 1),
        ("i do not like chess", -1),
        ("nobody hates chess", 1),
        ("chess is not for me", -1),
        ("i am tired of chess", -1),
        ("nothing beats chess", 1),
        ("i can not get enough of chess", 1),
    ],
)
def test_the_sign_of_a_part(text: str, expected: int) -> None:
    assert sign(text) == expected


def test_questions_conditions_and_dreams_are_not_real() -> None:
    texts = ["Do you play chess?", "If I played chess, who knows.", "I dreamt of chess.", "I play chess.", "Chess is not for me."]
    assert [next(clauses(text)).unreal for text in texts] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("said", "statement", "expected"),
    [
        ("The pilot was rude.", "I am a pilot.", (True, False)),
        ("I'm a pilot.", "I am a pilot.", (False, False)),
        ("I work as a pilot.", "I am a pilot.", (False, False)),
        ("My boots leak.", "I repair boots.", (False, True)),
        ("I repair boots all day.", "I repair boots.", (False, False)),
        ("My boots leak.", "I have boots.", (False, False)),
    ],
)
def test_what_is_claimed_and_not_said(said: str, statement: str, expected: tuple[bool, bool]) -> None:
    assert borne(said, statement) == expected


@settings(max_examples=30)
@given(st.text(max_size=80), st.text(max_size=40))
def test_any_text_can_be_read(said: str, statement: str) -> None:
    for part in clauses(said):
        assert part.sign in (-1, 1)
        assert part.text
        assert part.anothers in (True, False)
    assert len(borne(said, statement)) == 2
    assert len(list(objections(statement, said, said))) <= 3
    assert resting(said, statement) is None or resting(said, statement) in list(clauses(said))


PARTNER, OTHER, OPPOSITE = "only the other speaker says so", "it is said of somebody else", "the user says the opposite"


@pytest.mark.parametrize(
    ("context", "said", "statement", "expected"),
    [
        ("I keep bees, and you?", "How lovely.", "I keep bees.", [PARTNER]),
        ("I keep bees.", "Me too!", "I keep bees.", []),
        ("I keep bees.", "I keep bees as well.", "I keep bees.", []),
        ("Do you keep bees?", "No, wasps.", "I keep bees.", [PARTNER]),
        ("Do you keep bees?", "No, wasps.", "I don't keep bees.", []),
        ("Do you keep bees?", "Nearly forty years.", "I keep bees.", []),
        ("So you keep bees.", "what time is it", "I keep bees.", [PARTNER]),
        ("", "My sister paints boats.", "I paint boats.", [OTHER]),
        ("", "My sister paints boats.", "My sister paints boats.", []),
        ("", "My sister paints boats.", "I have a sister.", []),
        ("", "I paint boats with my sister.", "I paint boats.", []),
        ("", "I really can't stand opera.", "I love opera.", [OPPOSITE]),
        ("", "I do not like opera much.", "I dislike opera.", []),
        ("", "Nothing beats opera.", "I avoid opera.", [OPPOSITE]),
        ("", "I love opera.", "I never watch opera.", [OPPOSITE]),
        ("", "I would like a dog.", "I do not have a dog.", []),
        ("", "I like opera.", "I like opera.", []),
    ],
)
def test_what_the_rubric_has_against_words(context: str, said: str, statement: str, expected: list[str]) -> None:
    assert list(objections(context, said, statement)) == expected
