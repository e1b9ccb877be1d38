"""Phrases found in short texts by the stems of their words, so that one entry stands for all forms of a word."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from kithe.personas.summary import stem

GAP: Final = "*"
WIDEST: Final = 3  # words that a gap may stand for
OPEN: Final = 6  # letters from which a phrase's word also finds longer stems
SCOPE: Final = 4  # words before a phrase in which a denial of it stands
DENYING: Final = """
no not never nobody without nothing none neither nor cannot can't won't don't doesn't avoid avoids avoiding refuse refuses
refusing stop stopping quit quitting cancel cancelling skip skips skipping hate hates hating dodge dodges dodging
dislike dislikes disliking miss missing lack lacking forget forgetting ban banning abolish abolishing
"""
DENIALS: Final = frozenset(DENYING.split())  # what turns the words after it into their opposite
PAIRED: Final = frozenset({
    ("turn", "down"), ("turning", "down"), ("give", "up"), ("giving", "up"), ("instead", "of"), ("rather", "than"),
    ("opposed", "to"), ("fed", "up"), ("put", "off")})  # fmt: skip  # the same, of two words
_TURNS: Final = frozenset({"but", "then", "until", "because", "as"})
_WORD = re.compile(r"\*|[^\W_][\w'’]*")


@dataclass(frozen=True)
class Phrases:
    """Phrases by the first three letters of their first stem; a phrase's last part is what it is an entry of."""

    rows: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]

    def found(self, text: str) -> frozenset[str]:
        """The names of the groups of which the text holds a phrase."""
        return frozenset(name for name, _ in self.signed(text))

    def signed(self, text: str) -> frozenset[tuple[str, bool]]:
        """The groups of which the text holds a phrase, each with whether it is asserted ("never skip a party") or denied."""
        words, plain = stemmed(text), _WORD.findall(text.lower())
        return frozenset(
            (name, not denied(plain[max(0, place - SCOPE) : place]))
            for place, word in enumerate(words)
            for phrase, name in self.rows.get(word[:3], ())
            if _stands(phrase, words, place)
        )


def denied(before: Sequence[str]) -> bool:
    """Whether the words before something deny it: an odd number of denials since the last "but"."""
    last = max((place + 1 for place, word in enumerate(before) if word in _TURNS), default=0)
    count = sum(word in DENIALS for word in before[last:])
    pairs = sum(pair in PAIRED for pair in zip(before[last:], before[last + 1 :], strict=False))
    return (count + pairs) % 2 == 1


def phrases(groups: Mapping[str, Sequence[str]]) -> Phrases:
    """A table of the phrases of these groups."""
    rows: dict[str, dict[tuple[tuple[str, ...], str], None]] = {}
    for name, listed in groups.items():
        for words in map(stemmed, listed):
            rows.setdefault(words[0][:3], {})[words, name] = None
    return Phrases({first: tuple(found) for first, found in rows.items()})


@cache
def stemmed(text: str) -> tuple[str, ...]:
    """The stems of all words, a gap as itself."""
    return tuple(stem(word.lower()) for word in _WORD.findall(text))


def _stands(phrase: Sequence[str], words: Sequence[str], place: int) -> bool:
    """Whether a phrase stands at this place."""
    if not phrase:
        return True
    if phrase[0] == GAP:
        return any(_stands(phrase[1:], words, place + skipped) for skipped in range(WIDEST + 1))
    return place < len(words) and _same(phrase[0], words[place]) and _stands(phrase[1:], words, place + 1)


def _same(wanted: str, word: str) -> bool:
    return wanted == word or (len(wanted) >= OPEN and word.startswith(wanted))


def clock_times(text: str) -> Iterator[int]:
    """The times that a text speaks of, in minutes after midnight; of a part of the day, its middle."""
    lower = text.lower()
    for found in _CLOCK.finditer(lower):
        hour = _HOURS.get(found[2]) or int(found[2])
        yield (hour * 60 - 30 * (found[1] in ("before ", "by "))) % 1440
    for minutes, words in _PARTS.items():
        if re.search(words, lower):
            yield minutes


_NUMBERS: Final = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
_HOURS: Final = {name: place for place, name in enumerate(_NUMBERS, 1)}
_CLOCK: Final = re.compile(
    rf"\b(until |till |before |after |by |at )?({'|'.join(_NUMBERS)}|1[01]|[1-9])"
    r"(?:(?: o'clock)? in the morning|(?::\d\d)? ?a\.?m\b)"
)
_PARTS: Final = {
    330: r"\b(up|market|swim|jog|run|out of the house)\b.*\b(by|before) (five|six)\b",
    345: r"\b(dawn|sunrise|daybreak|first light|crack of dawn|cockcrow)\b",
    90: r"\b(past midnight|after midnight|small hours|wee hours|dead of night|middle of the night|through the night|all night)\b",
    0: r"\b(at midnight|until midnight)\b",
}
