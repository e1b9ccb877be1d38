"""`task=generate` from the command line: killed and resumed, in shards, and used by a cell."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from kithe.cell import Cell
from kithe.config.compose import ROOT, compose
from kithe.corpora.generated import Generated
from kithe.corpora.synthetic import Synthetic
from kithe.dialogues.scripted import Scripted

WORDS = ["task=generate", "task.personas=160", "task.rows_per_file=40", "task.together=20"]


def start(store: Path, *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(ROOT / "run.py"), *words, *WORDS, f"paths.store={store}"]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def files(store: Path) -> dict[str, bytes]:
    """Everything that was written but what a process says about itself."""
    found = {
        str(file.relative_to(store)): file for pattern in ("rows/*/*.jsonl", "generated/**/*") for file in store.glob(pattern)
    }
    return {
        name: file.read_bytes()
        for name, file in found.items()
        if file.is_file() and "shards" not in name and file.name not in ("state.json", ".lock")
    }


def test_killed_or_in_shards_the_corpus_is_the_same(tmp_path: Path) -> None:
    assert start(tmp_path / "straight").wait() == 0
    ends = []
    for logs in (1, 4):
        process = start(tmp_path / "killed")
        while process.poll() is None and len(list((tmp_path / "killed").glob("rows/*/*.jsonl"))) < logs:
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        ends.append(process.wait())
    assert -signal.SIGKILL in ends
    assert start(tmp_path / "killed").wait() == 0
    shards = start(tmp_path / "shards", "-m", "task.shards=3", "task.shard=2,0,1", "hydra/launcher=joblib")
    said = shards.communicate()[0].decode()
    assert shards.returncode == 0
    assert said.count("160 train, 20 validation dialogues") == 1
    straight = files(tmp_path / "straight")
    assert len(straight) == 2 * 5 + 15
    assert files(tmp_path / "killed") == straight
    assert files(tmp_path / "shards") == straight
    check_use(tmp_path / "straight")


def check_use(store: Path) -> None:
    """The corpus holds what the teacher says on the fly, and a cell that names it by id has an id of its own."""
    (folder,) = (store / "generated").iterdir()
    read, drawn = Generated(Scripted(), 160, folder), Synthetic(Scripted(), 160)
    for split in ("train", "validation"):
        assert list(read.histories(split, 0)) == list(drawn.histories(split, 0))
    plain, named, path = (
        Cell.of(compose(["adapt=lora", f"paths.store={store}", *more])).identity.run
        for more in ([], [f"data.folder={folder.name}"], [f"data.folder={folder}"])
    )
    assert plain != named == path
    state = json.loads((folder / "shards" / "0-of-1" / "state.json").read_text())
    assert state["state"] == "done"
