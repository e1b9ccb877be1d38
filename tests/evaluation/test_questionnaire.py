from pathlib import Path

import pytest

from kithe.errors import ConfigError
from kithe.evaluation.qa.questionnaire import keys, questionnaire
from kithe.records.history import KnowledgeItem

FIELDS = "id, question, form, keys, likes, dislikes"


def test_twenty_four_questions_about_known_keys() -> None:
    asked = questionnaire()
    assert [enquiry.id for enquiry in asked] == [f"Q{number:02}" for number in range(1, 25)]
    assert all(enquiry.question.endswith("?") for enquiry in asked)
    linked = [key for enquiry in asked for key in enquiry.keys]
    assert len(linked) == len(set(linked)) == 71
    assert set(linked) <= keys()


@pytest.mark.parametrize(
    ("key", "negative", "answers"),
    [
        ("favorite_dish", False, ["Q06"]),
        ("favorite_dish", True, ["Q24"]),
        ("disliked_food", True, ["Q07", "Q24"]),
        ("children", True, ["Q15", "Q24"]),
        ("children", False, ["Q15"]),
        ("topic_to_avoid", True, ["Q24"]),
        ("free:fear", False, []),
        (None, True, ["Q24"]),
        (None, False, []),
    ],
)
def test_which_questions_an_item_answers(key: str | None, negative: bool, answers: list[str]) -> None:
    item = KnowledgeItem(statement="I said so.")
    assert [enquiry.id for enquiry in questionnaire() if enquiry.answered_by(item, key, negative)] == answers


def write(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_one_of_ones_own(tmp_path: Path) -> None:
    path = write(tmp_path, "- {id: A, question: 'Pets?', form: list, keys: [pets_owned]}")
    assert [enquiry.id for enquiry in questionnaire(path)] == ["A"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- {id: A, question: 'Pets?', form: list, keys: [pet_owned]}", "question A of own.yaml: 'pet_owned'; did you mean"),
        ("- {id: A, question: 'Pets?', form: essay, keys: []}", f"form: .*a question has {FIELDS}"),
        ("- &a {id: A, question: 'P?', form: list, keys: []}\n- *a", "the id A stands there twice"),
        ("nothing", "own.yaml"),
        ("3", "no YAML list of questions"),
        ("[a: {", "no YAML list of questions"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=problem):
        questionnaire(write(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        questionnaire(tmp_path / "nowhere.yaml")
