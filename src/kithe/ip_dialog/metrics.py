"""ATF, VF1, RVA and the accuracy of answers (spec 5.6), in the official form and a corrected one.

official    what the published figures are: the official reading of texts, Kendall's τ over letters in the order given, RVA
            rounded to two decimals per item and 0 where no type is right
corrected   one tolerant reading, τ over the ranks of the options, RVA over the items where it is defined
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

from kithe.ip_dialog import official, reading
from kithe.ip_dialog.meteor import Meteor
from kithe.records.question import Question


@dataclass(frozen=True)
class Scored:
    """One item in one of the two forms; shares in [0, 1].

    Attributes:
        accuracy: of the answer.
        types, pairs: F1 of attribute types and of type:value pairs.
        values: RVA: of the right types, the share with the right value (corrected: None where no type is right).
        read: whether the answer could be read in the form asked for (corrected form only; else True).
        hits, named, wanted: right, predicted and gold type:value pairs.
    """

    accuracy: float
    types: float
    pairs: float
    values: float | None
    read: bool
    hits: int
    named: int
    wanted: int


def score_official(gold: Question, text: str, pathway: str, meteor: Meteor) -> Scored:
    """An answer as the official scorer sees it; `pathway` is that of the file names."""
    said = official.values(official.answer(text), gold.form)
    accuracy = _ANSWERS[gold.form](gold, said, official.analysis(text), meteor)
    return _scored(gold, official.attributes(text, pathway), accuracy, rounded=True)


def score_corrected(gold: Question, text: str, meteor: Meteor) -> Scored:
    """An answer read tolerantly; one that cannot be read counts as wrong and says so in `read`."""
    found = reading.read(text)
    said = reading.values(found.answer, gold.form)
    if said is None:
        accuracy = 0.0
    elif gold.form == "order":
        accuracy = rank_agreement(gold.answer, said)
    else:
        accuracy = _ANSWERS[gold.form](gold, said, found.analysis or "", meteor)
    return _scored(gold, found.attributes or {}, accuracy, rounded=False, read=said is not None)


def f1(wanted: Collection[str], found: Collection[str]) -> float:
    """F1 of two sets; 0 where it is undefined."""
    ours, theirs = set(wanted), set(found)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours & theirs else 0.0


def tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's τ-b of two sequences of one length; None where one of them is constant."""
    signs = [((a > b) - (a < b), (c > d) - (c < d)) for (a, c), (b, d) in combinations(zip(first, second, strict=True), 2)]
    scale = sqrt(sum(one != 0 for one, _ in signs) * sum(other != 0 for _, other in signs))
    return sum(one * other for one, other in signs) / scale if scale else None


def letter_agreement(wanted: Sequence[str], found: Sequence[str]) -> float:
    """(τ + 1) / 2 between the letters in the order given; 0 where the lengths differ: the official measure of an order.

    The i-th letters of both orders are compared, which is not how far the orders agree: for B C D A and C A D B it is 2/3,
    though the options' ranks have τ = -1/3.
    """
    if len(wanted) != len(found) or any(len(letter) != 1 for letter in found):
        return 0.0
    value = tau([ord(letter) for letter in wanted], [ord(letter) for letter in found])
    return 0.0 if value is None else (value + 1) / 2


def rank_agreement(wanted: Sequence[str], found: Sequence[str]) -> float:
    """(τ + 1) / 2 between the ranks of the options; 0 unless both orders hold the same options."""
    if sorted(wanted) != sorted(found):
        return 0.0
    value = tau(range(len(wanted)), [found.index(letter) for letter in wanted])
    return 1.0 if value is None else (value + 1) / 2


def printed(said: Sequence[str], gold: Question) -> str:
    """An open answer as the official scorer prints it: a list as Python prints lists."""
    return str(list(said)) if gold.form == "list" else " ".join(said)


def _exact(gold: Question, said: Sequence[str], analysis: str, meteor: Meteor) -> float:
    return float(tuple(said) == gold.answer)


def _set(gold: Question, said: Sequence[str], analysis: str, meteor: Meteor) -> float:
    return f1(gold.answer, said)


def _letters(gold: Question, said: Sequence[str], analysis: str, meteor: Meteor) -> float:
    return letter_agreement(gold.answer, said)


def _open(gold: Question, said: Sequence[str], analysis: str, meteor: Meteor) -> float:
    return meteor.text_score(f"{gold.analysis} {printed(gold.answer, gold)}", f"{analysis} {printed(said, gold)}")


_ANSWERS: dict[str, Callable[[Question, Sequence[str], str, Meteor], float]] = {
    "yes_no": _exact,
    "options": _set,
    "order": _letters,
    "list": _open,
    "text": _open,
}


def _scored(gold: Question, found: dict[str, str], accuracy: float, *, rounded: bool, read: bool = True) -> Scored:
    both = gold.related.keys() & found.keys()
    right = sum(gold.related[name] == found[name] for name in both)
    share = right / len(both) if both else None
    wanted, named = ([f"{name}:{value}" for name, value in side.items()] for side in (gold.related, found))
    return Scored(
        accuracy=accuracy,
        types=f1(gold.related, found),
        pairs=f1(wanted, named),
        values=round(share or 0.0, 2) if rounded else share,
        read=read,
        hits=right,
        named=len(found),
        wanted=len(gold.related),
    )
