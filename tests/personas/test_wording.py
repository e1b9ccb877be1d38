"""Phrases are found by stem, over gaps, and hours are read from texts."""

import pytest

from kithe.personas.wording import clock_times, phrases

TABLE = phrases({"war": ["argue", "pick * fight"], "study": ["psychiatr"], "train": ["train"]})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("arguing with the neighbours", {"war"}),
        ("picks fights in bars", {"war"}),
        ("pick one very long fight", {"war"}),
        ("pick flowers, and never once in all those years fight", set()),
        ("a licensed Psychiatrist", {"study"}),
        ("a trainee", set()),
        ("by train", {"train"}),
        ("", set()),
    ],
)
def test_phrases_are_found_by_stem_over_at_most_three_words(text: str, found: set[str]) -> None:
    assert TABLE.found(text) == found


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("party until four in the morning", [240]),
        ("before seven in the morning", [390]),
        ("a run at 6 am", [360]),
        ("jog at sunrise", [345]),
        ("films long past midnight", [90]),
        ("after dinner", []),
    ],
)
def test_hours_are_read_from_texts(text: str, minutes: list[int]) -> None:
    assert list(clock_times(text)) == minutes
