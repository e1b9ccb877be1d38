"""The official scorer's reading of texts, form by form, and the metrics that go with it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from kithe.ip_dialog import official, reading
from kithe.ip_dialog.meteor import Meteor
from kithe.ip_dialog.metrics import f1, letter_agreement, rank_agreement, score_corrected, score_official, tau
from kithe.records.question import Question

GOLD = Question(
    task="filter",
    form="options",
    related={"age": "adult", "hobby": "music"},
    analysis="They like music.",
    answer=("A", "D"),
)


def test_plain_fields() -> None:
    text = "- Attributes: [age: adult, hobby: music]\n- Analysis: [Likes\nmusic]\n- Answer: [A, D]"
    assert official.attributes(text, "cot4") == {"age": "adult", "hobby": "music"}
    assert official.analysis(text) == "Likes\nmusic"
    assert official.answer(text) == "A, D"


@pytest.mark.parametrize(
    ("pathway", "name"),
    [
        ("basic", "Attributes"),
        ("cot1", "Related Attribute Values"),
        ("cot2", "Attribute Values"),
        ("cot3", "Full Attribute Values"),
    ],
)
def test_the_name_of_the_attribute_field_depends_on_the_pathway(pathway: str, name: str) -> None:
    assert official.attributes(f"{name}: [age: adult]", pathway) == {"age": "adult"}
    assert official.attributes(f"- **{name}**: [age: adult]", pathway) == {"age": "adult"}
    # The brackets of the JSON-like form are kept, and so become part of the first key and the last value.
    assert official.attributes(f'"{name}": [age: adult]', pathway) == {"[age": "adult]"}
    assert official.attributes("Other: [age: adult]", pathway) == {}


def test_a_piece_of_an_attribute_list_needs_exactly_one_colon() -> None:
    assert official.attributes("Attributes: [age: adult, music, a: b: c,  made up :x ]", "cot4") == {
        "age": "adult",
        "made up": "x",
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Analysis: first line\nsecond\n- Answer: [yes]", " first line\nsecond"),
        ("**analysis**: bold\n- **Answer**: [yes]", " bold"),
        ("- **Analysis** bold\n- **Answer**: [yes]", " bold"),
        ("- **Analysis:** inside\n- **Answer:** yes", " inside"),
        ('"Analysis": [json], "Answer": [x]', "[json]"),
        ("nothing", ""),
    ],
)
def test_other_forms_of_the_analysis(text: str, wanted: str) -> None:
    assert official.analysis(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Answer:\n1. one\n2. two\nrest", "1. one\n2. two\n"),
        ("Answer: [A, D", "A, D"),
        ("Answer: yes\n- Note: x", " yes"),
        ("Answer: yes", " yes]"),
        ("- **Answer**: yes\n- **Note**: x", " yes\n"),
        ('"Answer": [A, D], x', "[A, D]"),
        ("Answer: []", ""),
        ("nothing", ""),
    ],
)
def test_other_forms_of_the_answer(text: str, wanted: str) -> None:
    assert official.answer(text) == wanted


def test_binary_answers_are_whole_strings() -> None:
    assert official.values(" Yes]", "yes_no") == ["yes"]
    assert official.values("yes.", "yes_no") == ["yes."]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A, D", ["A", "D"]),
        ("a, D", ["a", "D"]),
        ("1, iv\nB", ["1", "iv", "B"]),
        ("A. a film, and more", ["A"]),
        ("A. film\nB. book", ["A", "B"]),
        ("F, seven", []),
        ("A, D]", ["A"]),
    ],
)
def test_option_tokens(text: str, wanted: list[str]) -> None:
    assert official.values(text, "options") == wanted


def test_numbered_items_and_texts() -> None:
    assert official.values("1. go out\n2. come back", "list") == ["go out", "come back"]
    assert official.values("1. go out 2. come back", "list") == ["go out", "come back"]
    assert official.values("go out", "list") == []
    assert official.values("  a, b ", "text") == ["a, b"]


def test_an_item_in_official_form_by_hand() -> None:
    text = "Attributes: [age: adult, hobby: sports, gender: male]\nAnalysis: [x]\nAnswer: [A, B]"
    scored = score_official(GOLD, text, "cot4", Meteor())
    assert scored.accuracy == pytest.approx(0.5)  # one of two on both sides
    assert scored.types == pytest.approx(2 * 2 / (2 + 3))
    assert scored.pairs == pytest.approx(2 * 1 / (2 + 3))
    assert scored.values == 0.5


def test_official_rva_is_rounded_and_zero_where_undefined() -> None:
    gold = GOLD.model_copy(update={"related": {"age": "adult", "hobby": "music", "gender": "male"}})
    text = "Attributes: [age: adult, hobby: music, gender: female]"
    assert score_official(gold, text, "cot4", Meteor()).values == 0.67
    assert score_corrected(gold, text, Meteor()).values == pytest.approx(2 / 3)
    assert score_official(gold, "Attributes: [residence: urban]", "cot4", Meteor()).values == 0.0
    assert score_corrected(gold, "Attributes: [residence: urban]", Meteor()).values is None


def test_orders_are_compared_by_letters_officially_and_by_ranks_when_corrected() -> None:
    gold, said = tuple("BCDA"), tuple("CADB")
    assert letter_agreement(gold, said) == pytest.approx((1 / 3 + 1) / 2)
    assert rank_agreement(gold, said) == pytest.approx((-1 / 3 + 1) / 2)
    question = Question(task="rank", form="order", answer=gold)
    assert score_official(question, "Answer: [C, A, D, B]", "basic", Meteor()).accuracy == pytest.approx(2 / 3)
    assert score_corrected(question, "Answer: [C, A, D, B]", Meteor()).accuracy == pytest.approx(1 / 3)
    assert letter_agreement(gold, ("C",)) == rank_agreement(gold, ("C",)) == rank_agreement(gold, tuple("CADE")) == 0
    assert letter_agreement(gold, tuple("AAAA")) == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=7))
def test_tau_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    found, wanted = tau(first, second), kendalltau(first, second).statistic
    assert (found is None and wanted != wanted) or found == pytest.approx(wanted)


def test_open_answers_are_analysis_and_answer_and_lists_are_printed_as_python_does() -> None:
    gold = Question(task="advice", form="list", analysis="Be calm.", answer=("go out", "sleep"))
    same = "Analysis: [Be calm.]\nAnswer: [1. go out\n2. sleep]"
    whole = Meteor().text_score("Be calm. ['go out', 'sleep']", "Be calm. ['go out', 'sleep']")
    assert score_official(gold, same, "basic", Meteor()).accuracy == pytest.approx(whole)
    assert score_official(gold, "Answer: [1. go out\n2. sleep]", "basic", Meteor()).accuracy < whole


def test_f1_is_zero_where_undefined() -> None:
    assert f1((), ()) == 0
    assert f1("ab", "bc") == 0.5


@pytest.mark.parametrize(
    ("answer", "form", "wanted"),
    [
        ("Yes.", "yes_no", ("yes",)),
        ("**No**, because", "yes_no", ("no",)),
        ("nobody knows", "yes_no", None),
        ("A and D", "options", ("A", "D")),
        ("a, d", "options", ("A", "D")),
        ("C > A > D > B", "order", ("C", "A", "D", "B")),
        ("A. film\nD. book", "options", ("A", "D")),
        ("1, 4", "options", ("A", "D")),
        ("- go\n- stay", "list", ("go", "stay")),
        ("1. go 2. stay", "list", ("go", "stay")),
        ("none of them", "options", None),
    ],
)
def test_the_tolerant_reading(answer: str, form: str, wanted: tuple[str, ...] | None) -> None:
    found = reading.read(f"- **Analysis:** because\n- **Answer:** {answer}")
    assert found.analysis == "because"
    assert reading.values(found.answer, form) == wanted  # type: ignore[arg-type]


def test_the_tolerant_reading_knows_json_bare_answers_and_templates() -> None:
    found = reading.read('{"Attributes": {"Age": "young_adult", "income": "low"}, "Answer": ["A", "D"]}')
    assert found.attributes == {"age": "young adult", "income level": "low"}
    assert reading.values(found.answer, "options") == ("A", "D")
    assert reading.read("yes").answer == "yes"
    assert reading.read("- Analysis: [..]\n- Answer: [...]").answer is None
    assert reading.read("").answer is None


def test_a_vector_is_told_from_related_attributes() -> None:
    text = "- Full Attribute Values: [age: adult, gender: male]\n- Related Attribute Values: [age: adult]\n- Answer: [yes]"
    found = reading.read(text)
    assert found.vector == {"age": "adult", "gender": "male"}
    assert found.attributes == {"age": "adult"}


@given(st.text(max_size=200))
@settings(max_examples=50, deadline=None)
def test_no_text_breaks_a_reader(text: str) -> None:
    for form in ("yes_no", "options", "order", "list", "text"):
        official.values(official.answer(text), form)
        reading.values(reading.read(text).answer, form)
    official.attributes(text, "cot2")
    official.analysis(text)
