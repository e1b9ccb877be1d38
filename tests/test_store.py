"""Folders under concurrent starters and killed owners, in real processes."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

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


def test_several_folders_are_held_together_and_a_missing_one_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    held = [store.weights("w"), store.predictions("p")]
    with store.hold(None, *held):
        assert all(folder.locked() for folder in held)
    assert not any(folder.locked() for folder in held)


def test_who_looks_needs_no_right_to_write_and_leaves_nothing(tmp_path: Path) -> None:
    assert not Folder(Path("/proc/self")).locked()
    folder = Folder(tmp_path / "shared")
    folder.mark("running")
    assert folder.state == "interrupted"
    assert [file.name for file in folder.path.iterdir()] == ["state.json"]


def test_who_looks_is_not_taken_for_an_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Folder(tmp_path / "looked-at")
    folder.path.mkdir()
    with open(folder.path / ".lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert not folder.locked()
        threading.Timer(0.2, lambda: fcntl.flock(file, fcntl.LOCK_UN)).start()
        with folder.lock():
            assert folder.locked()
    assert capsys.readouterr().err == ""


def test_who_waits_for_a_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Folder(tmp_path / "held")
    code = f"""
import sys
import threading
from pathlib import Path
from kithe.store import Folder
with Folder(Path({str(folder.path)!r})).lock():
    print("held", flush=True)
    sys.stdin.read(1)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdin is not None
        assert owner.stdout.readline() == "held\n"
        threading.Timer(0.3, lambda: owner.communicate("x")).start()
        with folder.lock():
            assert "waiting for it" in capsys.readouterr().err


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
