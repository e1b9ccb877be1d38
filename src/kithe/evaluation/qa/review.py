"""Reviewing answers by hand: out to a JSON-lines file, decided by people, and back in (spec 2.10)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kithe.errors import ConfigError
from kithe.evaluation.agreement import agreement
from kithe.evaluation.qa.questionnaire import Enquiry
from kithe.evaluation.qa.recall import Answered
from kithe.evaluation.scores import Metric
from kithe.records.base import Record, write_lines


class Line(Record):
    """One pair of answers to review; `agrees` is what the reviewer fills in (null: not reviewed)."""

    id: str
    question: str
    gold: str
    candidate: str
    automatic: bool
    agrees: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Reviews:
    """What came back.

    Attributes:
        decided: row id -> whether a person says that the two answers agree.
        open: rows nobody decided.
        unknown: ids in the file that were never asked about.
        contradictory: ids that stand there several times with different verdicts; they count as open.
        unreadable: lines that are no review, by number.
    """

    decided: Mapping[str, bool]
    open: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    contradictory: tuple[str, ...] = ()
    unreadable: Mapping[int, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """What to tell whoever sent the file, a line a kind of problem."""
        kinds = {
            "ids that were never asked about": self.unknown,
            "ids with contradictory verdicts, taken as not reviewed": self.contradictory,
            "lines that could not be read": tuple(f"line {number}: {reason}" for number, reason in self.unreadable.items()),
        }
        return [f"{len(found)} {kind}, such as {found[0]}" for kind, found in kinds.items() if found]


def to_review(rows: Sequence[Answered]) -> list[Answered]:
    """The rows worth a person's look: both sides answer. The rest is decided by the "I don't know" rule."""
    return [row for row in rows if not row.gold.idk and not row.candidate.idk]


def export(path: Path, rows: Sequence[Answered], enquiries: Sequence[Enquiry], threshold: float) -> int:
    """Write the rows to review, every field in every line; returns how many."""
    texts = {enquiry.id: enquiry.question for enquiry in enquiries}
    lines = [
        Line(
            id=row.id,
            question=texts[row.question],
            gold=row.gold.text,
            candidate=row.candidate.text,
            automatic=row.found(threshold),
        )
        for row in to_review(rows)
    ]
    write_lines(path, (line.model_dump_json() for line in lines))
    return len(lines)


def load(path: Path, rows: Sequence[Answered]) -> Reviews:
    """Read reviews; what is wrong with the file is counted, and nothing that is right is lost.

    Raises:
        ConfigError: the file cannot be read at all.
    """
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"reviews {path}: cannot be read ({error}); name a file written by the export") from error
    asked = {row.id for row in to_review(rows)}
    said: dict[str, set[bool]] = {}
    unknown: list[str] = []
    unreadable: dict[int, str] = {}
    for number, text in enumerate(texts, start=1):
        found = _line(text)
        if isinstance(found, str):
            unreadable |= {number: found} if found else {}
        elif found.id not in asked:
            unknown.append(found.id)
        elif found.agrees is not None:
            said.setdefault(found.id, set()).add(found.agrees)
    decided = {name: next(iter(verdicts)) for name, verdicts in said.items() if len(verdicts) == 1}
    return Reviews(
        decided=decided,
        open=tuple(sorted(asked - decided.keys())),
        unknown=tuple(unknown),
        contradictory=tuple(sorted(said.keys() - decided.keys())),
        unreadable=unreadable,
    )


def reviewed(rows: Sequence[Answered], reviews: Reviews) -> list[Answered]:
    """The rows with people's verdicts in place of the threshold's."""
    return [replace(row, override=reviews.decided.get(row.id, row.override)) for row in rows]


def agreement_with_people(rows: Sequence[Answered], reviews: Reviews, threshold: float) -> dict[str, Metric]:
    """How far the threshold decides as people do, with intervals over users; empty where nothing was reviewed."""
    both = [row for row in rows if row.id in reviews.decided]
    if not both:
        return {}
    automatic = [replace(row, override=None).found(threshold) for row in both]
    return agreement([reviews.decided[row.id] for row in both], automatic, [row.user for row in both])


def _line(text: str) -> Line | str:
    """A review, or what is wrong with its line; empty for an empty line."""
    if not text.strip():
        return ""
    try:
        row: Any = json.loads(text)
        return Line.model_validate(row)
    except ValueError as error:
        return error.errors()[0]["msg"] if isinstance(error, ValidationError) else "no JSON"
