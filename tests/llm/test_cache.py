"""Nothing is paid for twice, whoever is killed and whoever else writes."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.llm.cache import Cached
from kithe.llm.client import Ask, Failure, Keep, Reply
from kithe.llm.scripted import ScriptedClient
from kithe.records.chat import Message
from tests.llm.stub_server import Say, completion, running
from tests.llm.test_scripted_client import ask


class Counted:
    """Answers in groups, counting what it is asked."""

    name = identity = "scripted:counted"

    def __init__(self, group: int = 4) -> None:
        self.asked: list[Ask] = []
        self.group = group

    def complete(self, asks: Iterable[Ask], keep: Keep | None = None) -> Iterator[Reply]:
        source = iter(asks)
        while some := list(islice(source, self.group)):
            self.asked += some
            for each in reversed(some):
                reply = Reply(each.id, each.messages[-1].content.upper(), prompt_tokens=2, new_tokens=1, cost=0.5)
                if keep:
                    keep(each, reply)
                yield reply


def test_the_second_time_nothing_is_asked(tmp_path: Path) -> None:
    client = Counted()
    cached = Cached(client, str(tmp_path / "deep" / "cache.sqlite"))
    asks = [ask(f"a{n}", f"text {n}") for n in range(10)]
    first = list(cached.complete(asks))
    again = list(Cached(client, str(tmp_path / "deep" / "cache.sqlite")).complete(asks))
    assert len(client.asked) == 10
    assert [reply.id for reply in again] == [each.id for each in asks]
    assert {reply.id: reply.text for reply in first} == {reply.id: reply.text for reply in again}
    assert {(reply.cached, reply.cost, reply.prompt_tokens) for reply in again} == {(True, 0.0, 2)}
    assert {(reply.cached, reply.cost) for reply in first} == {(False, 0.5)}
    assert (cached.paid().calls, cached.paid().tokens, cached.paid().cost) == (10, 30, 5.0)
    assert (cached.name, cached.identity) == (client.name, client.identity)


def test_equal_asks_are_asked_once(tmp_path: Path) -> None:
    client = Counted()
    replies = list(Cached(client, str(tmp_path / "c")).complete(ask(str(n), f"text {n % 3}") for n in range(300)))
    assert sorted(int(reply.id) for reply in replies) == list(range(300))
    assert all(reply.text == f"TEXT {int(reply.id) % 3}" for reply in replies)
    assert (len(client.asked), sum(not reply.cached for reply in replies)) == (3, 3)


def test_long_runs_of_known_and_unknown_asks_need_little_memory(tmp_path: Path) -> None:
    client, taken = Counted(), 0
    cached = Cached(client, str(tmp_path / "c"))

    def asks(texts: Iterable[int]) -> Iterator[Ask]:
        nonlocal taken
        for taken, text in enumerate(texts, 1):
            yield ask(str(taken), f"text {text}")

    list(cached.complete(asks(range(3000))))
    for mixture in (lambda n: n % 3000, lambda n: n if n % 2 else -n, lambda n: 7):
        for got, _ in enumerate(islice(cached.complete(asks(map(mixture, count()))), 3000), 1):
            assert taken - got <= 600


def test_failures_are_asked_again_but_refusals_are_not(tmp_path: Path) -> None:
    said = iter([Failure("timeout", "late"), Failure("refused", "no"), "fine"])
    cached = Cached(ScriptedClient(lambda ask: next(said)), str(tmp_path / "c"))
    assert [reply.failure for reply in cached.complete([ask("a", "x")])] == [Failure("timeout", "late")]
    assert [reply.failure for reply in cached.complete([ask("a", "x")])] == [Failure("refused", "no")]
    (reply,) = cached.complete([ask("b", "x")])
    assert (reply.failure, reply.cached, reply.id) == (Failure("refused", "no"), True, "b")
    assert [reply.text for reply in cached.complete([ask("c", "y")])] == ["fine"]


def test_what_is_missing_can_be_counted_before(tmp_path: Path) -> None:
    cached = Cached(Counted(), str(tmp_path / "c"))
    list(cached.complete(ask(str(n), str(n)) for n in range(3)))
    assert [each.id for each in cached.missing(ask(f"x{n}", str(n % 5)) for n in range(10))] == ["x3", "x4"]


CHANGES: dict[str, Any] = {
    "messages": (Message(role="system", content="hello"),), "schema": {"type": "array"}, "max_tokens": 7, "temperature": 0.5,
    "top_p": 0.5, "seed": 9, "stop": ("x",),
}  # fmt: skip


def test_whatever_decides_the_answer_is_in_the_key(tmp_path: Path) -> None:
    cached, base = Cached(Counted(), str(tmp_path / "c")), ask("a", "hello", temperature=0.1)
    keys = {cached.key(base)} | {cached.key(replace(base, **{name: value})) for name, value in CHANGES.items()}
    other = Cached(ScriptedClient(lambda ask: ""), str(tmp_path / "c"))
    assert len(keys | {other.key(base)}) == len(CHANGES) + 2
    assert set(CHANGES) == set(Ask.__dataclass_fields__) - {"id"}
    assert cached.key(replace(base, id="b")) == cached.key(base)


@given(text=st.text(), finish=st.sampled_from(["stop", "length"]), tokens=st.integers(0, 9), cost=st.floats(0, 1))
def test_a_reply_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, text: str, finish: Any, tokens: int, cost: float
) -> None:
    cached = Cached(Counted(), str(tmp_path_factory.getbasetemp() / "replies.sqlite"))
    reply = Reply("a", text.encode("utf-8", "replace").decode(), finish, tokens, tokens, cost, 0.5, model="m")
    key = repr(reply).encode()
    cached.store(key, reply)
    assert cached.find(key) == replace(reply, id="")
    cached.close()


def test_a_file_that_is_no_cache_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "c"
    file.write_bytes(b"not a database " * 100)
    with pytest.raises(ConfigError, match="move the file away"):
        list(Cached(Counted(), str(file)).complete([ask()]))


def test_a_forked_process_killed_between_replies(tmp_path: Path) -> None:
    """What has arrived is in the file, even where nobody has come for it."""
    path = tmp_path / "c"
    cached = Cached(Counted(group=10), str(path))
    assert cached.find(b"nothing") is None  # opened before the fork
    child = os.fork()
    if not child:
        stream = cached.complete(ask(str(n), f"text {n}") for n in range(100))
        taken = [next(stream) for _ in range(15)]
        os.kill(os.getpid(), signal.SIGKILL if len(taken) == 15 else signal.SIGABRT)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    client = Counted()
    replies = list(Cached(client, str(path)).complete(ask(str(n), f"text {n}") for n in range(100)))
    assert {reply.text for reply in replies} == {f"TEXT {n}" for n in range(100)}
    assert len(client.asked) == 100 - 15


WORKER = """
import sys
from kithe.llm.cache import Cached
from kithe.llm.endpoint import Endpoint
from tests.llm.test_scripted_client import ask
url, path, first, last, pause = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
import time
cached = Cached(Endpoint(url, "stub", concurrency=8), path)
for reply in cached.complete(ask(str(n), f"text {n}") for n in range(int(first), int(last))):
    assert reply.text == f"TEXT {reply.id}", reply
    time.sleep(pause)
print("done", flush=True)
"""


def worker(url: str, path: Path, first: int, last: int, pause: float = 0.0) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", WORKER, url, str(path), str(first), str(last), str(pause)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2], env=dict(os.environ))


@pytest.mark.system
def test_a_process_killed_at_any_moment_pays_for_nothing_twice(tmp_path: Path) -> None:
    """Only what was under way at the moment of the kill may be asked again: at most as many as there were calls at once."""
    path, total, answered = tmp_path / "cache.sqlite", 150, []

    def behave(body: dict[str, Any], number: int) -> Say:
        text = body["messages"][-1]["content"]
        answered.append(text)
        return Say(completion(text.upper()).body, seconds=0.02)

    with running(behave) as stub:
        kills = 0
        for wanted in (20, 60, 100):
            process = worker(stub.url, path, 0, total, pause=0.02)  # a slow reader: replies lie about when it is killed
            while len(answered) < wanted and process.poll() is None:
                time.sleep(0.005)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
            time.sleep(0.05)
        process = worker(stub.url, path, 0, total)
        assert process.communicate()[0] == "done\n"
        seen = len(answered)
        process = worker(stub.url, path, 0, total)
        assert process.communicate()[0] == "done\n"
    assert kills == 3
    assert len(answered) == seen  # everything is known by then
    assert set(answered) == {f"text {n}" for n in range(total)}
    assert seen - total <= 8 * kills
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT COUNT(*) FROM replies").fetchone() == (total,)


@pytest.mark.system
def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    with running(lambda body, number: completion(body["messages"][-1]["content"].upper())) as stub:
        processes = [worker(stub.url, path, first, first + 200) for first in (0, 100)]
        assert [process.communicate()[0] for process in processes] == ["done\n"] * 2
        before = len(stub.bodies)
        assert worker(stub.url, path, 0, 300).communicate()[0] == "done\n"
        assert len(stub.bodies) == before
