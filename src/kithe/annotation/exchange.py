"""Labels out to files and back in: JSON lines as `kithe.evaluation.judging.validation` and `qa.review` read them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, StrictBool, StrictInt, StrictStr, ValidationError

from kithe.annotation.book import Label, by_task
from kithe.annotation.desk import decided
from kithe.annotation.forms import Form, form
from kithe.annotation.package import Package
from kithe.errors import ConfigError
from kithe.evaluation.judging import validation
from kithe.evaluation.qa import review
from kithe.records.base import Record, write_lines


class Line(Record):
    """A label in a file of a kind that has no format of its own."""

    item: str = Field(min_length=1)
    annotator: str = Field(min_length=1)
    answers: dict[str, StrictBool | StrictInt | StrictStr]
    note: str = ""


@dataclass(frozen=True)
class Arrived:
    """What a file brought.

    Attributes:
        labels: what is right in it.
        problems: what is not, a line a kind; nothing that is right is lost over it.
    """

    labels: tuple[Label, ...]
    problems: tuple[str, ...] = ()


def as_judged(labels: Sequence[Label]) -> list[validation.Label]:
    """Labels of items as those that judges are validated with."""
    return [
        validation.Label(
            item=label.task,
            annotator=label.annotator,
            relevance=bool(label.answers["relevance"]),
            sensibility=bool(label.answers["sensibility"]),
            note=label.note,
        )
        for label in labels
    ]


def lines(package: Package, labels: Sequence[Label]) -> list[str]:
    """The lines of a file: of items as `validation.load` reads them, of reviews as `review.load` does."""
    known = [label for label in labels if label.task in package.by_id]
    if package.header.kind == "items":
        return [label.line() for label in as_judged(known)]
    if package.header.kind == "review":
        return [line.model_dump_json() for line in _reviews(package, known)]
    return [
        Line(item=label.task, annotator=label.annotator, answers=label.answers, note=label.note).model_dump_json()
        for label in known
    ]


def export(path: Path, package: Package, labels: Sequence[Label]) -> int:
    """Write `lines` to a file; returns how many."""
    found = lines(package, labels)
    write_lines(path, found)
    return len(found)


def load(path: Path, package: Package) -> Arrived:
    """The labels of a file of JSON lines; those of items are read by `validation.load`.

    A file of reviews names nobody: its decisions are the adjudicator's.

    Raises:
        ConfigError: the file cannot be read at all.
    """
    known = [task.id for task in package.tasks]
    if package.header.kind == "items":
        found = validation.load(path, known)
        rows = tuple(
            Label(row.item, row.annotator, {"relevance": row.relevance, "sensibility": row.sensibility}, row.note)
            for row in found.rows
        )
        return Arrived(rows, tuple(found.problems()))
    try:
        texts = [text for text in path.read_text(encoding="utf-8").splitlines() if text.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"labels {path}: cannot be read ({error}); name a file of JSON lines") from None
    read: Callable[[str], Label | str | None] = _review if package.header.kind == "review" else _label
    return sorted_out(((f"line {n}", read(text)) for n, text in enumerate(texts, start=1)), package)


def sorted_out(found: Iterable[tuple[str, Label | str | None]], package: Package) -> Arrived:
    """Labels or what is wrong with them, each with its place: what can be used, and what cannot, counted by kind."""
    own = form(package.header.kind)
    good: dict[tuple[str, str], Label] = {}
    bad: dict[str, list[str]] = {}
    for place, label in found:
        if label is None:
            continue
        if isinstance(label, str):
            bad.setdefault("labels that could not be read, left out", []).append(f"{place}: {label}")
        elif label.task not in package.by_id:
            bad.setdefault("items that are not in this package, left out", []).append(label.task)
        elif wrong := _wrong(own, label):
            bad.setdefault("labels that do not answer what is asked, left out", []).append(f"{place}: {wrong}")
        else:
            if (label.task, label.annotator) in good:
                several = "items labelled several times by one annotator, the last label counts"
                bad.setdefault(several, []).append(f"{label.task} by {label.annotator}")
            good[label.task, label.annotator] = label
    return Arrived(tuple(good.values()), tuple(f"{len(rows)} {kind}, such as {rows[0]}" for kind, rows in bad.items()))


def news(arrived: Arrived, present: Sequence[Label]) -> list[Label]:
    """Of what a file brought, what is not known already, so that reading a file twice changes nothing."""
    known = {(label.task, label.annotator): label for label in present}
    return [label for label in arrived.labels if not label.same(known.get((label.task, label.annotator)))]


def _wrong(own: Form, label: Label) -> str:
    for question in own.questions:
        given = label.answers.get(question.name)
        if (type(given), given) not in [(type(option.value), option.value) for option in question.options]:
            return f"{question.name}: {given!r} is no answer"
    extra = sorted(label.answers.keys() - {question.name for question in own.questions})
    return f"no such question: {', '.join(extra)}" if extra else ""


def _label(text: str) -> Label | str:
    try:
        line = Line.model_validate_json(text)
    except ValidationError as error:
        return error.errors()[0]["msg"]
    return Label(line.item, line.annotator, dict(line.answers), line.note)


def _review(text: str) -> Label | str | None:
    """A decision, what is wrong with the line, or None where nobody decided."""
    try:
        line = review.Line.model_validate_json(text)
    except ValidationError as error:
        return error.errors()[0]["msg"]
    if line.agrees is None:
        return None
    return Label(line.id, validation.ADJUDICATOR, {"agrees": line.agrees}, line.note)


def _reviews(package: Package, labels: Sequence[Label]) -> list[review.Line]:
    """Every pair of answers, with what people settled on; None where nobody looked or they are split."""
    said, notes = decided(labels, "agrees"), by_task(labels)
    return [
        review.Line(
            id=task.id,
            question=task.facts.get("Question", ""),
            gold=task.facts.get("Reference answer", ""),
            candidate=task.facts.get("Answer", ""),
            automatic=task.truth == "yes",
            agrees=None if task.id not in said else bool(said[task.id]),
            note="; ".join(label.note for label in notes.get(task.id, []) if label.note),
        )
        for task in package.tasks
    ]
