"""How text reads: Flesch reading ease, spelling, and slips of grammar that rules can see (fluency)."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from kithe.quality.extras import need
from kithe.quality.figures import Figure, mean, ratio
from kithe.quality.texts import Passage, sentences, tokens

_VOWELS: Final = re.compile(r"[aeiouy]+")
_SILENT: Final = re.compile(r"(?:[^laeiouy]es|[^aeiouytd]ed|[^aeiouyl]e)$")
_PLAIN: Final = re.compile(r"\b[a-z]{3,}\b(?!['’])")


@cache
def _rules() -> dict[str, re.Pattern[str]]:
    """The patterns of `slips.yaml`."""
    found = yaml.safe_load((Path(__file__).parent / "slips.yaml").read_text(encoding="utf-8"))
    return {name: re.compile("".join(parts), re.M) for name, parts in found.items()}


def syllables(word: str) -> int:
    """Syllables by groups of vowels, a silent ending left out; at least one. Right for about nine English words in ten."""
    plain = word.lower().replace("'", "")
    return max(1, len(_VOWELS.findall(plain)) - bool(_SILENT.search(plain)))


def reading_ease(text: str) -> float:
    """206.835 - 1.015 words per sentence - 84.6 syllables per word (Flesch 1948): 100 is very easy, 30 hard."""
    words = tokens(text)
    if not words:
        return 0.0
    return 206.835 - 1.015 * len(words) / max(1, len(sentences(text))) - 84.6 * sum(map(syllables, words)) / len(words)


def slips(text: str) -> dict[str, int]:
    """How many slips of each kind rules find in a text; kinds without any are left out."""
    lowered = text.lower().replace("’", "'")
    found = {name: len(pattern.findall(lowered)) for name, pattern in _rules().items()}
    return {name: count for name, count in found.items() if count}


def reading_ease_figure(texts: Sequence[Passage]) -> Figure:
    """The mean reading ease of texts."""
    return mean([reading_ease(passage.text) for passage in texts if tokens(passage.text)])


def slip_rate(texts: Sequence[Passage]) -> Figure:
    """Slips that rules find per 100 words; interval over histories; n words."""
    return _rate(texts, [sum(slips(passage.text).values()) for passage in texts], [len(tokens(p.text)) for p in texts], 100)


def misspelt_rate(texts: Sequence[Passage]) -> Figure:
    """Lower-case words of three letters or more that a spelling dictionary does not know, per 100; n such words.

    Raises:
        ConfigError: the extra `quality` is not installed.
    """
    words = [_PLAIN.findall(passage.text) for passage in texts]
    wrong = set(_dictionary().unknown({word for own in words for word in own}))
    return _rate(texts, [sum(word in wrong for word in own) for own in words], [len(own) for own in words], 100)


@cache
def _dictionary() -> Any:
    return need("spellchecker", "the share of misspelt words").SpellChecker(language="en")


def _rate(texts: Sequence[Passage], above: Sequence[int], below: Sequence[int], per: int) -> Figure:
    """Sums per history as one rate, `per` units below the line."""
    sums: dict[str, list[int]] = {}
    for passage, hits, size in zip(texts, above, below, strict=True):
        own = sums.setdefault(passage.history, [0, 0])
        own[0] += hits
        own[1] += size
    return ratio(list(sums), [per * own[0] for own in sums.values()], [own[1] for own in sums.values()])
