"""The persona bank: counted, checked on load; the crosswalk to the ontology."""

import json
from collections import Counter
from collections.abc import Callable

import pytest

from kithe import cli
from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError
from kithe.gym.bank import bank, read_bank
from kithe.gym.corpus import Atlas
from kithe.gym.crosswalk import Generated, attribute_of, links, mapped, persona_from_csp
from kithe.gym.sampling import Sampler, Stratified
from kithe.personas.ontology import ontology
from kithe.personas.persona import Attribute, Persona, Stated

LENGTHS = {
    "age_band": 6, "role": 21, "seniority": 9, "specialization": 45, "industry": 16, "education_level": 6, "tech_proficiency": 4,
    "domain": 26, "ai_familiarity": 4, "code_preference": 15, "tone_pref": 12, "scenario": 9, "multi_intent_rate": 3,
    "risk_posture": 3, "interaction_frequency": 5, "learning_style": 6, "follow_up_tendency": 4, "creativity_vs_precision": 5,
    "time_sensitivity": 4, "collaboration_context": 5, "error_tolerance": 4, "feedback_style": 4,
    "context_retention_expectation": 4, "autonomy_level": 5, "length_pref": 5, "query_length_pref": 4, "format_pref_primary": 9,
    "deliverable_type": 11, "citation_pref": 3, "example_pref": 4, "detail_orientation": 5, "explanation_depth": 5,
    "formality_level": 5,
}  # fmt: skip


def test_counts_are_those_of_the_released_bank() -> None:
    assert {dimension.name: len(dimension.values) for dimension in bank().dimensions} == LENGTHS
    assert Counter(dimension.kind for dimension in bank().dimensions) == {"basic_info": 10, "behavioral": 14, "constraint": 9}
    assert len(bank().constraints) == 16
    assert bank().required == ("query_length_pref",)


def test_the_bank_is_printed(capsys: pytest.CaptureFixture[str], refused: Callable[..., str]) -> None:
    cli.main(["show", "bank"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["basic_info", "behavioral", "constraint"]
    assert len(lines) == 3 + 33
    cli.main(["show", "bank", "length_pref", "--json"])
    assert [row["values"] for row in json.loads(capsys.readouterr().out)] == [list(bank().dimension("length_pref").values)]
    line = refused("show", "bank", "lenght_pref")
    assert "no such kind or dimension of the persona bank: 'lenght_pref'; did you mean 'length_pref'" in line


def test_every_value_is_said() -> None:
    for dimension in bank().dimensions:
        for value in dimension.values:
            assert value in dimension.phrase(value)
            assert "_" not in dimension.phrase(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("d: {kind: thing, says: is _, values: [a, b]}", "d.kind"),
        ("d: {kind: behavioral, says: is, values: [a, b]}", "d.says"),
        ("d: {kind: behavioral, says: is _, values: [a]}", "d.values"),
        ("d: {kind: behavioral, says: is _, values: [a, a]}", "distinct"),
        ("d: {kind: constraint, says: is _, values: [a, b]}", "constraint: true"),
        ("d: {kind: behavioral, says: is _, ordered: true, values: [a, others]}", "scale"),
        ("d: {kind: behavioral, says: is _, values: [a, b], flag: 1}", "d.flag"),
        ("d: 3", "mapping"),
        ("[1, 2]", "maps names"),
        ("d: {", "no YAML"),
    ],
)
def test_a_faulty_bank_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_bank(text, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml")
    assert "\n" not in str(caught.value)


def test_others_has_texts() -> None:
    assert {dimension.name for dimension in bank().dimensions if dimension.others} == {"role", "scenario"}
    for text in (
        "a: {kind: basic_info, says: is _, values: [b, others]}",
        "a: {kind: basic_info, says: is _, values: [b, c], others: [d]}",
    ):
        with pytest.raises(ConfigError, match="go with that value"):
            read_bank(text)


def test_unknown_names_get_a_hint() -> None:
    with pytest.raises(ConfigError, match="did you mean 'tone_pref'"):
        bank().dimension("tone_perf")
    with pytest.raises(ConfigError, match="here: no such value of tone_pref"):
        bank().check({"tone_pref": "friendlyy"}, "here")


def test_the_crosswalk_covers_the_ontology() -> None:
    attributes = ontology().by_key
    for name, link in links().items():
        assert link.key in attributes, name
        if link.values:
            assert set(link.values) == set(attributes[link.key].values), name
        else:
            assert link.words


def test_there_and_back() -> None:
    for name, link in links().items():
        for value in link.values.values():
            if value is not None:
                key, own = attribute_of(name, value) or ("", "")
                assert links()[name].dimension_value(own) == value
                assert key == link.key
    assert attribute_of("citation_pref", "never") is None


def test_a_persona_of_the_generator_keeps_what_is_mapped() -> None:
    stated = {"age_band": "35-44", "occupation": "a night nurse", "response_length": "brief", "response_tone": "warm",
              "favorite_dish": "shakshuka", "risk_tolerance": "averse"}  # fmt: skip
    persona = Persona(id="p7", attributes=(), values={key: Stated(value=value) for key, value in stated.items()})
    found = persona_from_csp(persona, Sampler(), 3)
    wanted = {
        "age_band": "35-44",
        "role": "a nurse or carer",
        "length_pref": "brief",
        "tone_pref": "warm",
        "risk_posture": "averse",
    }
    assert {name: found.values[name] for name in wanted} == wanted
    assert "query_length_pref" in found.values
    assert found == persona_from_csp(persona, Sampler(), 3)
    assert found.values != persona_from_csp(persona, Sampler(), 4).values


def test_users_of_the_generator() -> None:
    people = list(Generated().personas(12, 2))
    assert [person.id for person in people] == [f"u{index:05d}" for index in range(12)]
    assert list(Generated().personas(5, 2)) == people[:5]
    assert not any(person.near for person in people)
    for index, person in enumerate(people[:4]):
        source = Scripted(complete=True).persona(2, index)
        given = mapped({key: own.value for key, own in source.values.items() if own and own.polarity == "positive"})
        assert given
        assert given.items() <= person.values.items()
    talks = list(Atlas(personas=3, sessions=2, sampler=Generated()).talks())
    assert {talk.persona_id for talk in talks} == {"u00000", "u00001", "u00002"}
    crowded = Sampler(size=1, constraints=0, distance=20, tries=2)
    assert any(person.near for person in Generated(crowded).personas(4, 0))


def test_scripted_attributes_count_and_dislikes_do_not() -> None:
    def own(value: str, polarity: str) -> Persona:
        attribute = Attribute.model_validate(
            {"key": "occupation", "category": "Occupation", "value": value, "polarity": polarity}
        )
        return Persona(id="p", attributes=(attribute,))

    assert persona_from_csp(own("a pastry chef", "positive"), Sampler(), 0).values["role"] == "a cook or baker"
    assert mapped({"occupation": "a lighthouse keeper"}) == {}
    assert mapped({"age_band": "8-12", "education_level": "a doctorate"}) == {"age_band": "under 18"}


def test_strata_of_generated_users_are_evened_out() -> None:
    """What personas determine stays and counts; the rest is drawn where the fewest are."""

    counts = {}
    for strata in ("domain", "code_preference"):
        users = list(Generated(Sampler(strategy=Stratified((strata,)), availability=1.0, size=28)).personas(60, 0))
        for name in ("domain", "code_preference"):
            own = Counter(user.values.get(name) for user in users)
            counts[strata, name] = [own[value] for value in bank().by_name[name].values]
    for name, other in (("domain", "code_preference"), ("code_preference", "domain")):
        assert max(counts[name, name]) - min(counts[name, name]) <= 1
        assert max(counts[other, name]) - min(counts[other, name]) > 3
    assert hash(Generated(Sampler(strategy=Stratified(["role"])))) == hash(Generated(Sampler(strategy=Stratified(("role",)))))


def test_strata_that_personas_determine_are_refused() -> None:
    with pytest.raises(ConfigError, match="strata: age_band is taken over from the persona and cannot be evened out"):
        Generated(Sampler(strategy=Stratified(("role", "age_band"))))
