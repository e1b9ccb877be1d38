"""What is known of the files that a source reads from outside the repository."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from kithe.corpora import files
from kithe.corpora.build import build
from kithe.corpora.files import changes, files_of, stamps
from kithe.corpora.held_out import HeldOut
from kithe.corpora.real import Mixture, RealSet
from kithe.corpora.sample import Sample
from kithe.ip_dialog.human import HumanData
from kithe.llm.folders import cache


def put(folder: Path, name: str, split: str, fact: str) -> Path:
    turns = [{"speaker": "A", "text": f"{fact} {split}"}]
    row = {"id": f"{name}-{split}", "source": name, "user": "A", "turns": turns, "gold": [{"value": fact}], "licence": "MIT"}
    path = folder / name / f"{split}.jsonl.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    return path


def test_the_card_of_a_corpus_names_the_files_by_set_with_their_checksums(tmp_path: Path) -> None:
    paths = {f"{name}/{split}.jsonl.gz": put(tmp_path, name, split, f"i like {name}") for name, split in PARTS}
    source = Mixture({"msc": 1, "personachat": 1}, folder=str(tmp_path))
    card = build(source, None, 0, 0.5).card
    assert card["files"] == {
        name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for name, path in paths.items()
    }
    assert str(tmp_path) not in json.dumps(card)


PARTS = [(name, split) for name in ("msc", "personachat") for split in ("train", "validation")]


def test_sources_name_what_they_read(tmp_path: Path) -> None:
    real, folder = RealSet("laps", str(tmp_path)), str(tmp_path)
    assert files_of([real], "train", "test").keys() == {"laps/train.jsonl.gz", "laps/test.jsonl.gz"}
    assert files_of([HeldOut(real)], "test") == {"laps/validation.jsonl.gz": tmp_path / "laps" / "validation.jsonl.gz"}
    assert files_of([HumanData(folder)], "test").keys() == {"msc/test.jsonl.gz", "laps/train.jsonl.gz"}
    assert files_of([Sample(), HeldOut(Sample())], "test", "validation") == {}


def test_of_a_set_that_is_downloaded_the_files_as_they_came_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KITHE_DATA", raising=False)
    monkeypatch.setenv("KITHE_CACHE", str(tmp_path))
    found = files_of([RealSet("casino")], "test")
    assert found == {"casino/raw/casino_test.json": cache() / "data" / "casino" / "raw" / "casino_test.json"}
    assert stamps(found) == {}
    (raw,) = found.values()
    raw.parent.mkdir(parents=True)
    raw.write_bytes(b"[]")
    assert stamps(found)["casino/raw/casino_test.json"]["bytes"] == 2


def test_only_a_file_known_on_both_sides_can_have_changed() -> None:
    old = {"a": {"sha256": "1" * 64}, "b": {"sha256": "2" * 64}, "gone": {"sha256": "3" * 64}}
    new = {"a": {"sha256": "1" * 64}, "b": {"sha256": "4" * 64}, "new": {"sha256": "5" * 64}}
    assert changes(old, new) == ["b (SHA-256 222222222222…, now 444444444444…)"]
    assert changes({}, new) == changes(old, {}) == []


def test_a_file_is_read_once_a_process_unless_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    whole = files.checksum
    monkeypatch.setattr(files, "checksum", lambda path: read.append(path) or whole(path))  # type: ignore[func-returns-value]
    path = put(tmp_path, "msc", "test", "i sail")
    first = stamps({"msc": path})
    assert stamps({"msc": path}) == first
    assert read == [path]
    put(tmp_path, "msc", "test", "i sail no more")
    assert stamps({"msc": path}) != first
    assert read == [path, path]
