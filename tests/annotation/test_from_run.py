import json
from pathlib import Path

import pytest
from annotated import RUN, histories, predictions, run_store, truth, verdict_rows

from kithe.annotation.from_run import Sample, from_run, predicted, verdicts
from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError
from kithe.evaluation.judging.items import questions
from kithe.records.base import write_json, write_lines
from kithe.records.chat import Prediction


def test_every_item_is_asked_once_with_its_whole_history_and_evidence(tmp_path: Path) -> None:
    package = from_run(run_store(tmp_path), RUN, "items", Sample(items=1000))
    people = {history.id: history for history in histories()}
    expected = sum(len(person.items) + 1 for person in people.values())
    assert len(package.tasks) == expected
    for task in package.tasks:
        assert task.panes[0].turns == people[task.user].turns
        assert task.panes[0].person == people[task.user].user
        assert task.panes[0].marks
    assert sum(not truth(task) for task in package.tasks) == len(people)
    assert package.header.guideline.startswith("v1-")


def test_ids_are_those_a_judge_is_asked_with(tmp_path: Path) -> None:
    package = from_run(run_store(tmp_path), RUN, "items", Sample(items=1000))
    asked = {q.id: q.item.statement for h, p in zip(histories(), predictions(histories()), strict=True) for q in questions(h, p)}
    assert {task.id: task.statement for task in package.tasks}.items() <= asked.items()


def test_a_sample_is_drawn_the_same_way_every_time_and_another_seed_draws_another(tmp_path: Path) -> None:
    store = run_store(tmp_path)
    one, again, other = (from_run(store, RUN, "items", Sample(items=10, seed=seed)) for seed in (0, 0, 1))
    assert one == again
    assert len(one.tasks) == len(other.tasks) == 10
    assert {task.id for task in one.tasks} != {task.id for task in other.tasks}


def test_user_validation_takes_people_with_all_their_items(tmp_path: Path) -> None:
    store = run_store(tmp_path)
    package, every = (from_run(store, RUN, kind, Sample(items=1000, users=2)) for kind in ("user", "items"))
    assert package.header.name == f"{RUN}-user"
    assert len(package.users) == 2
    for user in package.users:
        assert {t.id for t in package.tasks if t.user == user} == {t.id for t in every.tasks if t.user == user}


def test_what_is_missing_is_said_in_one_line(tmp_path: Path) -> None:
    store = run_store(tmp_path)
    with pytest.raises(ConfigError, match=rf"no such run in .*did you mean '{RUN}'"):
        from_run(store, "pki-zero-shot-tiny-2", "items", Sample())
    write_json(store / "runs" / "planned" / "cell.json", {"identity": {"predictions": "nothing"}})
    with pytest.raises(ConfigError, match=r"has no predictions in .*; run it first: python run\.py \+from=planned"):
        predicted(store, "planned")
    folder = store / "predictions" / "predicted" / "sample"
    write_lines(folder / "predictions.jsonl", [Prediction(id=person.id).line() for person in histories()])
    with pytest.raises(ConfigError, match="inferred nothing"):
        from_run(store, RUN, "items", Sample())
    for broken in (['{"id": 3}'], [Prediction(id="x").line()]):
        write_lines(folder / "predictions.jsonl", broken)
        with pytest.raises(ConfigError, match=r"predictions cannot be read: .*; run the cell again"):
            predicted(store, RUN)


def test_verdicts_of_a_judge_of_single_items_are_read_and_of_others_there_are_none(tmp_path: Path) -> None:
    store = run_store(tmp_path)
    assert verdicts(store, RUN) == []
    write_lines(store / "runs" / RUN / "scores" / "a.jsonl", [json.dumps({"id": "u", "tp": 1, "matches": []})])
    assert verdicts(store, RUN) == []
    package = from_run(store, RUN, "items", Sample())
    verdict_rows(store, package, wrong=0)
    assert [verdict.item for verdict in verdicts(store, RUN)] == [task.id for task in package.tasks]


def test_a_run_that_the_runner_prepared_is_found_by_its_id(tmp_path: Path) -> None:
    cell = Cell.of(compose(["adapt=zero-shot", "model=tiny", "task/test=sample", f"paths.store={tmp_path}"]))
    cell.prepare()
    people = histories(2)
    folder = cell.store.predictions(cell.identity.predictions).path / "sample"
    write_lines(folder / "histories.jsonl", [person.line() for person in people])
    write_lines(folder / "predictions.jsonl", [each.line() for each in predictions(people)])
    assert [history.id for history, _ in predicted(tmp_path, cell.name)] == [person.id for person in people]
