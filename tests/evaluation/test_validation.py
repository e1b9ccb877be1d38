import json
from pathlib import Path

import numpy as np
import pytest
from judged_talks import scored

from kithe.errors import ConfigError
from kithe.evaluation.judging.validation import ADJUDICATOR, Label, Labels, load, settled, validate
from kithe.evaluation.judging.verdicts import Unscored, Verdict


def label(item: str, annotator: str, relevance: bool = True, sensibility: bool = True) -> Label:
    return Label(item=item, annotator=annotator, relevance=relevance, sensibility=sensibility)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_labels_are_read_and_what_is_wrong_is_counted(tmp_path: Path) -> None:
    first, again, strange = label("a", "ann"), label("a", "ann", False), label("zz", "ann")
    file = write(
        tmp_path / "l.jsonl",
        first.line(),
        "",
        label("a", "bob").line(),
        strange.line(),
        strange.line(),
        "oops",
        again.line(),
        '{"item": "a"}',
    )
    found = load(file, ["a", "b"])
    assert found.rows == (again, label("a", "bob"))
    assert (found.unknown, found.repeated, list(found.unreadable)) == ({"zz": 2}, (("a", "ann"),), [6, 8])
    assert [problem.split(",")[0] for problem in found.problems()] == [
        "1 items that are not among those judged",
        "1 items labelled several times by one annotator",
        "2 lines that could not be read",
    ]
    assert load(write(tmp_path / "ok.jsonl", first.line()), ["a"]).problems() == []
    assert Labels((first,)).single() == ["a"]
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nowhere", [])


def test_a_label_survives_a_file() -> None:
    one = label("a", "ann", sensibility=False)
    assert Label.model_validate(json.loads(one.line())) == one
    assert not one.correct


def test_people_are_settled_by_majority_or_by_the_adjudicator() -> None:
    labels = [
        label("a", "ann"), label("a", "bob", False), label("a", "cyd"),
        label("b", "ann"), label("b", "bob", False),
        label("c", "ann"), label("c", "bob", False), label("c", ADJUDICATOR, False),
    ]  # fmt: skip
    assert settled(labels, "relevance") == {"a": True, "c": False}
    assert settled(labels, "sensibility") == {"a": True, "b": True, "c": True}


def test_a_judge_is_validated_and_its_precision_corrected() -> None:
    random = np.random.default_rng(0)
    truth = {f"i{index}": bool(random.random() < 0.7) for index in range(2000)}
    verdicts: list[Verdict] = [
        scored(item, f"u{index // 10}", relevance=bool(random.random() < (0.9 if right else 0.4)))
        for index, (item, right) in enumerate(truth.items())
    ]
    verdicts[0] = Unscored(item="i0", user="u0", reason="empty answer")
    slips = random.random((300, 2)) < 0.05
    labels = [
        label(f"i{index}", name, truth[f"i{index}"] != bool(slips[index, place]))
        for index in range(300)
        for place, name in enumerate(("ann", "bob"))
    ]
    found = validate(verdicts, labels, resamples=200)
    split = int((slips[:, 0] != slips[:, 1]).sum())
    assert (found.unsettled, found.unscored) == (split, 1)
    assert found.labelled == 300 - split - 1
    assert found.agreement["correct"]["sensitivity"]["value"] == pytest.approx(0.9, abs=0.05)
    assert found.agreement["correct"]["specificity"]["value"] == pytest.approx(0.6, abs=0.1)
    assert set(found.people) == {"relevance", "correct"}
    assert found.people["correct"]["value"] == pytest.approx(0.78, abs=0.1)
    right = np.mean(list(truth.values()))
    assert found.precision["naive"].value == pytest.approx(0.9 * right + 0.4 * (1 - right), abs=0.03)
    assert found.precision["ppi_plus"].value == pytest.approx(right, abs=0.07)
    assert found.precision["ppi_plus"].width < found.precision["human_only"].width


def test_without_labels_there_is_nothing_to_say() -> None:
    found = validate([scored("a", "u")], [], resamples=10)
    assert (dict(found.agreement), dict(found.people), dict(found.precision), found.labelled) == ({}, {}, {}, 0)
