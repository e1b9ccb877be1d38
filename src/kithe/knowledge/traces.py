"""Reasoning traces: how the facts of a conversation can be found, told in one of five thinking patterns (spec 2.8).

A trace is a pure function of the history and its items. It quotes nothing but the user's own words, stays within 400 tokens, and
its last line holds the statements of the final list.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

from kithe.knowledge.fields import MAX_QUOTE
from kithe.knowledge.text import clip, estimated_tokens
from kithe.records.history import History, KnowledgeItem

Pattern = Literal["decomposition", "self_ask", "self_debate", "self_critic", "monologue"]
PATTERNS: Final[tuple[str, ...]] = get_args(Pattern)
OPEN: Final = "<think>"
CLOSE: Final = "</think>"
MAX_TRACE: Final = 400  # tokens

_CAUTION: Final = 1.25  # numbers and quotation marks make more tokens than an estimate from words expects
_CUES: Final = (120, 60, 30, 15)  # lengths of quoted cues to try, in characters
_MOST_DROPPED: Final = 2
_BETWEEN: Final = " | "
_LAST: Final[Mapping[str, str]] = {
    "decomposition": "Commit: ",
    "self_ask": "A: ",
    "self_debate": "Verdict: ",
    "self_critic": "Revised: ",
    "monologue": "So I keep: ",
}
_DOUBTS: Final = (
    (re.compile(r"\b(if|imagine|pretend|what if|suppose|in my dream|i wish|in another life)\b", re.I), "it is not real"),
    (re.compile(r"\b(used to|not anymore|no longer|years ago|once upon a time|back then)\b", re.I), "it is over"),
    (
        re.compile(r"\bmy (?:\w+ )?(sister|brother|cousin|aunt|uncle|friend|roommate|neighbor|boss|coworker|mom|dad|mother|father"
                   r"|son|daughter|husband|wife|partner|colleague|landlord)\b", re.I),
        "it is about someone else",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class _Cue:
    """Where an item shows: the number of the user's turn, and the words there."""

    number: int
    quote: str
    statement: str
    implicit: bool


@dataclass(frozen=True)
class _Doubt:
    """A turn without items that could be mistaken for one with."""

    number: int
    quote: str
    reason: str


@dataclass(frozen=True)
class _Findings:
    """What a trace tells: the numbers of the user's turns with and without facts, the cues, what is dropped, the statements."""

    personal: tuple[int, ...]
    routine: tuple[int, ...]
    cues: tuple[_Cue, ...]
    doubts: tuple[_Doubt, ...]
    statements: tuple[str, ...]


def trace(history: History, turns: Sequence[int], items: Sequence[KnowledgeItem], pattern: Pattern) -> str:
    """The trace of a stretch of a history, from `<think>` to `</think>`.

    Args:
        history: the conversation.
        turns: indexes of the turns asked about; the user's are numbered from 1.
        items: what is found there, in the order of the final list.
        pattern: how it is told.
    """
    for length in _CUES:
        findings = _findings(history, turns, items, length)
        lines = [*_WAYS[pattern](findings), f"{_LAST[pattern]}{_final(findings.statements)}"]
        text = "\n".join([OPEN, *lines, CLOSE])
        if estimated_tokens(text) * _CAUTION <= MAX_TRACE:
            return text
    return f"{OPEN}\n{_LAST[pattern]}{len(items)} items.\n{CLOSE}"


def flaws(text: str, history: History, statements: Sequence[str]) -> tuple[str, ...]:
    """What is wrong with a trace that is to be learnt from; nothing for a good one.

    Args:
        text: from `<think>` to `</think>`.
        history: every quoted span has to stand in a turn of its user.
        statements: those of the final list.
    """
    said = [one_line(turn.text) for turn in history.turns if turn.speaker == history.user]
    lines = text.split("\n")
    body, last = lines[1:-2], lines[-2] if len(lines) > 2 else ""
    quotes = [quote for line in body for quote in _quoted(line)]
    closing = last.partition(": ")[2]
    checks = {
        "not one trace": lines[0] != OPEN or lines[-1] != CLOSE or text.count(CLOSE) != 1,
        "quote not in the history": not all(any(quote in turn for turn in said) for quote in quotes),
        "last step is not the list": closing not in (_final(statements), f"{len(statements)} items."),
        f"more than {MAX_TRACE} tokens": estimated_tokens(text) > MAX_TRACE,
    }
    return tuple(reason for reason, holds in checks.items() if holds)


def quotation(history: History, item: KnowledgeItem) -> str:
    """The user's words behind an item, from its first evidence; empty without evidence.

    At most 160 characters, cut between words.
    """
    if not item.evidence:
        return ""
    first = min(item.evidence, key=lambda part: part.turn)
    return clip(one_line(first.quote or history.turns[first.turn].text), MAX_QUOTE)


def one_line(text: str) -> str:
    """The text with single spaces."""
    return " ".join(text.split())


def _final(statements: Iterable[str]) -> str:
    return _BETWEEN.join(one_line(text).replace(CLOSE, "") for text in statements) or "nothing."


def _quoted(line: str) -> list[str]:
    return re.findall(r'"([^"]*)"', line)


def _findings(history: History, turns: Sequence[int], items: Sequence[KnowledgeItem], length: int) -> _Findings:
    spoken = [turn for turn in turns if history.turns[turn].speaker == history.user]
    number = {turn: position for position, turn in enumerate(spoken, start=1)}
    personal = sorted({part.turn for item in items for part in item.evidence} & number.keys())
    routine = [turn for turn in spoken if turn not in personal]
    doubts = [doubt for turn in routine if (doubt := _doubt(history.turns[turn].text, number[turn], length))]
    return _Findings(
        tuple(number[turn] for turn in personal),
        tuple(number[turn] for turn in routine),
        tuple(_cues(history, items, number, length)),
        tuple(doubts[:_MOST_DROPPED]),
        tuple(one_line(item.statement) for item in items),
    )


def _cues(history: History, items: Sequence[KnowledgeItem], number: Mapping[int, int], length: int) -> Iterable[_Cue]:
    for item in items:
        turn = min((part.turn for part in item.evidence), default=-1)
        quote = _plain(quotation(history, item), length)
        if turn in number and quote:
            yield _Cue(number[turn], quote, one_line(item.statement), item.inference == "implicit")


def _doubt(text: str, number: int, length: int) -> _Doubt | None:
    for sign, reason in _DOUBTS:
        found = sign.search(one_line(text))
        if found:
            return _Doubt(number, _plain(one_line(text)[found.start() :], min(length, 40)), reason)
    return None


def _plain(text: str, length: int) -> str:
    """The longest part of a quotation without quotation marks or tags, cut to a length."""
    parts = re.split(r'["“”<>|]', text)
    return clip(max(parts, key=len).strip(), length)


def _unique(cues: Iterable[_Cue]) -> list[_Cue]:
    """One cue for each place."""
    return list({(cue.number, cue.quote): cue for cue in cues}.values())


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers) or "none"


def _listed(parts: Iterable[str], nothing: str) -> str:
    return "; ".join(parts) or nothing


def _shown(one: _Cue | _Doubt) -> str:
    return f'{one.number}: "{one.quote}"'


def _kind(cue: _Cue) -> str:
    return "implicit, or only a single time" if cue.implicit else "explicit"


def _decomposition(found: _Findings) -> list[str]:
    """Segment, cues, hypothesise, verify, commit: the five steps of the paper."""
    cues = _unique(found.cues)
    dropped = [f'{doubt.number}: drop "{doubt.quote}", {doubt.reason}' for doubt in found.doubts]
    kept = [f"{_numbers(found.personal)}: about User, still true"] if found.personal else []
    return [
        f"Segment: personal {_numbers(found.personal)}; routine {_numbers(found.routine)}.",
        f"Cues: {_listed(map(_shown, cues), 'none')}.",
        f"Hypothesise: {_listed((f'{cue.number}: {_kind(cue)}' for cue in cues), 'none')}.",
        f"Verify: {_listed([*kept, *dropped], 'nothing to check')}.",
    ]


def _self_ask(found: _Findings) -> list[str]:
    """Follow-up questions and their answers."""
    lines = [f"Q: Which turns are about User? A: {_numbers(found.personal)}."]
    lines += [f'Q: What shows in turn {cue.number}? A: "{cue.quote}", {_kind(cue)}.' for cue in _unique(found.cues)]
    lines += [f'Q: Does turn {doubt.number} count? A: No, "{doubt.quote}": {doubt.reason}.' for doubt in found.doubts]
    return [*lines, "Q: What is kept?"]


def _self_debate(found: _Findings) -> list[str]:
    """What speaks for every candidate, and what against."""
    lines = []
    for cue in _unique(found.cues):
        lines.append(f'For {cue.number}: "{cue.quote}" is about User.')
        if cue.implicit:
            lines.append(f"Against {cue.number}: it is only implied. But nothing else explains it as well.")
    lines += [f'For {doubt.number}: "{doubt.quote}". Against {doubt.number}: {doubt.reason}.' for doubt in found.doubts]
    return lines or ["For: no turn. Against: all is routine."]


def _self_critic(found: _Findings) -> list[str]:
    """A first draft that takes too much, a critique, and what is left."""
    shown = [*map(_shown, _unique(found.cues)), *map(_shown, found.doubts)]
    critique = [f"{doubt.number} goes, {doubt.reason}" for doubt in found.doubts]
    implied = [f"{cue.number} is only implied, but clear" for cue in _unique(found.cues) if cue.implicit]
    return [
        f"Draft: {_listed(shown, 'nothing')}.",
        f"Critique: {_listed([*critique, *implied], 'nothing to change')}.",
    ]


def _monologue(found: _Findings) -> list[str]:
    """One stream of thought."""
    parts = [f"Turns {_numbers(found.routine)} tell nothing about User."] if found.routine else []
    for cue in _unique(found.cues):
        verb = "lets on" if cue.implicit else "says"
        parts.append(f'In turn {cue.number} User {verb} "{cue.quote}".')
    parts += [f'Turn {doubt.number} has "{doubt.quote}", but {doubt.reason}.' for doubt in found.doubts]
    return [" ".join(parts) or "Let me see."]


_WAYS: Final[Mapping[str, Callable[[_Findings], list[str]]]] = MappingProxyType(
    {
        "decomposition": _decomposition,
        "self_ask": _self_ask,
        "self_debate": _self_debate,
        "self_critic": _self_critic,
        "monologue": _monologue,
    }
)
