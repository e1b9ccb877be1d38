import json
import sys
from subprocess import run
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talks import LAB

from kithe.errors import ConfigError
from kithe.knowledge.schema import THINKING
from kithe.knowledge.task import PKI
from kithe.records.chat import ChatExample, Generation
from kithe.records.history import Evidence


def generation(name: str, text: str, **more: Any) -> Generation:
    return Generation(id=name, text=text, finish="stop", prompt_tokens=9, new_tokens=3, **more)


def oracle(task: PKI) -> list[Generation]:
    """What a model that has learnt everything says."""
    return [generation(example.id, example.answer) for example in task.examples([LAB])]


@pytest.mark.parametrize("unit", ["window", "history"])
@pytest.mark.parametrize("style", ["answer_only", "trace_then_answer"])
@pytest.mark.parametrize("fields", [("statement",), ("quote", "statement", "category", "polarity")])
def test_learning_everything_predicts_everything(unit: Any, style: Any, fields: tuple[str, ...]) -> None:
    task = PKI(fields=fields, unit=unit, style=style)
    prediction = task.prediction(LAB, oracle(task))
    assert [item.statement for item in prediction.items] == ["I have two cats.", "I am a nurse.", "I love hiking."]
    assert [item.evidence[0].turn for item in prediction.items] == [2, 4, 8]
    assert prediction.units == len(task.requests(LAB)) == (3 if unit == "window" else 1)
    assert (prediction.unparsed, prediction.rejected) == (0, ())
    assert prediction.raw == tuple(example.answer for example in task.examples([LAB]))
    if "category" in fields:
        assert [item.category for item in prediction.items] == ["Household", "Occupation", "Leisure"]
        assert prediction.items[0].evidence == (Evidence(turn=2, quote="two  cats"),)


def test_training_and_prediction_ask_the_same() -> None:
    task = PKI(context=2)
    assert [(row.id, row.prompt) for row in task.examples([LAB])] == [(row.id, row.prompt) for row in task.requests(LAB)]


def test_shots_change_the_prompt_and_nothing_else() -> None:
    task = PKI()
    shots = task.examples([LAB])[:2]
    plain, shown = task.requests(LAB), task.requests(LAB, shots)
    assert [row.id for row in plain] == [row.id for row in shown]
    assert [row.prompt[0] for row in plain] == [row.prompt[0] for row in shown]
    assert [row.prompt[-1] for row in plain] == [row.prompt[-1] for row in shown]
    assert len(shown[0].prompt) == 2 + 2 * len(shots)
    assert len({row.prompt[:-1] for row in shown}) == 1


@pytest.mark.parametrize(("share", "empty"), [(1.0, 6), (0.75, 6), (0.6, 4), (0.5, 3), (0.25, 1), (0.0, 0)])
def test_empty_examples_are_left_out_above_their_share(share: float, empty: int) -> None:
    silent = [LAB.model_copy(update={"id": f"lab-{n}", "items": ()}) for n in (2, 3)]
    task = PKI(empty_share=share)
    found = task.examples([LAB, *silent])  # three windows with items and six without
    assert [row.id for row in found if row.answer != "[]"] == ["lab-1#0", "lab-1#1", "lab-1#2"]
    assert sum(row.answer == "[]" for row in found) == empty
    assert {row.id for row in found} == {row.id for row in task.examples([*silent, LAB])}


def test_answers_are_merged_and_losses_counted() -> None:
    answers = [
        generation("lab-1#0", '["I have two cats.", "I have two cats", 3]'),
        generation("lab-1#1", "I do not know."),
        generation("lab-1#2", '["I have two cats!", "I love hiking'),
    ]
    prediction = PKI().prediction(LAB, answers[::-1])  # in any order
    assert [item.statement for item in prediction.items] == ["I have two cats."]
    assert [part.turn for part in prediction.items[0].evidence] == [2, 8]
    assert (prediction.units, prediction.unparsed) == (3, 1)
    assert [(part.reason, part.raw) for part in prediction.rejected] == [
        ("duplicate", '"I have two cats"'),
        ("neither string nor object", "3"),
        ("no list", "I do not know."),
        ("unreadable rest", '"I love hiking'),
    ]


def test_unsure_items_are_dropped_after_merging() -> None:
    task = PKI(min_confidence=0.5, unit="history")
    pieces = ("[", '"I ski."', ", ", '"I swim."', "]", "")
    said = generation("lab-1#0", "".join(pieces), pieces=pieces, logprobs=(-0.1, -0.2, -0.1, -3.0, -0.1, 0.0))
    prediction = task.prediction(LAB, [said])
    assert [(item.statement, round(item.confidence or 0, 3)) for item in prediction.items] == [("I ski.", 0.819)]
    assert [part.reason for part in prediction.rejected] == ["low confidence"]
    assert json.loads(prediction.rejected[0].raw)["statement"] == "I swim."
    assert len(task.prediction(LAB, [said.model_copy(update={"logprobs": (), "pieces": ()})]).items) == 2


def test_a_confidence_of_its_own_is_believed() -> None:
    task = PKI(fields=("statement", "confidence"), unit="history", min_confidence=0.5)
    said = generation("lab-1#0", '[{"statement": "I ski.", "confidence": 0.25}, {"statement": "I swim.", "confidence": 1}]')
    assert [(item.statement, item.confidence) for item in task.prediction(LAB, [said]).items] == [("I swim.", 1.0)]


def test_answers_to_other_requests_are_refused() -> None:
    task, said = PKI(), oracle(PKI())
    for wrong in (said[:2], [*said, said[0]], [*said[:2], generation("lab-2#2", "[]")]):
        with pytest.raises(ValueError, match="do not match"):
            task.prediction(LAB, wrong)


def test_a_silent_user_has_an_empty_prediction() -> None:
    silent = LAB.model_copy(update={"user": "C"})
    assert PKI().requests(silent) == []
    assert PKI().prediction(silent, []).model_dump(exclude_defaults=True) == {"id": "lab-1"}


def test_needs() -> None:
    assert PKI(unit="history").needs() == frozenset()
    assert PKI(unit="window").needs() == {"evidence"}
    assert PKI(unit="history", style="trace_then_answer").needs() == {"evidence"}
    assert PKI(unit="history", fields=("quote", "statement", "type")).needs() == {"evidence", "type"}


def test_the_schema_describes_the_answers() -> None:
    assert PKI().schema() == {"type": "array", "minItems": 0, "maxItems": 12, "items": {"type": "string"}}
    schema = PKI(fields=("quote", "statement", "polarity"), unit="history", style="trace_then_answer").schema()
    assert schema["maxItems"] == 40
    assert schema[THINKING] is True
    assert list(schema["items"]["properties"]) == ["quote", "statement", "polarity"]
    assert schema["items"]["properties"]["polarity"]["enum"] == ["positive", "negative"]
    assert schema["items"]["required"] == ["statement"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": ["statement", "mood"]}, "mood"),
        ({"style": "trace"}, "trace_then_answer"),
        ({"unit": "windows"}, "did you mean 'window'"),
        ({"window_turns": 0}, "at least 1"),
        ({"context": -1}, "at least 0"),
        ({"min_confidence": 1.5}, "between 0 and 1"),
        ({"merge_threshold": -0.1}, "between 0 and 1"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PKI(**options)


def test_the_description_is_light() -> None:
    heavy = "torch transformers sentence_transformers pytorch_lightning numpy hydra"
    code = f"import sys, kithe.knowledge.task; print(*set('{heavy}'.split()) & sys.modules.keys())"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr.strip(), done.returncode) == ("", "", 0)


@settings(max_examples=50)
@given(texts=st.tuples(st.text(max_size=50), st.text(max_size=50), st.just('["I ski."')))
def test_any_text_gives_a_prediction_about_the_users_turns(texts: tuple[str, ...]) -> None:
    prediction = PKI(fields=("quote", "statement")).prediction(
        LAB, [generation(f"lab-1#{n}", text) for n, text in enumerate(texts)]
    )
    assert prediction.units == 3
    for item in prediction.items:
        assert item.evidence
        assert all(LAB.turns[part.turn].speaker == "A" and part.quote in LAB.turns[part.turn].text for part in item.evidence)


def test_examples_are_records() -> None:
    first = PKI().examples([LAB])[0]
    assert ChatExample.model_validate_json(first.line()) == first
