"""What was saved stays, whoever else writes and whatever is killed."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.annotation.book import Book, Label

WRITER = """
import sys
from pathlib import Path
from kithe.annotation.book import Book, Label
book, name = Book(Path(sys.argv[1])), sys.argv[2]
for number in range(int(sys.argv[3])):
    book.add([Label(f"t{number}", name, {"accept": number % 3 == 0}, f"note {number}")])
    print(number, flush=True)
"""


def writer(path: Path, name: str, count: int) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_the_last_label_counts_and_the_others_are_kept(tmp_path: Path) -> None:
    book = Book(tmp_path / "labels.db")
    book.add([Label("a", "ada", {"accept": True}), Label("a", "bob", {"accept": True})])
    book.add([Label("a", "ada", {"accept": False}, "changed my mind")])
    assert [(label.annotator, label.answers["accept"], label.note) for label in book.labels()] == [
        ("bob", True, ""),
        ("ada", False, "changed my mind"),
    ]
    assert book.count() == 3
    assert [label.annotator for label in book.labels("ada")] == ["ada"]
    assert book.labels()[0].saved


def test_all_or_none(tmp_path: Path) -> None:
    book = Book(tmp_path / "labels.db")
    with pytest.raises(TypeError):
        book.add([Label("a", "ada", {"accept": True}), Label("b", "ada", {"accept": object()})])  # type: ignore[dict-item]
    assert book.count() == 0
    book.add([])
    assert book.count() == 0


@settings(deadline=None, max_examples=12)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.booleans(), st.text(max_size=20)), max_size=8))
def test_what_counts_is_the_last_of_each(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, bool, str]]
) -> None:
    book = Book(tmp_path_factory.mktemp("book") / "labels.db")
    for task, name, value, note in rows:
        book.add([Label(task, name, {"accept": value}, note)])
    expected = {(task, name): (value, note) for task, name, value, note in rows}
    assert {(label.task, label.annotator): (label.answers["accept"], label.note) for label in book.labels()} == expected
    book.close()


def test_two_processes_and_four_threads_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    running = [writer(path, name, 40) for name in ("ada", "bob")]
    book = Book(path)

    def write(name: str) -> None:
        for number in range(10):
            book.add([Label(f"t{number}", name, {"accept": True})])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, ("cyd", "dee", "eve", "fay")))
    for process in running:
        process.communicate()
        assert process.returncode == 0
    assert book.count() == 2 * 40 + 4 * 10
    assert len(book.labels()) == 2 * 40 + 4 * 10
    assert {label.note for label in book.labels("ada")} == {f"note {number}" for number in range(40)}


def test_a_killed_writer_loses_nothing_that_it_was_told_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    process = writer(path, "ada", 10_000)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(25)]
    os.kill(process.pid, signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split()]
    process.wait()
    assert {f"note {number}" for number in told} <= {label.note for label in Book(path).labels()}
    assert len(told) >= 25
