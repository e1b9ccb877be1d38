"""The seam for language models: what is asked, what is accepted, and what every broken answer turns into."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.personas.fill import (
    ask_again,
    asked,
    read_summary,
    read_tier,
    settled_values,
    summary_prompt,
    tier_prompt,
    tier_schema,
)
from kithe.personas.ontology import ontology
from kithe.personas.persona import Stated
from kithe.personas.skeleton import draw_skeleton

LIFE = draw_skeleton(Random(3))
PATHS = (("Sports", "Cricket", "Test Cricket"), ("Beverages", "Tea", "Green Tea", "Sencha"))
TIER = "Interest"


def answer(**changed: Any) -> dict[str, Any]:
    """A good answer for the interest tier, with changes."""
    body: dict[str, Any] = {entity.key: None for entity in asked(ontology(), TIER, LIFE)}
    body["sport_watched"] = {"value": "Test cricket", "polarity": "positive", "intensity": "high", "path": "L1"}
    body["favorite_beverage"] = {"value": "sencha", "polarity": "positive", "intensity": "low", "path": "L2"}
    return {**body, **changed}


def problems(text: str, tier: str = TIER) -> dict[str, str]:
    """Problem kinds by key."""
    return {problem.key: problem.kind for problem in read_tier(text, ontology(), tier, LIFE, PATHS).problems}


def test_the_tiers_ask_for_every_key_once() -> None:
    keys = [entity.key for tier in ontology().tiers for entity in asked(ontology(), tier, LIFE)] + list(LIFE.facts())
    assert sorted(keys) == sorted(ontology().keys)


@pytest.mark.parametrize("tier", ontology().tiers)
def test_the_prompt_names_facts_lines_and_keys(tier: str) -> None:
    (message,) = tier_prompt(ontology(), tier, LIFE, PATHS, {"favorite_dish": Stated(value="pho"), "pets_owned": None})
    for entity in asked(ontology(), tier, LIFE):
        assert f"- {entity.key}:" in message.content
        assert all(f'"{value}"' in message.content for value in entity.allowed)
    assert "L2: Beverages > Tea > Green Tea > Sencha" in message.content
    assert "loves to eat pho" in message.content
    assert f"lives in {LIFE.region_of_residence}" in message.content
    assert "{" not in message.content
    assert ("Each of the 2 interest lines" in message.content) == (tier == TIER)


def test_the_schema_asks_for_all_keys_of_the_tier() -> None:
    schema = tier_schema(ontology(), "Lifestyle", LIFE, PATHS)
    assert schema["required"] == list(schema["properties"]) == [entity.key for entity in ontology().of("Lifestyle")]
    value = schema["properties"]["diet_type"]["anyOf"][1]["properties"]
    assert value["value"]["enum"][-1] == "other"
    assert value["path"]["enum"] == ["L1", "L2", None]
    json.dumps(schema)


def test_a_good_answer_is_read_with_what_is_settled() -> None:
    read = read_tier("Here you are:\n```json\n" + json.dumps(answer()) + "\n```", ontology(), TIER, LIFE, PATHS)
    assert read.usable
    assert list(read.values) == [entity.key for entity in ontology().of(TIER)]
    assert read.values["favorite_beverage"] == Stated(value="sencha", intensity="low", path=1)
    background = {entity.key: None for entity in asked(ontology(), "Background", LIFE)}
    whole = read_tier(json.dumps(background), ontology(), "Background", LIFE, PATHS)
    assert whole.usable
    assert whole.values["age_band"] == Stated(value=LIFE.age_band)
    assert list(whole.values) == [entity.key for entity in ontology().of("Background")]


def test_a_bare_text_counts_as_a_value() -> None:
    read = read_tier(json.dumps(answer(favorite_dish="pho")), ontology(), TIER, LIFE, PATHS)
    assert read.values["favorite_dish"] == Stated(value="pho")


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"game_platform": "abacus"}, "enum"),
        ({"favorite_dish": {"value": " ".join(["long"] * 20)}}, "length"),
        ({"favorite_dish": {"value": ["pho"]}}, "shape"),
        ({"favorite_dish": {"value": True}}, "shape"),
        ({"favorite_dish": {"value": "pho", "path": "L3"}}, "path"),
        ({"favorite_dish": {"value": "pho", "polarity": "mixed"}}, "enum"),
        ({"favorite_dish": ""}, "kind"),
    ],
)
def test_a_bad_value_is_named_and_dropped(changed: dict[str, Any], kind: str) -> None:
    (key,) = changed
    read = read_tier(json.dumps(answer(**changed)), ontology(), TIER, LIFE, PATHS)
    assert [(problem.key, problem.kind) for problem in read.problems] == [(key, kind)]
    assert read.values[key] is None
    assert read.values["sport_watched"]


def test_missing_unknown_and_unlinked() -> None:
    body = answer(favorite_planet="Mars", favorite_beverage=None)
    del body["favorite_dish"]
    assert problems(json.dumps(body)) == {"favorite_dish": "missing", "favorite_planet": "unknown", "": "links"}
    assert "Sencha" in read_tier(json.dumps(body), ontology(), TIER, LIFE, PATHS).problems[-1].text


@pytest.mark.parametrize(
    "text", ["", "I cannot help with that.", "{", '{"a": ', "[" * 5000, "{" * 3000, "x" * 50_000, "null", "{]"]
)
def test_what_cannot_be_read_says_so(text: str) -> None:
    assert problems(text) == {"": "unreadable"}


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists and objects, the latter with keys that were asked for."""
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ontology().keys[:20]), inner, max_size=4)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), nested).map(json.dumps)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200) | JSON)
def test_no_answer_raises_and_every_key_is_there(text: str) -> None:
    read = read_tier(text, ontology(), TIER, LIFE, PATHS)
    assert list(read.values) == [entity.key for entity in ontology().of(TIER)]
    assert read.problems


def test_asking_again_shows_the_faults() -> None:
    prompt = tier_prompt(ontology(), TIER, LIFE, PATHS, {})
    bad = json.dumps(answer(game_platform="abacus"))
    again = ask_again(prompt, bad, read_tier(bad, ontology(), TIER, LIFE, PATHS).problems)
    assert again[0] == prompt[0]
    assert [message.role for message in again] == ["user", "assistant", "user"]
    assert "game_platform: 'abacus' is not one of" in again[2].content


def test_settled_values_say_what_there_is_not() -> None:
    life = next(life for life in (draw_skeleton(Random(seed)) for seed in range(99)) if life.drives is False and not life.minor)
    values = settled_values(life)
    assert values["vehicle_owned"] == Stated(value="a car", polarity="negative")
    assert set(values) == set(life.facts())


def test_a_summary_is_asked_for_and_checked() -> None:
    values: dict[str, Stated | None] = {"favorite_dish": Stated(value="pho"), "pets_owned": Stated(value="two cats")}
    (message,) = summary_prompt(ontology(), values, list(values))
    assert "has two cats" in message.content
    assert "60 to 120" in message.content
    read = read_summary("They have two cats and a castle in Spain.", ontology(), values, list(values))
    assert len(read.problems) == 3
    assert read.check.missing == ("favorite_dish",)
    assert "Spain" in read.check.unsupported
