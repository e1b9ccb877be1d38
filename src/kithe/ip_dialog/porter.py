"""Porter's stemmer (1980) with the departures that METEOR's usual implementation makes, so that scores can be compared with it.

The departures: a table of irregular words; words of one or two letters stay; "-ies" and "-ied" after a single letter keep "ie";
a final y becomes i after a consonant only; "-bli", "-fulli" and "-logi" are step 2 endings; a stem of a vowel and a consonant
counts as ending in consonant, vowel, consonant.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

Rule = tuple[str, str, Callable[[str], bool]]

IRREGULAR: Final = {
    **dict.fromkeys(("skies", "sky"), "sky"),
    **dict.fromkeys(("innings", "inning"), "inning"),
    **dict.fromkeys(("outings", "outing"), "outing"),
    **dict.fromkeys(("cannings", "canning"), "canning"),
    **{word: word for word in ("news", "howe", "proceed", "exceed", "succeed")},
    **{"dying": "die", "lying": "lie", "tying": "tie"},
}


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The stem of a word in lower case."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= 2:
        return word
    for step in (_plural, _past, _final_y, _step_2, _step_3, _step_4, _final_e, _double_l):
        word = step(word)
    return word


def _kinds(text: str) -> str:
    """`c` for each consonant and `v` for each vowel; y is a vowel after a consonant."""
    kinds = ""
    for letter in text:
        vowel = letter in "aeiou" or (letter == "y" and kinds.endswith("c"))
        kinds += "v" if vowel else "c"
    return kinds


def _measure(text: str) -> int:
    """How often a consonant follows a vowel."""
    return _kinds(text).count("vc")


def _some(text: str) -> bool:
    return _measure(text) > 0


def _long(text: str) -> bool:
    return _measure(text) > 1


def _short_end(text: str) -> bool:
    """Whether it ends in consonant, vowel, consonant other than w, x, y; or is a vowel and a consonant."""
    kinds = _kinds(text)
    return (kinds.endswith("cvc") and text[-1] not in "wxy") or kinds == "vc"


def _first(word: str, rules: Sequence[Rule]) -> str:
    """The first rule whose ending the word has decides, whether or not its condition on the rest holds."""
    for ending, new, condition in rules:
        if word.endswith(ending):
            rest = word[: len(word) - len(ending)]
            return rest + new if condition(rest) else word
    return word


def _always(text: str) -> bool:
    return True


def _plural(word: str) -> str:
    if word.endswith("ies") and len(word) == 4:
        return word[:-1]
    return _first(word, [("sses", "ss", _always), ("ies", "i", _always), ("ss", "ss", _always), ("s", "", _always)])


def _past(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _some(word[:-3]) else word
    for ending in ("ed", "ing"):
        rest = word.removesuffix(ending)
        if rest != word and "v" in _kinds(rest):
            return _mended(rest)
    return word


def _mended(rest: str) -> str:
    if rest.endswith(("at", "bl", "iz")):
        return f"{rest}e"
    if len(rest) > 1 and rest[-1] == rest[-2] and _kinds(rest)[-1] == "c":
        return rest if rest[-1] in "lsz" else rest[:-1]
    return f"{rest}e" if _measure(rest) == 1 and _short_end(rest) else rest


def _final_y(word: str) -> str:
    return _first(word, [("y", "i", lambda rest: len(rest) > 1 and _kinds(rest)[-1] == "c")])


def _step_2(word: str) -> str:
    if word.endswith("alli") and _some(word[:-4]):
        return _step_2(word[:-2])
    return _first(word, [*STEP_2, ("logi", "log", lambda rest: _some(f"{rest}l"))])


def _step_3(word: str) -> str:
    return _first(word, STEP_3)


def _step_4(word: str) -> str:
    return _first(word, STEP_4)


def _final_e(word: str) -> str:
    rest = word.removesuffix("e")
    return rest if rest != word and (_long(rest) or (_some(rest) and not _short_end(rest))) else word


def _double_l(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _long(word[:-1]) else word


STEP_2: Final[tuple[Rule, ...]] = tuple(
    (ending, new, _some)
    for ending, new in (
        ("ational", "ate"),
        ("tional", "tion"),
        ("enci", "ence"),
        ("anci", "ance"),
        ("izer", "ize"),
        ("bli", "ble"),
        ("alli", "al"),
        ("entli", "ent"),
        ("eli", "e"),
        ("ousli", "ous"),
        ("ization", "ize"),
        ("ation", "ate"),
        ("ator", "ate"),
        ("alism", "al"),
        ("iveness", "ive"),
        ("fulness", "ful"),
        ("ousness", "ous"),
        ("aliti", "al"),
        ("iviti", "ive"),
        ("biliti", "ble"),
        ("fulli", "ful"),
    )
)
STEP_3: Final[tuple[Rule, ...]] = tuple(
    (ending, new, _some)
    for ending, new in (
        ("icate", "ic"),
        ("ative", ""),
        ("alize", "al"),
        ("iciti", "ic"),
        ("ical", "ic"),
        ("ful", ""),
        ("ness", ""),
    )
)
STEP_4: Final[tuple[Rule, ...]] = (
    *((ending, "", _long) for ending in ("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent")),
    ("ion", "", lambda rest: _long(rest) and rest[-1] in "st"),
    *((ending, "", _long) for ending in ("ou", "ism", "ate", "iti", "ous", "ive", "ize")),
)
