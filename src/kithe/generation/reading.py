"""Whether an answer can be used at all, before anybody looks at what it says."""

import re
from typing import Any, Final

from kithe.generation.asking import Problem
from kithe.llm.client import Reply
from kithe.llm.tolerant import find

MAX_ANSWER: Final = 32_000  # characters; a longer one is not read
ECHO: Final = 10  # words in a row that make an echo of a description
_REFUSAL: Final = re.compile(
    r"\b(I('m| am) (sorry|unable|not able)|I (cannot|can't|won't|must decline)|as an AI|as a language model|not comfortable)\b",
    re.IGNORECASE,
)
# The commonest words of English; other languages in this script share a few of them.
_COMMON: Final = """
the a an and or but if of to in on at for with from by is are was were be been am do does did have has had i you he she it we they
me my your his her our their this that these those what which who when where how why not no yes can could would will shall should
may might must just so as than then there here up out about into over some any all more much very too please thanks it's i'm i've
i'd don't that's what's let's can't
"""
_ENGLISH: Final = frozenset(_COMMON.split())
_FEW: Final = 0.2  # share of common words below which a text is no English; running English has about a half
_LEAST: Final = 15  # words that one must see to say so
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def json_of(reply: Reply) -> Any | Problem:
    """The JSON value of an answer, or why there is none."""
    text = reply.text
    if not text.strip():
        return Problem("empty", "it is empty")
    if len(text) > MAX_ANSWER:
        return Problem("oversized", f"it has {len(text)} characters, far more than was asked for")
    found = find(text)
    if found is not None and found.complete and isinstance(found.value, dict):
        return found.value
    if found is None and _REFUSAL.search(text[:400]):
        return Problem("refusing", "it declines; the person is invented, so please write what was asked for")
    if reply.finish == "length" or (found is not None and not found.complete):
        return Problem("truncated", "it breaks off before its end; write less")
    return Problem("malformed" if found is None else "wrong schema", "it holds no JSON object")


def foreign(texts: list[str], *, sentences: bool = True) -> Problem | None:
    """A problem if the texts are not English; short ones are let by, and what is no sentences is judged by its letters alone."""
    words = [word.lower().replace("’", "'") for text in texts for word in _WORD.findall(text)]
    letters = "".join(words)
    other = sum(not letter.isascii() for letter in letters)
    if letters and other > 0.3 * len(letters):
        return Problem("wrong language", "it is not in English")
    if sentences and len(words) >= _LEAST and sum(word in _ENGLISH for word in words) < _FEW * len(words):
        return Problem("wrong language", "it is not in English")
    return None


def echoed(text: str, description: str) -> bool:
    """Whether a text says ten words in a row of a description."""
    said, given = ([word.lower() for word in _WORD.findall(part)] for part in (text, description))
    runs = {tuple(given[place : place + ECHO]) for place in range(len(given) - ECHO + 1)}
    return any(tuple(said[place : place + ECHO]) in runs for place in range(len(said) - ECHO + 1))


def located(quote: str, text: str) -> str | None:
    """The part of a text that a quote means, as it stands there; case, spaces and the kind of quotation marks may differ."""
    words = re.findall(r"\w+|[^\w\s]", quote.strip().strip("\"'“”‘’ .!?,"))
    if not words:
        return None
    pattern = r"\s*".join(r"['’‘]" if word in "'’‘" else re.escape(word) for word in words)
    found = re.search(rf"(?<!\w){pattern}(?!\w)" if words[0][0].isalnum() and words[-1][-1].isalnum() else pattern, text, re.I)
    return found[0] if found else None
