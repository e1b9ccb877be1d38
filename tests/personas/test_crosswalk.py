"""Crosswalks: complete, consistent with the ontology, and explicit about what has no counterpart."""

from random import Random

from kithe.personas.crosswalk import dimensions, keys_for, seen_by, unmapped
from kithe.personas.fill import settled_values
from kithe.personas.persona import Stated
from kithe.personas.skeleton import draw_skeleton


def test_all_dimensions_are_there() -> None:
    assert (len(dimensions("ip_dialog")), len(dimensions("personagym"))) == (12, 33)
    assert unmapped("ip_dialog") == ()
    assert len(unmapped("personagym")) == 22
    counts = {name: len(dimension.values) for name, dimension in dimensions("personagym").items()}
    assert (counts["role"], counts["specialization"], counts["industry"], counts["domain"], counts["tone_pref"]) == (
        20,
        45,
        16,
        26,
        12,
    )
    assert all(dimension.given in ("", *dimensions("personagym")) for dimension in dimensions("personagym").values())


def test_mapped_values_follow_the_persona() -> None:
    for seed in range(300):
        life = draw_skeleton(Random(seed))
        seen = seen_by("ip_dialog", settled_values(life), Random(0))
        assert all(seen[name] in dimension.values for name, dimension in dimensions("ip_dialog").items())
        assert seen["gender"] == {"a woman": "female", "a man": "male"}.get(life.gender_identity, seen["gender"])
        assert (seen["profession"] == "retiree") == (seen["age"] == "elderly")
        assert not life.minor or (seen["profession"], seen["income level"]) == ("student", "low")
        gym = seen_by("personagym", settled_values(life), Random(0))
        assert all(gym[name] in dimension.values for name, dimension in dimensions("personagym").items())


def test_the_unmapped_is_drawn_given_the_mapped() -> None:
    values: dict[str, Stated | None] = {"response_tone": Stated(value="formal"), "industry": Stated(value="technology")}
    seen = [seen_by("personagym", values, Random(seed)) for seed in range(60)]
    assert {row["formality_level"] for row in seen} == {"formal", "very formal"}
    assert {row["tech_proficiency"] for row in seen} == {"advanced", "expert"}
    assert len({row["citation_pref"] for row in seen}) == 3


def test_the_way_back() -> None:
    assert keys_for("ip_dialog", "age", "elderly") == ("60-74", "75 or older")
    assert keys_for("personagym", "length_pref", "terse") == ("one-sentence",)
    assert keys_for("personagym", "citation_pref", "always") == ()
