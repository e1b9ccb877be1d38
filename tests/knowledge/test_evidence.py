import pytest
from talks import LAB, talk

from kithe.knowledge.evidence import locate, quoted
from kithe.records.history import Evidence

EVERYTHING = range(len(LAB.turns))


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        ("I have two cats.", "two cats", "two cats"),
        ("I have two  cats.", "TWO cats!", "two  cats"),
        ("I don’t eat meat .", "I don't eat meat.", "I don’t eat meat"),
        ("I start early.", "art", "art"),  # as it stands, even inside a word
        ("I start early.", "Art", ""),  # otherwise whole words
        ("I have two cats.", "two dogs", ""),
        ("I have two cats.", " ", ""),
        ("I have two cats.", "?!", ""),
        ("", "cats", ""),
    ],
)
def test_quoted(text: str, quote: str, expected: str) -> None:
    assert quoted(text, quote) == expected
    assert expected in text


def test_a_quote_says_which_turn() -> None:
    assert locate(LAB, EVERYTHING, "I own pets.", "two cats, Tom") == Evidence(turn=2, quote="two  cats, Tom")


def test_only_the_users_turns_and_only_those_asked_about_count() -> None:
    assert locate(LAB, EVERYTHING, "I am a cook.", "I am a cook.").turn in (4, 8)  # turn 6 is the partner's
    assert locate(LAB, (4, 8), "I have two cats.", "two  cats").turn in (4, 8)
    with pytest.raises(ValueError, match="says nothing"):
        locate(LAB, (1, 3), "I have two cats.", "")


def test_without_a_quote_the_turn_with_most_shared_content() -> None:
    assert locate(LAB, EVERYTHING, "I work as a nurse in a hospital.", "") == Evidence(turn=4)
    assert locate(LAB, EVERYTHING, "I like to hike.", "not said at all") == Evidence(turn=8)


def test_equals_go_to_the_earlier_and_no_match_to_the_longest() -> None:
    history = talk(["my cat", "", "my cat", "", "nothing of the kind at all"])
    assert locate(history, (0, 2, 4), "I have a cat.", "").turn == 0
    assert locate(history, (0, 2, 4), "I sail.", "").turn == 4


def test_a_long_turn_does_not_win_by_mentioning_everything() -> None:
    history = talk(["My cat, my dog, the garden, some music, long books and old films", "", "A small cat"])
    assert locate(history, (0, 2), "I have a small cat and love music.", "").turn == 2
