"""A store with one finished run over the conversations that come with kithe, and a desk to label it at."""

import json
from functools import cache
from pathlib import Path

from kithe.annotation.desk import Desk
from kithe.annotation.from_run import Sample
from kithe.annotation.package import Header, Package, Pane, Task
from kithe.annotation.people import gather
from kithe.annotation.session import Made, opened
from kithe.corpora.sample import Sample as SampleData
from kithe.records.base import write_json, write_lines
from kithe.records.chat import Prediction
from kithe.records.history import Evidence, History, Turn

RUN = "pki-zero-shot-tiny-1"


def histories(count: int = 6) -> list[History]:
    """The first conversations that say something of somebody."""
    return list(_talks()[:count])


@cache
def _talks() -> tuple[History, ...]:
    return tuple(history for history in SampleData().histories("test", 0) if history.items)


def predictions(people: list[History]) -> list[Prediction]:
    """Each person's own facts, the first of the next person's, and the first one said twice."""
    found = []
    for place, person in enumerate(people):
        stranger = people[(place + 1) % len(people)].items[0].model_copy(update={"evidence": (Evidence(turn=0),)})
        again = person.items[0].model_copy(update={"statement": person.items[0].statement.upper()})
        found.append(Prediction(id=person.id, items=(*person.items, stranger, again), units=1))
    return found


def run_store(store: Path, count: int = 6) -> Path:
    """A store that holds one run and its predictions."""
    people = histories(count)
    made = predictions(people)
    write_json(store / "runs" / RUN / "cell.json", {"identity": {"predictions": "predicted"}})
    write_lines(store / "predictions" / "predicted" / "sample" / "histories.jsonl", [person.line() for person in people])
    write_lines(store / "predictions" / "predicted" / "sample" / "predictions.jsonl", [each.line() for each in made])
    return store


def verdict_rows(store: Path, package: Package, wrong: int) -> None:
    """Scores of a judge that is right on all items of the package but the first so many."""
    rows = [
        {"item": task.id, "user": task.user, "relevance": (not truth(task)) if n < wrong else truth(task), "sensibility": True}
        for n, task in enumerate(package.tasks)
    ]
    write_lines(store / "runs" / RUN / "scores" / "sample.jsonl", [json.dumps({"id": "all", "verdicts": rows})])


def truth(task: Task) -> bool:
    """Whether an item is one of the person's own: the stranger's fact points to the first turn as a whole."""
    return task.panes[0].marks != (Evidence(turn=0),)


def run_desk(store: Path, annotators: tuple[str, ...] = ("ada", "grace"), sample: Sample | None = None) -> Desk:
    """The desk of the run in a store."""
    desk = opened(store, Made(RUN, sample=sample or Sample()))
    return Desk(desk.package, gather(store / "annotation" / RUN, annotators), desk.book)


def small(kind: str = "items", users: int = 3, each: int = 2, **more: str) -> Package:
    """A package of a few made-up tasks."""
    tasks = tuple(
        Task(
            id=f"u{user}#{place}",
            user=f"u{user}",
            statement=f"I like number {place}.",
            panes=(Pane(person="U", turns=(Turn(speaker="U", text=f"hello {user} {place}"),)),),
            **more,
        )
        for user in range(users)
        for place in range(each)
    )
    return Package(header=Header.model_validate({"name": "small", "kind": kind}), tasks=tasks)
