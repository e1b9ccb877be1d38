"""Words as the corpora compare them: light detokenising, plain words, and the stems that carry content."""

import functools
import re
from typing import Final

from snowballstemmer import stemmer

_STEMMER: Final = stemmer("english")
_NUMBERS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
).split()
_AS_DIGITS: Final = {word: str(number) for number, word in enumerate(_NUMBERS)}
# Function words, and the verbs and adjectives any statement about oneself may hold ("I like", "I have", "my favorite").
_STOP: Final = frozenset(
    """
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
    """.split()
)


def tidy(text: str) -> str:
    """Text with the gaps of a tokeniser closed; everything else, case and line breaks included, stays as it is.

    "hi , i do n't know !" becomes "hi, i don't know!": spaces before closing punctuation and before split contractions go, runs
    of spaces become one. Applied alike to the turns and statements of every real set.
    """
    text = re.sub(r"(?<=\w) +(n't|'(?:s|m|re|ve|ll|d))(?!\w)", r"\1", text)
    text = re.sub(r"[ \t]+([.,!?;:]+)(?=\s|$)", r"\1", text)
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def words(text: str) -> list[str]:
    """Lower-case words, contractions written out ("I'm" and "i am" agree), small numbers as digits ("two" and "2" agree)."""
    text = re.sub(r"[’`]", "'", text.lower())
    text = re.sub(r"\bcan't\b|\bcannot\b", "can not", text)
    text = re.sub(r"\bwon't\b", "will not", text)
    text = re.sub(r"n't\b", " not", text)
    for short, full in (("m", "am"), ("re", "are"), ("ve", "have"), ("ll", "will"), ("d", "would"), ("s", "is")):
        text = re.sub(rf"'{short}\b", f" {full}", text)
    return [_AS_DIGITS.get(word, word) for word in re.findall(r"[^\W_]+", text)]


@functools.cache
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word))


def stems(text: str) -> frozenset[str]:
    """The stems of the words that carry content (English Snowball stemmer; no function words, no generic verbs)."""
    return frozenset(_stem(word) for word in words(text) if word not in _STOP)
