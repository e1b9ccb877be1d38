"""Drawn personas: the same for a seed, of the size asked for, and in agreement with themselves."""

from random import Random

import pytest

from kithe.personas.persona import Persona, draw_persona, forms
from kithe.personas.traits import book, held_out

FOOD = ("dish", "ingredient", "place_to_eat", "meal_habit")
MEAT = {value.text for name in FOOD for value in book().lexicons[name].values.values() if "meat" in value.tags}


@pytest.fixture(scope="module")
def crowd() -> list[Persona]:
    """Four hundred people."""
    return [draw_persona(str(index), Random(f"crowd/{index}"), 48) for index in range(400)]


def values(persona: Persona, *traits: str) -> list[str]:
    """What a persona holds of these traits."""
    return [attribute.value for attribute in persona.attributes if attribute.trait in traits]


def test_the_same_seed_gives_the_same_person() -> None:
    assert draw_persona("a", Random("x"), 30) == draw_persona("a", Random("x"), 30)
    assert draw_persona("a", Random("x"), 30) != draw_persona("a", Random("y"), 30)


def test_size_and_round_trip(crowd: list[Persona]) -> None:
    assert {len(persona.attributes) for persona in crowd} == {48}
    assert Persona.model_validate_json(crowd[0].line()) == crowd[0]
    assert all(set(forms(attribute)) == set(book().traits[attribute.trait].slots) for attribute in crowd[0].attributes)


def test_nobody_without_meat_loves_meat(crowd: list[Persona]) -> None:
    strict = [persona for persona in crowd if values(persona, "diet")]
    assert len(strict) > 30
    for persona in strict:
        liked = {attribute.value for attribute in persona.attributes if attribute.polarity == "positive"}
        assert not liked & MEAT


def test_nothing_is_both_liked_and_disliked(crowd: list[Persona]) -> None:
    for persona in crowd:
        liked = {attribute.value for attribute in persona.attributes if attribute.polarity == "positive"}
        assert not liked & {attribute.value for attribute in persona.attributes if attribute.polarity == "negative"}


def test_stages_of_life_agree(crowd: list[Persona]) -> None:
    for persona in crowd:
        ages = [int(value) for value in values(persona, "age")]
        kids = values(persona, "kids_one", "kids_age", "kids_many")
        job = values(persona, "occupation", "industry", "self_employed")
        assert not (kids and values(persona, "no_kids"))
        assert not (ages and min(ages) < 18 and (kids or job or values(persona, "partner", "car_owned", "previous_job")))
        assert not (ages and max(ages) < 30 and values(persona, "retired"))
        assert not (job and values(persona, "retired", "unemployed", "pupil_student"))
        assert not (values(persona, "single") and values(persona, "partner", "married_job"))
        assert not (values(persona, "no_pets") and values(persona, "pet_one", "pet_many", "pet_named"))
        assert not (values(persona, "no_car") and values(persona, "car_owned"))
        assert not (values(persona, "read_not") and values(persona, "read_genre", "author_love"))
        assert not (values(persona, "hate_cooking") and values(persona, "love_cooking", "bake"))


def test_what_can_be_only_one_thing_is(crowd: list[Persona]) -> None:
    for persona in crowd:
        for trait in ("age", "lives_in", "favorite_color", "my_name", "occupation", "diet"):
            assert len(values(persona, trait)) <= 1


def test_only_unseen_people_hold_kept_values(crowd: list[Persona]) -> None:
    def kept(persona: Persona) -> int:
        return sum(
            held_out(text) and text in {value.text for value in book().lexicons[book().traits[attribute.trait].slots[slot]].kept}
            for attribute in persona.attributes
            for slot, text in attribute.slots.items()
        )

    assert sum(map(kept, crowd)) == 0
    unseen = [draw_persona(str(index), Random(f"unseen/{index}"), 48, unseen=True) for index in range(20)]
    assert all(kept(persona) > 3 for persona in unseen)
