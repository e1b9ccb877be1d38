"""The protocol, on the client that is played by a function."""

from collections.abc import Iterator
from itertools import count, islice

from kithe.llm.client import Ask, Client, Failure, Reply, one
from kithe.llm.scripted import ScriptedClient
from kithe.records.chat import Message


def ask(name: str = "a", text: str = "say it", **more: object) -> Ask:
    return Ask(name, (Message(role="user", content=text),), **more)  # type: ignore[arg-type]


def test_a_function_answers() -> None:
    client = ScriptedClient(lambda ask: ask.messages[-1].content.upper(), part="echo")
    assert isinstance(client, Client)
    reply = one(client, ask())
    assert reply == Reply("a", "SAY IT", "stop", prompt_tokens=2, new_tokens=2, model="scripted:echo")
    assert reply.ok


def test_answers_end_at_the_limit() -> None:
    reply = one(ScriptedClient(lambda ask: "one two three"), ask(max_tokens=2))
    assert (reply.text, reply.finish, reply.new_tokens) == ("one two", "length", 2)


def test_failures_are_replies() -> None:
    reply = one(ScriptedClient(lambda ask: Failure("refused", "no")), ask())
    assert (reply.ok, reply.finish, reply.failure) == (False, "failed", Failure("refused", "no"))


def test_an_endless_stream_of_asks() -> None:
    taken: list[int] = []

    def asks() -> Iterator[Ask]:
        for number in count():
            taken.append(number)
            yield ask(str(number))

    assert [reply.id for reply in islice(ScriptedClient(lambda ask: "yes").complete(asks()), 5)] == list("01234")
    assert len(taken) == 5
