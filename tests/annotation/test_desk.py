from pathlib import Path

from annotated import small

from kithe.annotation.book import Book, Label
from kithe.annotation.desk import Desk, decided, differs, following, ordered
from kithe.annotation.package import Package
from kithe.annotation.people import gather
from kithe.evaluation.judging.validation import ADJUDICATOR

YES, NO = {"relevance": True, "sensibility": True}, {"relevance": True, "sensibility": False}


def desk(tmp_path: Path, package: Package) -> Desk:
    return Desk(package, gather(tmp_path, ["ada", "grace"]), Book(tmp_path / "labels.db"))


def test_a_users_tasks_come_together_in_one_order_for_all(tmp_path: Path) -> None:
    place = desk(tmp_path, small(users=20))
    tasks = place.tasks("ada")
    users = [task.user for task in tasks]
    assert users[::2] == users[1::2] == list(dict.fromkeys(users))
    assert users != [task.user for task in place.package.tasks]
    assert tasks == place.tasks("grace")
    assert [task.id[-1] for task in tasks[:2]] == ["0", "1"]
    assert ordered(tasks, "other") != tasks


def test_in_user_validation_everybody_sees_their_own(tmp_path: Path) -> None:
    place = desk(tmp_path, small("user"))
    assert [task.id for task in place.tasks("u1")] == ["u1#0", "u1#1"]
    assert place.tasks("ada") == []
    assert place.tasks(ADJUDICATOR) == []


def test_the_adjudicator_gets_what_people_differ_on_and_nothing_else(tmp_path: Path) -> None:
    place = desk(tmp_path, small())
    add = place.book.add
    add([Label("u0#0", "ada", YES), Label("u0#0", "grace", NO)])
    add([Label("u0#1", "ada", YES), Label("u0#1", "grace", YES, "another note is no other answer")])
    add([Label("u1#0", "ada", NO)])
    assert [task.id for task in place.tasks(ADJUDICATOR)] == ["u0#0"]
    assert [label.annotator for label in place.others(place.package.tasks[0])] == ["ada", "grace"]
    add([Label("u0#0", ADJUDICATOR, NO)])
    assert [task.id for task in place.tasks(ADJUDICATOR)] == ["u0#0"]
    assert following(place.tasks(ADJUDICATOR), place.own(ADJUDICATOR)) is None
    add([Label("u0#0", "grace", YES)])
    assert place.tasks(ADJUDICATOR) == []


def test_the_next_task_is_the_next_open_one_and_then_what_was_left_out(tmp_path: Path) -> None:
    tasks = list(small(users=2).tasks)
    done = {"u0#1": Label("u0#1", "ada", YES)}
    assert following(tasks, done) == tasks[0]
    assert following(tasks, done, "u0#0") == tasks[2]
    assert following(tasks, done, "u1#1") == tasks[0]
    assert following(tasks, {task.id: Label(task.id, "ada", YES) for task in tasks}) is None


def test_what_is_decided() -> None:
    labels = [
        Label("a", "x", {"q": 1}), Label("a", "y", {"q": 2}), Label("a", "z", {"q": 2}),
        Label("b", "x", {"q": 1}), Label("b", "y", {"q": 2}),
        Label("c", "x", {"q": 1}), Label("c", "y", {"q": 2}), Label("c", ADJUDICATOR, {"q": 2}),
    ]  # fmt: skip
    assert decided(labels, "q") == {"a": 2, "c": 2}
    assert not differs([])
    assert not differs(labels[:1])
