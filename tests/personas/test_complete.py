"""Complete personas: every key, every path, said in words that can be rendered, without contradiction."""

from random import Random

import pytest

from kithe.errors import ConfigError
from kithe.personas.anchors import anchor, in_a_sentence, prefixes
from kithe.personas.complete import SENSITIVE, draft_persona
from kithe.personas.contradictions import conflicts
from kithe.personas.critic import best_of
from kithe.personas.listing import as_json, listed
from kithe.personas.ontology import ontology
from kithe.personas.paths import PathSampler, Sampling
from kithe.personas.persona import Persona, Stated, forms
from kithe.personas.repair import mend, write_persona
from kithe.personas.summary import check_summary, sampled_keys
from kithe.personas.taxonomy import taxonomy
from kithe.personas.traits import book, words_of
from kithe.personas.unique import Seen

SAMPLER = PathSampler(Sampling(), seed=1)


@pytest.fixture(scope="module")
def crowd() -> list[Persona]:
    """Sixty complete personas."""
    written = [write_persona(str(index), Random(f"crowd/{index}"), SAMPLER.paths(index)).persona for index in range(60)]
    return [persona for persona in written if persona]


def test_nobody_is_given_up(crowd: list[Persona]) -> None:
    assert len(crowd) == 60
    assert Persona.model_validate_json(crowd[0].line()) == crowd[0]
    assert write_persona("3", Random("crowd/3"), SAMPLER.paths(3)).persona == crowd[3]


def test_all_keys_are_there_and_fit(crowd: list[Persona]) -> None:
    for persona in crowd:
        assert tuple(persona.values) == ontology().keys
        assert sum(value is not None for value in persona.values.values()) > 90
        for key, value in persona.values.items():
            assert value is None or not ontology().by_key[key].problem(value.value), (key, value)


def test_every_path_has_a_value(crowd: list[Persona]) -> None:
    for persona in crowd:
        assert {value.path for value in persona.values.values() if value} >= set(range(len(persona.paths)))


def test_every_leaf_of_the_taxonomy_has_an_anchor_that_can_be_said() -> None:
    tree = taxonomy()
    for leaf in tree.leaves:
        found = anchor(tree.path(leaf.id)[1:])
        assert found.trait in book().traits
        assert not ontology().by_key[found.keys[0]].problem(found.text)
    tops = {node.name for node in tree.categories}
    assert tops == {prefix[0] for prefix in prefixes()}
    assert in_a_sentence("Nordic Noir") == "Nordic noir"


def test_what_is_held_can_be_said(crowd: list[Persona]) -> None:
    for persona in crowd:
        for row in persona.attributes:
            assert row.key.startswith("free:") or persona.values[row.key], row
            trait = book().traits[row.trait]
            assert (trait.polarity == row.polarity) or row.key in (
                "travel_frequency",
                "employment_status",
                "fitness_level",
                "health_status",
            )
            for template in (trait.state.splitlines()[0], *(cue.text for cue in trait.cues("say"))):
                assert words_of(template, Random(0), forms(row))


def test_no_contradictions_are_left(crowd: list[Persona]) -> None:
    assert [conflicts(persona.values) for persona in crowd if conflicts(persona.values)] == []


def test_summaries_say_what_the_values_say(crowd: list[Persona]) -> None:
    for persona in crowd:
        check = check_summary(persona.summary, ontology(), persona.values, sampled_keys(persona.id, persona.values, SENSITIVE))
        assert check.problems == ()
        assert check.unsupported == ()
        assert 60 <= check.words <= 120


def test_a_summary_about_somebody_else_fails(crowd: list[Persona]) -> None:
    one, other = crowd[:2]
    assert check_summary(one.summary, ontology(), other.values, sampled_keys(other.id, other.values, SENSITIVE)).problems


def test_a_conflict_is_replaced_or_left_with_its_name(crowd: list[Persona]) -> None:
    values = {**crowd[0].values, "diet_type": Stated(value="a vegan diet"), "favorite_dish": Stated(value="beef stew")}
    mended = mend(values, lambda key: iter([(Stated(value="more beef"), None), (Stated(value="lentil soup"), None)]))
    assert mended.values["favorite_dish"] == Stated(value="lentil soup")
    assert not mended.left
    stuck = mend({"age_band": Stated(value="13-17"), "children": Stated(value="two grown children")}, lambda key: iter(()))
    assert {conflict.name for conflict in stuck.left} == {"minor_is_parent", "child_older_than_possible"}


def test_copies_and_near_copies_are_refused(crowd: list[Persona]) -> None:
    seen = Seen()
    assert [seen.add(persona.values) for persona in crowd] == [""] * len(crowd)
    assert "same values" in seen.add(crowd[5].values)
    near = {**crowd[5].values, **{key: Stated(value="other") for key in ontology().keys[:11]}}
    assert "keys differ" in seen.add(near)
    assert seen.add({**crowd[5].values, **{key: Stated(value="other") for key in ontology().keys[:40]}}) == ""


def test_the_best_of_n_is_more_faithful_than_planted_bad_ones() -> None:
    first, best = [], []
    for index in range(12):
        good = draft_persona(str(index), Random(index), SAMPLER.paths(index))
        unlinked = {key: value and value.model_copy(update={"path": None}) for key, value in good.values.items()}
        wrong = {**good.values, "age_band": Stated(value="8-12"), "occupation": Stated(value="a judge")}
        drawn = [good.model_copy(update={"values": unlinked}), good.model_copy(update={"values": wrong}), good]
        chosen = best_of(3, lambda place, drawn=drawn: drawn[place])
        first.append(chosen.scores[0]["faithfulness"])
        best.append(chosen.scores[chosen.place]["faithfulness"])
        assert chosen.place == 2
    assert sum(best) > sum(first)


def test_the_listing_has_a_row_for_every_key() -> None:
    assert as_json(listed()).count('"entity_type"') == 130
    assert [entity.key for entity in listed("favorite_dish")] == ["favorite_dish"]
    assert [entity.key for entity in listed("Food & Drink")] == [entity.key for entity in listed("food & drink")]
    with pytest.raises(ConfigError, match="did you mean 'diet_type'") as error:
        listed("diet_typ")
    assert len(str(error.value)) < 200
