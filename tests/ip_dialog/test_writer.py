"""A language model as teacher, played here by a function that answers as a good model would."""

import re

import pytest

from kithe.ip_dialog.cues import cues, spellings
from kithe.ip_dialog.pipeline import Pipeline, Settings
from kithe.ip_dialog.writer import Writer, options
from kithe.llm.client import Ask, Failure
from kithe.llm.scripted import ScriptedClient


def value(text: str) -> tuple[str, str]:
    match = re.search(r"whose ([a-z ]+) is ([a-z -]+) talks", text) or re.search(
        r"that the user's ([a-z ]+) is ([a-z -]+),", text
    )
    assert match is not None, text
    return match[1], match[2]


def good(ask: Ask) -> str | Failure:
    """A model that keeps to what each prompt asks for, in the loose forms that models use."""
    text = ask.messages[0].content
    if "One a line" in text:
        return "Sure:\n1. a novel\n2) a comic\n- a very long subject that nobody could ever want to ask about\n"
    if "Write three such requests" in text:
        lettered = "A. new B. old C. loud D. calm" if "four short options" in text else ""
        third = "B. be" if lettered else "fit"
        return f"1. Which novel suits me? {lettered}\n\n2. And which one now? {lettered}\n3. Which would {third}?"
    if "Their request" in text:
        pairs = dict(pair.split(": ") for pair in text.splitlines()[0].removeprefix("A person: ").rstrip(".").split(", "))
        return (
            f"**Attributes:** openness: {pairs['openness']}, hobby: {pairs['hobby']}\n**Analysis:** Fits.\n**Answer:** C, A, D, B"
        )
    if "Begin with yes or no" in text:
        return "Yes, it does."
    if "tells nothing about them" in text:
        return "User: What time is it?\nAI: Noon."
    name, wanted = value(text)
    return f"User: {next(spellings(cues().by_value[name][wanted]['a'][0]))}\nAssistant: I see."


def test_the_same_pipeline_runs_on_a_models_answers() -> None:
    pipeline = Pipeline(Writer(ScriptedClient(good), ScriptedClient(good, part="examiner")), Settings(duplicates=None))
    items = pipeline.items("train", 1, ["rank"])
    assert len(items) == 1
    for item in items:
        assert item.question is not None
        assert item.question.options == ("new", "old", "loud", "calm")
        assert item.question.answer == ("C", "A", "D", "B")
        assert set(item.question.related) == {"openness", "hobby"}
        assert item.turns[1].text in ("I see.", "Noon.")
    assert Writer(ScriptedClient(good), ScriptedClient(good)).name == "scripted:client"


def test_failed_and_empty_answers_are_counted_not_fatal() -> None:
    def broken(ask: Ask) -> str | Failure:
        return Failure("timeout", "late") if "Their request" in ask.messages[0].content else good(ask)

    pipeline = Pipeline(Writer(ScriptedClient(broken), ScriptedClient(good)), Settings(duplicates=None))
    assert pipeline.items("train", 1, ["advice"]) == []
    assert pipeline.lost["answers that could not be read"] > 0
    assert pipeline.lost["missing: advice"] == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Which? A. a film B. a book", ("a film", "a book")),
        ("Which? A) one, B) two", ("one", "two")),
        ("Which? B. two A. one", ()),
        ("Which?", ()),
    ],
)
def test_options_of_a_request(text: str, wanted: tuple[str, ...]) -> None:
    assert options(text) == wanted


def test_every_call_is_named_by_its_draw() -> None:
    seen: list[Ask] = []

    def noted(ask: Ask) -> str | Failure:
        seen.append(ask)
        return good(ask)

    Pipeline(Writer(ScriptedClient(noted), ScriptedClient(noted)), Settings(duplicates=None)).items("train", 1, ["rank"])
    assert len({ask.id for ask in seen}) == len(seen)
    assert all((ask.temperature == 0) == ("Begin with yes or no" in ask.messages[0].content) for ask in seen)
