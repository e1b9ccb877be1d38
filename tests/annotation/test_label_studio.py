"""The shape of Label Studio's JSON, as its documentation describes it (tasks, annotations, results by control tag)."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from annotated import small

from kithe.annotation import label_studio
from kithe.annotation.book import Label
from kithe.annotation.exchange import Arrived
from kithe.annotation.package import Package
from kithe.errors import ConfigError

YES = {"relevance": True, "sensibility": True}
ANSWERS: dict[str, dict[str, bool | int | str]] = {
    "items": {"relevance": True, "sensibility": False},
    "user": {"accept": False},
    "turing": {"human": "second"},
    "noise": {"plausible": 4},
    "follow-up": {"likely": 1},
    "review": {"agrees": True},
}
VALUES = {"choices": list, "rating": int, "textarea": list}


def shape(tasks: Any, config: str) -> None:
    """Refuse what Label Studio would not take in: every result must fit a control tag and its object tag."""
    view = ElementTree.fromstring(config)
    controls = {tag.attrib["name"]: tag for tag in view.iter() if "toName" in tag.attrib}
    objects = {
        tag.attrib["name"]: tag.attrib["value"].removeprefix("$") for tag in view.iter() if tag.tag in ("Text", "Paragraphs")
    }
    for task in tasks:
        assert set(task) == {"id", "data", "annotations", "predictions"}
        assert set(objects.values()) <= set(task["data"])
        for turn in task["data"].get("conversation", ()):
            assert set(turn) == {"author", "text"}
        for annotation in task["annotations"]:
            assert annotation["was_cancelled"] is False
            ids = [result["id"] for result in annotation["result"]]
            assert len(set(ids)) == len(ids)
            for result in annotation["result"]:
                control = controls[result["from_name"]]
                assert control.tag.lower() == result["type"]
                assert result["to_name"] == control.attrib["toName"] in objects
                key = {"choices": "choices", "rating": "rating", "textarea": "text"}[result["type"]]
                assert set(result["value"]) == {key}
                assert isinstance(result["value"][key], VALUES[result["type"]])
                if result["type"] == "choices":
                    assert set(result["value"]["choices"]) <= {choice.attrib["value"] for choice in control}


@pytest.mark.parametrize("kind", ANSWERS)
def test_labels_of_every_kind_survive_the_way_there_and_back(tmp_path: Path, kind: str) -> None:
    package, path = small(kind), tmp_path / "ls.json"
    labels = [Label("u0#0", "ada", ANSWERS[kind], 'a "note" & <more>'), Label("u1#0", "grace", ANSWERS[kind])]
    assert label_studio.export(path, package, labels) == 2
    shape(json.loads(path.read_text(encoding="utf-8")), path.with_suffix(".xml").read_text(encoding="utf-8"))
    assert label_studio.load(path, package) == Arrived(tuple(labels))


def test_two_conversations_are_two_objects() -> None:
    one = small("turing")
    tasks = tuple(task.model_copy(update={"panes": task.panes * 2, "truth": "robots"}) for task in one.tasks)
    package = Package(header=one.header, tasks=tasks)
    found = label_studio.tasks(package, [Label("u0#0", "ada", {"human": "first"})])
    shape(found, label_studio.config(package))
    assert {"conversation", "conversation_2"} <= set(found[0]["data"])
    assert "robots" not in json.dumps(found)


def exported(*annotations: dict[str, Any], item: str = "u0#0") -> list[dict[str, Any]]:
    return [{"id": 7, "data": {"id": item}, "annotations": list(annotations), "predictions": []}]


def choice(name: str, word: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "statement", "type": "choices", "value": {"choices": [word]}}


def test_annotators_are_named_by_label_studio_where_the_text_field_is_empty(tmp_path: Path) -> None:
    both = [choice("relevance", "yes"), choice("sensibility", "no")]
    found = [
        {"result": both, "completed_by": 3},
        {"result": both, "completed_by": {"id": 4, "email": "ada@example.org"}},
        {"result": both},
        {"result": [], "was_cancelled": True, "completed_by": 5},
    ]
    (tmp_path / "ls.json").write_text(json.dumps(exported(*found)), encoding="utf-8")
    arrived = label_studio.load(tmp_path / "ls.json", small())
    assert [label.annotator for label in arrived.labels] == ["3", "ada@example.org", "unknown"]
    assert arrived.problems == ()


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    good = {"result": [choice("relevance", "yes"), choice("sensibility", "no")], "completed_by": 1}
    bad = [
        {"result": [choice("relevance", "yes")], "completed_by": 1},
        {"result": [choice("relevance", "maybe"), choice("sensibility", "no")], "completed_by": 1},
        {"result": [{"from_name": "relevance"}], "completed_by": 1},
        {"result": None},
    ]
    tasks = [*exported(good, *bad), *exported(good, item="elsewhere"), {"data": {}, "annotations": [good]}]
    (tmp_path / "ls.json").write_text(json.dumps(tasks), encoding="utf-8")
    arrived = label_studio.load(tmp_path / "ls.json", small())
    assert [(label.task, label.answers) for label in arrived.labels] == [("u0#0", {"relevance": True, "sensibility": False})]
    assert sorted(problem.split(" ", 1)[0] + problem.split(",")[0][1:] for problem in arrived.problems) == [
        "1 items that are not in this package",
        "5 labels that could not be read",
    ]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"id": 1}]'])
def test_what_is_no_export_at_all(tmp_path: Path, text: str) -> None:
    (tmp_path / "ls.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"labels .*ls\.json"):
        label_studio.load(tmp_path / "ls.json", small())
