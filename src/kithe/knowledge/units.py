"""What one request is about: a whole history, or a few of its turns.

Training and prediction cut a history by the same function of the history alone, so that a request's number always means
the same turns.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from kithe.knowledge.prompt import conversation
from kithe.knowledge.text import estimated_tokens
from kithe.records.history import History, KnowledgeItem

UnitKind = Literal["history", "window"]


@dataclass(frozen=True)
class Unit:
    """A stretch of a history that is asked about in one request.

    Attributes:
        history: id of the history.
        number: position among the history's units.
        context: indexes of earlier turns that are shown but not asked about.
        turns: indexes of the turns asked about.
        items: gold items to find there. An item with evidence in several windows belongs to the window of its first evidence
            turn; one without evidence, or whose first evidence lies where the user is silent, belongs to no window. A unit
            that is a whole history holds all items.
    """

    history: str
    number: int
    context: tuple[int, ...]
    turns: tuple[int, ...]
    items: tuple[KnowledgeItem, ...]

    @property
    def id(self) -> str:
        """Id of the unit's request: `<history id>#<number>`."""
        return f"{self.history}#{self.number}"


@dataclass(frozen=True)
class Cut:
    """How histories are cut.

    Attributes:
        kind: whole histories, or windows of consecutive turns that do not overlap.
        turns: turns per window.
        context: turns shown before a window's own.
        max_tokens: a unit's longest conversation. A longer history falls back to windows, a longer window loses context and then
            is halved; a single turn is never cut.
        count: counts the tokens of a text.
    """

    kind: UnitKind
    turns: int
    context: int
    max_tokens: int
    count: Callable[[str], int] = estimated_tokens


def units(history: History, cut: Cut) -> tuple[Unit, ...]:
    """The units of a history in order; turns where the user is silent throughout belong to none."""
    spans = [span for span in _spans(history, cut) if _speaks(history, span)]
    whole = len(history.turns) == (len(spans[0]) if spans else 0)
    return tuple(
        Unit(history.id, number, _context(history, span, cut), tuple(span), history.items if whole else _items(history, span))
        for number, span in enumerate(spans)
    )


def _spans(history: History, cut: Cut) -> Iterator[range]:
    whole = range(len(history.turns))
    if cut.kind == "history" and _fits(history, cut, whole):
        yield whole
        return
    for start in range(0, len(whole), cut.turns):
        yield from _halved(history, cut, whole[start : start + cut.turns])


def _halved(history: History, cut: Cut, span: range) -> Iterator[range]:
    if len(span) <= 1 or _fits(history, cut, span):
        yield span
        return
    middle = len(span) // 2
    yield from _halved(history, cut, span[:middle])
    yield from _halved(history, cut, span[middle:])


def _context(history: History, span: range, cut: Cut) -> tuple[int, ...]:
    """As many of the turns before `span` as are wanted and fit, the nearest first to stay."""
    first = max(0, span.start - cut.context)
    while first < span.start and not _fits(history, cut, span, range(first, span.start)):
        first += 1
    return tuple(range(first, span.start))


def _fits(history: History, cut: Cut, span: range, context: range = range(0)) -> bool:
    return cut.count(conversation(history, context, span)) <= cut.max_tokens


def _speaks(history: History, span: range) -> bool:
    return any(history.turns[index].speaker == history.user for index in span)


def _items(history: History, span: range) -> tuple[KnowledgeItem, ...]:
    return tuple(item for item in history.items if item.evidence and min(part.turn for part in item.evidence) in span)
