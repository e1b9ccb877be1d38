"""From what a model wrote to items, as tolerantly as can be done without inventing anything.

The ladder: a JSON list; a JSON list after a trace, or before one; the first list (or the first objects) inside prose or a code
fence; the complete items of a list that breaks off. An answer with an empty list is an `Answer`, an unreadable one a `Failure`.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from kithe.knowledge.fields import MAX_WORDS, choices
from kithe.knowledge.text import normalised
from kithe.llm.tolerant import after_trace, clean, decode, skip
from kithe.records.chat import Rejection
from kithe.records.history import KnowledgeItem

Rung = Literal["exact", "after trace", "before trace", "embedded", "repaired"]

_BETWEEN: Final = re.compile(r"[\s,]*")
# A list starts where strings, objects or its end follow; other brackets are prose. An object starts anywhere.
_START: Final = re.compile(r'\[\s*(?=["{\]]|\Z)|\{')
_OBJECT: Final = re.compile(r'\{\s*"(?:quote|statement)"')


@dataclass(frozen=True)
class Found:
    """An item in an answer.

    Attributes:
        item: what was understood of it; its evidence is not known yet.
        quote: the words it says it comes from, or nothing.
        start, end: where its JSON stands in the model's text, in characters.
    """

    item: KnowledgeItem
    quote: str
    start: int
    end: int


@dataclass(frozen=True)
class Answer:
    """A readable answer.

    Attributes:
        rejected: entries that are no items, and values (reason `bad <key>`) without which an item was kept.
        rung: the step of the ladder it was read on.
    """

    items: tuple[Found, ...]
    rejected: tuple[Rejection, ...]
    rung: Rung


@dataclass(frozen=True)
class Failure:
    """An answer without a readable list, and why."""

    reason: str


Parsed = Answer | Failure


@dataclass(frozen=True)
class _Element:
    value: Any
    start: int
    end: int


@dataclass(frozen=True)
class _Listing:
    """JSON values in a row: where they end, and whether they were closed as they should."""

    elements: tuple[_Element, ...]
    start: int
    end: int
    closed: bool


def parse(text: str, fields: Sequence[str]) -> Parsed:
    """The items in a model's text; never raises.

    A bad value of a closed key (such as a polarity that is none) costs the item that value and is reported; an item without a
    usable statement, or with one that was already given, is rejected.

    Args:
        text: what the model wrote.
        fields: the keys an item may have; others are ignored.
    """
    text = clean(text)
    body = after_trace(text, _START)
    if body is None:
        return Failure("unfinished trace")
    listing = _find(text, body)
    if isinstance(listing, Failure):
        return listing
    if not listing.closed and not listing.elements:
        return Failure("breaks off before the first item")
    return _answer(text, listing, fields, _rung(text, body, listing))


def _find(text: str, body: int) -> _Listing | Failure:
    for match in _START.finditer(text, body):
        start = match.start()
        if text[start] == "[":
            return _list(text, start)
        if _OBJECT.match(text, start) or _is_item(text, start):
            return _objects(text, start)
    return Failure("no list")


def _is_item(text: str, start: int) -> bool:
    element = _decode(text, start)
    return element is not None and isinstance(element.value, dict) and "statement" in element.value


def _list(text: str, start: int) -> _Listing:
    elements: list[_Element] = []
    position = skip(text, start + 1)
    while text[position : position + 1] != "]":
        element = _decode(text, position)
        if element is None:
            return _Listing(tuple(elements), start, position, closed=False)
        elements.append(element)
        position = skip(text, element.end)
        if text[position : position + 1] == ",":
            position = skip(text, position + 1)
        elif text[position : position + 1] != "]":
            return _Listing(tuple(elements), start, position, closed=False)
    return _Listing(tuple(elements), start, position + 1, closed=True)


def _objects(text: str, start: int) -> _Listing:
    """Objects one after another without a list around them."""
    elements: list[_Element] = []
    position = start
    while text[position : position + 1] == "{":
        element = _decode(text, position)
        if element is None:
            return _Listing(tuple(elements), start, position, closed=False)
        elements.append(element)
        position = skip(text, element.end, _BETWEEN)
    return _Listing(tuple(elements), start, position, closed=True)


def _decode(text: str, position: int) -> _Element | None:
    found = decode(text, position)
    return None if found is None else _Element(found[0], position, found[1])


def _rung(text: str, body: int, listing: _Listing) -> Rung:
    if not listing.closed:
        return "repaired"
    first, rest = text[listing.start] == "[" and not text[body : listing.start].strip(), text[listing.end :].strip()
    if first and not body and rest.startswith(_OPEN):
        return "before trace"
    if not first or rest:
        return "embedded"
    return "after trace" if body else "exact"


def _answer(text: str, listing: _Listing, fields: Sequence[str], rung: Rung) -> Answer:
    found: dict[str, Found] = {}
    rejected: list[Rejection] = []
    for element in listing.elements:
        raw = text[element.start : element.end]
        entry = {"statement": element.value} if isinstance(element.value, str) else element.value
        reason = _refusal(entry)
        if reason is None:
            item = _found(entry, element, fields, rejected)
            key = normalised(item.item.statement) or item.item.statement
            reason = "duplicate" if key in found else None
            found.setdefault(key, item)
        if reason is not None:
            rejected.append(Rejection(reason=reason, raw=raw))
    if not listing.closed:
        rejected.append(Rejection(reason="unreadable rest", raw=text[listing.end :]))
    return Answer(tuple(found.values()), tuple(rejected), rung)


def _refusal(entry: object) -> str | None:
    """Why an entry is no item; None where it is one."""
    if not isinstance(entry, dict):
        return "neither string nor object"
    statement = entry.get("statement")
    if not isinstance(statement, str):
        return "no statement"
    if not statement.strip():
        return "empty statement"
    return f"statement of more than {MAX_WORDS} words" if len(statement.split()) > MAX_WORDS else None


def _found(entry: dict[str, Any], element: _Element, fields: Sequence[str], rejected: list[Rejection]) -> Found:
    values: dict[str, Any] = {"statement": _clean(entry["statement"])}
    for name in fields:
        if name == "statement" or entry.get(name) is None:
            continue
        value = _value(name, entry[name])
        if value is None:
            rejected.append(Rejection(reason=f"bad {name}", raw=json.dumps(entry[name])))
        else:
            values[name] = value
    quote = values.pop("quote", "")
    return Found(KnowledgeItem(**values), quote, element.start, element.end)


def _value(name: str, value: Any) -> str | float | None:
    """A key's value as the record wants it; None where it is none."""
    if name == "confidence":
        return float(value) if _is_number(value) and 0 <= value <= 1 else None
    if not isinstance(value, str) and not _is_number(value):
        return None
    text = _clean(str(value))
    allowed = choices(name)
    if not allowed:
        return text or None
    return next((choice for choice in allowed if choice.casefold() == text.casefold()), None)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _clean(text: str) -> str:
    return " ".join(clean(text).split())
