"""The endpoint client against a server that misbehaves on demand."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from kithe.errors import ConfigError
from kithe.llm import pace
from kithe.llm.budget import Budget, Prices
from kithe.llm.cache import Cached
from kithe.llm.client import Ask, Client, Reply, one
from kithe.llm.endpoint import Endpoint
from tests.llm.stub_server import Say, Stub, completion, error, running
from tests.llm.test_scripted_client import ask

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_BASE", 0.01)


def endpoint(stub: Stub, **more: Any) -> Endpoint:
    given: dict[str, Any] = {"concurrency": 8, "timeout": 5.0, "deadline": 20.0, "attempts": 4, **more}
    return Endpoint(stub.url, "stub", **given)


def said(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def echo(body: dict[str, Any], number: int) -> Say:
    return completion(said(body).upper())


def first(*says: Say) -> Callable[[dict[str, Any], int], Say]:
    """These answers, then proper ones."""
    return lambda body, number: says[number] if number < len(says) else completion("fine")


def test_an_answer_with_all_that_belongs_to_it() -> None:
    with running(echo) as stub:
        client = endpoint(stub, prices=Prices(input=1.0, output=10.0))
        assert isinstance(client, Client)
        reply = one(client, ask("a", "hello", max_tokens=9, temperature=0.7, top_p=0.9, seed=5, stop=("\n",)))
        assert (reply.id, reply.text, reply.finish, reply.model, reply.cached) == ("a", "HELLO", "stop", "stub-1", False)
        assert (reply.prompt_tokens, reply.new_tokens, reply.cost) == (7, 3, pytest.approx(37e-6))
        assert 0 < reply.seconds < 5
        (body,) = stub.bodies
        assert body == {
            "model": "stub", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 9,
            "temperature": 0.7, "top_p": 0.9, "seed": 5, "stop": ["\n"],
        }  # fmt: skip
        assert client.spent().tokens == 10


def test_every_ask_once_and_as_they_finish() -> None:
    def behave(body: dict[str, Any], number: int) -> Say:
        slow = said(body) == "0"
        return Say(completion(said(body)).body, seconds=0.5 if slow else 0.0)

    with running(behave) as stub:
        replies = list(endpoint(stub).complete(ask(str(n), str(n)) for n in range(50)))
    assert sorted(int(reply.id) for reply in replies) == list(range(50))
    assert all(reply.id == reply.text for reply in replies)
    assert replies[-1].id == "0"
    assert 1 < stub.most <= 8


def test_an_endless_stream_is_read_a_little_ahead() -> None:
    taken = 0

    def asks() -> Iterator[Ask]:
        nonlocal taken
        for taken in count(1):
            yield ask(str(taken))

    with running(echo) as stub:
        client = endpoint(stub)
        stream = client.complete(asks())
        assert taken == 0
        assert len(list(islice(stream, 40))) == 40
        assert taken <= 40 + 2 * 16
        stream.close()  # type: ignore[attr-defined]
        assert one(client, ask("next", "still there")).text == "STILL THERE"


def test_several_threads_share_the_connections() -> None:
    with running(echo) as stub:
        client, found = endpoint(stub, concurrency=3), {}

        def work(name: str) -> None:
            found[name] = sorted(reply.id for reply in client.complete(ask(f"{name}{n}", name) for n in range(10)))

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {name: [f"{name}{n}" for n in range(10)] for name in "abc"}
    assert stub.most <= 3


GARBAGE = [
    error(429, "slow down", retry_after="0.05"),
    error(500, "oops"),
    error(503, "overloaded"),
    Say(b'{"id": "x", "choi'),
    Say(b""),
    Say(b"<html>gateway</html>", headers={"Content-Type": "text/html"}),
    Say(b"[1, 2]"),
    Say(b'{"error": {"message": "upstream died"}}'),
    Say(b'{"choices": []}'),
    Say(b'{"choices": [{"message": {"content": 5}}], "usage": {"prompt_tokens": "many"}}'),
    Say(b"{" + b" " * 500 + b"}", cut=20),
    completion(""),
    completion(None),
]


@pytest.mark.parametrize("say", GARBAGE, ids=lambda say: f"{say.status}-{say.body[:25]!r}")
def test_what_may_be_better_next_time_is_tried_again(say: Say) -> None:
    with running(first(say, say)) as stub:
        reply = one(endpoint(stub), ask())
    assert (reply.text, reply.failure, len(stub.bodies)) == ("fine", None, 3)


@pytest.mark.parametrize(
    ("say", "reason", "words"),
    [
        (error(429, "slow down"), "rate_limited", "slow down"),
        (error(500, "oops"), "server", "HTTP 500: oops"),
        (Say(b'{"id": "x", "choi'), "garbage", "attempt 3 of 3"),
        (completion(""), "garbage", "empty"),
        (Say(b"xx", cut=1), "connection", ""),
        (Say(b"", hang=True), "timeout", "no answer in time"),
    ],
)
def test_and_fails_with_its_reason_in_the_end(say: Say, reason: str, words: str) -> None:
    with running(lambda body, number: say) as stub:
        reply = one(endpoint(stub, attempts=3, timeout=0.2), ask())
    assert reply.failure is not None
    assert (reply.failure.reason, reply.finish, len(stub.bodies)) == (reason, "failed", 3)
    assert words in reply.failure.message


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (error(400, "This model's maximum context length is 4096 tokens", "context_length_exceeded"), "too_long"),
        (error(413, "payload"), "too_long"),
        (error(400, "flagged by our content filter", "content_policy_violation"), "refused"),
        (error(403, "your prompt was flagged by moderation"), "refused"),
        (error(422, "temperature must be at most 1"), "invalid"),
        (completion(None, refusal="I cannot help with that."), "refused"),
        (completion("partly", finish="content_filter"), "refused"),
    ],
)
def test_what_will_not_get_better_is_not_tried_again(say: Say, reason: str) -> None:
    with running(lambda body, number: say) as stub:
        reply = one(endpoint(stub), ask())
    assert reply.failure is not None
    assert (reply.failure.reason, len(stub.bodies)) == (reason, 1)


def test_a_bad_ask_does_not_end_the_others() -> None:
    def behave(body: dict[str, Any], number: int) -> Say:
        return error(400, "no") if said(body) == "3" else completion("yes")

    with running(behave) as stub:
        replies = {reply.id: reply.ok for reply in endpoint(stub).complete(ask(str(n), str(n)) for n in range(9))}
    assert replies == {str(n): n != 3 for n in range(9)}


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (error(401, "Incorrect API key provided"), "does not accept the key"),
        (error(403, "not your model"), "does not accept the key"),
        (error(404, "model_not_found"), "knows no model 'stub'"),
        (error(429, "You exceeded your current quota", "insufficient_quota"), "no credit"),
        (error(402, "pay"), "no credit"),
    ],
)
def test_what_no_ask_can_survive_is_said_once_in_one_line(say: Say, words: str) -> None:
    def behave(body: dict[str, Any], number: int) -> Say:
        return completion("fine") if number < 2 else say

    with running(behave) as stub:
        got: list[Reply] = []
        with pytest.raises(ConfigError, match=words):
            got.extend(endpoint(stub, concurrency=2).complete(ask(str(n)) for n in count()))
    assert [reply.text for reply in got] == ["fine", "fine"]
    assert len(stub.bodies) <= 6


def test_nobody_there() -> None:
    with running(echo) as stub:
        url = stub.url
    reply = one(Endpoint(url, "stub", attempts=2), ask())
    assert reply.failure is not None
    assert reply.failure.reason == "connection"


def test_retry_after_is_waited_for_by_everybody() -> None:
    with running(first(error(429, "wait", retry_after="0.6"))) as stub:
        start = time.monotonic()
        replies = list(endpoint(stub, concurrency=1).complete(ask(str(n)) for n in range(4)))
    assert time.monotonic() - start > 0.6
    assert all(reply.ok for reply in replies)
    assert len(stub.bodies) == 5


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    with running(lambda body, number: error(429, "wait", retry_after="3600")) as stub:
        start = time.monotonic()
        reply = one(endpoint(stub, deadline=60.0), ask())
    assert reply.failure is not None
    assert (reply.failure.reason, len(stub.bodies)) == ("rate_limited", 1)
    assert time.monotonic() - start < 40


def test_a_dribbling_answer_ends_at_the_timeout() -> None:
    with running(lambda body, number: Say(completion("late").body, seconds=9.0)) as stub:
        start = time.monotonic()
        reply = one(endpoint(stub, timeout=0.3, attempts=1), ask())
    assert reply.failure is not None
    assert reply.failure.reason == "timeout"
    assert time.monotonic() - start < 8


def test_concurrency_follows_the_server() -> None:
    """A server that takes four at once: the client finds that out, and gets everything answered."""

    def behave(body: dict[str, Any], number: int) -> Say:
        return error(429, "slow down") if box[0].active >= 4 else Say(completion("fine").body, seconds=0.01)

    box: list[Stub] = []
    with running(behave) as stub:
        box.append(stub)
        replies = list(endpoint(stub, concurrency=32, attempts=12).complete(ask(str(n)) for n in range(300)))
    assert all(reply.ok for reply in replies)
    refused = len(stub.bodies) - 300
    assert refused < 150


@pytest.mark.parametrize("server", ["json_schema", "ignores", "json_object", "rejects"])
def test_the_way_to_ask_for_json_is_found_out_once(server: str) -> None:
    def behave(body: dict[str, Any], number: int) -> Say:
        wish = body.get("response_format", {"type": None})
        if server == "json_schema" and wish["type"] == "json_schema":
            assert wish["json_schema"]["strict"] is True
            text = '{"kithe": "zq7"}' if "kithe" in str(wish) else '{"n": 1}'
            return completion(text)
        if server in ("json_object", "rejects") and wish["type"] == "json_schema":
            return error(400, "response_format.type must be text or json_object")
        if server == "json_object" and wish["type"] == "json_object":
            return completion('{"n": 1}')
        if server == "rejects" and wish["type"]:
            return error(400, "response_format is not supported")
        return completion("Sure! It is {'n': 1}")

    expected = {"json_schema": "json_schema", "ignores": "prompt", "json_object": "json_object", "rejects": "prompt"}[server]
    with running(behave) as stub:
        client = endpoint(stub)
        replies = list(client.complete(ask(str(n), f"number {n}", schema=SCHEMA) for n in range(6)))
        assert all(reply.ok for reply in replies)
        probes = len(stub.bodies) - 6
        assert probes == (1 if server == "json_schema" else 2)
        one(client, ask(schema=SCHEMA))
    last = stub.bodies[-1]
    assert len(stub.bodies) == 7 + probes
    assert last.get("response_format", {"type": "prompt"})["type"] == expected
    assert ("JSON schema" in said(last)) == (expected != "json_schema")


def test_a_schema_the_server_cannot_take_is_asked_for_in_the_prompt() -> None:
    def behave(body: dict[str, Any], number: int) -> Say:
        return error(400, "failed to convert schema to grammar") if "response_format" in body else completion('{"n": 2}')

    with running(behave) as stub:
        assert one(endpoint(stub, structured="json_schema"), ask(schema=SCHEMA)).text == '{"n": 2}'
    assert [body.get("response_format", {}).get("type") for body in stub.bodies] == ["json_schema", "json_object", None]


def test_a_server_that_is_down_fails_schema_asks_and_is_probed_again() -> None:
    with running(first(*[error(500, "down")] * 2)) as stub:
        client = endpoint(stub, attempts=2)
        reply = one(client, ask(schema=SCHEMA))
        assert reply.failure is not None
        assert reply.failure.reason == "server"
        assert one(client, ask(schema=SCHEMA)).text == "fine"


def test_the_budget_stops_cleanly() -> None:
    with running(lambda body, number: completion("fine", tokens=(5, 5))) as stub:
        client = endpoint(stub, budget=Budget(max_tokens=400))
        replies = list(client.complete(ask(str(n), max_tokens=20) for n in range(200)))
    paid = [reply for reply in replies if reply.ok]
    left = [reply for reply in replies if not reply.ok]
    assert len(replies) == 200
    assert {reply.failure.reason for reply in left if reply.failure} == {"budget"}
    assert len(paid) == len(stub.bodies)
    assert 10 * len(paid) == client.spent().tokens <= 400
    assert client.spent().tokens > 400 - 80  # spent as far as upper bounds allow


def test_a_ledger_outlives_the_process_and_a_raised_budget_goes_on(tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger.sqlite")
    with running(echo) as stub:
        for most, answered in ((3, 3), (3, 0), (5, 2)):
            client = endpoint(stub, budget=Budget(max_calls=most, ledger=ledger))
            assert sum(reply.ok for reply in client.complete(ask(str(n)) for n in range(10))) == answered
            client.close()
    assert len(stub.bodies) == 5


def test_what_may_have_been_paid_for_counts() -> None:
    with running(lambda body, number: Say(b"", hang=True)) as stub:
        client = endpoint(stub, timeout=0.1, attempts=2, prices=Prices(0, 1e6))
        reply = one(client, ask(max_tokens=10))
        assert client.spent().calls == 2
        assert client.spent().cost == 20
        assert (reply.cost, reply.new_tokens) == (0, 0)
    with running(lambda body, number: error(500, "oops")) as stub:
        client = endpoint(stub, attempts=2)
        one(client, ask())
        assert (client.spent().calls, client.spent().tokens) == (2, 0)


def test_a_server_that_counts_nothing_is_charged_the_upper_bound() -> None:
    with running(lambda body, number: completion("four", tokens=None)) as stub:
        reply = one(endpoint(stub), ask("a", "x" * 100))
    assert (reply.prompt_tokens, reply.new_tokens) == (132, 4)


def test_a_keep_that_fails_is_heard_of() -> None:
    def keep(ask: Ask, reply: Reply) -> None:
        raise OSError("disk full")

    with running(echo) as stub, pytest.raises(OSError, match="disk full"):
        list(endpoint(stub).complete([ask()], keep))


SECRET = "sk-sentinel-4f1c9"


def test_the_key_is_sent_and_is_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-sentinel")
    caplog.set_level(logging.DEBUG)

    def behave(body: dict[str, Any], number: int) -> Say:
        answers = [completion(f"your key is {SECRET}"), error(400, f"bad key {SECRET}"), error(500, SECRET)]
        return answers[number] if number < 3 else error(401, f"Incorrect API key provided: {SECRET}")

    with running(behave) as stub:
        client = endpoint(stub, key_env="MY_KEY", attempts=1, concurrency=1, budget=Budget(ledger=str(tmp_path / "ledger")))
        cached = Cached(client, str(tmp_path / "cache"))
        replies: list[Reply] = []
        with pytest.raises(ConfigError) as raised:
            replies.extend(cached.complete(ask(str(n), str(n)) for n in range(4)))
    assert {headers["authorization"] for headers in stub.headers} == {f"Bearer {SECRET}"}
    assert not any("org-sentinel" in str(headers) for headers in stub.headers)
    seen = [
        repr(client),
        client.name,
        client.identity,
        repr(replies),
        repr(raised.value),
        str(raised.value.__cause__),
        caplog.text,
    ]
    seen += [*capfd.readouterr(), repr(cached)]
    files = list(tmp_path.rglob("*"))
    assert len(files) >= 2
    assert not [text for text in seen if SECRET in text]
    assert not [file for file in files if file.is_file() and SECRET.encode() in file.read_bytes()]
    assert [reply.text for reply in replies][:1] == ["your key is [key]"]


def test_without_key_env_no_key_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with running(echo) as stub:
        one(endpoint(stub), ask())
    assert SECRET not in str(stub.headers)


def test_a_missing_key_is_said_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with running(echo) as stub, pytest.raises(ConfigError, match="MY_KEY holds no key"):
        one(endpoint(stub, key_env="MY_KEY"), ask())
    assert stub.bodies == []


def test_a_proxy_of_the_environment_is_not_used_for_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with running(echo) as stub:
        assert one(endpoint(stub), ask()).ok


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"base_url": "127.0.0.1:8000"}, "must be an http"),
        ({"base_url": f"https://me:{SECRET}@host/v1"}, "a password"),
        ({"base_url": f"https://host/v1?api-key={SECRET}"}, "a query"),
        ({"key_env": SECRET}, "NAME of an environment variable"),
        ({"concurrency": 0}, "concurrency=0"),
    ],
)
def test_bad_values_are_refused_without_repeating_secrets(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        Endpoint(**{"base_url": "http://h/v1", "model": "m", **given})
    assert SECRET not in str(raised.value)


def test_an_endpoint_costs_nothing_until_it_is_asked() -> None:
    before = threading.active_count()
    client = Endpoint("http://127.0.0.1:9/v1", "m")
    assert list(client.complete([])) == []
    assert threading.active_count() == before


def test_closing_ends_the_thread() -> None:
    with running(echo) as stub:
        client = endpoint(stub)
        one(client, ask())
        name = f"kithe {client.name}"
        assert name in {thread.name for thread in threading.enumerate()}
        client.close()
        deadline = time.monotonic() + 5
        while name in {thread.name for thread in threading.enumerate()} and time.monotonic() < deadline:
            time.sleep(0.01)
        assert name not in {thread.name for thread in threading.enumerate()}
        assert one(client, ask("b", "again")).text == "AGAIN"
