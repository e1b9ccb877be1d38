from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from talks import CATS, HIKING, LAB, NURSE, talk

from kithe.knowledge.prompt import conversation
from kithe.knowledge.units import Cut, units

WINDOWS = Cut("window", turns=4, context=0, max_tokens=10**6)
WHOLE = replace(WINDOWS, kind="history")


def test_windows_are_consecutive_and_hold_the_items_first_shown_in_them() -> None:
    found = units(LAB, WINDOWS)
    assert [unit.turns for unit in found] == [(0, 1, 2, 3), (4, 5, 6, 7), (8,)]
    assert [unit.items for unit in found] == [
        (CATS,),
        (NURSE,),
        (HIKING,),
    ]  # the nurse's second evidence turn is in the third window
    assert [unit.id for unit in found] == ["lab-1#0", "lab-1#1", "lab-1#2"]


def test_windows_without_the_user_are_left_out_and_numbers_go_on() -> None:
    found = units(LAB, replace(WINDOWS, turns=1))
    assert [unit.turns for unit in found] == [(0,), (2,), (4,), (8,)]
    assert [unit.number for unit in found] == [0, 1, 2, 3]


def test_a_whole_history_holds_all_items_those_without_evidence_too() -> None:
    bare = LAB.model_copy(update={"items": tuple(item.model_copy(update={"evidence": ()}) for item in LAB.items)})
    (unit,) = units(bare, WHOLE)
    assert unit.turns == tuple(range(9))
    assert unit.items == bare.items
    assert [unit.items for unit in units(bare, WINDOWS)] == [(), (), ()]


def test_context_is_shown_before_a_window() -> None:
    assert [unit.context for unit in units(LAB, replace(WINDOWS, context=2))] == [(), (2, 3), (6, 7)]


def test_a_history_too_long_falls_back_to_windows_and_long_windows_are_halved() -> None:
    history = talk([f"word {index} " * 10 for index in range(20)])
    words = replace(WHOLE, count=lambda text: len(text.split()))
    assert len(units(history, replace(words, max_tokens=420))) == 1  # 20 turns of 21 words
    assert [len(unit.turns) for unit in units(history, replace(words, max_tokens=100))] == [4] * 5
    assert [len(unit.turns) for unit in units(history, replace(words, max_tokens=50))] == [2] * 10
    assert [len(unit.turns) for unit in units(history, replace(words, max_tokens=5))] == [1] * 10  # a turn is never cut


def test_a_chat_of_a_thousand_words_works_both_ways() -> None:
    history = talk(
        [f"this is turn number {index} and it says something of some length about cats and dogs" for index in range(64)]
    )
    assert sum(len(turn.text.split()) for turn in history.turns) > 1000
    assert len(units(history, replace(WHOLE, max_tokens=3072))) == 1
    assert len(units(history, replace(WHOLE, max_tokens=512))) == 16


def test_nobody_speaking_means_nothing_to_ask() -> None:
    assert units(talk(["hi", "hello"], user="C"), WHOLE) == ()
    assert units(talk([]), WINDOWS) == ()


@given(
    texts=st.lists(st.text(max_size=60), max_size=30),
    turns=st.integers(1, 7),
    context=st.integers(0, 5),
    limit=st.integers(5, 200),
    kind=st.sampled_from(["history", "window"]),
)
def test_every_turn_of_the_user_is_asked_about_once_and_what_is_shown_fits(
    texts: list[str], turns: int, context: int, limit: int, kind: str
) -> None:
    history = talk(texts)
    cut = Cut(kind, turns, context, limit)  # type: ignore[arg-type]
    found = units(history, cut)
    asked = [turn for unit in found for turn in unit.turns]
    assert len(asked) == len(set(asked))
    assert [turn for turn in asked if history.turns[turn].speaker == "A"] == list(range(0, len(texts), 2))
    for unit in found:
        fits = cut.count(conversation(history, unit.context, unit.turns)) <= limit
        assert fits or (len(unit.turns) == 1 and not unit.context)
        assert unit.context == tuple(range(unit.turns[0] - len(unit.context), unit.turns[0]))
