"""The text grammar: what a template can turn into."""

from random import Random

import pytest

from kithe.personas.grammar import article, expand, half, half_list, is_plural, plural


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


def test_a_block_is_shared_out_line_by_line_and_a_single_line_by_its_largest_group() -> None:
    assert (half("one\ntwo\nthree", "a"), half("one\ntwo\nthree", "b")) == (("one", "three"), ("two",))
    assert half("one\n\ntwo", "all") == ("one", "two")
    assert half("(x|y) and (1|2|3|4)", "a") == ("(x|y) and (1|3)",)
    assert half("(x|y) and (1|2|3|4)", "b") == ("(x|y) and (2|4)",)
    assert (half("alone", "a"), half("alone", "b")) == (("alone",), ())


def test_a_word_list_is_shared_out_by_its_outer_alternatives() -> None:
    assert half_list("a|b (c|d)|e", "a") == "a|e"
    assert half_list("a|b (c|d)|e", "b") == "b (c|d)"
    assert half_list("alone", "b") == "alone"
