"""Numbers in statements, in one notation: "two" is "2", "half an hour" is "30 min", "5 pm" is "17:00"."""

import re
from collections.abc import Callable, Iterator

ONES = (
    "zero one two three four five six seven eight nine ten "
    "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
ORDINALS = "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
SMALL = (
    {word: value for value, word in enumerate(ONES.split())}
    | {word: value for value, word in enumerate(ORDINALS.split(), start=3)}
    | {"dozen": 12, "pair": 2, "couple": 2, "twice": 2}
)
ROUND = {word: value for value, word in zip(range(20, 100, 10), TENS.split(), strict=True)}
SCALES = {"hundred": 100, "thousand": 1000, "k": 1000, "million": 1_000_000}
LONGEST, LARGEST = 15, 10**12  # a model that repeats itself can write numbers beyond any limit
DECADES = {f"{word[:-1]}ies": f"{value} s" for word, value in ROUND.items()}
AFTER_TENS = {"first": 1, "second": 2} | SMALL
PERIODS = (
    ("day", re.compile(r" (?:daily|nightly|(?:a|per|each|every) (?:day|morning|night|evening)) ")),
    ("week", re.compile(r" (?:weekly|(?:a|per|each|every) (?:week|weekend)) ")),
    ("month", re.compile(r" (?:monthly|(?:a|per|each|every) month) ")),
    ("year", re.compile(r" (?:yearly|annually|(?:a|per|each|every) (?:year|summer|winter)) ")),
)
NOT_A_COUNT = re.compile(r"\b(?:(?:no|some|any|every|this|that|the|each|which) one|one (?:of|day|another|more))\b")
CLOCK = r"(\d{1,2})(?::(\d\d))? (am|pm|in the morning|in the afternoon|in the evening|at night)"


def quantities(text: str) -> tuple[frozenset[str], str]:
    """The numbers of a text (lower case, words apart by single spaces) in one notation, and the text without them."""
    text = " ".join(_digits(NOT_A_COUNT.sub("one_", text).split()))
    found: list[str] = []
    for pattern, write in NOTATIONS:
        found += [write(match) for match in pattern.finditer(text)]
        text = pattern.sub(" ", text)
    return frozenset(found), " ".join(text.replace("one_", "").split())


def periods(text: str) -> frozenset[str]:
    """How often something happens, as far as said: of `day`, `week`, `month`, `year`."""
    return frozenset(name for name, pattern in PERIODS if pattern.search(f" {text} "))


def agree(one: str, other: str) -> bool:
    """Whether two quantities can be the same; a bare "6" agrees with "06:00" and "18:00"."""
    if one == other:
        return True
    clock, bare = sorted((one, other), key=lambda text: ":" not in text)
    return ":" in clock and bare.isdigit() and clock.endswith(":00") and int(clock[:2]) % 12 == int(bare) % 12


def _digits(words: list[str]) -> Iterator[str]:
    """The words with every spelt number as digits: "twenty five" as "25", "ten thousand" as "10000"."""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        value = _value(word)
        if value is None:
            yield DECADES.get(word, word)
            continue
        if word in ROUND and at < len(words) and AFTER_TENS.get(words[at], 10) < 10:
            value, at = value + AFTER_TENS[words[at]], at + 1
        while at < len(words) and words[at] in SCALES and value < LARGEST:
            value, at = value * SCALES[words[at]], at + 1
        yield str(value)


def _value(word: str) -> int | None:
    digits = word.replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) <= LONGEST else SMALL.get(word, ROUND.get(word))


def _clock(match: re.Match[str]) -> str:
    hour = int(match[1]) % 12 + (0 if match[3] in ("am", "in the morning") else 12)
    return f"{hour:02}:{match[2] or '00'}"


def _decade(match: re.Match[str]) -> str:
    return f"{int(match[1]) // 10 % 10}0s"


NOTATIONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"\b{CLOCK}\b"), _clock),
    (re.compile(r"\b(\d{1,2}):(\d\d)\b"), lambda match: f"{int(match[1]):02}:{match[2]}"),
    (re.compile(r"\bhalf (?:an|a) hour\b"), lambda match: "30 min"),
    (re.compile(r"\ban hour\b"), lambda match: "60 min"),
    (re.compile(r"\b(\d+) hours?\b"), lambda match: f"{int(match[1]) * 60} min"),
    (re.compile(r"\b(\d+) (?:minutes?|min|mins)\b"), lambda match: f"{match[1]} min"),
    (re.compile(r"\b(\d+) years? (?:old|of age)\b"), lambda match: match[1]),
    (re.compile(r"\b(\d+) (?:s|something|ish)\b"), _decade),
    (re.compile(r"\b(\d+(?:\.\d+)?)(?: (?:st|nd|rd|th))?\b"), lambda match: match[1]),
)
