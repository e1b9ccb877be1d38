"""What models write instead of JSON, and what becomes of it."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from kithe.llm.client import Ask, Failure
from kithe.llm.ladder import Problem, Reading, Result, Tally, json_reader, record_reader, structured
from kithe.llm.scripted import ScriptedClient
from kithe.llm.tolerant import Found, find
from tests.llm.test_scripted_client import ask

GOOD = {"name": "Ada", "cats": [1, 2], "note": None}
TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT, Found(GOOD, "exact")),
        (f"\n {TEXT}\n", Found(GOOD, "exact")),
        ('"just words"', Found("just words", "exact")),
        (f"<think>maybe {{1}}</think>{TEXT}", Found(GOOD, "embedded")),
        (f"Sure! Here it is:\n```json\n{TEXT}\n```\nAnything else?", Found(GOOD, "embedded")),
        (f"As [1] says: {TEXT} [sic]", Found(GOOD, "embedded")),
        ('{"name": "Ada", "cats": [1, 2,], "note": null,}', Found(GOOD, "repaired")),
        ("{'name': 'Ada', 'cats': [1, 2], 'note': None}", Found(GOOD, "repaired")),
        ("{name: “Ada”, cats: [1 2], note: null}", Found(GOOD, "repaired")),
        ('{"a": "line\nbreak"}', Found({"a": "line\nbreak"}, "exact")),
        ('{"a": "she said "hi" to me", "b": True}', Found({"a": 'she said "hi" to me', "b": True}, "repaired")),
        ("{'a': 'it's fine', 'b': 'it\\'s'}", Found({"a": "it's fine", "b": "it's"}, "repaired")),
        ("{'a': 'caf\\u00e9\\n', 'b': -1.5e3}", Found({"a": "café\n", "b": -1500.0}, "repaired")),
        ('{"name": "Ada", "cats": [1, 2], "note": "brea', Found({"name": "Ada", "cats": [1, 2]}, "repaired", complete=False)),
        ('{"a": 1, "b": {"c": [1, 23', Found({"a": 1, "b": {"c": [1]}}, "repaired", complete=False)),
        ('[{"a": 1}, {"a"', Found([{"a": 1}, {}], "repaired", complete=False)),
        ('{"a": 1} and then {"a": 1, "b": 2}', Found({"a": 1, "b": 2}, "embedded")),
        ("[]", Found([], "exact")),
        ("Nothing: []", Found([], "embedded")),
        ("", None),
        ("I am sorry, but I cannot.", None),
        ("<think>still {thinking}", None),
        ("{not json at all}", None),
        ("[sic]", None),
        ("{", None),
    ],
)
def test_find(text: str, expected: Found | None) -> None:
    assert find(text) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


@given(value=st.dictionaries(st.text(), VALUES, max_size=5) | st.lists(VALUES, max_size=5), indent=st.sampled_from([None, 2]))
def test_json_is_read_as_it_is_wherever_it_stands(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert find(text) == Found(value, "exact")
    assert find(f"Here you are:\n```\n{text}\n```") == Found(value, "embedded")


def part_of(some: Any, whole: Any) -> bool:
    """Whether nothing in `some` was invented."""
    if isinstance(whole, dict):
        return isinstance(some, dict) and all(key in whole and part_of(value, whole[key]) for key, value in some.items())
    if isinstance(whole, list):
        return isinstance(some, list) and len(some) <= len(whole) and all(map(part_of, some, whole))
    return bool(some == whole)


WORDS = st.text("abc xyz'", max_size=8)
PLAIN = st.recursive(
    st.integers() | st.booleans() | WORDS,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(WORDS, inside, max_size=4),
    max_leaves=12,
)


@given(value=st.dictionaries(WORDS, PLAIN, min_size=1, max_size=5), share=st.floats(0, 0.999))
def test_a_text_that_breaks_off_invents_nothing(value: Any, share: float) -> None:
    text = json.dumps(value)
    found = find(text[: int(len(text) * share)])
    assert found is None or (not found.complete and part_of(found.value, value))


@given(text=st.text("{}[]\"':, abn1\\-<think/>\n", max_size=200))
def test_nothing_is_raised(text: str) -> None:
    find(text)


@pytest.mark.parametrize("text", ["[" * 50_000, '{"a":' * 20_000, "{'" * 20_000, '["' + "\\" * 50_000, "x[" * 20_000])
def test_forty_kilobytes_of_nonsense_take_no_time(text: str) -> None:
    find(text)


class Cat(BaseModel):
    name: str
    age: int


READ = record_reader(Cat)


def results(answer: Callable[[Ask], Any], count: int = 1, **more: Any) -> list[Result[Cat]]:
    return list(structured(ScriptedClient(answer), [ask(f"a{n}", f"cat {n}") for n in range(count)], READ, **more))


def test_a_good_answer() -> None:
    (result,) = results(lambda ask: '{"name": "Tom", "age": 3}')
    assert (result.value, result.outcome, result.problem, result.ok) == (Cat(name="Tom", age=3), "exact", "", True)
    assert result.ask == ask("a0", "cat 0")


def test_a_repaired_answer() -> None:
    (result,) = results(lambda ask: "{'name': 'Tom', 'age': 3,}")
    assert (result.outcome, result.raw) == ("repaired", ("{'name': 'Tom', 'age': 3,}",))


def test_a_useless_answer_is_asked_for_once_more_with_the_error() -> None:
    asked: list[Ask] = []

    def answer(ask: Ask) -> str:
        asked.append(ask)
        return '{"name": "Tom"}' if len(asked) == 1 else '{"name": "Tom", "age": 3}'

    (result,) = results(answer)
    assert (result.outcome, result.value) == ("reasked", Cat(name="Tom", age=3))
    assert result.raw == ('{"name": "Tom"}', '{"name": "Tom", "age": 3}')
    assert result.problem == "age: Field required"
    assert [message.role for message in asked[1].messages] == ["user", "assistant", "user"]
    assert "age: Field required" in asked[1].messages[-1].content
    assert asked[1].messages[1].content == '{"name": "Tom"}'
    assert [reply.id for reply in result.replies] == ["a0", "a0"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I would rather not.", "there is no JSON in it"),
        ("", "there is no JSON in it"),
        ('{"name": "Tom", "age": "old"}', "age: Input should be a valid integer"),
        ('{"name": "Tom", "age": 3, "more": "x', "breaks off"),
        ('["Tom", 3]', "value: "),
    ],
)
def test_twice_useless_is_rejected_with_its_reason_and_texts(text: str, problem: str) -> None:
    (result,) = results(lambda ask: text)
    assert (result.outcome, result.value, result.raw, result.ok) == ("rejected", None, (text, text), False)
    assert problem in result.problem
    (result,) = results(lambda ask: text, again=False)
    assert (result.outcome, result.raw) == ("rejected", (text,))


def test_an_answer_cut_off_says_so() -> None:
    (result,) = structured(ScriptedClient(lambda ask: '{"name": "Tom", "age": 3}'), [ask(max_tokens=2)], READ)
    assert result.problem.startswith("cut off after 2 tokens")


def test_no_answer_is_another_thing_than_a_useless_one() -> None:
    (result,) = results(lambda ask: Failure("budget", "spent"))
    assert (result.outcome, result.failure, result.problem) == ("failed", Failure("budget", "spent"), "budget: spent")


def test_every_ask_has_one_result_and_all_are_counted() -> None:
    def answer(ask: Ask) -> str | Failure:
        number = int(ask.messages[0].content.split()[-1])
        good = f'{{"name": "{number}", "age": {number}}}'
        second = len(ask.messages) > 1
        return {0: good, 1: good.replace('"', "'"), 2: good if second else "?", 3: "?", 4: Failure("refused", "no")}[number % 5]

    tally = Tally()
    got = list(tally.count(iter(results(answer, 500))))
    assert sorted(result.ask.id for result in got) == sorted(f"a{n}" for n in range(500))
    assert tally.outcomes == dict.fromkeys(("exact", "repaired", "reasked", "rejected", "failed"), 100)
    assert tally.problems == {"there is no JSON in it": 100, "refused": 100}
    assert all(result.value == Cat(name=result.ask.id[1:], age=int(result.ask.id[1:])) for result in got if result.value)


def test_asks_are_read_as_they_are_needed() -> None:
    taken = 0

    def asks() -> Iterator[Ask]:
        nonlocal taken
        for taken in range(10**9):
            yield ask(str(taken))

    got = list(islice(structured(ScriptedClient(lambda ask: "?"), asks(), READ), 20))
    assert {result.outcome for result in got} == {"rejected"}
    assert taken < 25


def test_what_breaks_off_can_be_used_where_that_is_wanted() -> None:
    def check(value: Any) -> list[Any] | Problem:
        return value if isinstance(value, list) else Problem("no list")

    assert json_reader(check, truncated=True)("[1, 2, 3") == Reading([1, 2], "repaired")
    assert json_reader(check)("[1, 2, 3") == Problem("it breaks off before its end")
    assert json_reader(check)('{"a": 1}') == Problem("no list")
