import pytest
from stub import StubEncoder
from words_encoder import WordsEncoder

from kithe.evaluation.qa.answers import IDK, Answer, agrees, best_cosines, read_answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I don't know",
        "I don’t know.",
        "i do not know",
        "I can't tell from this.",
        "Unknown",
        "N/A",
        "not mentioned in the text",
        "The text does not say.",
        " none ",
    ],
)
def test_ways_not_to_know(text: str) -> None:
    assert read_answer(text, "list").idk
    assert Answer().text == IDK


@pytest.mark.parametrize(
    ("text", "form", "elements"),
    [
        ("The user likes jazz, blues and Nina Simone.", "list", ("likes jazz", "blues", "Nina Simone")),
        ("jazz; blues\njazz", "list", ("jazz", "blues")),
        ("They live in a flat, with a garden.", "phrase", ("live in a flat, with a garden",)),
        ("nothing but jazz", "list", ("nothing but jazz",)),
        ("I don't know much about jazz, blues", "list", ()),
        ("none of the above but rock", "phrase", ("none of the above but rock",)),
        ("a b c d e f g h i j k l m n", "phrase", ("a b c d e f g h i j k l",)),
    ],
)
def test_answers_in_elements(text: str, form: str, elements: tuple[str, ...]) -> None:
    assert read_answer(text, form).elements == elements


def test_the_nearest_element_counts_unless_a_guard_forbids_it() -> None:
    vectors = {
        "I like basketball.": (1, 0),
        "I dislike basketball.": (0.98, 0.2),
        "I like hoops.": (0.8, 0.6),
        "I have two cats.": (0, 1),
    }
    encoder = StubEncoder(vectors)
    gold = Answer(("I like basketball.", "I have two cats."))
    assert best_cosines(gold, Answer(("I dislike basketball.",)), encoder)[0] == -1
    found = best_cosines(gold, Answer(("I dislike basketball.", "I like hoops.")), encoder)
    assert found == pytest.approx((0.8, 0.6), abs=1e-6)
    assert best_cosines(gold, Answer(), encoder) == (-1, -1)
    assert best_cosines(Answer(), gold, encoder) == ()


def test_numbers_are_guarded_too() -> None:
    gold, candidate = Answer(("I have two kids.",)), Answer(("I have three kids.",))
    assert best_cosines(gold, candidate, WordsEncoder()) == (-1,)


@pytest.mark.parametrize(
    ("cosines", "threshold", "same"),
    [((0.9, 0.2), 0.6, True), ((0.9, 0.2, 0.1), 0.6, False), ((0.59,), 0.6, False), ((0.6,), 0.6, True), ((), 0.6, False)],
)
def test_half_of_the_elements_is_enough(cosines: tuple[float, ...], threshold: float, same: bool) -> None:
    assert agrees(cosines, threshold) is same
