"""Download, checksum, conversion and reading, against a server on this machine with files in the raw formats."""

import csv
import functools
import io
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from kithe.corpora.download import checksum, fetch
from kithe.corpora.real import RealSet
from kithe.corpora.sets import SETS
from kithe.errors import ConfigError
from kithe.records.history import History


class Quiet(SimpleHTTPRequestHandler):
    """A file server that counts requests and says nothing."""

    asked: list[str] = []  # noqa: RUF012

    def log_message(self, *args: Any) -> None:
        self.asked.append(self.path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """The URL and the folder of a local home; nothing but the download is left to read from."""
    monkeypatch.delenv("KITHE_DATA", raising=False)
    monkeypatch.setenv("KITHE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "home"
    folder.mkdir()
    Quiet.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def table(columns: list[str], *rows: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue().encode()


def parquet_of(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def session(dialogue: int, number: int, facts: list[str], *said: str) -> dict[str, Any]:
    speakers = ["Speaker 1", "Speaker 2"] * len(said)
    return {
        "dataset": "MSC",
        "dialoug_id": dialogue,
        "session_id": number,
        "persona1": facts,
        "persona2": ["I sail."],
        "dialogue": list(said),
        "speaker": speakers[: len(said)],
    }


LAPS = [
    {
        "worker_id": "77",
        "topic": "recipe",
        "sessions": [
            {
                "dialogue": [
                    {"role": "Assistant", "turn_number": 0, "message": "Any allergies?"},
                    {"role": "User", "turn_number": 1, "message": "nuts"},
                ],
                "preferences": {"allergies": ["nuts"], "dish_dislike": ["soup"]},
                "task_setting": "dinner",
            },
            {
                "dialogue": [{"role": "User", "turn_number": 0, "message": "30 minutes"}],
                "preferences": {"allergies": ["nuts"], "time_availability": ["30 minutes"]},
                "task_setting": "lunch",
            },
        ],
    }
]
AGENT = {"value2issue": {"High": "Food", "Low": "Water", "Medium": "Firewood"}, "value2reason": {}}
CASINO = [
    {
        "dialogue_id": 5,
        "annotations": [],
        "chat_logs": [
            {"text": "I need food", "task_data": {}, "id": "mturk_agent_2"},
            {"text": "Submit-Deal", "task_data": {}, "id": "mturk_agent_1"},
        ],
        "participant_info": {"mturk_agent_1": AGENT, "mturk_agent_2": AGENT},
    }
]


def spoken(facts: list[str], *turns: str) -> dict[str, Any]:
    return {
        "personality": facts,
        "utterances": [
            {"candidates": ["no", "wrong"], "history": ["early"]},
            {"candidates": ["wrong", turns[-1]], "history": list(turns[:-1])},
        ],
    }


FILES: dict[str, dict[str, bytes]] = {
    "laps": {"recipe_dataset_val.json": json.dumps(LAPS).encode(), "movie_dataset_val.json": b"[]"},
    "casino": {"casino_valid.json": json.dumps(CASINO).encode()},
    "spc_synthetic": {
        "Synthetic-Persona-Chat_valid.csv": table(
            ["user 1 personas", "user 2 personas", "Best Generated Conversation"],
            ["I bake.\nI ski.", "I sing.", "User 1: Hi, I bake.\nUser 2: I sing."],
        )
    },
    "msc": {
        "validation-00000-of-00001-5e685f0241d31faf.parquet": parquet_of(
            [session(3, 1, ["I bake.", "I ski."], "So?", "I sail daily."), session(3, 0, ["I bake."], "I bake.", "Oh.")]
        )
    },
    "personachat": {
        "personachat_truecased_full_valid.json": json.dumps(
            [
                spoken(["I bake."], "Hi you over there.", "I bake all my bread.", "Lovely!", "Thanks."),
                spoken(["I left."], "Another talk, for the test split.", "I left."),
                spoken(["I ask."], "__ SILENCE __", "Hi you over there.", "I bake all my bread.", "Lovely!", "Thanks.", "Why?"),
            ]
        ).encode()
    },
}


def loaded(name: str, home: tuple[str, Path]) -> list[History]:
    url, folder = home
    for file, content in FILES[name].items():
        (folder / file).write_bytes(content)
    return list(RealSet(name, home=url).histories("validation", 0))


def facts(history: History) -> list[str]:
    return [item.statement for item in history.items]


def test_laps(home: tuple[str, Path]) -> None:
    (history,) = loaded("laps", home)
    assert (history.id, history.user, history.source, history.licence) == ("laps-recipe-77", "A", "laps", "MIT")
    assert [(turn.speaker, turn.session) for turn in history.turns] == [("B", 1), ("A", 1), ("A", 2)]
    assert facts(history) == ["I am allergic to nuts.", "I don't like soup.", "I have 30 minutes to cook."]
    assert [item.polarity for item in history.items] == [None, "negative", None]
    assert RealSet("laps", home=home[0], situational=False).losses("validation") == {"situational facts": 1}


def test_casino(home: tuple[str, Path]) -> None:
    first, second = loaded("casino", home)
    assert (first.id, first.user, second.id, second.user) == ("casino-5-A", "A", "casino-5-B", "B")
    assert [(turn.speaker, turn.text) for turn in first.turns] == [("B", "I need food")]
    assert [(item.statement, item.intensity) for item in first.items] == [
        ("I need food.", "high"),
        ("I need firewood.", "medium"),
        ("I need water.", "low"),
    ]


def test_synthetic_persona_chat(home: tuple[str, Path]) -> None:
    first, second = loaded("spc_synthetic", home)
    assert [(turn.speaker, turn.text) for turn in first.turns] == [("A", "Hi, I bake."), ("B", "I sing.")]
    assert (facts(first), facts(second), second.user) == (["I bake.", "I ski."], ["I sing."], "B")


def test_msc(home: tuple[str, Path]) -> None:
    first, second = loaded("msc", home)
    assert (first.id, second.id) == ("msc-validation_3-A", "msc-validation_3-B")
    assert [(turn.speaker, turn.text, turn.session) for turn in first.turns] == [
        ("A", "I bake.", 1),
        ("B", "Oh.", 1),
        ("A", "So?", 2),
        ("B", "I sail daily.", 2),
    ]
    assert (facts(first), facts(second)) == (["I bake.", "I ski."], ["I sail."])


def test_personachat(home: tuple[str, Path]) -> None:
    answers, asks = loaded("personachat", home)
    assert (answers.id, asks.id) == ("pc-valid-0-B", "pc-valid-0-A")
    assert [(turn.speaker, turn.text) for turn in answers.turns][:2] == [
        ("A", "Hi you over there."),
        ("B", "I bake all my bread."),
    ]
    assert [turn.speaker for turn in asks.turns] == ["A", "B", "A", "B", "A"]
    assert (facts(answers), facts(asks)) == (["I bake."], ["I ask."])
    (tested,) = RealSet("personachat", home=home[0]).histories("test", 0)
    assert (tested.id, facts(tested)) == ("pc-valid-1-B", ["I left."])


def test_a_file_is_downloaded_once_and_stays_the_same(home: tuple[str, Path], tmp_path: Path) -> None:
    first = loaded("casino", home)
    assert len(Quiet.asked) == 1
    assert loaded("casino", home) == first
    assert len(Quiet.asked) == 1
    raw = tmp_path / "cache" / "data" / "casino" / "raw" / "casino_valid.json"
    note = json.loads(raw.with_name("casino_valid.json.sha256.json").read_text())
    assert note["url"] == f"{home[0]}/casino_valid.json"
    assert note["bytes"] == raw.stat().st_size
    raw.write_bytes(raw.read_bytes() + b" ")
    with pytest.raises(ConfigError, match=r"casino_valid\.json is not the file first downloaded"):
        loaded("casino", home)


def test_a_home_that_changed_is_noticed(home: tuple[str, Path], tmp_path: Path) -> None:
    loaded("casino", home)
    (tmp_path / "cache" / "data" / "casino" / "raw" / "casino_valid.json").unlink()
    (home[1] / "casino_valid.json").write_bytes(b"[]")
    with pytest.raises(ConfigError, match="accept a new version"):
        list(RealSet("casino", home=home[0]).histories("validation", 0))


def test_neither_folder_nor_network_is_one_clear_error(home: tuple[str, Path]) -> None:
    url, _ = home
    with pytest.raises(ConfigError, match=rf"cannot download {url}/casino_test\.json \(.*\): set KITHE_DATA=") as error:
        list(RealSet("casino", home=url).histories("test", 0))
    assert "\n" not in str(error.value)
    with pytest.raises(ConfigError, match=r"cannot download http://127\.0\.0\.1:9/"):
        list(RealSet("casino", home="http://127.0.0.1:9").histories("test", 0))


class Torn(Quiet):
    """A server whose connections break: after a part of an announced length, or within a block of a length nobody announced."""

    def do_GET(self) -> None:
        self.send_response(200)
        blocks = self.path.endswith("blocks.json")
        self.send_header(*(("Transfer-Encoding", "chunked") if blocks else ("Content-Length", "1000")))
        self.end_headers()
        self.wfile.write(b"3e8\r\n" * blocks + b"x" * 100)


@pytest.mark.parametrize(("name", "said"), [("length.json", "100 of 1000 bytes came"), ("blocks.json", "IncompleteRead")])
def test_a_torn_download_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Torn) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ConfigError, match=rf"cannot download .*{name} \(.*{said}"):
            fetch(f"http://127.0.0.1:{server.server_port}/{name}", tmp_path / "raw" / name)
        server.shutdown()
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_one_clear_error(home: tuple[str, Path]) -> None:
    (home[1] / "version").write_bytes(b"1")
    with pytest.raises(ConfigError, match=r"cannot download .*/version \(.*\): set KITHE_DATA="):
        fetch(f"{home[0]}/version", Path("/proc/self/raw/version"))
    assert fetch(f"{home[0]}/version", Path("/proc/version")) == checksum(Path("/proc/version"))


def test_every_set_has_a_home_for_every_split() -> None:
    for name, known in SETS.items():
        assert known.home.base.startswith("https://"), name
        assert set(known.home.files) == {"train", "validation", "test"}
