"""Words as the corpora compare them: light detokenising, plain words, and the stems that carry content."""

import functools
import re
from typing import Any, Final

_NUMBERS: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
twenty
"""
_AS_DIGITS: Final = {word: str(number) for number, word in enumerate(_NUMBERS.split())}
_SHORT: Final = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "n't": " not",
    "'m": " am",
    "'re": " are",
    "'ve": " have",
    "'ll": " will",
    "'d": " would",
    "'s": " is",
}
_CONTRACTION: Final = re.compile(r"\bcan't\b|\bcannot\b|\bwon't\b|n't\b|'(?:m|re|ve|ll|d|s)\b")
_WORD: Final = re.compile(r"[^\W_]+")
_SPLIT: Final = re.compile(r"(?<=\w) +(n't|'(?:s|m|re|ve|ll|d))(?!\w)")
_LOOSE: Final = re.compile(r"[ \t]+([.,!?;:]+)(?=\s|$)")
_GAP: Final = re.compile(r"[ \t]{2,}")
# Function words, and the verbs and adjectives any statement about oneself may hold ("I like", "I have", "my favorite").
_STOP_WORDS: Final = """
a about above after again all also always am an and another any anymore anything are around as at away back be because been
before being both but by can could did do does doing done down each either else enough ever every everything few for from
further get gets getting go goes going gone got had has have having he her here hers him his how i if in into is it its itself
just kind let lot lots made make makes making many may maybe me mine more most much my myself need needs never no not now of
off often on once one only or other our out over own person people quite rather really s same say she should since so some
something sometimes still such sure t than that the their them then there these they thing things this those though through
time to too true try trying until up upon us use used usually very want wants was way we well went were what when where which
while who whose why will wish with without would yes yet you your like likes liked liking love loves loved loving enjoy enjoys
enjoyed enjoying prefer prefers favorite favourite hate hates hated dislike think thinks know knows feel feels find finds good
great best big bit currently recently take takes taking took come comes coming keep keeps
"""
_STOP: Final = frozenset(_STOP_WORDS.split())


@functools.lru_cache(maxsize=50_000)
def tidy(text: str) -> str:
    """Text with the gaps of a tokeniser closed; everything else, case and line breaks included, stays as it is.

    "hi , i do n't know !" becomes "hi, i don't know!": spaces before closing punctuation and before split contractions go, runs
    of spaces become one. Applied alike to the turns and statements of every real set.
    """
    return _GAP.sub(" ", _LOOSE.sub(r"\1", _SPLIT.sub(r"\1", text))).strip()


def words(text: str) -> list[str]:
    """Lower-case words, contractions written out ("I'm" and "i am" agree), small numbers as digits ("two" and "2" agree)."""
    plain = text.lower().replace("’", "'").replace("`", "'")
    full = _CONTRACTION.sub(lambda match: _SHORT[match[0]], plain)
    return [_AS_DIGITS.get(word, word) for word in _WORD.findall(full)]


@functools.cache
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


@functools.lru_cache(maxsize=200_000)
def stems(text: str) -> frozenset[str]:
    """The stems of the words that carry content (English Snowball stemmer; no function words, no generic verbs)."""
    return frozenset(_stem(word) for word in words(text) if word not in _STOP)


@functools.cache
def _stemmer() -> Any:
    from snowballstemmer import stemmer  # a tenth of a second, and planning a sweep stems nothing

    return stemmer("english")
