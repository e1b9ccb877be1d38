"""METEOR (Lavie & Agarwal 2007) with the parameters and the greedy alignment of its usual implementation.

Words are matched in stages: the same word, the same stem, a synonym. Each stage walks backwards through the hypothesis and gives
a word the last free word of the reference that fits. Without WordNet's files there is no third stage; the score is then labelled
`exact and stem` and is not the official one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from kithe.ip_dialog import wordnet
from kithe.ip_dialog.porter import stem
from kithe.ip_dialog.tokens import tokens

ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5
WITH_SYNONYMS = "exact, stem and synonym"
WITHOUT_SYNONYMS = "exact and stem"
Word = tuple[int, str]
Pair = tuple[int, int]
Alternatives = Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Meteor:
    """The metric; `synonyms` gives the alternatives of a word (None: no third stage)."""

    synonyms: Alternatives | None = None

    @property
    def label(self) -> str:
        """Which stages it has."""
        return WITH_SYNONYMS if self.synonyms else WITHOUT_SYNONYMS

    def text_score(self, reference: str, hypothesis: str) -> float:
        """The score of two texts, in [0, 1]."""
        return self.score(tokens(reference), tokens(hypothesis))

    def score(self, reference: Sequence[str], hypothesis: Sequence[str]) -> float:
        """(1 - 0.5 (chunks / matches)³) · PR / (0.9 P + 0.1 R), where P and R are the shares of matched words."""
        pairs = self.align([word.lower() for word in reference], [word.lower() for word in hypothesis])
        if not pairs:
            return 0.0
        precision, recall = len(pairs) / len(hypothesis), len(pairs) / len(reference)
        mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
        return float((1 - GAMMA * (chunks(pairs) / len(pairs)) ** BETA) * mean)

    def align(self, reference: Sequence[str], hypothesis: Sequence[str]) -> list[Pair]:
        """Matched words as (place in the hypothesis, place in the reference), in the order of the hypothesis."""
        ours, theirs = list(enumerate(hypothesis)), list(enumerate(reference))
        exact, ours, theirs = match(ours, theirs)
        # What a stage leaves goes on as stems, into the synonyms too, as in the implementation that scores are compared with.
        stems = [(place, stem(word)) for place, word in ours], [(place, stem(word)) for place, word in theirs]
        stemmed, ours, theirs = match(*stems)
        found = match(ours, theirs, self.synonyms)[0] if self.synonyms else []
        return sorted([*exact, *stemmed, *found])


@cache
def installed() -> Meteor:
    """METEOR with what is installed here."""
    place = wordnet.folder()
    return Meteor(wordnet.WordNet(place).synonyms if place else None)


def match(ours: list[Word], theirs: list[Word], also: Alternatives | None = None) -> tuple[list[Pair], list[Word], list[Word]]:
    """Pairs of equal words (or of one with an alternative of the other), and what is left on both sides."""
    places: dict[str, list[int]] = {}
    for place, word in theirs:
        places.setdefault(word, []).append(place)
    pairs: list[Pair] = []
    for place, word in reversed(ours):
        fitting = [free for one in {word, *(also(word) if also else ())} if (free := places.get(one))]
        if fitting:
            pairs.append((place, max(fitting, key=lambda free: free[-1]).pop()))
    mine, other = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    return pairs, [word for word in ours if word[0] not in mine], [word for word in theirs if word[0] not in other]


def chunks(pairs: Sequence[Pair]) -> int:
    """How many runs of words stand side by side on both sides."""
    return 1 + sum((b[0] - a[0], b[1] - a[1]) != (1, 1) for a, b in pairwise(pairs))
