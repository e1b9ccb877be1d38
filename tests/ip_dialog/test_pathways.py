"""The five pathways: which fields in which order, what each step is shown, and what an intervention cuts."""

from functools import cache

import pytest

from kithe.errors import ConfigError
from kithe.evaluation.task import Chained
from kithe.ip_dialog import official, prompts, reading
from kithe.ip_dialog.pathways import GRAPHS, Pathway, without
from kithe.ip_dialog.pipeline import Pipeline, Settings
from kithe.ip_dialog.schema import schema, tasks
from kithe.ip_dialog.task import IPDialog, question
from kithe.ip_dialog.teacher import Scripted
from kithe.records.chat import Generation
from kithe.records.history import History, Turn

PATHWAYS: list[Pathway] = list(GRAPHS)


@cache
def items() -> tuple[History, ...]:
    return tuple(Pipeline(Scripted(), Settings(duplicates=None)).items("test", 2))


def generation(name: str, text: str) -> Generation:
    return Generation(id=name, text=text, finish="stop", prompt_tokens=1, new_tokens=1)


@pytest.mark.parametrize(
    ("pathway", "fields"),
    [
        ("direct_response", ["Analysis", "Answer"]),
        ("full_attributes", ["Full Attribute Values", "Analysis", "Answer"]),
        ("attribute_filter", ["Full Attribute Values", "Related Attribute Values", "Analysis", "Answer"]),
        ("task_related", ["Attributes", "Analysis", "Answer"]),
        ("type_guided", ["Attribute Key", "Attribute Values", "Analysis", "Answer"]),
    ],
)
def test_a_single_call_has_all_fields_in_order(pathway: Pathway, fields: list[str]) -> None:
    form = IPDialog(pathway)
    (example,) = form.examples(items()[:1])
    places = [example.answer.index(f"- {name}: [") for name in fields]
    assert places == sorted(places)
    assert [name for name, _ in prompts.fields(form.rounds[0])] == fields
    assert form.schema()["required"] == fields
    asked = example.prompt[0].content
    assert all(name in asked for name in fields)
    # The table of attributes is shown to all pathways but the direct one.
    assert ("neuroticism: high, low" in asked) == (pathway != "direct_response")


@pytest.mark.parametrize("pathway", PATHWAYS)
def test_what_is_learnt_is_read_back_in_both_readings(pathway: Pathway) -> None:
    for item in items():
        asked = question(item)
        (example,) = IPDialog(pathway).examples([item])
        found = reading.read(example.answer)
        assert reading.values(found.answer, asked.form) == asked.answer
        assert found.analysis == asked.analysis
        code = GRAPHS[pathway].code
        if pathway != "direct_response":
            wanted = asked.persona if pathway == "full_attributes" else asked.related
            assert found.attributes == wanted == official.attributes(example.answer, code)
        assert official.analysis(example.answer) == asked.analysis
        assert official.values(official.answer(example.answer), asked.form) == list(asked.answer)


@pytest.mark.parametrize("style", ["json", "sentence", "digits"])
def test_other_styles_of_answer_are_read_back_too(style: prompts.Style) -> None:
    for item in items():
        (example,) = IPDialog("task_related", style=style).examples([item])
        found = reading.read(example.answer)
        assert reading.values(found.answer, question(item).form) == question(item).answer
        assert found.attributes == question(item).related
        if style == "digits" and question(item).options:
            assert f"1. {question(item).options[0]}" in example.prompt[1].content


@pytest.mark.parametrize("pathway", PATHWAYS)
def test_a_strict_step_is_shown_its_parents_and_nothing_else(pathway: Pathway) -> None:
    form = IPDialog(pathway, "strict")
    item = next(one for one in items() if question(one).task == "filter")
    gold = prompts.gold(question(item))
    for steps, example in zip(form.rounds, form.examples([item]), strict=True):
        (step,) = steps
        shown = example.prompt[1].content
        assert (item.turns[0].text in shown) == ("history" in step.parents)
        assert (question(item).text in shown) == ("request" in step.parents)
        for node in ("vector", "types", "related"):
            assert (f"{prompts.SHOWN[node]}: {gold[node]}" in shown) == (node in step.parents)


def test_strict_answers_follow_one_another() -> None:
    form = IPDialog("type_guided", "strict")
    item = next(one for one in items() if question(one).task == "predict")
    assert isinstance(form, Chained)
    (first,) = form.requests(item)
    answers = [generation(first.id, "- Attribute Key: [hobby, age]")]
    (second,) = form.follow_up(item, answers)
    assert f"{prompts.SHOWN['types']}: hobby, age" in second.prompt[1].content
    assert question(item).text not in second.prompt[1].content
    answers.append(generation(second.id, "hobby: music"))
    (third,) = form.follow_up(item, answers)
    assert "hobby: music" in third.prompt[1].content
    assert item.turns[0].text not in third.prompt[1].content
    answers.append(generation(third.id, "- Analysis: [x y]\n- Answer: [no]"))
    assert form.follow_up(item, answers) == []
    prediction = form.prediction(item, answers)
    assert [(one.key, one.value) for one in prediction.items] == [("hobby", "music")]
    assert prediction.unparsed == 0
    assert prediction.raw[0].startswith("- Attribute Key: [hobby, age]\n- Attribute Values: [hobby: music]\n- Analysis")
    with pytest.raises(ValueError, match="2 answers do not match its 3 requests"):
        form.prediction(item, answers[:2])


def test_setting_a_node_cuts_it_off_from_its_parents() -> None:
    item = next(one for one in items() if question(one).task == "rank")
    gold = IPDialog("attribute_filter", "strict", "gold_attributes")
    assert [[step.node for step in steps] for steps in gold.rounds] == [["answer"]]
    (request,) = gold.requests(item)
    assert prompts.gold(question(item))["related"] in request.prompt[1].content
    assert item.turns[0].text not in request.prompt[1].content
    types = IPDialog("type_guided", "strict", "gold_types")
    assert [[step.node for step in steps] for steps in types.rounds] == [["related"], ["answer"]]
    wrong = IPDialog("task_related", "strict", "random_attributes")
    (request,) = wrong.requests(item)
    shown = request.prompt[1].content
    assert all(name in shown for name in question(item).related)
    assert not any(f"{name}: {value}" in shown for name, value in question(item).related.items())
    prediction = gold.prediction(item, [generation(f"{item.id}#0", "- Analysis: [x]\n- Answer: [A, B, C, D]")])
    assert {one.key: one.value for one in prediction.items} == question(item).related


def test_steps_can_be_left_out() -> None:
    graph = without(GRAPHS["type_guided"], frozenset({"types"}))
    assert [(step.node, step.parents) for step in graph.steps] == [
        ("related", ("history", "request")),
        ("answer", ("related", "request")),
    ]
    graph = without(GRAPHS["type_guided"], frozenset({"types", "related"}))
    assert [(step.node, step.parents) for step in graph.steps] == [("answer", ("history", "request"))]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pathway": "best"}, "task.format.pathway=best: allowed: direct_response"),
        ({"intervention": "gold_attributes"}, "needs task.format.calls=strict"),
        ({"intervention": "gold_types", "calls": "strict"}, "task_related has no node 'types'; with it: type_guided"),
        ({"left_out": ["types"]}, "task_related has the nodes related"),
        ({"max_new_tokens": 0}, "at least 1"),
    ],
)
def test_impossible_formats_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        IPDialog(**values)  # type: ignore[arg-type]


def test_a_history_without_a_question_is_refused() -> None:
    plain = History(id="h", source="sample", user="user", turns=(Turn(speaker="user", text="hi"),))
    with pytest.raises(ConfigError, match="asks nothing; task=ip_dialog needs data=ip_dialog"):
        IPDialog().requests(plain)


def test_shots_stand_between_instruction_and_request() -> None:
    form = IPDialog()
    shots = form.examples(items()[:2])
    (request,) = form.requests(items()[2], shots)
    assert [message.role for message in request.prompt] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert request.prompt[2].content == shots[0].answer


def test_the_prompt_names_every_attribute_and_what_the_task_asks() -> None:
    (request,) = IPDialog().requests(items()[0])
    assert all(name in request.prompt[0].content for name in schema().names)
    assert tasks()[question(items()[0]).task].definition in request.prompt[0].content
