"""`kithe audit`: the judge that a config describes, and the labelled items of a run."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kithe.cell import Cell
from kithe.config.compose import compose, instantiate, plain
from kithe.errors import ConfigError
from kithe.evaluation.judging.audit import audit
from kithe.evaluation.judging.cases import cases
from kithe.evaluation.judging.items import questions
from kithe.evaluation.judging.validation import Labels, load
from kithe.evaluation.judging.verdicts import Question
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.store import Store


def audited(options: argparse.Namespace, tell: Callable[[str], object]) -> tuple[dict[str, Any], Path]:
    """The audit of the judge that the words describe as plain values, and the root of its store.

    Args:
        options: of the command line: overrides, labels, run, challenge, limit.
        tell: is told what is done next.

    Raises:
        ConfigError: no judge is named, it cannot be audited, or the labels cannot be read.
    """
    if not any(word.startswith("judge=") for word in options.overrides):
        raise ConfigError("kithe audit: which judge? name an option of `judge`, such as: kithe audit judge=rules")
    if options.run and not options.labels:
        raise ConfigError("--run says what labels are about; give them with --labels FILE")
    config = plain(compose(options.overrides))
    store = Path(config["paths"]["store"])
    labelled = labels_of(options.labels, options.run, store) if options.labels else None
    named = any(word.startswith("model=") for word in options.overrides)
    found = audit(
        instantiate(config["judge"]),
        labelled,
        options.challenge,
        str(config["model"].get("name", "")) if named else None,
        options.limit,
        tell,
    )
    return found.as_dict(), store


def labels_of(file: Path, run: str | None, store: Path) -> tuple[Sequence[Question], Labels]:
    """The items that labels are about, and the labels.

    Raises:
        ConfigError: there is no such run or file, or nothing in it is about these items.
    """
    asked = items_of(run, store) if run else [case.question for case in cases() if case.duplicate_of is None]
    labels = load(file, [question.id for question in asked])
    if not labels.rows:
        problems = "; ".join(labels.problems()) or "it holds none"
        raise ConfigError(f"labels {file}: none is about {f'the items of {run}' if run else 'the cases'} ({problems})")
    return asked, labels


def items_of(run: str, store: Path) -> list[Question]:
    """Every item of a run as a question.

    Raises:
        ConfigError: there is no such run.
    """
    Cell.load(Store(store).run(run).path)
    identity = Store(store).run(run).read("cell.json")["identity"]
    folder = Store(store).predictions(identity["predictions"]).path
    found = []
    for file in sorted(folder.glob("*/predictions.jsonl")):
        histories = History.read(file.with_name("histories.jsonl"))
        found += [each for pair in zip(histories, Prediction.read(file), strict=True) for each in questions(*pair)]
    return found
