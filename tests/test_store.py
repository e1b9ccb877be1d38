"""Folders under concurrent starters and killed owners, in real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from kithe.identity import Identity
from kithe.records.base import write_json, write_lines
from kithe.store import Folder, Store

STARTER = """
import sys, time
from pathlib import Path
from kithe.store import Folder
folder = Folder(Path(sys.argv[1]))
with folder.lock():
    if folder.read("state.json").get("state") != "done":
        with open(folder.path / "work", "a") as file:
            file.write("x")
        time.sleep(0.2)
        folder.mark("done")
"""
OWNER = """
import sys, time
from pathlib import Path
from kithe.store import Folder
folder = Folder(Path(sys.argv[1]))
with folder.lock():
    folder.mark("running")
    print("held", flush=True)
    time.sleep(60)
"""


def test_of_eight_concurrent_starters_one_does_the_work(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    starters = [subprocess.Popen([sys.executable, "-c", STARTER, str(folder)]) for _ in range(8)]
    assert [starter.wait(timeout=60) for starter in starters] == [0] * 8
    assert (folder / "work").read_text() == "x"
    assert Folder(folder).done


def test_a_killed_owner_frees_its_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "stage")
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder.path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    owner.stdout.readline()
    assert folder.state == "running"
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    assert folder.state == "interrupted"
    with folder.lock():
        folder.mark("done")
    assert folder.state == "done"


def test_an_untouched_folder_is_planned_and_stays_absent(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "nothing")
    assert folder.state == "planned"
    assert not folder.path.exists()


def test_a_cell_holds_its_folders_in_one_order(tmp_path: Path) -> None:
    store, identity = Store(tmp_path), Identity("c", "w", "p", "r")
    assert [folder.path.parent.name for folder in store.folders(identity)] == ["corpus", "weights", "predictions", "runs"]
    with store.hold(identity):
        assert all(folder.locked() for folder in store.folders(identity))
    assert not any(folder.locked() for folder in store.folders(identity))


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    write_lines(file, ["old"])
    code = f"""
import os, signal
from pathlib import Path
from kithe.records.base import write_lines
def lines():
    yield "new"
    os.kill(os.getpid(), signal.SIGKILL)
write_lines(Path({str(file)!r}), lines())
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert file.read_text() == "old\n"


def test_json_files_are_sorted_and_end_with_a_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "a": "é",\n "b": 1\n}\n'
