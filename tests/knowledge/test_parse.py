import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from talks import items

from kithe.knowledge.fields import NAMES
from kithe.knowledge.parse import Answer, Failure, Found, parse
from kithe.knowledge.target import STYLES, Style, answer
from kithe.knowledge.text import normalised
from kithe.knowledge.traces import PATTERNS, Pattern
from kithe.knowledge.units import Cut, units
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

FULL = ("quote", "statement", "category", "value", "type", "polarity", "intensity", "inference", "confidence")
fields = st.lists(st.sampled_from([name for name in NAMES if name != "statement"]), unique=True).map(
    lambda some: ("statement", *some)
)


def read(text: str, keys: tuple[str, ...] = FULL) -> Answer:
    parsed = parse(text, keys)
    assert isinstance(parsed, Answer), parsed
    return parsed


def statements(parsed: Answer) -> list[str]:
    return [found.item.statement for found in parsed.items]


@pytest.mark.parametrize(
    ("text", "expected", "rung"),
    [
        ('["I ski."]', ["I ski."], "exact"),
        (' [ "I ski." , "I swim." ]\n', ["I ski.", "I swim."], "exact"),
        ("[]", [], "exact"),
        ('[{"statement": "I ski."}]', ["I ski."], "exact"),
        ('["line\nbreak"]', ["line break"], "exact"),
        ('<think>\nnot ["this"]\n</think>\n["I ski."]', ["I ski."], "after trace"),
        ('1: "cue"\n</think>["I ski."]', ["I ski."], "after trace"),  # the template opened the trace
        ('Sure! Here it is:\n```json\n["I ski."]\n```\nAnything else?', ["I ski."], "embedded"),
        ('Facts [see below] are ["I ski."] [1].', ["I ski."], "embedded"),
        ("There is nothing: []", [], "embedded"),
        ('{"facts": ["I ski.", "I swim."]}', ["I ski.", "I swim."], "embedded"),
        ('{"statement": "I ski."}\n{"statement": "I swim."}', ["I ski.", "I swim."], "embedded"),
        ('{"quote": "skiing", "statement": "I ski."}, {"statement": "I swim."}', ["I ski.", "I swim."], "embedded"),
        ('["I ski.", "I sw', ["I ski."], "repaired"),
        ('["I ski."', ["I ski."], "repaired"),
        ('["I ski.", ', ["I ski."], "repaired"),
        ('["I ski.", I swim.]', ["I ski."], "repaired"),
        ('["I ski.",]', ["I ski."], "exact"),
        ('[{"statement": "I ski."}, {"statement": "I swim.", "value": ["a', ["I ski."], "repaired"),
        ('{"statement": "I ski."}\n{"statement": "I swim.", "value": ["a"', ["I ski."], "repaired"),
        ('["see [] here", "and [\\"x\\"]', ["see [] here"], "repaired"),
    ],
)
def test_the_ladder(text: str, expected: list[str], rung: str) -> None:
    parsed = read(text)
    assert statements(parsed) == expected
    assert parsed.rung == rung


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no list"),
        ("The user likes skiing.", "no list"),
        ("['I ski.']", "no list"),
        ("<think>\nPersonal: 1", "unfinished trace"),
        ('<think> ["I ski."]', "unfinished trace"),
        ("[", "breaks off before the first item"),
        ('["I ski', "breaks off before the first item"),
        ('{"statement": "I ski.", "value": ["a", "b"]', "breaks off before the first item"),
    ],
)
def test_failures_are_not_empty_answers(text: str, reason: str) -> None:
    assert parse(text, FULL) == Failure(reason)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("7", "neither string nor object"),
        ('["I ski."]', "neither string nor object"),
        ("null", "neither string nor object"),
        ('{"category": "Leisure"}', "no statement"),
        ('{"statement": 3}', "no statement"),
        ('"  "', "empty statement"),
        (json.dumps("word " * 41), "statement of more than 40 words"),
        ('"i SWIM"', "duplicate"),
    ],
)
def test_entries_that_are_no_items_are_rejected_with_the_reason(entry: str, reason: str) -> None:
    parsed = read(f'["I swim.", {entry}, "I ski."]')
    assert statements(parsed) == ["I swim.", "I ski."]
    assert [(rejection.reason, rejection.raw) for rejection in parsed.rejected] == [(reason, entry)]


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("polarity", '"Negative"', "negative"),
        ("polarity", '"sad"', None),
        ("category", '"food & drink"', "Food & Drink"),
        ("category", '"Groceries"', None),
        ("intensity", "3", None),
        ("confidence", "0.5", 0.5),
        ("confidence", "1", 1.0),
        ("confidence", "1.5", None),
        ("confidence", "NaN", None),
        ("confidence", "true", None),
        ("confidence", '"high"', None),
        ("confidence", "9" * 400, None),
        ("value", "2", "2"),
        ("value", '" two  cats "', "two cats"),
        ("value", '["two"]', None),
        ("value", "true", None),
    ],
)
def test_a_bad_value_costs_the_item_only_that_value(key: str, value: str, kept: object) -> None:
    parsed = read(f'[{{"statement": "I ski.", "{key}": {value}}}]')
    assert getattr(parsed.items[0].item, key) == kept
    assert [rejection.reason for rejection in parsed.rejected] == ([] if kept is not None else [f"bad {key}"])


def test_null_and_keys_that_were_not_asked_for_are_ignored() -> None:
    parsed = read('[{"statement": "I ski.", "polarity": "positive", "value": null, "mood": "good"}]', ("statement", "value"))
    assert parsed.items[0].item == KnowledgeItem(statement="I ski.")
    assert parsed.rejected == ()


def test_where_an_item_stands() -> None:
    text = 'Here: ["I ski.", {"quote": "swim", "statement": "I swim."}]'
    first, second = read(text).items
    assert text[first.start : first.end] == '"I ski."'
    assert json.loads(text[second.start : second.end])["quote"] == second.quote == "swim"


def test_the_unreadable_rest_is_not_lost() -> None:
    assert [(part.reason, part.raw) for part in read('["I ski.", I swim.]').rejected] == [("unreadable rest", "I swim.]")]


@given(text=st.text(max_size=80) | st.text(alphabet='[]{}"\\,: \n<>/thinkstaemeq0', max_size=60), keys=fields)
@example(text='["\\ud800"]', keys=("statement",))
@example(text='[{"statement": "\ud800"}]', keys=("statement",))
@example(text='{"statement": ' + "[" * 100000, keys=("statement",))
@example(text='["a", ' + "[" * 100000, keys=("statement",))
@example(text='["a", ' + "9" * 5000 + "]", keys=("statement",))
def test_anything_is_read_without_an_error(text: str, keys: tuple[str, ...]) -> None:
    parsed = parse(text, keys)
    if isinstance(parsed, Answer):
        assert all(found.item.statement.strip() and 0 <= found.start < found.end <= len(text) for found in parsed.items)
        assert all(rejection.reason and rejection.raw.encode() is not None for rejection in parsed.rejected)


def history_of(some: list[KnowledgeItem]) -> History:
    """One turn per item, in which the user says the statement."""
    turns = tuple(Turn(speaker="A", text=item.statement) for item in some) or (Turn(speaker="A", text="hm"),)
    with_evidence = tuple(item.model_copy(update={"evidence": (Evidence(turn=n),)}) for n, item in enumerate(some))
    return History(id="h", source="lab", user="A", turns=turns, items=with_evidence)


different = st.lists(items, max_size=6, unique_by=lambda item: normalised(item.statement) or item.statement)


ways = st.sampled_from([(style, pattern) for style in STYLES for pattern in PATTERNS])
RUNGS = {"answer_only": "exact", "trace_then_answer": "after trace", "answer_then_trace": "before trace"}


@given(some=different, keys=fields, way=ways)
def test_what_is_taught_is_what_is_read(some: list[KnowledgeItem], keys: tuple[str, ...], way: tuple[Style, Pattern]) -> None:
    history = history_of(some)
    (unit,) = units(history, Cut("history", 4, 0, 10**6))
    text = answer(history, unit, keys, *way)
    parsed = read(text, keys)
    assert parsed.rejected == ()
    assert parsed.rung == RUNGS[way[0]]
    kept = {name for name in keys if name != "quote"}
    assert [found.item for found in parsed.items] == [KnowledgeItem(**item.model_dump(include=kept)) for item in some]
    if "quote" in keys:
        assert [found.quote for found in parsed.items] == [item.statement for item in some]


@given(some=different.filter(bool), keys=fields, way=ways, data=st.data())
def test_an_answer_cut_anywhere_keeps_its_first_items(
    some: list[KnowledgeItem], keys: tuple[str, ...], way: tuple[Style, Pattern], data: st.DataObject
) -> None:
    history = history_of(some)
    text = answer(history, units(history, Cut("history", 4, 0, 10**6))[0], keys, *way)
    whole = read(text, keys).items
    raw = text.encode()
    cut = raw[: data.draw(st.integers(0, len(raw)))].decode(errors="replace")
    parsed = parse(cut, keys)
    kept: tuple[Found, ...] = parsed.items if isinstance(parsed, Answer) else ()
    assert kept == whole[: len(kept)]
    complete = sum(found.end <= len(cut) and cut[: found.end] == text[: found.end] for found in whole)
    assert len(kept) == complete
