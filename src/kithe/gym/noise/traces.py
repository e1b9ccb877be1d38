"""What each strategy of noise leaves: seen in a message as it was before and as it is after, whoever changed it.

A strategy counts as applied where its own trace is there, and its layer's post-condition holds of the clean message and this one.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Final

from kithe.gym.noise.meaning import words_of_noise

Trace = Callable[[str, str], bool]
_TOKEN: Final = re.compile(r"[^\W_]+")
_SLIPS: Final = 2  # of the finger, in a message


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())


def _count(text: str, phrase: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE))


def _more(before: str, after: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases stands there once more than it did."""
    return any(_count(after, phrase) > _count(before, phrase) for phrase in phrases)


def _gained(before: str, after: str, sentences: Iterable[str]) -> bool:
    """Whether one of the sentences was added, word by word."""
    return any(after.count(sentence) > before.count(sentence) for sentence in sentences)


def _left_out(before: str, after: str) -> list[str]:
    """The words that are gone where nothing else changed; none where something did."""
    rest = iter(_tokens(before))
    kept = all(token in rest for token in _tokens(after))
    return list((Counter(_tokens(before)) - Counter(_tokens(after))).elements()) if kept else []


def _any_register(table: str) -> list[str]:
    return list(chain.from_iterable(words_of_noise()[table].values()))


def colloquial(before: str, after: str) -> bool:
    """A contraction or slang for what stood there, or an opening word before all of it."""
    swaps = {**words_of_noise()["contractions"], **words_of_noise()["colloquial"]}
    opened = any(after.casefold() == (opener + before).casefold() for opener in _any_register("openers"))
    return opened or any(_more(after, before, [said]) and _more(before, after, [new]) for said, new in swaps.items())


def incomplete(before: str, after: str) -> bool:
    """Function words left out, and nothing else; or an end that breaks off."""
    gone = _left_out(before, after)
    return (bool(gone) and set(gone) <= set(words_of_noise()["function"])) or after == before.rstrip(".!?") + " and then..."


def typo(before: str, after: str) -> bool:
    """As many words as before, one or two slips of the finger apart."""
    pairs = list(zip(before.split(), after.split(), strict=False))
    slips = sum(slips_between(one, two) for one, two in pairs if one != two)
    return len(before.split()) == len(after.split()) and 1 <= slips <= _SLIPS


def slips_between(one: str, two: str) -> int:
    """How many letters were dropped, added, exchanged or swapped with the next (optimal string alignment)."""
    above, row = list[int](), list(range(len(two) + 1))
    for i, letter in enumerate(one, 1):
        above, row, older = row, [i], above
        for j, other in enumerate(two, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 < j and letter == two[j - 2] and one[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def segmentation(before: str, after: str) -> bool:
    """The same letters, with gaps elsewhere."""
    return before.split() != after.split() and "".join(before.split()) == "".join(after.split())


def punctuation(before: str, after: str) -> bool:
    """The same words, with other marks, signs or capitals."""
    return before.split() != after.split() and _tokens(before) == _tokens(after)


def synonym(before: str, after: str) -> bool:
    """A word less, and one of its synonyms more; some synonyms hold the word."""
    there = set(_tokens(before))
    return any(
        _more(before, after, [new]) and (_more(after, before, [word]) or word in _tokens(new))
        for word, others in words_of_noise()["synonyms"].items()
        if word in there
        for new in others
    )


def absent(before: str, after: str) -> bool:
    """Words left out, and nothing else."""
    return bool(_left_out(before, after))


def vague(before: str, after: str) -> bool:
    """A word or several less, one that says nothing more, and nothing else; or an allusion to what says nothing."""
    words, frames = words_of_noise()["vague"]["word"], words_of_noise()["allusions"]
    if _gained(before, after, (frame.format(reference=word) for frame in frames for word in words)):
        return True
    one, two = Counter(_tokens(before)), Counter(_tokens(after))
    said = [phrase for phrase in _any_register("vague") if _more(before, after, [phrase])]
    return bool(one - two) and any(set(two - one) <= set(_tokens(phrase)) for phrase in said)


def contradiction(before: str, after: str) -> bool:
    """Both halves of a contradiction, one after the other."""
    return _gained(before, after, (" ".join(halves) for halves in words_of_noise()["contradictions"]))


def _of(table: str) -> Trace:
    """A sentence of a table, for any register."""
    return lambda before, after: _gained(before, after, _any_register(table))


def _second(frames: str) -> Trace:
    """A second request in one of the frames."""

    def seen(before: str, after: str) -> bool:
        tables = words_of_noise()
        return _gained(
            before, after, (own.format(verb=verb, rest=rest) for own in tables[frames] for verb, rest in tables["seconds"])
        )

    return seen


TRACES: Final[Mapping[str, Trace]] = {
    "colloquial": colloquial, "incomplete sentence": incomplete, "typo": typo, "word segmentation": segmentation,
    "punctuation and format": punctuation, "synonym": synonym, "emotional attitude": _of("emotions"),
    "negative expression": _of("negatives"), "real-life fragment": _of("fragments"),
    "missing slot": absent, "vague slot value": vague,
    "reference to missing context": lambda before, after: _more(before, after, words_of_noise()["references"]),
    "unclear priority": lambda before, after: _gained(before, after, words_of_noise()["priorities"]),
    "multiple intents": _second("also"), "intent ambiguity": _second("unsure"), "self-contradiction": contradiction,
    "mind changing": _second("changed"),
}  # fmt: skip
