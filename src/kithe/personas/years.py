"""Ages that a text speaks of in numbers: birthdays, grades, teams by age, what is to be done before an age."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from kithe.personas.skeleton import BANDS

KNOWN: Final = 4096
ONES: Final = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
"""
TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES: Final = ONES.split()
_TENS: Final = TENS.split()
_FIRST: Final = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
                 "twelve": "twelfth"}  # fmt: skip
_OTHERS: Final = re.compile(
    r"\b(sons?|daughters?|child|children|kids?|twins?|grand\w*|nieces?|nephews?|cousins?|parents?|mothers?|fathers?|mums?|dads?|aunts?|uncles?|teach\w*"
    r"|coach\w*|train|help\w*|tutor\w*|friends?|partner|wife|husband|brothers?|sisters?|dogs?|cats?|volunteer\w*|former|old|company|firm|club's|city's|memor\w*)\b"
)


def another_age(text: str, band: str) -> bool:
    """Whether a text says of its person an age that lies outside a band."""
    low, high = BANDS[band]
    return any(most < low or least > high for least, most in ages_told(text))


@lru_cache(maxsize=KNOWN)
def ages_told(text: str) -> tuple[tuple[int, int], ...]:
    """The ages that a person of whom this is true can have, a range for each number; none where others are spoken of."""
    lower = text.lower()
    return () if _OTHERS.search(lower) else tuple(_ranges(lower))


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for found in _BIRTHDAY.finditer(text):
        years = _number(found[1])
        yield years - 1, years
    for found in _GRADE.finditer(text):
        if (grade := _number(found[1])) <= 12:
            yield grade + 4, grade + 8
    for found in _UNDER.finditer(text):
        yield 4, _number(found[1]) - 1
    for found in _BEFORE.finditer(text):
        yield 0, _number(found[1])


def _words() -> dict[str, int]:
    """Cardinals and ordinals below 100 in words, with and without a hyphen."""
    cardinals = {word: place for place, word in enumerate(_ONES, 1)}
    cardinals |= {word: 10 * place for place, word in enumerate(_TENS, 2)}
    both = [(tens, place, ones, unit) for place, tens in enumerate(_TENS, 2) for unit, ones in enumerate(_ONES[:9], 1)]
    cardinals |= {f"{tens}{join}{ones}": 10 * place + unit for tens, place, ones, unit in both for join in "- "}
    return cardinals | {_ordinal(word): number for word, number in cardinals.items()}


def _ordinal(word: str) -> str:
    head, join, last = word.rpartition("-") if "-" in word else word.rpartition(" ")
    return head + join + (_FIRST.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"))


_WORDS: Final = _words()
_NUMBER: Final = rf"({'|'.join(sorted(_WORDS, key=len, reverse=True))}|\d{{1,2}})(?:st|nd|rd|th)?"
_BIRTHDAY: Final = re.compile(rf"\b{_NUMBER} birthday")
_GRADE: Final = re.compile(rf"\b{_NUMBER}[- ]grade")
_UNDER: Final = re.compile(rf"\b(?:under|u)-?{_NUMBER}\b")
_BEFORE: Final = re.compile(rf"\b(?:before|by|until) (?:they are |they turn |turning |the age of |age )?{_NUMBER}$")


def _number(text: str) -> int:
    return _WORDS.get(text) or int(text)
