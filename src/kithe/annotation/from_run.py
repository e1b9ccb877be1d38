"""The items that a run inferred, as tasks: a random sample for annotators, or whole users for their own validation."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pydantic import ValidationError

from kithe.annotation.forms import guideline
from kithe.annotation.package import Header, Kind, Package, Pane, Task, checked
from kithe.errors import ConfigError, unknown
from kithe.evaluation.judging.items import questions
from kithe.evaluation.judging.verdicts import Question, Verdict, duplicates, read
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.store import Store

Pair = tuple[History, Prediction]


@dataclass(frozen=True)
class Sample:
    """What is taken of a run.

    Attributes:
        items: annotators get at most so many, drawn at random from all of the run's, as the correction of a judge needs.
        users: user validation takes at most so many people, with all of their items.
        seed: of the draw.
    """

    items: int = 200
    users: int = 115
    seed: int = 0


def from_run(store: Path, run: str, kind: Kind, sample: Sample) -> Package:
    """The package of a run's items; an item that repeats another of its user is not asked.

    Raises:
        ConfigError: there is no such run, it has no predictions yet, or it inferred nothing.
    """
    pairs = predicted(store, run)
    asked = [question for history, prediction in pairs for question in questions(history, prediction)]
    repeats = duplicates(asked)
    fresh = [question for question in asked if question.id not in repeats]
    chosen = _users(fresh, sample) if kind == "user" else _items(fresh, sample)
    name = f"{run}-user" if kind == "user" else run
    header = Header(
        name=name, kind=kind, title=f"Inferred by {run}", source=f"run {run}", guideline=guideline(kind), seed=sample.seed
    )
    if not chosen:
        raise ConfigError(f"run '{run}' inferred nothing about anybody; there is nothing to decide")
    return checked(Package(header=header, tasks=tuple(map(task, chosen))))


def predicted(store: Path, run: str) -> list[Pair]:
    """Every test history of a run with its prediction.

    Raises:
        ConfigError: there is no such run, or it has no predictions.
    """
    runs = Store(store).root / "runs"
    if not (runs / run / "cell.json").exists():
        raise unknown(f"run in {runs}", run, (path.parent.name for path in runs.glob("*/cell.json")))
    identity = Store(store).run(run).read("cell.json").get("identity", {})
    folder = Store(store).predictions(str(identity.get("predictions"))).path
    found = [pair for name in sorted(folder.glob("*/predictions.jsonl")) for pair in _pairs(name.parent)]
    if not found:
        raise ConfigError(f"run '{run}' has no predictions in {folder}; run it first: python run.py +from={run}")
    return found


def verdicts(store: Path, run: str) -> list[Verdict]:
    """What the run's judge said of single items; empty where it is a judge that says nothing of single items."""
    files = sorted((Store(store).run(run).path / "scores").glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [read(json.dumps(verdict)) for row in rows for verdict in row.get("verdicts", ())]


def task(question: Question) -> Task:
    """An item with the whole history it was inferred from."""
    history, item = question.history, question.item
    pane = Pane(person=history.user, turns=history.turns, marks=item.evidence)
    return Task(id=question.id, user=history.id, statement=item.statement, panes=(pane,))


def _pairs(folder: Path) -> Iterator[Pair]:
    try:
        yield from zip(History.read(folder / "histories.jsonl"), Prediction.read(folder / "predictions.jsonl"), strict=True)
    except (OSError, ValidationError, ValueError) as error:
        raise ConfigError(f"{folder}: predictions cannot be read: {str(error).splitlines()[0]}; run the cell again") from None


def _items(fresh: Sequence[Question], sample: Sample) -> list[Question]:
    random = Random(f"{sample.seed}/items")
    drawn = sorted(random.sample(range(len(fresh)), min(sample.items, len(fresh))))
    return [fresh[index] for index in drawn]


def _users(fresh: Sequence[Question], sample: Sample) -> list[Question]:
    people = list(dict.fromkeys(question.history.id for question in fresh))
    chosen = set(Random(f"{sample.seed}/users").sample(people, min(sample.users, len(people))))
    return [question for question in fresh if question.history.id in chosen]
