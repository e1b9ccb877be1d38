"""Marks of the small model: strings that are one token each."""

import pytest

from kithe.llm.small import Small

MARKS = ("<REASONING>\n", "</REASONING>\n<PROMPT>", "</PROMPT>", "tone_pref =")
TEXT = "<REASONING>\ntone_pref = warm\n</REASONING>\n<PROMPT>Use a warm voice.</PROMPT>"


def small(marks: tuple[str, ...]) -> Small:
    return Small("small", ["gym/user.yaml"], 700, marks=marks)


def test_a_mark_is_one_token_that_is_written_again_as_it_was() -> None:
    words = small(MARKS).vocabulary()
    ids = words.encode(TEXT)
    assert [words.decode([own]) for own in ids if words.decode([own]) in MARKS] == [MARKS[0], MARKS[3], *MARKS[1:3]]
    assert words.decode(ids, skip_special_tokens=True) == TEXT
    assert len(ids) + 20 < len(small(()).vocabulary().encode(TEXT))


@pytest.mark.parametrize("marks", [(), MARKS])
def test_marks_are_among_the_words(marks: tuple[str, ...]) -> None:
    assert len(small(marks).vocabulary()) == 700
