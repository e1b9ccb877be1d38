import json
from pathlib import Path

import pytest
from annotated import small

from kithe.annotation.book import Label
from kithe.annotation.exchange import Arrived, export, load, news
from kithe.annotation.package import Header, Package, Task
from kithe.errors import ConfigError
from kithe.evaluation.judging import validation
from kithe.evaluation.judging.validation import ADJUDICATOR
from kithe.evaluation.qa import review
from kithe.evaluation.qa.answers import Answer
from kithe.evaluation.qa.recall import Answered

YES = {"relevance": True, "sensibility": True}


def test_labels_of_items_are_what_the_validation_of_judges_reads(tmp_path: Path) -> None:
    package, path = small(), tmp_path / "labels.jsonl"
    labels = [Label("u0#0", "ada", YES, "why"), Label("u0#0", ADJUDICATOR, {"relevance": False, "sensibility": True})]
    assert export(path, package, [*labels, Label("gone", "ada", YES)]) == 2
    found = validation.load(path, [task.id for task in package.tasks])
    assert found.problems() == []
    assert found.rows == (
        validation.Label(item="u0#0", annotator="ada", relevance=True, sensibility=True, note="why"),
        validation.Label(item="u0#0", annotator="adjudicator", relevance=False, sensibility=True),
    )
    assert load(path, package) == Arrived(tuple(labels))


@pytest.mark.parametrize(
    ("kind", "answers"), [("user", {"accept": False}), ("noise", {"plausible": 4}), ("turing", {"human": "second"})]
)
def test_other_labels_survive_a_file(tmp_path: Path, kind: str, answers: dict[str, bool | int | str]) -> None:
    package, path = small(kind), tmp_path / "labels.jsonl"
    labels = [Label("u0#0", "u0", answers, "<b>"), Label("u1#1", "u1", answers)]
    assert export(path, package, labels) == 2
    assert load(path, package) == Arrived(tuple(labels))


def test_what_is_wrong_with_a_file_is_counted_and_nothing_that_is_right_is_lost(tmp_path: Path) -> None:
    package, path = small("user"), tmp_path / "labels.jsonl"

    def line(item: str, name: str = "u0", **answers: object) -> str:
        return json.dumps({"item": item, "annotator": name, "answers": answers})

    rows = [
        line("u0#0", accept=True), line("u0#0", accept=False), line("u9#9", accept=True), "oops", line("u0#1", accept="yes"),
        line("u0#1", accept=1), line("u0#1"), line("u0#1", accept=True, relevance=True), line("u0#1", name="", accept=True),
    ]  # fmt: skip
    path.write_text("\n".join(rows), encoding="utf-8")
    found = load(path, package)
    assert [(label.task, label.answers) for label in found.labels] == [("u0#0", {"accept": False})]
    assert found.problems == (
        "1 items labelled several times by one annotator, the last label counts, such as u0#0 by u0",
        "1 items that are not in this package, left out, such as u9#9",
        "2 labels that could not be read, left out, such as line 4: Invalid JSON: expected value at line 1 column 1",
        "4 labels that do not answer what is asked, left out, such as line 5: accept: 'yes' is no answer",
    )
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nowhere", package)


def test_reading_a_file_twice_changes_nothing() -> None:
    present = [Label("a", "ada", YES, "", "2026", 7)]
    arrived = Arrived((Label("a", "ada", YES), Label("a", "bob", YES), Label("b", "ada", YES)))
    assert [(label.task, label.annotator) for label in news(arrived, present)] == [("a", "bob"), ("b", "ada")]
    assert news(arrived, [*present, *arrived.labels]) == []
    assert news(Arrived((Label("a", "ada", YES, "new note"),)), present)


def test_reviews_go_back_to_where_answers_are_scored(tmp_path: Path) -> None:
    rows = [Answered(f"u{n}", "Q01", Answer(("tea",)), Answer(("green tea",)), (0.7,)) for n in range(4)]
    tasks = tuple(Task(id=row.id, facts={"Question": "?", "Reference answer": "tea", "Answer": "green tea"}) for row in rows)
    package, path = Package(header=Header(name="qa", kind="review"), tasks=tasks), tmp_path / "reviews.jsonl"
    yes, no = {"agrees": True}, {"agrees": False}
    labels = [
        Label(rows[0].id, "ada", yes, "same thing"), Label(rows[0].id, "grace", yes),
        Label(rows[1].id, "ada", yes), Label(rows[1].id, "grace", no),
        Label(rows[2].id, "ada", yes), Label(rows[2].id, "grace", no), Label(rows[2].id, ADJUDICATOR, no),
    ]  # fmt: skip
    assert export(path, package, labels) == 4
    found = review.load(path, rows)
    assert found.decided == {rows[0].id: True, rows[2].id: False}
    assert found.open == (rows[1].id, rows[3].id)
    back = load(path, package)
    assert [(label.task, label.annotator, label.answers) for label in back.labels] == [
        (rows[0].id, ADJUDICATOR, yes),
        (rows[2].id, ADJUDICATOR, no),
    ]
    assert back.problems == ()
