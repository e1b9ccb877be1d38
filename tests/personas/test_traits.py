"""The trait files: every line of them can be said, and the lexicons are split by name."""

import re
from importlib.resources import files
from random import Random

import pytest
import yaml

from kithe.personas.grammar import Family
from kithe.personas.ontology import ontology
from kithe.personas.traits import FEWEST_KEPT, HELD_OUT, SMALLEST_SPLIT, CueField, Trait, book, words_of

FIELDS: tuple[CueField, ...] = ("say", "hint", "qa", "wish", "device", "repeat")
LEFT_OVER = re.compile(r"[()|<>$]|\s'")


def texts(trait: Trait) -> list[str]:
    """Every template of a trait."""
    cues = [cue for field in FIELDS for cue in trait.cues(field)]
    return [text for cue in cues for text in (cue.text, cue.question) if text] + [way for way in trait.state.splitlines() if way]


@pytest.mark.parametrize("trait", book().traits.values(), ids=lambda trait: trait.id)
def test_every_line_can_be_said_of_every_value(trait: Trait) -> None:
    for lexicon in trait.slots.values():
        assert lexicon in book().lexicons
    rng = Random(trait.id)
    for text in texts(trait):
        for _ in range(12):
            slots = {slot: rng.choice(list(book().lexicons[name].values.values())).forms for slot, name in trait.slots.items()}
            said = words_of(text, rng, slots)
            assert said
            assert not LEFT_OVER.search(said), f"{text!r} -> {said!r}"


@pytest.mark.parametrize("trait", book().traits.values(), ids=lambda trait: trait.id)
def test_statements_are_short_and_in_the_first_person(trait: Trait) -> None:
    slots = {slot: dict.fromkeys(book().lexicons[name].shown[0].forms, "x") for slot, name in trait.slots.items()}
    for way in trait.state.splitlines():
        if way.strip():
            said = words_of(way, Random(0), slots)
            assert len(said.split()) <= 15
            assert re.search(r"\b(I|I'm|My|my|We|me)\b", said) or way.strip().startswith("$")


def test_keys_and_categories_are_of_the_ontology() -> None:
    keys, categories = set(ontology().keys), set(ontology().categories)
    assert (len(ontology().tiers), len(categories), len(keys)) == (7, 30, 130)
    for trait in book().traits.values():
        assert trait.category in categories
        assert trait.key.startswith("free:") or trait.key in keys


def test_an_opposite_is_the_liking_of_the_same_things() -> None:
    for trait in book().traits.values():
        if trait.opposite:
            assert book().traits[trait.opposite].slots == trait.slots
            assert (trait.polarity, book().traits[trait.opposite].polarity) == ("negative", "positive")


def test_large_lexicons_keep_some_values_for_validation() -> None:
    for lexicon in book().lexicons.values():
        kept, shown = {value.text for value in lexicon.kept}, {value.text for value in lexicon.shown}
        assert not kept & shown
        assert kept | shown == set(lexicon.values)
        assert shown
        if len(lexicon.values) < SMALLEST_SPLIT:
            assert not kept
        else:
            assert len(kept) >= FEWEST_KEPT
            assert len(shown) >= 6
    kept_values, values = (
        sum(len(getattr(lexicon, name)) for lexicon in book().lexicons.values()) for name in ("kept", "values")
    )
    assert abs(kept_values / values - 1 / HELD_OUT) < 0.06


def test_a_training_pick_is_never_a_kept_value() -> None:
    for lexicon in book().lexicons.values():
        rng = Random(1)
        assert not any(lexicon.pick(rng, unseen=False) in lexicon.kept for _ in range(50))
    animals = book().lexicons["dish"]
    picks = [animals.pick(Random(seed), unseen=True) in animals.kept for seed in range(400)]
    assert 0.35 < sum(picks) / len(picks) < 0.65


def test_there_is_much_to_say() -> None:
    lexicons = {name: len(lexicon.values) for name, lexicon in book().lexicons.items()}
    assert sum(lexicons.values()) > 2000
    assert len({trait.category for trait in book().traits.values()}) == 30


CLOSED = {  # keys whose values are a closed list, all of which training shows
    "home_ownership", "gender_identity", "relationship_status", "important_date", "free:job_attitude", "free:film_restriction",
    "free:easy_eater", "free:cooking_skill", "free:alcohol", "free:smoking",
}  # fmt: skip


def test_every_key_is_spoken_with_values_for_training_and_for_validation() -> None:
    lexicons: dict[str, set[str]] = {}
    for trait in book().traits.values():
        lexicons.setdefault(trait.key, set()).add(trait.slots["v"])
    assert set(ontology().keys) <= set(lexicons)
    for key in set(lexicons) - CLOSED:
        shown, kept = (sum(len(getattr(book().lexicons[name], part)) for name in lexicons[key]) for part in ("shown", "kept"))
        assert shown >= 6, key
        assert kept >= 3, key


@pytest.mark.parametrize("family", ["a", "b"])
def test_every_trait_can_be_said_and_hinted_at_in_every_family(family: Family) -> None:
    for trait in book().traits.values():
        assert trait.cues("say", family), trait.id
        assert trait.implicit(family), trait.id


def test_cues_of_the_families_are_disjoint_and_together_all() -> None:
    for trait in book().traits.values():
        for field in FIELDS:
            one, other = ({(cue.question, cue.text) for cue in trait.cues(field, family)} for family in ("a", "b"))
            assert not one & other, (trait.id, field)


def test_a_graded_cue_says_the_same_thing_more_or_less_strongly() -> None:
    graded = book().traits["art_like"].graded("say")
    assert any("<Ilove>" in cue.text for cue in graded["high"])
    assert any("<Ilike>" in cue.text for cue in graded["medium"])
    assert any("<Imeh>" in cue.text for cue in graded["low"])


def test_no_name_is_given_twice() -> None:
    pages = [yaml.safe_load(page.read_text("utf-8")) for page in (files("kithe.personas") / "traits").iterdir()]
    for kind in ("traits", "lexicons", "words"):
        names = [name for page in pages for name in page.get(kind) or {}]
        assert len(names) == len(set(names))
