"""Does a corpus give away the texts it was made from? Distance to the closest record, and membership."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from kithe.quality.figures import Figure, Floats, auc_figure, ends, mean, ratio
from kithe.quality.texts import ngrams

Vectors = NDArray[np.float32]
ORDER = 4
BACKOFF = 0.4
SAME = 1e-6
DEALS = 200


@dataclass(frozen=True)
class ClosestRecord:
    """Distances of synthetic texts to the nearest text that could have been copied, and to the nearest of an equal holdout.

    Attributes:
        nearer_train: share of synthetic texts nearer to the training texts; about 0.5 where none was copied.
        p: of a share as far from 0.5 if it were chance which real texts were trained on.
        train: mean cosine distance to the nearest training text.
        holdout: mean cosine distance to the nearest holdout text.
        copies: share of synthetic texts that are a training text, up to rounding.
    """

    nearer_train: Figure
    p: float
    train: Figure
    holdout: Figure
    copies: Figure


def closest_record(synthetic: Vectors, groups: Sequence[str], train: Vectors, holdout: Vectors, seed: int = 0) -> ClosestRecord:
    """Compare distances to equally many training and holdout texts, drawn where one side has more; a tie counts half.

    Which texts happen to lie on which side is chance too: the real texts are dealt anew to two sides many times. That gives the
    p value, and what it spreads is added (in squares) to the interval over synthetic histories.
    """
    size = min(len(train), len(holdout))
    random = np.random.default_rng(seed)
    drawn = (part[random.choice(len(part), size, replace=False)] for part in (train, holdout))
    away = 1 - synthetic @ np.concatenate(list(drawn)).T
    sides = np.arange(2 * size) < size
    nearer, copied = _nearer(away, sides), (away[:, sides].min(axis=1) < SAME).astype(float)
    found = _by_group(nearer, groups)
    dealt = np.array([_nearer(away, random.permutation(sides)).mean() for _ in range(DEALS)])
    p = (1 + (np.abs(dealt - 0.5) >= abs(found.value - 0.5) - 1e-12).sum()) / (DEALS + 1)
    return ClosestRecord(
        _wider(found, *ends(dealt)),
        float(p),
        mean(list(away[:, sides].min(axis=1)), seed),
        mean(list(away[:, ~sides].min(axis=1)), seed),
        _by_group(copied, groups),
    )


def _nearer(away: Vectors, sides: NDArray[np.bool_]) -> Floats:
    """For each synthetic text 1 if the nearest text is on the first side, 0 if on the other, 0.5 if both are as near."""
    own, other = away[:, sides].min(axis=1), away[:, ~sides].min(axis=1)
    return np.where(np.abs(own - other) > SAME, own < other, 0.5).astype(np.float64)


def _wider(figure: Figure, low: float, high: float) -> Figure:
    """The figure with the spread of a null distribution around 0.5 added to its interval."""
    if figure.low is None or figure.high is None:
        return figure
    below, above = np.hypot(figure.value - figure.low, 0.5 - low), np.hypot(figure.high - figure.value, high - 0.5)
    return Figure(figure.value, max(0.0, figure.value - float(below)), min(1.0, figure.value + float(above)), figure.n)


def _by_group(values: Floats, groups: Sequence[str]) -> Figure:
    sums: dict[str, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        sums.setdefault(group, []).append(float(value))
    return ratio(list(sums), [sum(own) for own in sums.values()], [len(own) for own in sums.values()])


class NgramModel:
    """Word 4-grams with stupid backoff (Brants et al. 2007): what a corpus makes likely, without any neural model."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._counts = [Counter[tuple[str, ...]]() for _ in range(ORDER)]
        for text in texts:
            for order, counter in enumerate(self._counts, start=1):
                counter.update(ngrams(text, order))
        self._total = max(1, self._counts[0].total())

    def score(self, words: Sequence[str]) -> float:
        """The mean log score per word; higher is likelier. 0 for a text without words."""
        return sum(self._word(words, place) for place in range(len(words))) / len(words) if words else 0.0

    def _word(self, words: Sequence[str], place: int) -> float:
        penalty = 0.0
        for order in range(min(ORDER, place + 1), 0, -1):
            gram = tuple(words[place - order + 1 : place + 1])
            seen = self._counts[order - 1][gram]
            if seen:
                before = self._counts[order - 2][gram[:-1]] if order > 1 else self._total
                return penalty + log(seen / before)
            penalty += log(BACKOFF)
        return penalty - log(self._total + 1)


@dataclass(frozen=True)
class Membership:
    """An attack that tells texts a generator saw (members) from texts it did not, by the generated corpus alone.

    Attributes:
        auc: chance that a member scores above a non-member; 0.5 is no leak.
        tpr_at_1: share of members found where at most 1 % of non-members are accused.
    """

    auc: Figure
    tpr_at_1: float


def likelihood_attack(
    synthetic: Sequence[Sequence[str]], members: Sequence[Sequence[str]], others: Sequence[Sequence[str]], seed: int = 0
) -> Membership:
    """Score each candidate by an n-gram model of the synthetic corpus, per word."""
    model = NgramModel(synthetic)
    return attacked(np.asarray([model.score(words) for words in (*members, *others)]), len(members), seed)


def embedding_attack(synthetic: Vectors, members: Vectors, others: Vectors, seed: int = 0) -> Membership:
    """Score each candidate by its similarity to the nearest synthetic text."""
    both = np.concatenate([members, others])
    return attacked((both @ synthetic.T).max(axis=1).astype(np.float64), len(members), seed)


def attacked(scores: Floats, members: int, seed: int = 0) -> Membership:
    """The success of scores whose first `members` entries are members."""
    labels = np.arange(len(scores)) < members
    bar = float(np.quantile(scores[~labels], 0.99, method="higher"))
    return Membership(
        auc_figure(scores, labels, [str(row) for row in range(len(scores))], seed), float((scores[labels] > bar).mean())
    )
