"""A real model, served and in process: schemas hold, and what comes back is what the protocol says (at most ten calls each)."""

import json
from itertools import chain
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from kithe.llm.cache import Cached
from kithe.llm.client import Ask, Client, one
from kithe.llm.endpoint import Endpoint
from kithe.llm.inprocess import InProcess
from kithe.llm.ladder import record_reader, structured
from kithe.records.chat import Message
from tests.llm.serving import Served
from tests.llm.test_local import SMOLLM2

pytestmark = pytest.mark.slow


class Person(BaseModel):
    """What is asked for; small, so that a small model gets to its end."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern="^[A-Z][a-z]{1,9}$")
    age: int = Field(ge=0, le=99)
    pet: bool


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Z][a-z]{1,9}$"},
        "age": {"type": "integer", "minimum": 0, "maximum": 99},
        "pet": {"type": "boolean"},
    },
    "required": ["name", "age", "pet"],
    "additionalProperties": False,
}


def people(count: int, **more: float) -> list[Ask]:
    prompt = (Message(role="system", content="You invent people."), Message(role="user", content="Invent a person."))
    return [Ask(f"p{n}", prompt, SCHEMA, max_tokens=48, temperature=0.8, top_p=0.95, seed=n, **more) for n in range(count)]


def check(client: Client, folder: Path) -> None:
    """Three people, each a record; the second time from the cache."""
    cached = Cached(client, str(folder / "cache.sqlite"))
    first = list(structured(cached, people(3), record_reader(Person)))
    assert {result.outcome for result in first} <= {"exact", "reasked"}, [result.problem for result in first]
    assert all(result.value for result in first)
    for reply in chain.from_iterable(result.replies for result in first):
        assert reply.prompt_tokens > 10
        assert 5 < reply.new_tokens <= 48
    again = list(structured(cached, people(3), record_reader(Person)))
    assert {result.ask.id: result.value for result in again} == {result.ask.id: result.value for result in first}
    assert all(reply.cached for result in again for reply in result.replies)


def test_served(served_model: Served, tmp_path: Path) -> None:
    client = Endpoint(served_model.base_url, served_model.model, concurrency=2, timeout=280, deadline=600)
    check(client, tmp_path)
    assert client._state.engine is not None
    assert client._state.engine.structured == "json_schema"
    long = one(client, Ask("long", (Message(role="user", content="word " * 4000),), max_tokens=4))
    assert long.failure is not None
    assert long.failure.reason == "too_long"


def test_in_process(tmp_path: Path) -> None:
    client = InProcess(SMOLLM2, rows=4)
    check(client, tmp_path)
    greedy = [Ask(f"g{n}", (Message(role="user", content="Name three colours."),), max_tokens=12, seed=n) for n in range(2)]
    one_way, same = client.complete(greedy)
    assert one_way.text == same.text
    assert json.dumps(one_way.text)
