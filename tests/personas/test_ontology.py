"""The ontology: counted, checked on load, and one with what the trait files call keys."""

from importlib.resources import files

import pytest
import yaml

from kithe.errors import ConfigError
from kithe.personas.ontology import Entity, ontology, read_ontology

TEXT = (files("kithe.personas") / "ontology.yaml").read_text("utf-8")


def test_counts() -> None:
    found = ontology()
    assert (len(found.tiers), len(found.categories), len(found.keys)) == (7, 30, 130)
    per_tier = {tier: (len({entity.category for entity in found.of(tier)}), len(found.of(tier))) for tier in found.tiers}
    assert per_tier == {
        "Interest": (8, 44), "Background": (5, 22), "Behavior": (4, 18), "Lifestyle": (4, 16), "Personality & Values": (3, 10),
        "Social & Relationships": (3, 9), "Goals & Assistant Preferences": (3, 11)}  # fmt: skip


def test_kinds_and_sensitivities() -> None:
    kinds = {entity.kind for entity in ontology().entities}
    assert kinds == {"open", "list", "enum", "number", "time", "date"}
    special = {entity.key for entity in ontology().entities if entity.sensitivity == 2}
    assert special == {"gender_identity", "income_band", "food_restriction", "health_status", "relationship_status", "children",
                       "caregiving", "cultural_holiday"}  # fmt: skip


@pytest.mark.parametrize("entity", ontology().entities, ids=lambda entity: entity.key)
def test_every_value_fits_its_own_attribute(entity: Entity) -> None:
    assert all(not entity.problem(text) for text in (*entity.allowed, *entity.hints))
    assert not entity.values or entity.allowed[-1] == "other"
    example = (entity.values or entity.hints)[0]
    for polarity in ("positive", "negative"):
        said = entity.phrase(example, polarity)
        assert example in said
        assert "_" not in said
    assert entity.phrase(example) != entity.phrase(example, "negative") or entity.key in (
        "disliked_food", "food_restriction", "topic_to_avoid")  # fmt: skip


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("age_band", "35-45", "is not one of"),
        ("wake_time", "half past six", "not a time"),
        ("wake_time", "24:10", "not a time"),
        ("household_size", "four", "not a number"),
        ("important_date", "the big day", "names no month"),
        ("favorite_dish", " ", "empty"),
        ("favorite_dish", " ".join(["very"] * 13), "13 words"),
    ],
)
def test_what_a_value_cannot_be(key: str, text: str, problem: str) -> None:
    assert problem in ontology().by_key[key].problem(text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kind: enum, says: is _", "a.b"),
        ("kind: open, says: is _, hints: [x], sensitivity: 3", "sensitivity"),
        ("kind: open, says: is, hints: [x]", "'_'"),
        ("kind: open, says: is _, hints: [x], sense: 1", "sense"),
        ("kind: thing, says: is _, hints: [x]", "kind"),
        ("kind: open, says: is _, hints: [x], values: [y]", "enum"),
        ("kind: enum, says: is _, values: [y, y]", "distinct"),
        ("kind: enum, says: is _, values: [y, other]", "other"),
        ("kind: time, says: is _, hints: [noon]", "noon"),
        ("kind: open, says: is _", "hints"),
    ],
)
def test_a_faulty_entry_is_named(line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_ontology(f"Tier:\n  Category:\n    a_key: {{{line}}}\n", "mine.yaml")
    assert "mine.yaml: a_key" in str(caught.value)
    if message != "a.b":
        assert message in str(caught.value)


def test_a_key_stands_once() -> None:
    entry = "{kind: open, says: is _, hints: [x]}"
    with pytest.raises(ConfigError, match="same_key"):
        read_ontology(f"Tier:\n  One:\n    same_key: {entry}\n  Two:\n    same_key: {entry}\n")


def test_an_unknown_tier_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match="did you mean 'Interest'"):
        ontology().of("Interests")


def test_the_file_says_what_is_loaded() -> None:
    tree = yaml.safe_load(TEXT)
    assert [key for page in tree.values() for keys in page.values() for key in keys] == list(ontology().keys)
