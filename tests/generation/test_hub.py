"""Nothing leaves this machine unless somebody asks for it by name, and then only what the card lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from kithe import cli
from kithe.errors import ConfigError
from kithe.generation import hub


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "generated" / "one"
    (folder / "parquet").mkdir(parents=True)
    (folder / "shards").mkdir()
    for name in ("README.md", "train.jsonl", "parquet/train-00000.parquet", "state.json", "shards/job.json"):
        (folder / name).write_text(name)
    card = {"files": {"train.jsonl": {}, "parquet/train-00000.parquet": {}}}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


class Recorder:
    """A hub that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def create_repo(self, repo_id: str, **more: Any) -> None:
        self.calls.append(("create", {"repo_id": repo_id, **more}))

    def upload_folder(self, **more: Any) -> None:
        self.calls.append(("upload", more))


NAMES = ["README.md", "card.json", "train.jsonl", "parquet/train-00000.parquet"]


def test_only_what_the_card_lists_is_sent_and_the_repository_is_private(corpus: Path) -> None:
    recorder = Recorder()
    assert hub.push(corpus, "me/mine", hub=recorder) == NAMES
    created, uploaded = recorder.calls
    assert created == ("create", {"repo_id": "me/mine", "repo_type": "dataset", "private": True, "exist_ok": True})
    assert uploaded[1]["allow_patterns"] == NAMES
    assert uploaded[1]["repo_type"] == "dataset"
    hub.push(corpus, "me/mine", public=True, hub=recorder)
    assert recorder.calls[2][1]["private"] is False


def test_a_token_comes_from_the_environment_alone(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(hub.TOKEN, raising=False)
    monkeypatch.setenv("HF_HOME", str(corpus))
    (corpus / "token").write_text("hf_secret")
    with pytest.raises(ConfigError, match=f"export {hub.TOKEN}="):
        hub.push(corpus, "me/mine")


def test_copying_sends_nothing(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> hub.Hub:
        raise AssertionError("somebody asked for the hub")

    monkeypatch.setattr(hub, "_hub", refuse)
    monkeypatch.setenv(hub.TOKEN, "hf_secret")
    cli.main(["export", str(corpus), "--to", str(tmp_path / "copy")])
    cli.main(["export", "one", "--store", str(tmp_path)])
    assert sorted(
        str(file.relative_to(tmp_path / "copy")) for file in (tmp_path / "copy").rglob("*") if file.is_file()
    ) == sorted(NAMES)


def test_pushing_is_asked_for_by_name(corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder()
    monkeypatch.setattr(hub, "_hub", lambda: recorder)
    cli.main(["export", str(corpus), "--push", "me/mine"])
    assert [name for name, _ in recorder.calls] == ["create", "upload"]
    assert "me/mine" in capsys.readouterr().out


def test_what_is_no_whole_corpus_is_refused(corpus: Path) -> None:
    (corpus / "train.jsonl").unlink()
    with pytest.raises(ConfigError, match=r"lacks train\.jsonl"):
        hub.published(corpus)
    with pytest.raises(ConfigError, match="no finished corpus"):
        hub.published(corpus / "shards")
