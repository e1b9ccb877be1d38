"""JSON in a model's text, as tolerantly as can be done without inventing anything.

The steps: the whole text; a value inside prose or a code fence, or after a trace; a value with what models get wrong (trailing
and missing commas, other quotes, bare keys, Python's literals), or one that breaks off, without the member it breaks off in.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

Rung = Literal["exact", "embedded", "repaired"]

OPEN: Final = "<think>"
CLOSE: Final = "</think>"

_DECODER: Final = json.JSONDecoder(strict=False)  # small models put line breaks into strings
_SPACE: Final = re.compile(r"\s*")
_START: Final = re.compile(r"[\[{]")
_TOKEN: Final = re.compile(r"""[^\s,:\[\]{}"']+""")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,300})(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD: Final = re.compile(r"[A-Za-z_][\w-]*")
_LITERALS: Final = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "‘": "’"}
_AFTER_STRING: Final = re.compile(r"\s*(?:[,:}\]]|\Z)")
_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_TRIES: Final = 32  # places where a value may begin
_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Found:
    """A JSON value in a text.

    Attributes:
        value: an object, a list, or (only where it is all there is) a string, a number or a literal.
        rung: how it was found.
        complete: False where the text breaks off inside it.
    """

    value: Any
    rung: Rung
    complete: bool = True


def clean(text: str) -> str:
    """Without half surrogate pairs, which can be neither stored nor compared."""
    return text.encode("utf-8", "replace").decode("utf-8")


def decode(text: str, position: int) -> tuple[Any, int] | None:
    """The JSON value that begins at a position and where it ends; None where none does."""
    try:
        return _DECODER.raw_decode(text, position)
    except (ValueError, RecursionError):
        return None


def skip(text: str, position: int, what: re.Pattern[str] = _SPACE) -> int:
    """The position after a pattern (white space)."""
    match = what.match(text, position)
    return match.end() if match else position


def after_trace(text: str, start: re.Pattern[str] = _START) -> int | None:
    """Where the answer itself begins; None inside an unfinished trace.

    Args:
        start: what begins an answer; a trace's end after that belongs to the answer.
    """
    close = text.find(CLOSE)
    if text.lstrip().startswith(OPEN):
        return None if close < 0 else close + len(CLOSE)
    first = start.search(text)
    # Some templates open the trace in the prompt.
    return close + len(CLOSE) if close >= 0 and (first is None or close < first.start()) else 0


def find(text: str) -> Found | None:
    """The JSON value in a text, the longest where there are several; None where there is none. Never raises."""
    text = clean(text)
    body = after_trace(text)
    if body is None:
        return None
    start = skip(text, body)
    whole = decode(text, start)
    if whole is not None and not text[whole[1] :].strip():
        return Found(whole[0], "embedded" if body else "exact")
    best: tuple[int, Found] | None = None
    position, tries = body, 0
    while (match := _START.search(text, position)) and tries < _TRIES:
        tries += 1
        here = _at(text, match.start())
        position = match.start() + 1 if here is None else here[0]
        if here is not None and (best is None or here[0] - match.start() > best[0]):
            best = (here[0] - match.start(), here[1])
    return best[1] if best else None


def _at(text: str, start: int) -> tuple[int, Found] | None:
    """The object or list that begins here: where it ends, and what it is."""
    exact = decode(text, start)
    if exact is not None:
        return exact[1], Found(exact[0], "embedded")
    relaxed = _Relaxed(text)
    try:
        value, end = relaxed.value(start, 0)
    except (_Cut, _Wrong):
        return None
    return (end, Found(value, "repaired", not relaxed.cut)) if value else None


class _Cut(Exception):  # noqa: N818  # says where the text ends, which is no error
    """The text ends inside a string, a number or a literal."""


class _Wrong(Exception):  # noqa: N818
    """This is no JSON, not even nearly."""


class _Relaxed:
    """A parser of nearly-JSON. `cut` tells that the text ended before the value did; values that broke off are left out."""

    def __init__(self, text: str) -> None:
        self.cut = False
        self._text = text

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        """The value at a position, and where it ends."""
        at = skip(self._text, at)
        sign = self._text[at : at + 1]
        if depth > _DEPTH:
            raise _Wrong
        if sign == "{":
            return self._object(at + 1, depth)
        if sign == "[":
            return self._list(at + 1, depth)
        return self._string(at) if sign in _QUOTES else self._atom(at)

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        while not self.cut and not self._closes(at := self._gap(at), "}"):
            try:
                key, at = self._key(at)
                at = skip(self._text, at)
                if self._text[at : at + 1] != ":":
                    raise _Cut if at >= len(self._text) else _Wrong
                members[key], at = self.value(at + 1, depth + 1)
            except _Cut:
                self.cut, at = True, len(self._text)
        return members, at if self.cut else at + 1

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        while not self.cut and not self._closes(at := self._gap(at), "]"):
            try:
                item, at = self.value(at, depth + 1)
                items.append(item)
            except _Cut:
                self.cut, at = True, len(self._text)
        return items, at if self.cut else at + 1

    def _gap(self, at: int) -> int:
        """After white space and at most one comma."""
        at = skip(self._text, at)
        return skip(self._text, at + 1) if self._text[at : at + 1] == "," else at

    def _closes(self, at: int, sign: str) -> bool:
        if at >= len(self._text):
            self.cut = True
        return self._text[at : at + 1] == sign

    def _key(self, at: int) -> tuple[str, int]:
        if at >= len(self._text):
            raise _Cut
        if self._text[at] in _QUOTES:
            return self._string(at)
        word = _WORD.match(self._text, at)
        if word is None:
            raise _Wrong
        return word[0], word.end()

    def _string(self, at: int) -> tuple[str, int]:
        """A quote that no separator follows is part of the string."""
        close, end = _QUOTES[self._text[at]], at + 1
        while True:
            end = self._text.find(close, end)
            if end < 0:
                raise _Cut
            escapes = end
            while self._text[escapes - 1] == "\\":
                escapes -= 1
            if (end - escapes) % 2 == 0 and _AFTER_STRING.match(self._text, end + 1):
                return self._unescaped(self._text[at + 1 : end]), end + 1
            end += 1

    def _unescaped(self, inside: str) -> str:
        plain = inside.replace("\\'", "'")
        return clean(_ESCAPE.sub(lambda match: str(json.loads(f'"{match[0]}"')), plain))

    def _atom(self, at: int) -> tuple[Any, int]:
        match = _TOKEN.match(self._text, at)
        if match is None:
            raise _Cut if at >= len(self._text) else _Wrong
        if match.end() >= len(self._text):
            raise _Cut  # the rest of it may be missing
        if match[0] in _LITERALS:
            return _LITERALS[match[0]], match.end()
        if not _NUMBER.fullmatch(match[0]):
            raise _Wrong
        return json.loads(match[0]), match.end()
