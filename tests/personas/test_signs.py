"""What words tell of a person, what follows from it, denials, and ages in numbers."""

from random import Random

import pytest

from kithe.personas.contradictions import conflicts
from kithe.personas.kinds import kinds_of
from kithe.personas.ontology import ontology
from kithe.personas.opposed import heard, signs
from kithe.personas.persona import Stated
from kithe.personas.signs import told
from kithe.personas.skeleton import BANDS, draw_skeleton
from kithe.personas.summary import stems
from kithe.personas.support import counted, excluded, keys, ruled_out
from kithe.personas.wording import denied
from kithe.personas.years import ages_told, another_age


def names(**values: str) -> set[str]:
    """The names of the conflicts between some values."""
    return {conflict.name for conflict in conflicts({key: Stated(value=value) for key, value in values.items()})}


def test_every_sign_means_values_that_the_ontology_has_and_names_keys_that_words_can_stand_under() -> None:
    for name, body in signs().items():
        for key, values in body["means"].items():
            assert set(values) < set(ontology().by_key[key].values), (name, key)
        assert set(body.get("not_in", ())) <= set(ontology().keys), name
        assert body["words"], name


def test_a_sign_is_held_against_what_it_rules_out_by_itself() -> None:
    assert "sign_afloat" in names(housing_type="a flat", reminder_habit="the mooring fee")
    assert "sign_afloat" not in names(housing_type="a houseboat", reminder_habit="the mooring fee")


def test_a_sign_is_held_against_what_never_goes_with_what_it_tells() -> None:
    assert "sign_candidate" in names(age_band="8-12", reminder_habit="the meeting with the thesis supervisor")
    assert "sign_board" in names(employment_status="a student", time_constraint="after the board meeting")
    assert not names(age_band="25-34", school_stage="graduate school", reminder_habit="the meeting with the thesis supervisor")


def test_what_is_taken_back_or_said_of_an_interest_tells_nothing() -> None:
    assert not names(employment_status="retired", friend_circle="former colleagues at the old firm")
    assert "favorite_subject" not in told()
    assert "reminder_habit" in told()


def test_what_the_page_rules_out_is_never_drawn() -> None:
    for place in range(2_000):
        known = draw_skeleton(Random(f"fresh/{place}")).facts()
        facts = [(key, text) for key in keys() if (text := known[key]) is not None]
        assert not [(one, two) for one in facts for two in facts if two in excluded().get(one, ())]


def test_counting_finds_what_rules_of_backgrounds_forbid() -> None:
    page = counted(600)
    assert "employed" in page["age_band"]["13-17"]["employment_status"]


def test_ruled_out_are_other_values_and_what_goes_with_none_of_the_allowed() -> None:
    out = ruled_out({"school_stage": ["university", "graduate school"]})
    assert "primary school" in out["school_stage"]
    assert {"8-12", "13-17"} <= out["age_band"]
    assert "university" not in out["school_stage"]
    assert "18-24" not in out["age_band"]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("host parties every week", "scales/company/more"),
        ("turning down every karaoke evening", "not:scales/company/more"),
        ("never miss a karaoke evening", "scales/company/more"),
        ("no karaoke but huge house parties", "scales/company/more"),
        ("not caring about the climate", "not:scales/green/more"),
    ],
)
def test_a_denial_turns_a_scale_around_and_two_cancel(text: str, end: str) -> None:
    assert end in heard(text)
    assert end.removeprefix("not:") not in heard(text) or not end.startswith("not:")


def test_only_whole_words_deny() -> None:
    assert not denied(["notting", "hill"])
    assert denied(["never"])
    assert not denied(["never", "without"])
    assert denied(["instead", "of"])


def test_denied_ends_contradict_those_who_are_there() -> None:
    assert "company_high" in names(extraversion="high", social_leisure="turning down every party")
    assert "company_high" not in names(extraversion="high", social_leisure="never skipping a huge party")


def test_what_is_below_an_avoided_thing_is_not_liked() -> None:
    assert stems("Haiku") in kinds_of("poetry")
    assert not kinds_of("something that no node is named after")
    dislike, like = Stated(value="gymnastics", polarity="negative"), Stated(value="trampolining")
    found = conflicts({"sport_watched": dislike, "event_attendance": like})
    assert [conflict.name for conflict in found] == ["liked_and_disliked"]


def test_a_preference_is_no_topic_to_avoid() -> None:
    assert "done_and_avoided" in names(shopping_channel="at the market", topic_to_avoid="street markets")
    assert not names(shopping_channel="online", topic_to_avoid="street markets")


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("eleventh birthday in May", ((10, 11),)),
        ("ninetieth birthday in March", ((89, 90),)),
        ("twenty-first birthday", ((20, 21),)),
        ("the under-fourteen handball squad", ((4, 13),)),
        ("U-16 football", ((4, 15),)),
        ("the spelling test in second grade", ((6, 10),)),
        ("sail around the world before turning thirty", ((0, 30),)),
        ("their daughter's fifth birthday", ()),
        ("coaching the under-12 team", ()),
        ("high-grade chocolate", ()),
    ],
)
def test_ages_in_numbers(text: str, ages: tuple[tuple[int, int], ...]) -> None:
    assert ages_told(text) == ages


@pytest.mark.parametrize("band", BANDS)
def test_a_birthday_fits_the_band_of_its_age_only(band: str) -> None:
    assert another_age("eleventh birthday in May", band) == (band != "8-12")
    assert ("another_age" in names(age_band=band, important_date="fortieth birthday in May")) == (band not in ("35-44",))
