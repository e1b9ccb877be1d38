"""The real server: several people at once, kill -9 while they write, and what is there afterwards."""

import http.client
import threading
from pathlib import Path
from urllib.error import URLError

import pytest
from annotated import small
from annotating import Person, Server

from kithe.annotation.book import Book
from kithe.annotation.package import Package

TOLD = 15


def write(person: Person, package: Package, saved: list[str], enough: threading.Event) -> None:
    """Answer all tasks over and over until the server is gone; note what it said is saved."""
    number = 0
    try:
        while True:
            task = package.tasks[number % len(package.tasks)]
            person.answer(task.key, relevance="yes", sensibility="no", note=str(number))
            saved.append(str(number))
            number += 1
            if number == TOLD:
                enough.set()
    except (URLError, OSError, http.client.HTTPException):
        enough.set()


def test_nothing_that_was_saved_is_lost_when_the_server_is_killed_while_two_people_write(tmp_path: Path) -> None:
    package = small(users=200, each=1)
    server = Server(tmp_path, package, "ada,grace")
    saved: dict[str, list[str]] = {"ada": [], "grace": []}
    events = [threading.Event() for _ in saved]
    threads = [
        threading.Thread(target=write, args=(Person(server.links[name]), package, saved[name], event))
        for name, event in zip(saved, events, strict=True)
    ]
    for thread in threads:
        thread.start()
    for event in events:
        event.wait(120)
    server.kill()
    for thread in threads:
        thread.join(120)
    assert all(len(numbers) >= TOLD for numbers in saved.values())

    again = Server(tmp_path, package, "ada,grace")
    try:
        book = Book(tmp_path / "annotation" / "small" / "labels.db")
        for name, numbers in saved.items():
            there = {label.note for label in book.labels(name)}
            # The answer under way at the end may be there too, in place of the one that the same task had a round before.
            assert set(numbers[-200:]) - there <= {str(int(numbers[-1]) - 199)}
        old, new = (one.links["ada"].split("/enter/")[1] for one in (server, again))
        assert old == new
        person = Person(again.links["ada"])
        person.answer(package.tasks[0].key, relevance="no", sensibility="no", note="afterwards")
        assert book.labels("ada")[-1].note == "afterwards"
        assert (person.status("/list"), person.status("/results"), person.status("/enter/wrong")) == (200, 403, 403)
        refused(tmp_path, package, again.port)
        links = tmp_path / "annotation" / "small" / "links.txt"
        assert links.stat().st_mode & 0o777 == 0o600
        assert set(again.links.values()) <= set(links.read_text(encoding="utf-8").split())
        assert again.stop() == 0
    finally:
        again.kill()


def refused(folder: Path, package: Package, port: int) -> None:
    """A second server on the same port."""
    with pytest.raises(RuntimeError) as caught:
        Server(folder, package, "ada", port)
    (line,) = str(caught.value).strip().splitlines()
    assert line.startswith(f"kithe: --port {port}: 127.0.0.1:{port} cannot be used")
    assert line.endswith("another one, or --port 0 for any that is free")
