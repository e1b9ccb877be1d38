"""The hand-written corpus: what it holds, and that mistakes in it are named."""

from pathlib import Path

import pytest

from kithe.corpora.sample import Sample, read
from kithe.errors import ConfigError
from kithe.personas.ontology import ontology
from kithe.records.history import Evidence, History

GOOD = """
- id: x-1
  kind: assistant
  turns: ["U: wake me at six", "P: Six it is.", "-- session 2 --", "U: six again, I bake bread"]
  items:
    - {say: "I get up at six.", value: six, category: Daily Routine, type: behavior, polarity: positive, intensity: medium,
       inference: implicit, quotes: ["wake me at six", "six again"]}
"""


@pytest.fixture(scope="module")
def splits() -> dict[str, list[History]]:
    return {split: list(Sample().histories(split, 0)) for split in ("test", "validation")}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "test_x.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_entry_becomes_a_history(tmp_path: Path) -> None:
    (history,) = read(write(tmp_path, GOOD))
    assert (history.id, history.source, history.user) == ("x-1", "sample", "U")
    assert [(turn.speaker, turn.text, turn.session) for turn in history.turns] == [
        ("U", "wake me at six", 1),
        ("P", "Six it is.", 1),
        ("U", "six again, I bake bread", 2),
    ]
    (item,) = history.items
    assert (item.statement, item.value, item.type, item.inference) == ("I get up at six.", "six", "behavior", "implicit")
    assert item.evidence == (Evidence(turn=0, quote="wake me at six"), Evidence(turn=2, quote="six again"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"six again"]', '"seven again"]', "entry 'x-1'.*'seven again' stands in 0"),
        ('"six again"]', '"six"]', "'six' stands in 2"),
        ('"six again"]', '"Six it is."]', "stands in 0"),
        ("type: behavior", "type: habit", "entry 'x-1': items.0.type"),
        ("say:", "says:", "entry 'x-1'"),
        ('"P: Six', '"Q: Six', "starts neither"),
        ("kind: assistant", "kind: robot", "kind"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=message) as error:
        list(read(write(tmp_path, GOOD.replace(old, new))))
    assert "test_x.yaml" in str(error.value)


def test_there_is_nothing_to_train_on() -> None:
    with pytest.raises(ConfigError, match="no split 'train'"):
        list(Sample().histories("train", 0))


def test_sizes(splits: dict[str, list[History]]) -> None:
    assert len(splits["test"]) >= 60
    assert sum(len(history.items) for history in splits["test"]) >= 250
    assert len(splits["validation"]) == 20
    assert any(not history.items for history in splits["test"])
    assert any(history.turns[-1].session > 1 for history in splits["test"])


def test_every_item_is_complete(splits: dict[str, list[History]]) -> None:
    for history in (*splits["test"], *splits["validation"]):
        assert any(turn.speaker == "U" for turn in history.turns), history.id
        for item in history.items:
            assert item.category in ontology().categories, (history.id, item.category)
            assert len(item.statement.split()) <= 20, (history.id, item.statement)
            assert None not in [getattr(item, field) for field in Sample().fields], (history.id, item.statement)
            assert all(proof.quote in history.turns[proof.turn].text for proof in item.evidence)


def test_no_dialogue_is_in_both_splits(splits: dict[str, list[History]]) -> None:
    text = {split: {" ".join(turn.text for turn in history.turns) for history in found} for split, found in splits.items()}
    ids = {split: {history.id for history in found} for split, found in splits.items()}
    assert not text["test"] & text["validation"]
    assert not ids["test"] & ids["validation"]
    assert len(text["test"]) == len(splits["test"])
