"""The answer a model should learn to give: a JSON list of items, after a short trace or without one."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from kithe.knowledge.fields import MAX_QUOTE
from kithe.knowledge.text import clip, estimated_tokens, normalised
from kithe.knowledge.units import Unit
from kithe.records.history import History, KnowledgeItem

MAX_TRACE: Final = 400  # tokens (spec 2.8)
_CAUTION: Final = 1.25  # numbers and quotation marks make more tokens than an estimate from words expects
_CUES: Final = (120, 60, 30, 15)  # lengths of quoted cues to try, in characters
_CLOSE: Final = "</think>"


def answer(history: History, unit: Unit, fields: Sequence[str], *, trace: bool) -> str:
    """The text to learn for one unit; `[]` where it holds no item.

    Items stand in the order in which the conversation reveals them (those without evidence last), each statement once.
    """
    items = _ordered(unit.items)
    listed = json.dumps([_entry(history, item, fields) for item in items], ensure_ascii=False)
    return f"{_trace(history, unit, items)}\n{listed}" if trace else listed


def quotation(history: History, item: KnowledgeItem) -> str:
    """The user's words behind an item, from its first evidence; empty without evidence.

    At most 160 characters, cut between words.
    """
    if not item.evidence:
        return ""
    first = min(item.evidence, key=lambda part: part.turn)
    return clip(_one_line(first.quote or history.turns[first.turn].text), MAX_QUOTE)


def _ordered(items: Iterable[KnowledgeItem]) -> list[KnowledgeItem]:
    once: dict[str, KnowledgeItem] = {}
    for item in items:
        once.setdefault(normalised(item.statement) or item.statement, item)
    return sorted(once.values(), key=lambda item: min((part.turn for part in item.evidence), default=10**9))


def _entry(history: History, item: KnowledgeItem, fields: Sequence[str]) -> str | dict[str, Any]:
    """An item as it stands in the list: keys it has no value for are left out."""
    known: dict[str, Any] = item.model_dump(exclude={"evidence"}, exclude_none=True)
    known |= {"statement": _one_line(item.statement), "quote": quotation(history, item)}
    if item.confidence is not None:
        known["confidence"] = round(item.confidence, 2)
    if tuple(fields) == ("statement",):
        return str(known["statement"])
    return {name: known[name] for name in fields if known.get(name) not in (None, "")}


def _trace(history: History, unit: Unit, items: Sequence[KnowledgeItem]) -> str:
    """The decomposition trace of spec 2.8 in three steps: segment, cues, commit; its cues shortened until it is short enough."""
    for length in _CUES:
        text = _trace_with(history, unit, items, length)
        if estimated_tokens(text) * _CAUTION <= MAX_TRACE:
            return text
    return f"<think>\nCommit: {len(items)}.\n{_CLOSE}"


def _trace_with(history: History, unit: Unit, items: Sequence[KnowledgeItem], length: int) -> str:
    spoken = [turn for turn in unit.turns if history.turns[turn].speaker == history.user]
    number = {turn: position for position, turn in enumerate(spoken, start=1)}
    personal = {part.turn for item in items for part in item.evidence} & number.keys()
    lines = [
        f"Personal: {_numbers(number[turn] for turn in sorted(personal))}.",
        f"Routine: {_numbers(number[turn] for turn in spoken if turn not in personal)}.",
        *_cues(history, items, number, length),
        f"Commit: {len(items)}.",
    ]
    return "\n".join(["<think>", *lines, _CLOSE])


def _cues(history: History, items: Sequence[KnowledgeItem], number: dict[int, int], length: int) -> list[str]:
    cues: dict[str, None] = {}
    for item in items:
        turn = min((part.turn for part in item.evidence), default=-1)
        cue = clip(quotation(history, item), length)
        if turn in number and _CLOSE not in cue:
            note = f" ({item.inference})" if item.inference else ""
            cues[f'{number[turn]}: "{cue}"{note}'] = None
    return list(cues)


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers) or "none"


def _one_line(text: str) -> str:
    return " ".join(text.split())
