"""Tasks and labels in Label Studio's JSON, and the labeling configuration they belong to.

A task is `{data, annotations: [{result: [{id, from_name, to_name, type, value}], was_cancelled, ground_truth}]}`. Label Studio
knows people by numbers of its own, so a label's annotator stands in a text field of that name; on the way back, a label that
has none is filed under `completed_by`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from kithe.annotation.book import Label, by_task
from kithe.annotation.exchange import Arrived, sorted_out
from kithe.annotation.forms import Form, Question, form
from kithe.annotation.package import Package, Task
from kithe.errors import ConfigError
from kithe.identity import digest
from kithe.records.base import write_lines

TARGET: Final = "statement"
TEXTS: Final = ("note", "annotator")
_PANES: Final = ("conversation", "conversation_2")


def config(package: Package) -> str:
    """The labeling configuration: what is shown and asked."""
    own, panes = form(package.header.kind), max(len(task.panes) for task in package.tasks)
    shown = [
        f'  <Paragraphs name="{name}" value="${name}" layout="dialogue" nameKey="author" textKey="text"/>'
        for name in _PANES[:panes]
    ]
    asked = [line for question in own.questions for line in _control(question)]
    texts = [f'  <TextArea name="{name}" toName="{TARGET}" maxSubmissions="1" editable="true"/>' for name in TEXTS]
    return "\n".join(["<View>", *shown, f'  <Text name="{TARGET}" value="${TARGET}"/>', *asked, *texts, "</View>"])


def tasks(package: Package, labels: Sequence[Label]) -> list[dict[str, Any]]:
    """Every task with its labels; what is known and not shown stays out."""
    found, own = by_task(labels), form(package.header.kind)
    return [
        {
            "id": number,
            "data": _data(task, own),
            "annotations": [_annotation(label, own) for label in found.get(task.id, [])],
            "predictions": [],
        }
        for number, task in enumerate(package.tasks, start=1)
    ]


def export(path: Path, package: Package, labels: Sequence[Label]) -> int:
    """Write the tasks with their labels, and the configuration beside them (`.xml`); returns how many labels."""
    found = tasks(package, labels)
    write_lines(path, [json.dumps(found, indent=1, ensure_ascii=False)])
    write_lines(path.with_suffix(".xml"), [config(package)])
    return sum(len(task["annotations"]) for task in found)


def load(path: Path, package: Package) -> Arrived:
    """The labels of an export of Label Studio (JSON); skipped tasks and what cannot be used are counted.

    Raises:
        ConfigError: the file cannot be read, or is no list of tasks.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"labels {path}: cannot be read as JSON ({error}); name an export of Label Studio") from None
    if not isinstance(value, list) or not all(isinstance(task, dict) and isinstance(task.get("data"), dict) for task in value):
        raise ConfigError(f"labels {path}: not Label Studio's JSON; it is a list of tasks with `data` and `annotations`")
    return sorted_out(_labels(value, form(package.header.kind)), package)


def _labels(value: Sequence[Mapping[str, Any]], own: Form) -> Iterator[tuple[str, Label | str | None]]:
    for place, task in enumerate(value, start=1):
        for annotation in task.get("annotations") or ():
            try:
                yield f"task {place}", None if annotation.get("was_cancelled") else _label(task["data"], annotation, own)
            except (KeyError, TypeError, AttributeError, IndexError) as error:
                yield f"task {place}", f"{type(error).__name__} {error}"


def _label(data: Mapping[str, Any], annotation: Mapping[str, Any], own: Form) -> Label | str:
    given = {result["from_name"]: result["value"] for result in annotation["result"]}
    texts = {name: given[name]["text"] for name in TEXTS if name in given}
    note, name = (str(text if isinstance(text, str) else " ".join(text)) for text in (texts.get(t, "") for t in TEXTS))
    answers = {}
    for question in own.questions:
        if question.name not in given:
            return f"{question.name}: no answer"
        value = given[question.name]
        said = value["rating"] if "rating" in value else question.value(str(value["choices"][0]))
        if said is None:
            return f"{question.name}: {str(value['choices'][0])[:40]!r} is no answer"
        answers[question.name] = said
    return Label(str(data["id"]), name or _person(annotation), answers, note)


def _person(annotation: Mapping[str, Any]) -> str:
    given = annotation.get("completed_by")
    return str(given.get("email") or given["id"]) if isinstance(given, Mapping) else str(given or "unknown")


def _data(task: Task, own: Form) -> dict[str, Any]:
    panes = {
        name: [{"author": turn.speaker, "text": turn.text} for turn in pane.turns]
        for name, pane in zip(_PANES, task.panes, strict=False)
    }
    text = task.statement or "\n".join(f"{name}: {words}" for name, words in task.facts.items()) or own.questions[0].text
    return {"id": task.id, TARGET: text, **panes}


def _annotation(label: Label, own: Form) -> dict[str, Any]:
    results = [_result(label, question) for question in own.questions]
    texts = {"note": label.note, "annotator": label.annotator}
    results += [
        {"id": _id(label, name), "from_name": name, "to_name": TARGET, "type": "textarea", "value": {"text": [text]}}
        for name, text in texts.items()
        if text
    ]
    return {"result": results, "was_cancelled": False, "ground_truth": False, "created_at": label.saved}


def _result(label: Label, question: Question) -> dict[str, Any]:
    value = label.answers[question.name]
    word = next(option.word for option in question.options if option.value == value)
    told: dict[str, Any] = {"rating": value} if _rated(question) else {"choices": [word]}
    kind = "rating" if _rated(question) else "choices"
    return {"id": _id(label, question.name), "from_name": question.name, "to_name": TARGET, "type": kind, "value": told}


def _id(label: Label, name: str) -> str:
    return digest([label.task, label.annotator, name])


def _rated(question: Question) -> bool:
    return all(type(option.value) is int for option in question.options)


def _control(question: Question) -> list[str]:
    header = f"  <Header value={quoteattr(question.text)}/>"
    if _rated(question):
        return [header, f'  <Rating name="{question.name}" toName="{TARGET}" maxRating="{len(question.options)}"/>']
    choices = [f"    <Choice value={quoteattr(option.word)}/>" for option in question.options]
    return [header, f'  <Choices name="{question.name}" toName="{TARGET}" choice="single">', *choices, "  </Choices>"]
