import json

import pytest
from talks import CATS, HIKING, LAB, NURSE, talk

from kithe.errors import ConfigError
from kithe.knowledge.fields import MAX_QUOTE, NAMES, check, choices, needed
from kithe.knowledge.target import answer, quotation
from kithe.knowledge.text import clip
from kithe.knowledge.units import Cut, Unit, units
from kithe.records.history import Evidence, History, KnowledgeItem

WHOLE = Cut("history", 4, 0, 10**6)


def whole(history: History) -> Unit:
    return units(history, WHOLE)[0]


def test_statements_alone_are_a_list_of_strings_in_the_order_of_the_conversation() -> None:
    assert answer(LAB, whole(LAB), ("statement",)) == '["I have two cats.", "I am a nurse.", "I love hiking."]'


def test_objects_have_the_keys_in_order_and_leave_out_what_is_unknown() -> None:
    listed = json.loads(answer(LAB, whole(LAB), ("quote", "statement", "inference", "category")))
    assert listed[0] == {"quote": "two cats", "statement": "I have two cats.", "category": "Household"}
    assert list(listed[1]) == ["quote", "statement", "inference", "category"]
    assert listed[1]["quote"] == "I'm a nurse at the city hospital."


def test_nothing_to_find_is_an_empty_list() -> None:
    empty = LAB.model_copy(update={"items": ()})
    assert answer(empty, whole(empty), ("quote", "statement")) == "[]"


def test_the_same_statement_is_listed_once() -> None:
    twice = LAB.model_copy(update={"items": (CATS, CATS.model_copy(update={"statement": "i have TWO cats"}))})
    assert answer(twice, whole(twice), ("statement",)) == '["I have two cats."]'


def test_a_decomposition_segments_quotes_hypothesises_verifies_and_commits() -> None:
    assert answer(LAB, whole(LAB), ("statement",), "trace_then_answer") == (
        "<think>\n"
        "Segment: personal 2, 3, 4; routine 1.\n"
        'Cues: 2: "two cats"; 3: "I\'m a nurse at the city hospital."; 4: "Hiking, I love it. No shifts for a nurse then!".\n'
        "Hypothesise: 2: explicit; 3: explicit; 4: explicit.\n"
        "Verify: 2, 3, 4: about User, still true.\n"
        "Commit: I have two cats. | I am a nurse. | I love hiking.\n"
        "</think>\n"
        '["I have two cats.", "I am a nurse.", "I love hiking."]'
    )


def test_a_trace_may_come_after_the_answer() -> None:
    before = answer(LAB, whole(LAB), ("statement",), "trace_then_answer", "monologue")
    after = answer(LAB, whole(LAB), ("statement",), "answer_then_trace", "monologue")
    thought, _, listed = before.rpartition("\n")
    assert after == f"{listed}\n{thought}"


def test_a_trace_of_a_window_counts_the_turns_of_the_window() -> None:
    window = units(LAB, Cut("window", 4, 2, 10**6))[1]
    assert answer(LAB, window, ("statement",), "trace_then_answer").startswith("<think>\nSegment: personal 1; routine none.\n")


def test_quotations_are_the_first_evidence_on_one_line_and_not_too_long() -> None:
    assert quotation(LAB, NURSE) == "I'm a nurse at the city hospital."
    assert quotation(LAB, CATS.model_copy(update={"evidence": (Evidence(turn=2, quote="two  cats"),)})) == "two cats"
    assert quotation(LAB, HIKING.model_copy(update={"evidence": ()})) == ""
    long = talk(["word " * 200])
    cut = quotation(long, KnowledgeItem(statement="x", evidence=(Evidence(turn=0),)))
    assert cut in long.turns[0].text
    assert MAX_QUOTE - 5 <= len(cut) <= MAX_QUOTE


@pytest.mark.parametrize(
    ("text", "limit", "expected"), [("one two", 7, "one two"), ("one two", 6, "one"), ("one two", 3, "one"), ("onetwo", 3, "one")]
)
def test_clip(text: str, limit: int, expected: str) -> None:
    assert clip(text, limit) == expected


def test_fields() -> None:
    check(NAMES)
    assert needed(("quote", "statement", "polarity")) == {"evidence", "polarity"}
    assert len(choices("category")) == 30
    for bad in (("statement", "mood"), ("category",), ("statement", "statement")):
        with pytest.raises(ConfigError):
            check(bad)
    with pytest.raises(ConfigError, match="did you mean 'category'"):
        check(("statement", "categry"))
