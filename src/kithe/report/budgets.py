"""Cells at equal budget: as many items for every user, and what they were trained on (spec 7.3; features, row 29)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

from kithe.report.estimates import Estimate
from kithe.report.material import Answer
from kithe.report.rows import Result
from kithe.report.slices import RESAMPLES
from kithe.report.text import count, fraction, p_value, quantity, with_interval
from kithe.report.writers import Table

if TYPE_CHECKING:
    from kithe.evaluation.outcomes import Outcome
    from kithe.evaluation.statistics import Ratio

EXPLAINED: Final = (
    "Precision when both cells may keep the same number of items for every user: the smaller number, each cell's most confident"
    " ones. Seeds are paired in their order and added up. p (Holm): permutation within users, adjusted over this test set."
)
TRAINED: Final = {"train facts": "facts", "examples": "examples", "supervised tokens": "supervised_tokens", "steps": "steps"}


@dataclass(frozen=True)
class Budgeted:
    """Two cells at the same number of items per user: how many there are, the precision of each, and the difference."""

    first: str
    second: str
    items: int
    ours: float
    theirs: float
    difference: Estimate
    p: float


def every_budget(cells: Mapping[str, Sequence[Sequence[Answer]]]) -> list[Budgeted]:
    """Every two cells of a test set at equal budget; pairs that share no item are left out.

    Args:
        cells: name -> the answers of each seed.
    """
    from kithe.evaluation.statistics import holm

    ready = {name: [[outcome(each) for each in answers] for answers in seeds] for name, seeds in cells.items()}
    found = [made for one, other in combinations(ready, 2) if (made := budgeted(one, other, ready[one], ready[other]))]
    adjusted = holm([each.p for each in found])
    return [replace(each, p=p) for each, p in zip(found, adjusted, strict=True)]


def budgeted(
    one: str, other: str, ours: "Sequence[Sequence[Sequence[Outcome]]]", theirs: "Sequence[Sequence[Sequence[Outcome]]]"
) -> Budgeted | None:
    """Two cells at equal budget, their seeds paired in order and added up."""
    from kithe.evaluation.comparisons import pooled
    from kithe.evaluation.outcomes import equal_budget
    from kithe.evaluation.statistics import Ratio, compare

    kept = [equal_budget(flat(mine), flat(yours)) for mine, yours in zip(ours, theirs, strict=False)]
    ids = tuple(sorted({user for first, _ in kept for user in first.ids}))
    sides = [pooled([over(ids, pair[side]) for pair in kept]) for side in (0, 1)] if kept else []
    if not sides or not sides[0].denominator.sum():
        return None
    first, second = (Ratio(ids, side.numerator, side.denominator) for side in sides)
    made = compare(first, second, RESAMPLES)
    items = int(first.denominator.sum() / len(kept))
    return Budgeted(one, other, items, first.value, second.value, Estimate(made.value, made.low, made.high), made.p)


def over(ids: Sequence[str], ratio: "Ratio") -> "Ratio":
    """A ratio over more users; those it does not know count nothing."""
    import numpy as np

    from kithe.evaluation.statistics import Ratio

    place = {user: index for index, user in enumerate(ratio.ids)}
    above, below = (
        np.array([values[place[user]] if user in place else 0.0 for user in ids])
        for values in (ratio.numerator, ratio.denominator)
    )
    return Ratio(tuple(ids), above, below)


def flat(outcomes: "Sequence[Sequence[Outcome]]") -> "list[Outcome]":
    """The items of all users."""
    return [each for own in outcomes for each in own]


def outcome(answer: Answer) -> "list[Outcome]":
    """The items of one user about which somebody said whether they are right."""
    from kithe.evaluation.outcomes import Outcome

    both = zip(answer.prediction.items, answer.calls, strict=True)
    return [Outcome(answer.history.id, call.right, item.confidence) for item, call in both if call.right is not None]


def budget_table(found: Sequence[Budgeted]) -> Table:
    """The comparisons as a table."""
    body = tuple(
        (
            each.first,
            each.second,
            count(each.items),
            fraction(each.ours),
            fraction(each.theirs),
            with_interval(each.difference, signed=True),
            p_value(each.p),
        )
        for each in found
    )
    header = ("cell", "against", "items", "precision", "of the other", "difference", "p (Holm)")
    return Table(header, (False, False, *(True,) * 5), body, EXPLAINED)


def training_table(cells: Mapping[str, Sequence[Result]]) -> Table:
    """What each cell was trained on, and in which measures the cells that train differ by more than two per cent.

    Args:
        cells: name -> the results of its seeds.
    """
    from kithe.evaluation.outcomes import unequal

    amounts = {name: own for name, results in cells.items() if (own := trained(results))}
    apart = unequal(amounts)
    names = [words for words in TRAINED if any(words in own for own in amounts.values())]
    body = tuple((name, *(quantity(own.get(words)) for words in names)) for name, own in amounts.items())
    ends = "; ".join(f"{words}: {quantity(least)} to {quantity(most)}" for words, (least, most) in apart.items())
    note = (
        f"Not the same for all: {ends}." if ends else "The same for all cells that train, within two per cent." if amounts else ""
    )
    return Table(("cell", *names), (False, *(True,) * len(names)), body, f"Means over seeds. {note}" if body else "")


def trained(results: Sequence[Result]) -> dict[str, float]:
    """Measure -> mean over the seeds of what was learnt from."""
    found: dict[str, list[float]] = {}
    for result in results:
        about = result.get("provenance") or {}
        own = {**(about.get("training") or {}), "facts": (about.get("corpus") or {}).get("facts")}
        for words, key in TRAINED.items():
            if about.get("training") and isinstance(own.get(key), int | float):
                found.setdefault(words, []).append(own[key])
    return {words: sum(values) / len(values) for words, values in found.items()}
