"""Verdicts written down as they come, and none asked for twice: judging as a stage that may be killed at any moment.

    {"key": "<hash>", "verdict": {"item": ..., "relevance": ...}}

The key is a hash of the judge (its model, rubric and parameters), the item and the conversation it is judged by. A line counts
once it is whole. Items that nobody answered are not written down: the next attempt asks about them, and about nothing else.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from kithe.errors import ConfigError, until
from kithe.evaluation.judges import Judge, Scores
from kithe.evaluation.judging.items import ItemJudge, judged_scores
from kithe.evaluation.judging.verdicts import VERDICT, Question, Scored, Unscored
from kithe.identity import digest
from kithe.records.appended import cut, whole_lines
from kithe.records.chat import Prediction
from kithe.records.history import History


class Streaming(ItemJudge, Protocol):
    """A judge of single items whose verdicts can be kept."""

    @property
    def identity(self) -> str:
        """Everything that decides a verdict besides the item and the history."""

    @property
    def settings(self) -> dict[str, Any]:
        """What a result says about the judge."""

    @property
    def resamples(self) -> int:
        """Of the bootstrap over users."""

    @property
    def tolerance(self) -> float:
        """The share of items that may stay without a verdict because nobody answered."""

    def stream(self, questions: Sequence[Question]) -> Iterator[Scored | Unscored]:
        """A verdict, or the reason why there is none, for every question, as they come."""


@runtime_checkable
class Keeping(Protocol):
    """A judge that can keep its verdicts in a file."""

    def keeping(self, path: Path, stop: Callable[[], bool]) -> Judge:
        """The same judge, which writes to the file and does not ask for what is in it; see `Kept`."""


@dataclass(frozen=True)
class Kept:
    """A judge of single items with a file of its verdicts.

    Attributes:
        judge: who is asked about what is not in the file.
        path: of JSON lines; several judges (the members of a panel) may share it, one after the other.
        stop: asked after every verdict.
    """

    judge: Streaming
    path: Path
    stop: Callable[[], bool] = lambda: False

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Judged precision of the predictions (`Judge.score`).

        Raises:
            ConfigError: see `verdicts`.
        """
        return judged_scores(self, histories, predictions, self.judge.resamples, self.judge.settings)

    def verdicts(self, questions: Sequence[Question]) -> list[Scored | Unscored]:
        """See `ItemJudge.verdicts`.

        Raises:
            ConfigError: more items than the judge tolerates got no answer; the verdicts on the others are in the file.
            Stopped: `stop` said so; the verdicts so far are in the file.
        """
        keys = [self.key(question) for question in questions]
        known = read(self.path)
        missing = {question.id: key for question, key in zip(questions, keys, strict=True) if key not in known}
        found: dict[str, Scored | Unscored] = {}
        if missing:
            for verdict in self._written([question for question in questions if question.id in missing], missing):
                found[verdict.item] = verdict
        self._check(questions, found)
        return [
            found[question.id] if question.id in found else _about(known[key], question)
            for question, key in zip(questions, keys, strict=True)
        ]

    def key(self, question: Question) -> str:
        """What a verdict is filed under."""
        turns = [(turn.speaker == question.history.user, turn.text, turn.session) for turn in question.history.turns]
        return digest([self.judge.identity, question.item.statement, turns], 32)

    def _written(self, questions: Sequence[Question], keys: dict[str, str]) -> Iterator[Scored | Unscored]:
        file = _open(self.path)
        try:
            for verdict in until(self.stop, self.judge.stream(questions)):
                if not (isinstance(verdict, Unscored) and verdict.again):
                    value = verdict.model_dump(mode="json", exclude_defaults=True)
                    os.write(file, f"{json.dumps({'key': keys[verdict.item], 'verdict': value})}\n".encode())
                yield verdict
            os.fsync(file)
        finally:
            os.close(file)

    def _check(self, questions: Sequence[Question], found: dict[str, Scored | Unscored]) -> None:
        silent = [verdict for verdict in found.values() if isinstance(verdict, Unscored) and verdict.again]
        if len(silent) <= self.judge.tolerance * len(questions):
            return
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(each.reason for each in silent).most_common(4))
        raise ConfigError(
            f"{len(silent)} of {len(questions)} items got no verdict ({reasons}); the others' verdicts are kept. "
            "Repeat the command to ask for these alone, or allow a share of them with judge.tolerance"
        )


def kept(judge: Judge, path: Path, stop: Callable[[], bool]) -> Judge:
    """The judge with a file for its verdicts, if it is one that can keep them, and so may stop after any."""
    return judge.keeping(path, stop) if isinstance(judge, Keeping) else judge


def read(path: Path) -> dict[str, Scored | Unscored]:
    """The verdicts in a file by key; a line that a killed writer left unfinished does not count."""
    rows = (json.loads(line) for line in whole_lines(path))
    return {row["key"]: VERDICT.validate_python(row["verdict"]) for row in rows}  # type: ignore[misc]


def _open(path: Path) -> int:
    """The file, cut behind its last whole line, ready to be added to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cut(path)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)


def _about(verdict: Scored | Unscored, question: Question) -> Scored | Unscored:
    """A verdict under the name that the item has now."""
    return verdict.model_copy(update={"item": question.id, "user": question.history.id})
