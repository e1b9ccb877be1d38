"""Oracle recall, which only known truth allows, beside QA recall: do the two rank extractors alike? (spec 2.10)

The extractors are simulated on scripted histories: each finds a share of the facts, in other words, and gets some wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.matching import Encoder
from kithe.evaluation.qa.extractive import Answerer
from kithe.evaluation.qa.questionnaire import Enquiry
from kithe.evaluation.qa.recall import ask, shares
from kithe.evaluation.statistics import Ratio, divide, percentiles, totals
from kithe.knowledge.text import normalised
from kithe.personas.traits import Value, book, words_of
from kithe.records.history import History, KnowledgeItem


@dataclass(frozen=True)
class Strength:
    """How good a simulated extractor is, as chances for each fact.

    Attributes:
        found: that the fact is extracted.
        wrong: that an extracted one has another value.
        invented: that a fact of somebody else comes along.
    """

    found: float
    wrong: float = 0.0
    invented: float = 0.0


@dataclass(frozen=True)
class Compared:
    """Oracle and QA recall of each extractor, and their rank correlation with its interval over users."""

    oracle: tuple[float, ...]
    qa: tuple[float, ...]
    spearman: float
    low: float
    high: float


STRENGTHS: Final = tuple(
    Strength(found, wrong, invented)
    for found, wrong, invented in zip(
        (0.1, 0.18, 0.25, 0.33, 0.41, 0.49, 0.56, 0.64, 0.72, 0.8, 0.87, 0.95),
        cycle((0.0, 0.3, 0.1, 0.2)),
        cycle((0.5, 0.0, 0.2)),
        strict=False,
    )
)


def oracle_recall(pairs: Sequence[tuple[History, Sequence[KnowledgeItem]]], keys: frozenset[str] | None = None) -> Ratio:
    """Of the attributes a history reveals, the share among the items with the right value and sign.

    Args:
        pairs: histories with gold keys and values, and items with theirs.
        keys: the keys that count; None for all.
    """
    found, revealed = [], []
    for history, items in pairs:
        wanted = {fact(item) for item in history.items if keys is None or item.key in keys}
        found.append(len(wanted & {fact(item) for item in items}))
        revealed.append(len(wanted))
    ids = tuple(history.id for history, _ in pairs)
    return Ratio(ids, np.array(found, dtype=np.float64), np.array(revealed, dtype=np.float64))


def fact(item: KnowledgeItem) -> tuple[str, str, str]:
    """Key, value in plain words, sign (positive where it is not said)."""
    return item.key or "", normalised(item.value or ""), item.polarity or "positive"


def extract(history: History, strength: Strength, strangers: Sequence[KnowledgeItem], seed: int = 0) -> list[KnowledgeItem]:
    """What a simulated extractor of this strength finds in a history, in other words than the gold facts'.

    Args:
        history: with gold keys and values.
        strength: its chances.
        strangers: facts of other people, for inventions and for wrong values.
        seed: of the chances. A stronger extractor finds what a weaker one does, and more.
    """
    found: list[KnowledgeItem] = []
    for item in history.items:
        rng = Random(f"{seed}/{history.id}/{item.statement}")
        chances = rng.random(), rng.random(), rng.random()
        if chances[0] < strength.found:
            found.append(_mistaken(item, strangers, rng) if chances[1] < strength.wrong else reworded(item, rng))
        if strangers and chances[2] < strength.invented:
            found.append(rng.choice(strangers))
    return found


def reworded(item: KnowledgeItem, rng: Random) -> KnowledgeItem:
    """The fact as another wording of its trait states it, if there is one with this key, sign and value."""
    ways = [
        (line, value)
        for trait in book().traits.values()
        if trait.key == item.key and trait.polarity == item.polarity and set(trait.slots) == {"v"} and trait.value == "$v"
        for value in [book().lexicons[trait.slots["v"]].values.get(item.value or "")]
        if value is not None
        for line in trait.state.splitlines()
        if line.strip()
    ]
    others = [text for line, value in ways if (text := _said(line, value, rng)) != item.statement]
    return item.model_copy(update={"statement": rng.choice(others)}) if others else item


def bare(item: KnowledgeItem) -> KnowledgeItem:
    """The item as a model that writes statements only gives it."""
    return KnowledgeItem(statement=item.statement)


def compare_extractors(
    histories: Sequence[History],
    answerer: Answerer,
    enquiries: Sequence[Enquiry],
    threshold: float,
    encoder: Encoder | None = None,
    strengths: Sequence[Strength] = STRENGTHS,
    seed: int = 0,
    resamples: int = 1000,
) -> Compared:
    """QA recall against oracle recall over extractors of different strength.

    QA sees bare statements, without keys and values; the oracle sees everything, and counts the keys the questions ask about.
    """
    asked = frozenset(key for enquiry in enquiries for key in enquiry.keys)
    strangers = [item for history in histories for item in history.items]
    oracle, qa = [], []
    for strength in strengths:
        pairs = [(history, extract(history, strength, strangers, seed)) for history in histories]
        plain = [(history, [bare(item) for item in items]) for history, items in pairs]
        oracle.append(oracle_recall(pairs, asked))
        qa.append(shares(ask(answerer, enquiries, plain, encoder), threshold)["qa_recall"])
    low, high = percentiles(_spearman(_drawn(oracle, resamples, seed), _drawn(qa, resamples, seed)))
    ours, theirs = (tuple(ratio.value for ratio in ratios) for ratios in (oracle, qa))
    return Compared(ours, theirs, float(_spearman(np.array([ours]), np.array([theirs]))[0]), low, high)


def _drawn(ratios: Sequence[Ratio], resamples: int, seed: int) -> NDArray[np.float64]:
    """[resamples, ratios], of the same users drawn with replacement."""
    sums = totals(
        np.stack([column for ratio in ratios for column in (ratio.numerator, ratio.denominator)], axis=1), resamples, seed
    )
    return divide(sums[:, 0::2], sums[:, 1::2])


def _spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank correlation of every two rows, tied values sharing their ranks; NaN where a row is constant."""
    from scipy.stats import rankdata

    one, other = (rankdata(side, axis=1) for side in (first, second))
    one, other = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (one, other))
    return divide((one * other).sum(axis=1), np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1)))


def _mistaken(item: KnowledgeItem, strangers: Sequence[KnowledgeItem], rng: Random) -> KnowledgeItem:
    """A fact about the same attribute with another value or sign; where nobody has one, about another attribute."""
    others = [other for other in strangers if fact(other) != fact(item)]
    return rng.choice([other for other in others if other.key == item.key] or others or [item])


def _said(line: str, value: Value, rng: Random) -> str:
    text = words_of(line, rng, {"v": value.forms})
    return text[:1].upper() + text[1:]
