"""Stages that were made from other files than those that are here now."""

import gzip
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kithe import experiment, inputs
from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.corpora.download import checksum
from kithe.corpora.files import stamps
from kithe.errors import ConfigError
from kithe.records.base import write_json
from kithe.worker import Worker

WORDS = ["model=tiny", "data=personachat", "adapt=lora", "task.test.laps.limit=1", "corpus.quality=null"]


def put(folder: Path, name: str, said: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation", "test"):
        turns = [{"speaker": "A", "text": f"{said} {split}"}]
        row = {"id": f"{name}-{split}", "source": name, "user": "A", "turns": turns, "gold": [{"value": said}], "licence": "MIT"}
        (folder / name / f"{split}.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))


FILE = "casino_test.json"
AGENT = {"value2issue": {"High": "Food", "Low": "Water", "Medium": "Firewood"}, "value2reason": {}}
TALK = {
    "dialogue_id": 5,
    "annotations": [],
    "chat_logs": [{"text": "I need food", "task_data": {}, "id": "mturk_agent_1"}],
    "participant_info": {"mturk_agent_1": AGENT, "mturk_agent_2": AGENT},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a home on this machine that holds one negotiation, and an empty cache."""
    monkeypatch.delenv("KITHE_DATA", raising=False)
    monkeypatch.setenv("KITHE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / FILE).write_text(json.dumps([TALK]), encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "home"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A cell whose corpus is drawn, with weights and predictions as a worker leaves them."""
    for name in ("personachat", "laps"):
        put(tmp_path / "sets", name, "i like tea")
    monkeypatch.setenv("KITHE_DATA", str(tmp_path / "sets"))
    found = Cell.of(compose([*WORDS, f"paths.store={tmp_path / 'store'}"]))
    experiment.make_corpus(found)
    learnt, store = inputs.read_for_corpus(found), found.store
    assert found.identity.weights is not None
    write_json(store.weights(found.identity.weights).path / "report.json", {"files": learnt})
    asked = stamps(inputs.asked_files(found))
    write_json(store.predictions(found.identity.predictions).path / "report.json", {"files": {**learnt, **asked}})
    return found


def test_a_source_that_has_too_few_facts_says_so(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cell.store.corpus("again")
    experiment.write_corpus(cell, folder)
    wanted, found = cell.config["corpus"]["facts"], folder.read("card.json")["train"]["facts"]
    assert 0 < found < wanted
    assert f"corpus.facts={wanted}, and data=personachat has {found}, {wanted - found} too few" in capsys.readouterr().err


def stages(cell: Cell) -> dict[str, Path]:
    """The folders of the stages, by their names in an id."""
    store, identity = cell.store, cell.identity
    assert identity.corpus is not None
    assert identity.weights is not None
    found = {"corpus": store.corpus(identity.corpus), "weights": store.weights(identity.weights)}
    return {name: stage.path for name, stage in {**found, "predictions": store.predictions(identity.predictions)}.items()}


def told(cell: Cell) -> str:
    with pytest.raises(ConfigError) as error:
        inputs.check(cell)
    return str(error.value)


def test_nothing_is_said_of_files_that_are_the_same(cell: Cell) -> None:
    inputs.check(cell)
    assert inputs.read_for_corpus(cell).keys() == {"personachat/train.jsonl.gz", "personachat/validation.jsonl.gz"}
    assert inputs.asked_files(cell).keys() == {"personachat/test.jsonl.gz", "laps/test.jsonl.gz"}


def test_a_changed_training_file_takes_all_stages_with_it(cell: Cell, tmp_path: Path) -> None:
    old = inputs.read_for_corpus(cell)["personachat/train.jsonl.gz"]["sha256"]
    put(tmp_path / "sets", "personachat", "i like coffee")
    new = stamps(inputs.corpus_files(cell))["personachat/train.jsonl.gz"]["sha256"]
    said = told(cell)
    assert f"personachat/train.jsonl.gz (SHA-256 {old[:12]}…, now {new[:12]}…)" in said
    assert said.endswith(f"rm -r {' '.join(map(str, stages(cell).values()))}")
    assert "\n" not in said


def test_a_changed_test_file_takes_predictions_only(cell: Cell, tmp_path: Path) -> None:
    put(tmp_path / "sets", "laps", "i like coffee")
    assert told(cell).endswith(f"rm -r {stages(cell)['predictions']}")


def test_a_new_corpus_is_not_mixed_with_weights_of_the_old_one(cell: Cell, tmp_path: Path) -> None:
    put(tmp_path / "sets", "personachat", "i like coffee")
    for file in stages(cell)["corpus"].iterdir():
        file.unlink()
    stages(cell)["corpus"].rmdir()
    assert told(cell).endswith(f"rm -r {stages(cell)['weights']} {stages(cell)['predictions']}")


def test_a_corpus_stands_where_its_files_are_not(cell: Cell, tmp_path: Path) -> None:
    for split in ("train", "validation"):
        (tmp_path / "sets" / "personachat" / f"{split}.jsonl.gz").unlink()
    inputs.check(cell)
    assert Cell.of(compose([*WORDS, f"paths.store={tmp_path / 'store'}"])).identity == cell.identity
    with pytest.raises(ConfigError, match=r"no .*train\.jsonl\.gz: point KITHE_DATA"):
        Cell.of(compose([*WORDS, f"paths.store={tmp_path / 'another'}"]))


def test_stages_of_an_earlier_version_say_nothing_and_stand(cell: Cell, tmp_path: Path) -> None:
    for stage in stages(cell).values():
        for name in ("card.json", "report.json"):
            if (stage / name).exists():
                held = json.loads((stage / name).read_text(encoding="utf-8"))
                write_json(stage / name, {key: value for key, value in held.items() if key != "files"})
    put(tmp_path / "sets", "personachat", "i like coffee")
    inputs.check(cell)


def test_a_cell_is_refused_before_anything_is_made(cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "run_worker", lambda *given: pytest.fail("nothing may be started"))
    put(tmp_path / "sets", "laps", "i like coffee")
    cell.prepare()
    with pytest.raises(SystemExit, match=r"failed: data files changed since they were read: laps/test\.jsonl\.gz \("):
        experiment.execute(cell)
    assert cell.folder.state == "failed"


def test_two_folders_with_files_of_one_name_are_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, said in (("mine", "i like tea"), ("theirs", "i like coffee"), ("others", "i like milk")):
        put(tmp_path / folder, "personachat", said)
    monkeypatch.setenv("KITHE_DATA", str(tmp_path / "theirs"))
    words = ["model=tiny", "data=personachat", f"data.folder={tmp_path / 'mine'}", "adapt=lora", "corpus.quality=null"]
    held = "{_target_:kithe.corpora.held_out.HeldOut,of:{_target_:kithe.corpora.real.RealSet,name:personachat}}"
    other = f"{{_target_:kithe.corpora.real.RealSet,name:personachat,folder:{tmp_path / 'others'}}}"
    sets = ["~task.test.laps", f"+task.test.held={held}", f"+task.test.other={other}"]
    found = Cell.of(compose([*words, *sets, f"paths.store={tmp_path / 'store'}"]))
    asked = inputs.asked_files(found)
    assert asked == {
        "personachat/test.jsonl.gz": tmp_path / "theirs" / "personachat" / "test.jsonl.gz",
        "task.test.held/personachat/validation.jsonl.gz": tmp_path / "theirs" / "personachat" / "validation.jsonl.gz",
        "task.test.other/personachat/test.jsonl.gz": tmp_path / "others" / "personachat" / "test.jsonl.gz",
    }
    experiment.make_corpus(found)
    noted = {**inputs.read_for_corpus(found), **stamps(asked)}
    write_json(found.store.predictions(found.identity.predictions).path / "report.json", {"files": noted})
    inputs.check(found)
    put(tmp_path / "others", "personachat", "i like water")
    assert "changed since they were read: task.test.other/personachat/test.jsonl.gz (" in told(found)


def test_a_file_that_is_learnt_from_and_asked_about_is_one_file(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    places = {"task.test.a": {"laps": mine, "msc": mine}, "task.test.b": {"laps": theirs, "msc": mine}}
    assert inputs.apart({"laps": mine}, places) == {"msc": mine, "task.test.b/laps": theirs}


def test_what_a_stage_downloads_while_it_works_is_noted_as_read(home: str, tmp_path: Path) -> None:
    words = ["adapt=chance", "corpus.facts=12", "corpus.quality=null", "task/test=casino", f"+task.test.casino.home={home}"]
    found = Cell.of(compose([*words, f"paths.store={tmp_path / 'store'}"]))
    experiment.make_corpus(found)
    worker = Worker(found)
    worker.stage(worker.predictions, worker.predict, worker.asked_about)
    raw = tmp_path / "cache" / "data" / "casino" / "raw" / FILE
    assert inputs.noted(worker.predictions)[f"casino/raw/{FILE}"]["sha256"] == checksum(raw)
    raw.write_text(json.dumps([TALK, TALK]), encoding="utf-8")
    assert told(found).startswith(f"data files changed since they were read: casino/raw/{FILE} (")


def test_a_stage_that_is_done_reads_no_files_again(cell: Cell) -> None:
    worker = Worker(cell)
    worker.predictions.mark("done")
    worker.stage(worker.predictions, lambda folder: pytest.fail("done"), lambda: pytest.fail("done"))
