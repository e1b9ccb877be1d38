"""The answer a model should learn to give: a JSON list of items, with a short trace before or after it, or without one."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, get_args

from kithe.knowledge.text import normalised
from kithe.knowledge.traces import MAX_TRACE, Pattern, flaws, one_line, quotation, trace
from kithe.knowledge.units import Unit
from kithe.records.history import History, KnowledgeItem

__all__ = ["MAX_TRACE", "STYLES", "Style", "answer", "faults", "quotation"]

Style = Literal["answer_only", "trace_then_answer", "answer_then_trace"]
STYLES: Final[tuple[str, ...]] = get_args(Style)


def answer(
    history: History, unit: Unit, fields: Sequence[str], style: Style = "answer_only", pattern: Pattern = "decomposition"
) -> str:
    """The text to learn for one unit; its list is `[]` where it holds no item.

    Items stand in the order in which the conversation reveals them (those without evidence last), each statement once.
    """
    items = _ordered(unit.items)
    listed = json.dumps([_entry(history, item, fields) for item in items], ensure_ascii=False)
    if style == "answer_only":
        return listed
    thought = trace(history, unit.turns, items, pattern)
    return f"{thought}\n{listed}" if style == "trace_then_answer" else f"{listed}\n{thought}"


def faults(history: History, unit: Unit, pattern: Pattern) -> tuple[str, ...]:
    """Why the unit's trace must not be learnt from (`kithe.knowledge.traces.flaws`); nothing for a good one."""
    items = _ordered(unit.items)
    return flaws(trace(history, unit.turns, items, pattern), history, [item.statement for item in items])


def _ordered(items: Iterable[KnowledgeItem]) -> list[KnowledgeItem]:
    once: dict[str, KnowledgeItem] = {}
    for item in items:
        once.setdefault(normalised(item.statement) or item.statement, item)
    return sorted(once.values(), key=lambda item: min((part.turn for part in item.evidence), default=10**9))


def _entry(history: History, item: KnowledgeItem, fields: Sequence[str]) -> str | dict[str, Any]:
    """An item as it stands in the list: keys it has no value for are left out."""
    known: dict[str, Any] = item.model_dump(exclude={"evidence"}, exclude_none=True)
    known |= {"statement": one_line(item.statement), "quote": quotation(history, item)}
    if item.confidence is not None:
        known["confidence"] = round(item.confidence, 2)
    if tuple(fields) == ("statement",):
        return str(known["statement"])
    return {name: known[name] for name in fields if known.get(name) not in (None, "")}
