"""How simulated users compare with people who talked to an assistant: lengths, slips, repetition; do personas show (3.8)?

Figures only. Nothing of the human text is kept.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kithe.corpora.words import words
from kithe.gym.noise.meaning import words_of_noise
from kithe.gym.records import Trajectory
from kithe.quality.figures import ratio
from kithe.quality.texts import Passage
from kithe.quality.twosample import Told, on_words
from kithe.records.history import History

PERMUTATIONS: Final = 500
BUDGET: Final = 5000  # words, at which diversity is compared
_Slip = Callable[[str], bool]
SLIPS: Final[Mapping[str, _Slip]] = {  # what noise leaves, as far as it can be seen without knowing the clean text
    "no closing mark": lambda text: not re.search(r"[.!?…)\"]\s*$", text),
    "small first letter": lambda text: text[:1].islower(),
    "repeated mark": lambda text: re.search(r"[!?]{2,}|\.{3}|\?!", text) is not None,
    "slang": lambda text: bool(_slang().search(text)),
    "contraction": lambda text: re.search(r"\w['’](?:m|re|s|t|ll|ve|d)\b", text) is not None,
    "missing or doubled space": lambda text: re.search(r"[a-z][,.!?][A-Za-z]|\S {2,}\S", text) is not None,
}


def _slang() -> re.Pattern[str]:
    own = "|".join(words_of_noise()["slang"])
    return re.compile(rf"(?<![\w'’])(?:{own})(?![\w'’])", re.IGNORECASE)


@dataclass(frozen=True)
class Side:
    """What one side of a comparison says: messages, the user that each belongs to, and the conversation."""

    texts: tuple[str, ...]
    groups: tuple[str, ...]
    talks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """A figure of both sides, the distance, and how likely one as large is where whole users are exchanged at random."""

    simulated: float
    human: float
    distance: float
    p: float


def simulated(trajectories: Iterable[Trajectory]) -> Side:
    """The users' messages of a corpus."""
    return _side((message.content, talk.persona_id, talk.id) for talk in trajectories for message in talk.said)


def human(histories: Iterable[History]) -> Side:
    """The messages of those whom histories are about."""
    return _side(
        (turn.text, history.id, f"{history.id}/{turn.session}")
        for history in histories
        for turn in history.turns
        if turn.speaker == history.user
    )


def _side(found: Iterable[tuple[str, str, str]]) -> Side:
    texts, groups, talks = zip(*found, strict=True)
    return Side(texts, groups, talks)


def ks(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The two-sample Kolmogorov-Smirnov distance: the largest gap between the two distribution functions."""
    points = np.concatenate([first, second])
    ranks = (np.searchsorted(np.sort(own), points, side="right") / len(own) for own in (first, second))
    one, two = ranks
    return float(np.abs(one - two).max())


def compare_lengths(own: Side, other: Side, seed: int = 0) -> Compared:
    """Words of a message: medians, Kolmogorov-Smirnov distance, permutation p."""
    values = [np.array([float(len(words(text))) for text in side.texts]) for side in (own, other)]
    p = _permuted(values, (own.groups, other.groups), ks, seed)
    return Compared(float(np.median(values[0])), float(np.median(values[1])), ks(values[0], values[1]), p)


def compare_turns(own: Side, other: Side, seed: int = 0) -> Compared:
    """Messages of a user in a conversation: means, Kolmogorov-Smirnov distance, permutation p."""
    values, users = [], []
    for side in (own, other):
        whose = dict(zip(side.talks, side.groups, strict=True))
        counts = Counter(side.talks)
        values.append(np.array([float(counts[talk]) for talk in whose]))
        users.append(list(whose.values()))
    p = _permuted(values, (users[0], users[1]), ks, seed)
    return Compared(float(values[0].mean()), float(values[1].mean()), ks(values[0], values[1]), p)


def compare_language(own: Side, other: Side, seed: int = 0) -> Told:
    """Whether a classifier of words and word pairs tells messages of the two sides apart, as many of each, users held out."""
    rng, size = np.random.default_rng(seed), min(len(own.texts), len(other.texts))
    drawn = [
        [Passage(f"{place}/{side.groups[n]}", side.texts[n]) for n in sorted(rng.choice(len(side.texts), size, replace=False))]
        for place, side in enumerate((own, other))
    ]
    return on_words(drawn[0], drawn[1], seed)


def compare_slips(own: Side, other: Side, seed: int = 0) -> dict[str, Compared]:
    """The share of messages with each kind of slip: difference of shares, permutation p."""

    def gap(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
        return float(abs(first.mean() - second.mean()))

    found = {}
    for name, slip in SLIPS.items():
        values = [np.array([float(slip(text)) for text in side.texts]) for side in (own, other)]
        p = _permuted(values, (own.groups, other.groups), gap, seed)
        found[name] = Compared(float(values[0].mean()), float(values[1].mean()), gap(values[0], values[1]), p)
    return found


def _permuted(
    values: Sequence[NDArray[np.float64]],
    groups: tuple[Sequence[str], Sequence[str]],
    distance: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
    seed: int,
) -> float:
    """The share of labellings of whole groups with a distance as large; counts the observed one, so it is never 0."""
    every = np.concatenate(values)
    names, place = np.unique([f"{side}/{name}" for side, own in enumerate(groups) for name in own], return_inverse=True)
    mine = np.array([name.startswith("0/") for name in names])
    observed, rng, above = distance(values[0], values[1]), np.random.default_rng(seed), 0
    for _ in range(PERMUTATIONS):
        side = rng.permutation(mine)[place]
        above += distance(every[side], every[~side]) >= observed
    return (above + 1) / (PERMUTATIONS + 1)


def diversity(side: Side, budget: int = BUDGET, seed: int = 0) -> dict[str, float]:
    """Distinct words and word pairs in so many words of messages in random order, and the share of messages said before."""
    order = np.random.default_rng(seed).permutation(len(side.texts))
    said: list[str] = []
    for place in order:
        said += words(side.texts[place])
        if len(said) >= budget:
            break
    said = said[:budget]
    pairs = list(pairwise(said))
    return {
        "words": len(said),
        "distinct_1": len(set(said)) / max(1, len(said)),
        "distinct_2": len(set(pairs)) / max(1, len(pairs)),
        "repeated_messages": 1 - len(set(side.texts)) / max(1, len(side.texts)),
    }


def beside(own: Side, other: Side) -> dict[str, Any]:
    """Every comparison, as plain JSON values."""
    told = compare_language(own, other)
    return {
        "messages": {"simulated": len(own.texts), "human": len(other.texts)},
        "users": {"simulated": len(set(own.groups)), "human": len(set(other.groups))},
        "words_per_message": asdict(compare_lengths(own, other)),
        "turns_per_conversation": asdict(compare_turns(own, other)),
        "slips": {name: asdict(found) for name, found in compare_slips(own, other).items()},
        "language": {**asdict(told.figure), "p": told.p},
        "diversity": {"simulated": diversity(own), "human": diversity(other)},
    }


def separability(
    train: Iterable[Trajectory], test: Iterable[Trajectory], dimension: str, opening: bool = False
) -> dict[str, Any]:  # fmt: skip
    """How well a naive Bayes classifier of words tells a value of a dimension from a conversation's user messages.

    Args:
        train: conversations of some users.
        test: those of others.
        dimension: whose value is told.
        opening: whether only the first message is read, before any answer can have violated anything.

    Returns:
        `accuracy` with `low` and `high` (95 %, by resampling users), `majority` (always the most frequent value of `train`) and
        `n` on `test`.
    """
    rows = [
        [(_bag(talk, opening), talk.persona[dimension], talk.persona_id) for talk in talks if dimension in talk.persona]
        for talks in (train, test)
    ]
    counts: dict[str, Counter[str]] = {}
    priors = Counter(value for _, value, _ in rows[0])
    for bag, value, _ in rows[0]:
        counts.setdefault(value, Counter()).update(bag)
    vocabulary = len(set().union(*counts.values())) if counts else 0
    totals = {value: own.total() + vocabulary for value, own in counts.items()}

    def score(bag: set[str], value: str) -> float:
        return math.log(priors[value]) + sum(math.log((counts[value][word] + 1) / totals[value]) for word in bag)

    right, every = Counter[str](), Counter(user for *_, user in rows[1])
    for bag, truth, user in rows[1]:
        right[user] += max(counts, default="", key=lambda value: score(bag, value)) == truth
    usual = priors.most_common(1)[0][0] if priors else ""
    found = ratio(list(every), [right[user] for user in every], list(every.values()))
    majority = sum(truth == usual for _, truth, _ in rows[1]) / max(1, len(rows[1]))
    return {"accuracy": found.value, "low": found.low, "high": found.high, "majority": majority, "n": len(rows[1])}


def _bag(talk: Trajectory, opening: bool) -> set[str]:
    texts = [message.content for message in (talk.said[:1] if opening else talk.said)]
    return {word for text in texts for word in words(text)}
