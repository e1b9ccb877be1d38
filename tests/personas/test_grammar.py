"""The text grammar: what a template can turn into."""

from random import Random

import pytest

from kithe.personas.grammar import article, expand, is_plural, plural


def readings(template: str, **lists: str) -> set[str]:
    """Every reading that two hundred draws find."""
    return {expand(template, Random(seed), lists, {"v": {"v": "tea", "pl": "teas"}}) for seed in range(200)}


def test_alternatives_nest_and_may_be_empty() -> None:
    assert readings("I (really |)(like|love (a|the)) $v") == {
        f"I {really}{verb} tea" for really in ("", "really ") for verb in ("like", "love a", "love the")
    }


def test_lists_may_use_lists() -> None:
    found = readings("<greet> there", greet="hi|<formal>", formal="good day|good evening")
    assert found == {"hi there", "good day there", "good evening there"}


def test_forms_of_a_value_and_gaps_before_punctuation() -> None:
    assert readings("two $v.pl (|) , please") == {"two teas, please"}


def test_a_prefix_keeps_its_comma_and_a_sentence_does_not() -> None:
    assert readings("by the way,") == {"by the way,"}
    assert readings("I like $v, (|)") == {"I like tea"}


@pytest.mark.parametrize("template", ["<nothing> here", "$w", "$v.none"])
def test_an_unknown_name_is_an_error(template: str) -> None:
    with pytest.raises(KeyError):
        readings(template)


def test_word_forms() -> None:
    nouns = ("nurse", "engineer", "unicycle", "owl")
    assert [article(noun) for noun in nouns] == ["a nurse", "an engineer", "a unicycle", "an owl"]
    assert [plural("cat"), plural("fox"), plural("puppy"), plural("monkey")] == ["cats", "foxes", "puppies", "monkeys"]
    assert [is_plural(word) for word in ("tacos", "chess", "cactus", "tennis", "ramen")] == [True, False, False, False, False]
