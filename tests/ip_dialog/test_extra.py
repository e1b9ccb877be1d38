"""Attributes beside the twelve, by configuration alone; what they cost."""

from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any

import pytest

from kithe.config.compose import instantiate
from kithe.config.origin import value
from kithe.errors import ConfigError
from kithe.ip_dialog.asks import Request, closed_answer, held_out
from kithe.ip_dialog.corpus import IPDialogData
from kithe.ip_dialog.extra import space, usual
from kithe.ip_dialog.growth import growth
from kithe.ip_dialog.people import changed
from kithe.ip_dialog.pipeline import Pipeline, Settings
from kithe.ip_dialog.task import IPDialog
from kithe.ip_dialog.teacher import Scripted

PET: dict[str, Any] = {
    "values": ["dog", "cat"],
    "weights": [0.9, 0.1],
    "domains": ["travel"],
    "rules": [{"if": {"residence": ["urban"]}, "then": {"pet": ["cat"]}}],
    "world": {
        "weight": 2.0,
        "others": -1,
        "aspect": {"a": ["who comes along"], "b": ["which animal is welcome"]},
        "values": {
            "dog": {"likes": ["with a leash"], "says": "fond of barking", "goal": "to walk", "risk": "mud"},
            "cat": {"likes": ["with a scratching post"], "says": "fond of purring", "goal": "to nap", "risk": "fur"},
        },
    },
    "features": {
        "with a leash": {"a": ["with a hook for the leash"], "b": ["where leashes are lent"]},
        "with a scratching post": {"a": ["with a post to scratch"], "b": ["where claws are welcome"]},
    },
    "cues": {
        "dog": {
            "a": ["He wants out at {six|seven} again. Where is the leash?"],
            "b": ["Who chewed my {left|right} shoe?"],
        },
        "cat": {"a": ["She purrs on my {lap|keyboard}."], "b": ["The litter is empty, and the {sofa|curtain} has claw marks."]},
    },
}
WITH = ["task=ip_dialog", "judge=ip_dialog", "data=ip_dialog_diet_neurodivergence", "data.per_task=12", "data.duplicates=null"]


@cache
def configured(key: str) -> Any:
    return instantiate(value(key, WITH))


def without(*path: str) -> dict[str, Any]:
    """PET without one of its parts."""

    def cut(part: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        kept = {name: content for name, content in part.items() if name != names[0] or names[1:]}
        return {**kept, names[0]: cut(part[names[0]], names[1:])} if names[1:] else kept

    return cut(PET, path)


def test_two_more_attributes_come_from_the_config_alone() -> None:
    items = list(configured("data").histories("train", 0))
    asked = [item.question for item in items]
    assert {"dietary practice", "neurodivergence"} <= {name for one in asked for name in one.related}
    assert all(len(one.persona) == 14 for one in asked)
    shown = [(turn, name) for item in items for turn, name in zip(item.turns[::2], item.question.shown, strict=True)]
    known = configured("data").teacher.space.cues
    for item in items:
        for turn, name in zip(item.turns[::2], item.question.shown, strict=True):
            assert known.shown(turn.text) == ([(name, item.question.persona[name])] if name else [])
    assert {"dietary practice", "neurodivergence"} <= {name for _, name in shown}


def test_test_set_validation_and_prompt_know_them_too() -> None:
    names = {"dietary practice", "neurodivergence"}
    assert set(configured("task.test")["ip_dialog"].extra) == names
    assert set(configured("task.validation")["ip_dialog"].extra) == names
    first = next(iter(configured("data").histories("train", 0)))
    prompt = configured("task.format").requests(first)[0].prompt[0].content
    assert "dietary practice: omnivore, vegetarian, vegan, halal, kosher" in prompt
    assert "neurodivergence: " in prompt
    assert "dietary" not in IPDialog().requests(first)[0].prompt[0].content


def test_a_set_without_them_is_as_before() -> None:
    assert space({}) is usual()
    plain = Pipeline(Scripted(), Settings(duplicates=None)).items("train", 1, ["predict"])
    assert len(plain[0].question.persona) == 12  # type: ignore[union-attr]


def test_what_they_mean_decides_answers() -> None:
    world = space({"pet": PET}, scripted=True).world
    ask = Request(task="predict", domain="travel", subject="a trip", text="", features=(("with a leash",),))
    # 2 x 1.5 (travel) x 2 for a liked feature, x -1 (`others`) for somebody else's.
    assert world.utility(["with a leash"], {"pet": "dog"}, "travel") == 6
    assert world.utility(["with a leash"], {"pet": "cat"}, "travel") == -3
    assert closed_answer(ask, {"pet": "dog"}, world) == ("yes",)
    assert closed_answer(ask, {"pet": "cat"}, world) == ("no",)


def test_their_weights_and_rules_hold_for_everybody() -> None:
    settings = Settings(extra={"pet": PET}, duplicates=None)
    found = list(islice(settings.people(), 600))
    assert {one["pet"] for one in found if one["residence"] == "urban"} == {"cat"}
    rural = [one["pet"] for one in found if one["residence"] == "rural"]
    assert rural.count("dog") / len(rural) == pytest.approx(0.9, abs=0.05)
    town = next(one for one in found if one["residence"] == "urban")
    assert changed(town, "pet", settings.space.schema, settings.space.rules) == []


def test_twins_and_held_out_combinations_work_with_them() -> None:
    data = IPDialogData(Scripted(), extra={"pet": PET}, per_task=30, duplicates=None, twins=True, only=["decision"])
    items = {item.id: item for item in data.histories("test", 0)}
    twins = [item.question for item in items.values() if item.question and item.question.twin_of]
    assert twins
    assert all(one.answer != items[str(one.twin_of)].question.answer for one in twins)  # type: ignore[union-attr]
    assert all(held_out(item.question.related) for item in items.values() if item.question)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"age": PET}, "one of the twelve"),
        ({"pet": without("values")}, "data.extra.pet.values: Field required"),
        ({"pet": {**PET, "weights": [1.0]}}, "1 weights for 2 values"),
        ({"pet": {**PET, "domains": ["zoos"]}}, "no such domain: zoos"),
        ({"pet": without("world")}, "needs `world.values` and `cues` for each of dog, cat"),
        ({"pet": without("cues", "dog")}, "needs `world.values` and `cues`"),
        ({"pet": without("features", "with a leash")}, "how is it said that something is 'with a leash'"),
        ({"pet": without("cues", "dog", "b")}, "sentences of both families"),
        ({"pet": {**PET, "cues": {**PET["cues"], "dog": {"a": ["My dog barks."], "b": ["It barks."]}}}}, "names the value"),
        ({"pet": {**PET, "rules": [{"if": {"home": ["urban"]}}]}}, "no such attribute: 'home'"),
        ({"pet": {**PET, "colour": "red"}}, "data.extra.pet.colour"),
    ],
)
def test_parts_that_do_not_fit_are_named(extra: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        IPDialogData(Scripted(), extra=extra)


def test_a_model_needs_their_values_only() -> None:
    found = space({"pet": {"values": ["dog", "cat"]}})
    assert found.schema.names[-1] == "pet"
    with pytest.raises(ConfigError, match="the scripted teacher needs"):
        Scripted(extra={"pet": {"values": ["dog", "cat"]}}).space  # noqa: B018


def test_each_further_attribute_has_its_cost() -> None:
    data = IPDialogData(Scripted(), extra={"pet": PET, "wheels": {**PET, **renamed("wheels")}}, only=["predict", "advice"])
    none, one, two = growth(data, per_task=25)
    assert [(row.attributes, row.extra) for row in (none, one, two)] == [
        (12, ()),
        (13, ("pet",)),
        (14, ("pet", "wheels")),
    ]
    # 49 values of twelve attributes in all: two values more make 2 x 49 pairs more.
    assert one.possible - none.possible == 2 * 49
    assert two.possible - one.possible == 2 * 51
    for row in (none, one, two):
        assert row.items == 50
        assert 0 <= row.invalid < 0.2
        assert row.aligned == 1  # the perfect reader lets nothing else through
        assert 0.9 < row.passed < 1  # one first draft in twenty says the value outright
        assert row.calls > 10
        assert row.words > 50
    assert none.of_extra == 0 < one.of_extra < two.of_extra


def renamed(name: str) -> dict[str, Any]:
    """The parts of PET that must be another attribute's own."""
    rule = [{"if": {"residence": ["urban"]}, "then": {name: ["cat"]}}]
    tastes = {value: {**part, "likes": [f"{part['likes'][0]} too"]} for value, part in PET["world"]["values"].items()}
    features = {f"{feature} too": said for feature, said in PET["features"].items()}
    cues = {
        value: {family: [f"Also: {text}" for text in texts] for family, texts in families.items()}
        for value, families in PET["cues"].items()
    }
    return {"rules": rule, "world": {**PET["world"], "values": tastes}, "features": features, "cues": cues}
