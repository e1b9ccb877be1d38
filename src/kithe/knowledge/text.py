"""Words, as the modules of this package compare and count them."""

import re
from functools import cache
from math import ceil
from typing import Final

_WORD: Final = re.compile(r"\w+(?:['’]\w+)*")
_TOKENS_PER_WORD: Final = 1.6
_CHARACTERS_PER_TOKEN: Final = 3.0
# Words too common to say which turn a statement is about.
_COMMON_WORDS: Final = """
a about also am an and are at be been but by can did do does for from get had has have he her his i i'd i'll i'm i've if
in is it it's its just like me my not of on or our she so some that the their them there they this to too user very was
we were what when which who will with would you your
"""
_COMMON: Final = frozenset(_COMMON_WORDS.split())


def normalised(text: str) -> str:
    """Lower-case words with one space between them: equal for texts that differ in case, punctuation and spacing only."""
    return " ".join(word for word, _, _ in words(text))


def words(text: str) -> list[tuple[str, int, int]]:
    """Every word in lower case, with where it starts and ends in `text`."""
    return [(match[0].casefold().replace("’", "'"), match.start(), match.end()) for match in _WORD.finditer(text)]


def stems(text: str) -> frozenset[str]:
    """The stems of the words that carry content."""
    return frozenset(_stem(word) for word, _, _ in words(text) if word not in _COMMON)


def clip(text: str, limit: int) -> str:
    """The beginning of `text`, cut between words: at most `limit` characters, and a verbatim part of it."""
    if len(text) <= limit:
        return text
    head = text[: limit + 1]
    return (head[: head.rfind(" ")] if " " in head.strip() else head[:limit]).rstrip()


def estimated_tokens(text: str) -> int:
    """About how many tokens a language model makes of `text`; more often too many than too few."""
    return ceil(max(len(text.split()) * _TOKENS_PER_WORD, len(text) / _CHARACTERS_PER_TOKEN))


@cache
def _stem(word: str) -> str:
    from snowballstemmer import stemmer

    return str(stemmer("english").stemWord(word))
