"""What became of every single item, gold or inferred, with the labels that results are sliced by (spec 7.3).

Slices: head and tail of the topics, explicit and implicit, how far back the evidence stands, category, type, polarity, negation,
length of the history.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from kithe.evaluation.scores import Match, Metric
from kithe.evaluation.statements import read
from kithe.evaluation.statistics import RESAMPLES, Difference, Ratio, divide, intervals, percentiles, totals
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem

UNKNOWN: Final = "unknown"
FIELDS: Final = ("category", "type", "polarity", "inference")
NEAR: Final = ((5, "0-4 turns"), (10, "5-9 turns"), (20, "10-19 turns"))
FAR: Final = "20 turns or more"
Topic: TypeAlias = Callable[[KnowledgeItem], str | None]


@dataclass(frozen=True)
class Outcome:
    """One item: whose it is, whether it was found (a gold one) or is right (an inferred one), its confidence and labels."""

    user: str
    hit: bool
    confidence: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def category(item: KnowledgeItem) -> str | None:
    """The topic of an item by its category."""
    return item.category


def gold_outcomes(
    history: History, matches: Sequence[Match], bands: Mapping[str, str] | None = None, topic: Topic = category
) -> list[Outcome]:
    """Of one history's gold facts, which were found; their mean is recall.

    Args:
        history: with its gold facts.
        matches: (index of the gold fact, index of the inferred item, cosine).
        bands: topic -> band of frequency (`frequency_bands`); a topic that is not among them is in the band `unseen`.
        topic: what an item's topic is.
    """
    found = {gold for gold, _, _ in matches}
    return [
        Outcome(history.id, index in found, item.confidence, labels(item, bands, topic) | {"distance": distance(history, item)})
        for index, item in enumerate(history.items)
    ]


def inferred_outcomes(
    prediction: Prediction, right: Iterable[int], bands: Mapping[str, str] | None = None, topic: Topic = category
) -> list[Outcome]:
    """Of one user's inferred items, which are right; their mean is precision. `right` are the indexes of those that are."""
    correct = set(right)
    return [
        Outcome(prediction.id, index in correct, item.confidence, labels(item, bands, topic))
        for index, item in enumerate(prediction.items)
    ]


def labels(item: KnowledgeItem, bands: Mapping[str, str] | None = None, topic: Topic = category) -> dict[str, str]:
    """What an item is sliced by."""
    own = {name: getattr(item, name) or UNKNOWN for name in FIELDS}
    own |= {"negation": "negated" if read(item.statement).sign < 0 else "plain"}
    if bands is None:
        return own
    about = topic(item)
    return own | {"frequency": UNKNOWN if about is None else bands.get(about, "unseen")}


def distance(history: History, item: KnowledgeItem) -> str:
    """How many turns follow the latest evidence of an item, in four bins."""
    if not item.evidence:
        return UNKNOWN
    turns = len(history.turns) - 1 - max(part.turn for part in item.evidence)
    return next((name for end, name in NEAR if turns < end), FAR)


def frequency_bands(topics: Iterable[str | None], names: Sequence[str] = ("head", "tail")) -> dict[str, str]:
    """Topics by how frequent they are: as many bands as names, the first with the most frequent topics.

    Every band holds about the same number of items; topics of equal frequency go by name. Five names make quintiles.
    """
    counts = Counter(topic for topic in topics if topic is not None)
    bands, before = {}, 0
    for topic, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        bands[topic] = names[min(len(names) - 1, before * len(names) // counts.total())]
        before += count
    return bands


def length_bands(histories: Iterable[History], bands: int = 3) -> dict[str, str]:
    """History id -> how long it is, in so many bands of equally many histories, by words of all speakers."""
    words = {history.id: sum(len(turn.text.split()) for turn in history.turns) for history in histories}
    if not words:
        return {}
    ends = [int(end) for end in np.quantile(list(words.values()), [part / bands for part in range(1, bands)])]
    names = [f"up to {ends[0]} words", *(f"{low + 1} to {high} words" for low, high in pairwise(ends)), f"over {ends[-1]} words"]
    return {name: names[sum(count > end for end in ends)] for name, count in words.items()}


def sliced(outcomes: Sequence[Outcome], label: str, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Metric]:
    """The share of hits for every value of a label, with intervals over the same resampled users."""
    ratios = shares(outcomes, label)
    bounds = intervals(list(ratios.values()), resamples, seed) if ratios else []
    return {
        value: Metric(value=ratio.value, low=low, high=high, n=int(ratio.denominator.sum()))
        for (value, ratio), (low, high) in zip(ratios.items(), bounds, strict=True)
    }


def shares(outcomes: Sequence[Outcome], label: str) -> dict[str, Ratio]:
    """Hits of items as a ratio over users for every value of a label, all users of the outcomes in order."""
    users = {user: index for index, user in enumerate(dict.fromkeys(each.user for each in outcomes))}
    named = [each.labels.get(label, UNKNOWN) for each in outcomes]
    values = {value: index for index, value in enumerate(sorted(set(named)))}
    sums = np.zeros((2, len(values), len(users)))
    places = [values[value] for value in named], [users[each.user] for each in outcomes]
    np.add.at(sums[0], places, [float(each.hit) for each in outcomes])
    np.add.at(sums[1], places, 1.0)
    return {value: Ratio(tuple(users), sums[0, index], sums[1, index]) for value, index in values.items()}


def contrast(
    outcomes: Sequence[Outcome], label: str, first: str, second: str, resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """The share of hits in one slice minus that in another, users resampled with their items of both.

    `p` is the two-sided share of resamples beyond zero: the two slices hold different items, so nothing can be exchanged.

    Raises:
        ValueError: if one of the slices is empty.
    """
    one, other = share(outcomes, label, first), share(outcomes, label, second)
    sums = np.stack([one.numerator, one.denominator, other.numerator, other.denominator], axis=1)
    drawn = totals(sums, resamples, seed)
    differences = divide(drawn[:, 0], drawn[:, 1]) - divide(drawn[:, 2], drawn[:, 3])
    low, high = percentiles(differences)
    defined = differences[~np.isnan(differences)]
    beyond = min((defined <= 0).sum(), (defined >= 0).sum())
    return Difference(one.value - other.value, low, high, float(min(1.0, 2 * (beyond + 1) / (len(defined) + 1))))


def share(outcomes: Sequence[Outcome], label: str | None = None, value: str = UNKNOWN) -> Ratio:
    """Hits of items as a ratio over users, all users of the outcomes in order; of one slice only, where a label is given."""
    place = {user: index for index, user in enumerate(dict.fromkeys(each.user for each in outcomes))}
    numerator, denominator = np.zeros(len(place)), np.zeros(len(place))
    for each in outcomes:
        if label is None or each.labels.get(label, UNKNOWN) == value:
            numerator[place[each.user]] += each.hit
            denominator[place[each.user]] += 1
    return Ratio(tuple(place), numerator, denominator)


def equal_budget(first: Sequence[Outcome], second: Sequence[Outcome]) -> tuple[Ratio, Ratio]:
    """The precision of two systems at the same number of items for every user: the smaller number, each system's most confident.

    Items without a confidence come last, and equal ones in the order given. Users for whom one system has no item count nothing.
    """
    users = list(dict.fromkeys(each.user for each in (*first, *second)))
    ranked = [_ranked(outcomes) for outcomes in (first, second)]
    sizes = {user: min(len(ranks.get(user, ())) for ranks in ranked) for user in users}
    kept = ([hits for user in users for hits in [ranks.get(user, [])[: sizes[user]]]] for ranks in ranked)
    ours, theirs = (np.array([sum(hits) for hits in side], dtype=np.float64) for side in kept)
    whole = np.array([sizes[user] for user in users], dtype=np.float64)
    return Ratio(tuple(users), ours, whole), Ratio(tuple(users), theirs, whole)


def unequal(budgets: Mapping[str, Mapping[str, float]], tolerance: float = 0.02) -> dict[str, tuple[float, float]]:
    """Where cells were not trained at equal budget: measure (facts, tokens ...) -> least and most, where they differ by more.

    Args:
        budgets: cell -> measure -> amount.
        tolerance: allowed difference as a share of the most.
    """
    measures = dict.fromkeys(name for amounts in budgets.values() for name in amounts)
    ends = {
        name: (min(found), max(found))
        for name in measures
        if (found := [amounts[name] for amounts in budgets.values() if name in amounts])
    }
    return {name: (least, most) for name, (least, most) in ends.items() if most - least > tolerance * most}


def _ranked(outcomes: Sequence[Outcome]) -> dict[str, list[bool]]:
    """Each user's hits, most confident first."""
    ordered = sorted(outcomes, key=lambda each: -1.0 if each.confidence is None else each.confidence, reverse=True)
    ranks: dict[str, list[bool]] = {}
    for each in ordered:
        ranks.setdefault(each.user, []).append(each.hit)
    return ranks
