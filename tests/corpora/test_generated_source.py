"""A generated corpus as a source: whole, by the teacher that is named, in an order that the seed gives."""

import json
from pathlib import Path

import pytest

from kithe.corpora.generated import Generated, source
from kithe.corpora.synthetic import Synthetic
from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError
from kithe.records.history import History, Turn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "one"
    path.mkdir()
    files = {}
    for split, count in (("train", 6), ("validation", 2)):
        turns = (Turn(speaker="A", text="hé"),)
        lines = [
            History(id=f"{split}-{index // 2}-{index % 2}", source="synthetic", user="A", turns=turns) for index in range(count)
        ]
        (path / f"{split}.jsonl").write_text("".join(f"{line.line()}\n" for line in lines), encoding="utf-8")
        files[f"{split}.jsonl"] = {"bytes": (path / f"{split}.jsonl").stat().st_size, "sha256": split * 3}
    card = {"teacher": "scripted", "scripted": True, "fields": ["key"], "seed": 0, "files": files}
    (path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return path


class Unscripted:
    """What a source looks at before it asks anybody to write."""

    name = "a model"
    scripted = False


def ids(found: Generated, seed: int) -> list[str]:
    return [history.id for history in found.histories("train", seed)]


def test_by_id_or_by_path(folder: Path) -> None:
    for name in (folder.name, str(folder)):
        found = source(Scripted(), 3, name, str(folder.parent))
        assert isinstance(found, Generated)
        assert (found.scripted, found.fields, found.content) == (True, {"key"}, "traintrain-validation")
        assert len(list(found.histories("validation", 5))) == 2
    assert source(Scripted(), 3) == Synthetic(Scripted(), 3)


def test_as_written_for_its_own_seed_and_drawn_for_others(folder: Path) -> None:
    found = Generated(Scripted(), 3, folder)
    assert ids(found, 0) == [f"train-{index // 2}-{index % 2}" for index in range(6)]
    assert ids(found, 1) != ids(found, 0)
    assert sorted(ids(found, 1)) == ids(found, 0)
    assert ids(found, 1) == ids(found, 1) != ids(found, 2)
    assert ids(Generated(Scripted(), 2, folder), 0) == ids(found, 0)[:4]


@pytest.mark.parametrize(
    ("name", "message"),
    [("two", "no generated corpus at .*; there: one; .*task=generate"), ("/nowhere/x", "no generated corpus")],
)
def test_what_is_not_there_is_said(folder: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        source(Scripted(), 3, name if name[0] == "/" else str(folder.parent / name))


def test_another_teacher_a_changed_file_and_a_test_split_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="'scripted' wrote one, not 'other'"):
        Generated(Scripted(name="other"), 3, folder)
    with pytest.raises(ConfigError, match="no test split"):
        list(Generated(Scripted(), 3, folder).histories("test", 0))
    (folder / "train.jsonl").write_text("{}\n")
    with pytest.raises(ConfigError, match="changed since"):
        Generated(Scripted(), 3, folder)


def test_a_model_writes_a_corpus_first() -> None:
    with pytest.raises(ConfigError, match="task=generate"):
        source(Unscripted(), 3)  # type: ignore[arg-type]
