"""What single items became, read from the files of runs: histories, inferred items, which are right, which facts were found."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem
from kithe.report.dashboard import rows_of
from kithe.report.rows import Result, Row
from kithe.store import Store


@dataclass(frozen=True)
class Call:
    """What was decided about one inferred item: right or not (None: nobody said), and why in a few words."""

    right: bool | None
    why: str = ""
    gold: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a run said about one user.

    Attributes:
        calls: one for each inferred item, in order.
        found: indexes of the gold facts that were found.
        judged: whether a judge of single items decided, so that nothing is known of the facts that were missed.
    """

    history: History
    prediction: Prediction
    calls: tuple[Call, ...]
    found: frozenset[int] = frozenset()
    judged: bool = False

    @property
    def right(self) -> list[int]:
        """The indexes of the items that are right."""
        return [index for index, call in enumerate(self.calls) if call.right]

    @property
    def wrong(self) -> list[int]:
        """The indexes of the items that are known to be wrong."""
        return [index for index, call in enumerate(self.calls) if call.right is False]


@dataclass(frozen=True)
class Shelf:
    """All that is kept of the runs of a report; what is not there is not shown.

    Attributes:
        results: run -> its result.
    """

    store: Path
    results: Mapping[str, Result] = field(default_factory=dict)

    def answers(self, run: str, test_set: str) -> list[Answer]:
        """What a run said about every user of a test set; nothing where histories, predictions or scores are not kept."""
        stage = ((self.results.get(run, {}).get("provenance") or {}).get("stages") or {}).get("predictions")
        folder = Store(self.store).predictions(stage).path / test_set if stage else None
        if folder is None or not (folder / "histories.jsonl").exists():
            return []
        scored = self.scores(run, test_set)
        said = predictions(folder / "predictions.jsonl")
        return [
            answer(history, said[history.id], scored[history.id])
            for history in histories((folder / "histories.jsonl").read_bytes())
            if history.id in said and knows(scored.get(history.id))
        ]

    def scores(self, run: str, test_set: str) -> dict[str, Any]:
        """A run's per-user rows of one test set by user; empty where they are not kept."""
        return {row["id"]: row for row in rows_of(Store(self.store).run(run).path / "scores" / f"{test_set}.jsonl")}

    def of_row(self, row: Row) -> list[list[Answer]]:
        """The answers of every seed of a row; empty lists where they are not kept."""
        return [self.answers(run, row.test_set) for run in row.runs] if row.test_set else []

    def training_facts(self, run: str) -> tuple[KnowledgeItem, ...]:
        """The facts a run learnt from; none where it read no corpus, or the corpus is not kept."""
        stage = ((self.results.get(run, {}).get("provenance") or {}).get("stages") or {}).get("corpus")
        file = Store(self.store).corpus(stage).path / "train.jsonl" if stage else None
        return facts(file) if file is not None and file.exists() else ()


def knows(scored: Mapping[str, Any] | None) -> bool:
    """Whether a user's row says what became of single items."""
    return scored is not None and ("matches" in scored or "verdicts" in scored)


def answer(history: History, prediction: Prediction, scored: Mapping[str, Any]) -> Answer:
    """One user's answer with what its row of scores says of every item."""
    if "verdicts" in scored:
        verdicts = {place: verdict for verdict in scored["verdicts"] if (place := place_of(verdict)) is not None}
        calls = tuple(judged(verdicts.get(index)) for index in range(len(prediction.items)))
        return Answer(history, prediction, calls, judged=True)
    matches = {int(item): (int(gold), float(cosine)) for gold, item, cosine in scored["matches"] if gold < len(history.items)}
    calls = tuple(matched(matches.get(index)) for index in range(len(prediction.items)))
    return Answer(history, prediction, calls, frozenset(gold for gold, _ in matches.values()))


def place_of(verdict: Mapping[str, Any]) -> int | None:
    """The place of a judged item in its prediction, from its id `<history>#<place>`."""
    place = str(verdict.get("item", "")).rpartition("#")[2]
    return int(place) if place.isdecimal() else None


def matched(match: tuple[int, float] | None) -> Call:
    """The call on an item that was, or was not, matched to a gold fact."""
    return Call(False, "no fact of the list") if match is None else Call(True, f"similarity {match[1]:.2f}", match[0])


def judged(verdict: Mapping[str, Any] | None) -> Call:
    """The call on an item by a judge's verdict."""
    if verdict is None:
        return Call(None, "not judged")
    if "duplicate_of" in verdict:
        return Call(None, "says again what another item says")
    if "relevance" not in verdict:
        return Call(None, f"no verdict: {verdict.get('reason', '')}")
    words = [criterion if verdict.get(criterion) else f"not {criterion}" for criterion in ("relevance", "sensibility")]
    named = {
        "relevance": "relevant",
        "not relevance": "not relevant",
        "sensibility": "sensible",
        "not sensibility": "not sensible",
    }
    reasons = [str(verdict[key]) for key in ("relevance_reason", "sensibility_reason") if verdict.get(key)]
    right = bool(verdict.get("relevance") and verdict.get("sensibility"))
    return Call(right, "; ".join([", ".join(named[word] for word in words), *reasons]))


def predictions(path: Path) -> dict[str, Prediction]:
    """The predictions of a file by history; a line that is none is left out."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    found = (prediction for line in lines if (prediction := _prediction(line)) is not None)
    return {prediction.id: prediction for prediction in found}


def _prediction(line: bytes) -> Prediction | None:
    try:
        return Prediction.model_validate_json(line)
    except ValidationError:
        return None


@lru_cache(maxsize=16)
def histories(content: bytes) -> tuple[History, ...]:
    """The histories of a file's content; kept, because all cells of a table are asked about the same ones."""
    return tuple(History.model_validate_json(line) for line in content.splitlines() if line.strip())


@lru_cache(maxsize=16)
def facts(path: Path) -> tuple[KnowledgeItem, ...]:
    """All facts of a corpus file."""
    rows: Iterator[Any] = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return tuple(KnowledgeItem.model_validate(item) for row in rows for item in row.get("items", ()))


def pooled(seeds: Sequence[Sequence[Answer]]) -> list[Answer]:
    """The answers of all seeds, one after the other."""
    return [each for answers in seeds for each in answers]
