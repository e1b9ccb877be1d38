"""Words of a text as METEOR's usual implementation sees them: sentences first, then the conventions of the Penn Treebank.

Only the period needs sentences: it is a token of its own at the end of one, and part of its word elsewhere. Sentences end at a
period, question mark or exclamation mark before white space or a closing mark, except after known abbreviations and initials.
"""

import re
from collections.abc import Iterator
from typing import Final

ABBREVIATIONS: Final = frozenset(
    (
        *(
            "mr",
            "mrs",
            "ms",
            "dr",
            "prof",
            "sr",
            "jr",
            "st",
            "vs",
            "etc",
            "e.g",
            "i.e",
            "u.s",
            "u.k",
            "a.m",
            "p.m",
            "inc",
            "ltd",
            "co",
        ),
        *("corp", "approx", "dept", "est", "jan", "feb", "mar", "apr", "aug", "sept", "oct", "nov", "dec"),
    )
)
_END: Final = re.compile(r"[.?!](?=[)\";}\]*:@'({\[!?]|\s+\S)")
_CLOSING: Final = re.compile(r"['\")\]}]+(?:\s+|$)")
_SPLITS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"([«“‘„]|`+)", r" \1 "),
        (r"^\"", " `` "),
        (r"([ (\[{<])(\"|'')", r"\1 `` "),
        (r"(?i)(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", r"\1 "),
        (r"([^.])(\.)([\])}>\"' »”’]*)\s*$", r"\1 \2 \3 "),
        (r"([:,])([^\d])", r" \1 \2"),
        (r"([:,])$", r" \1 "),
        (r"(\.{2,}|[;@#$%&\u2012-\u2015])", r" \1 "),
        (r"([^.])(\.)([\])}>\"']*)\s*$", r"\1 \2\3 "),
        (r"([?!])", r" \1 "),
        (r"([^'])' ", r"\1 ' "),
        (r"([*\]\[(){}<>])", r" \1 "),
        (r"--", " -- "),
        (r"^|$", " "),
        (r"([»”’])", r" \1 "),
        (r"''|\"", " '' "),
        (r"\s+", " "),
        (r"([^' ])('[sS]|'[mM]|'[dD]|') ", r"\1 \2 "),
        (r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r"\1 \2 "),
        (r"(?i)\b(can)(not)\b", r" \1 \2 "),
        (r"(?i)\b(d)('ye)\b", r" \1 \2 "),
        (r"(?i)\b(gim|lem)(me)\b", r" \1 \2 "),
        (r"(?i)\b(gon|wan)(na)\b", r" \1 \2 "),
        (r"(?i)\b(got)(ta)\b", r" \1 \2 "),
        (r"(?i)\b(more)('n)\b", r" \1 \2 "),
        (r"(?i) ('t)(is|was)\b", r" \1 \2 "),
    )
)


def tokens(text: str) -> list[str]:
    """The tokens of a text, in order."""
    return [token for sentence in sentences(text) for token in _treebank(sentence)]


def sentences(text: str) -> Iterator[str]:
    """A text cut after each sentence, with the closing marks that belong to it."""
    start = 0
    for match in _END.finditer(text):
        if match.start() < start or not _ends(text, match):
            continue
        closing = _CLOSING.match(text, match.end())
        end = closing.end() if closing else match.end()
        yield text[start:end].strip()
        start = end
    if text[start:].strip():
        yield text[start:].strip()


def _ends(text: str, match: re.Match[str]) -> bool:
    if match[0] != ".":
        return True
    word = re.split(r"[\s('\"\[]", text[: match.start()])[-1].lower()
    initial = len(word) == 1 and word.isalpha() and text[match.start() - 1].isupper()
    return not (word in ABBREVIATIONS or initial or word.endswith("."))


def _treebank(sentence: str) -> list[str]:
    for pattern, replacement in _SPLITS:
        sentence = pattern.sub(replacement, sentence)
    return sentence.split()
