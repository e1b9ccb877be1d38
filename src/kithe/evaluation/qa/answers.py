"""Answers to questions about a user: what "I don't know" is, how words are normalised, when two answers agree (spec 2.10)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kithe.evaluation.guards import conflicts
from kithe.evaluation.matching import BLOCKED, Encoder

IDK: Final = "I don't know"
WORDS: Final = 12
ENOUGH: Final = 0.5  # share of the gold elements that must be found
_UNKNOWN: Final = re.compile(
    r"\W*(?:(?:sorry,? )?(?:i|we) (?:do not|don['’]?t|cannot|can['’]?t) (?:know|tell|say)\b.*"
    r"|idk|unknown|none|n/?a|nothing|no answer|not (?:stated|mentioned|given|known|specified|available)\b.*"
    r"|the (?:text|statements?|interactions?) (?:do|does)(?: not|n['’]t)\b.*)\W*",
    re.IGNORECASE | re.DOTALL,
)
_SUBJECT: Final = re.compile(r"^(?:the user(?:['’]s)?|this user|they|he|she)\s+", re.IGNORECASE)
_BREAK: Final = re.compile(r"\s*(?:[,;\n•]|\band\b|^\W+)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """An answer as its elements, in the order given; without any it is "I don't know"."""

    elements: tuple[str, ...] = ()

    @property
    def idk(self) -> bool:
        """Whether nothing is known."""
        return not self.elements

    @property
    def text(self) -> str:
        """The answer in one line."""
        return "; ".join(self.elements) or IDK


def read_answer(text: str, form: str) -> Answer:
    """A free-text answer: "the user" and the like dropped, at most 12 words an element, lists cut at commas and "and".

    Case is kept, for proper nouns; the sentence encoder does not see it.
    """
    if not text.strip() or _UNKNOWN.fullmatch(text.strip()):
        return Answer()
    parts = _BREAK.split(text) if form == "list" else [text]
    return Answer(tuple(dict.fromkeys(element for part in parts if (element := normalised(part)))))


def normalised(text: str) -> str:
    """One element in a few words, without the user as its subject and without a full stop."""
    words = _SUBJECT.sub("", " ".join(text.split())).strip(" .\"'").split()
    return " ".join(words[:WORDS])


def best_cosines(gold: Answer, candidate: Answer, encoder: Encoder) -> tuple[float, ...]:
    """For every element of the gold answer the cosine of the nearest element of the candidate, -1 where guards forbid all.

    A pair that a guard keeps apart (sign, number, person, time, thing) does not count, however alike it sounds.
    """
    if gold.idk or candidate.idk:
        return (BLOCKED,) * len(gold.elements)
    ours, theirs = (encoder.encode(side.elements).astype(np.float64) for side in (gold, candidate))
    cosines = ours @ theirs.T
    for i, one in enumerate(gold.elements):
        for j, other in enumerate(candidate.elements):
            if cosines[i, j] > 0 and conflicts(one, other):
                cosines[i, j] = BLOCKED
    return tuple(float(value) for value in cosines.max(axis=1))


def agrees(cosines: Sequence[float], threshold: float) -> bool:
    """Whether at least half of the gold elements are found (soft set match)."""
    return bool(cosines) and sum(cosine >= threshold for cosine in cosines) >= ENOUGH * len(cosines)
