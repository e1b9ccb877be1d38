"""What is published: the same rows as JSON lines, Parquet and chat, read back by a library, and a card that is true."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import pipeline

from kithe.generation.card import card, readme
from kithe.generation.columns import converter, schema
from kithe.generation.export import RECORDS, ChatRow, Export, Written
from kithe.generation.pipeline import Pipeline, blocks
from kithe.generation.statistics import Statistics
from kithe.knowledge.task import PKI
from kithe.personas.persona import Persona
from kithe.personas.taxonomy import taxonomy
from kithe.records.history import History, KnowledgeItem

TODO = blocks(20, 7)
EXPORT = Export(chat=PKI(unit="history", style="trace_then_answer"))
ACCOUNT = {
    "source": "synthetic",
    "teacher": "terse",
    "scripted": True,
    "fields": ["key"],
    "stages": {"personas": "p-1"},
    "writers": {"personas": "terse"},
}


def published(root: Path, export: Export = EXPORT, **faults: Any) -> tuple[Path, Written, dict[str, Any]]:
    line, _ = pipeline(root, each=2, **faults)
    line.run(TODO)
    folder = root / "corpus"
    folder.mkdir()
    written = export.write(folder, line, TODO)
    found = card("terse-1", {"seed": 3, "task": {}}, ACCOUNT, export, written)
    (folder / "README.md").write_text(readme(found, export), encoding="utf-8")
    return folder, written, found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written, dict[str, Any]]:
    return published(tmp_path_factory.mktemp("corpus"), dialogues={"bad": ("3-0", "4-0", "4-1")})


def test_json_lines_are_the_histories_and_tell_every_field(corpus: tuple[Path, Written, dict[str, Any]]) -> None:
    folder, _, _ = corpus
    histories = list(History.read(folder / "train.jsonl"))
    assert len(histories) == 37
    assert len({history.id for history in histories}) == 37
    assert set(json.loads((folder / "train.jsonl").read_text().splitlines()[0])) == set(History.model_fields)
    assert len(list(History.read(folder / "validation.jsonl"))) == 4
    assert len((folder / "personas" / "train.jsonl").read_text().splitlines()) == 19


def test_chat_examples_end_with_what_is_to_be_said(corpus: tuple[Path, Written, dict[str, Any]]) -> None:
    rows = list(ChatRow.read(corpus[0] / "chat" / "train.jsonl"))
    assert [message.role for message in rows[0].messages] == ["system", "user", "assistant"]
    history = next(History.read(corpus[0] / "train.jsonl"))
    (example,) = EXPORT.chat.examples([history])
    assert rows[0].messages == (*example.prompt, rows[0].messages[-1])
    assert rows[0].messages[-1].content == example.answer
    assert "<think>" in example.answer


def test_the_library_people_use_reads_every_table(corpus: tuple[Path, Written, dict[str, Any]], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder, written, _ = corpus
    for name, record in RECORDS.items():
        found = datasets.load_dataset(str(folder), name, cache_dir=str(tmp_path))
        assert {split: len(found[split]) for split in found} == {
            split: written.rows[f"{name}/{split}"] for split in ("train", "validation")
        }
        lines = folder / "train.jsonl" if name == "dialogues" else folder / name / "train.jsonl"
        same = datasets.load_dataset("json", data_files=str(lines), split="train", cache_dir=str(tmp_path))
        assert found["train"].to_list() == same.to_list() == [json.loads(line) for line in lines.read_text().splitlines()]
        assert found["train"].column_names == schema(record).names


def test_quarantine_holds_reason_and_raw_text_and_is_counted(corpus: tuple[Path, Written, dict[str, Any]]) -> None:
    folder, _, found = corpus
    rows = [json.loads(line) for line in (folder / "rejected.jsonl").read_text().splitlines()]
    assert [(row["stage"], row["row"], row["raw"]) for row in rows] == [
        ("dialogues", key, '{"a": ') for key in ("3-0", "4-0", "4-1")
    ]
    assert found["rejected"] == {"dialogues": {"malformed": 3}}
    assert "| dialogues | row | malformed | 3 |" in (folder / "README.md").read_text()
    kept = (folder / "train.jsonl").read_text() + (folder / "chat" / "train.jsonl").read_text()
    assert "terse-3-3-0" not in kept
    assert "terse-3-3-1" in kept


def test_the_card_has_a_header_that_hubs_read_and_hashes_that_are_true(corpus: tuple[Path, Written, dict[str, Any]]) -> None:
    folder, _, found = corpus
    header = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    assert header["license"] == "apache-2.0"
    assert "scripted" in header["tags"]
    for name, file in found["files"].items():
        assert sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    listed = {path for path in folder.rglob("*") if path.is_file()} - {folder / "README.md"}
    assert {folder / name for name in found["files"]} == listed
    assert found["train"]["dialogues"] == 37
    assert found["train"]["per_dialogue"]["items"] == {"mean": 1.0, "sd": 0.0}


def test_the_same_rows_give_the_same_bytes(corpus: tuple[Path, Written, dict[str, Any]], tmp_path: Path) -> None:
    again = published(tmp_path, dialogues={"bad": ("3-0", "4-0", "4-1")})
    assert again[2] == corpus[2]
    assert (again[0] / "README.md").read_bytes() == (corpus[0] / "README.md").read_bytes()


def test_a_budget_of_privacy_anywhere_in_the_config_stands_in_the_card() -> None:
    config = {"seed": 0, "task": {"stages": {"dialogues": {"targets": {"epsilon": 2, "from": "x"}}}}}
    found = card("x", config, ACCOUNT, EXPORT, Written())
    assert found["privacy"] == {"epsilon": 2.0}
    assert "ε = 2.0" in readme(found, EXPORT)


def test_the_seed_of_private_noise_is_not_published() -> None:
    targets = {"epsilon": 2, "seed": 987654321}
    found = card("x", {"seed": 7, "task": {"stages": [{"targets": targets}]}}, ACCOUNT, EXPORT, Written())
    assert "987654321" not in json.dumps(found) + readme(found, EXPORT)
    assert found["config"]["seed"] == 7
    exact = card("x", {"seed": 7, "targets": {"epsilon": None, "seed": 5}}, ACCOUNT, EXPORT, Written())
    assert exact["config"]["targets"]["seed"] == 5


def test_the_card_tells_how_much_of_the_taxonomy_is_touched_at_each_depth(corpus: tuple[Path, Written, dict[str, Any]]) -> None:
    _, written, found = corpus
    assert "have no interest paths" in readme(found, EXPORT)
    counted = Statistics()
    counted.meet(Persona(id="p", attributes=(), paths=(("Interests", "Beverages", "Tea"),)))
    statistics = {**written.statistics, "train": counted}
    text = readme(card("x", {"seed": 0}, ACCOUNT, EXPORT, replace(written, statistics=statistics)), EXPORT)
    top = taxonomy().counts[1]
    assert f"| 1 | {top} | 1 ({1 / top:.1%}) | 0 | 0 | 0 |" in text


def test_only_lines_can_be_published(tmp_path: Path) -> None:
    folder, _, _ = published(tmp_path, Export(chat=PKI(), files=["jsonl"]))
    assert not (folder / "parquet").exists()
    header = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    paths = [file["path"] for config in header["configs"] for file in config["data_files"]]
    assert all((folder / path).exists() for path in paths)


def test_the_entries_of_a_mapping_are_a_list(corpus: tuple[Path, Written, dict[str, Any]]) -> None:
    persona = json.loads((corpus[0] / "personas" / "train.jsonl").read_text().splitlines()[0])
    assert persona["attributes"][0]["slots"] == [{"key": "v", "value": "cats"}]
    pairs = schema(Persona).field("values").type.value_type
    assert [field.name for field in pairs] == ["key", "value"]
    change = converter(dict[str, dict[str, int] | None])
    assert change is not None
    assert change({"a": {"b": 1}, "c": None}) == [{"key": "a", "value": [{"key": "b", "value": 1}]}, {"key": "c", "value": None}]
    assert converter(KnowledgeItem) is None


def test_rows_stream_from_complete_blocks(tmp_path: Path) -> None:
    line, _ = pipeline(tmp_path)
    assert isinstance(line, Pipeline)
    line.run(TODO)
    key, texts = next(line.rows(TODO[0]))
    assert (key, set(texts)) == ("0-0", {"personas", "dialogues"})
