"""What each further attribute costs: valid items, invalid ones, calls and words for one that is valid, and how thin pairs get."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import mean, median

from kithe.ip_dialog.corpus import IPDialogData
from kithe.ip_dialog.cues import Exchange
from kithe.ip_dialog.metered import Metered
from kithe.ip_dialog.pipeline import Pipeline
from kithe.ip_dialog.verdict import yes
from kithe.records.history import History

ENOUGH = 10  # items of a pair of values about which anything can be said
INVALID = (  # what the pipeline throws away because it is wrong, not because there is enough of it
    "answers that could not be read",
    "related attributes that are none of the person's",
    "answers out of range",
    "histories that failed the exam",
    "histories that contradict the person",
)


@dataclass(frozen=True)
class Grown:
    """A set of items with so many attributes.

    Attributes:
        attributes: how many there are.
        extra: the names of those beside the twelve.
        items: valid ones.
        invalid: share of the candidates that were thrown away because something was wrong with them.
        passed: alignment: share of exchanges that the examiner let pass at the first reading.
        aligned: alignment of what is kept: share of exchanges that the examiner, asked again, says show their value and nothing
            against the person.
        calls, words: of the teacher, for one valid item.
        possible: pairs of attribute values there are.
        covered: share of them with at least `ENOUGH` items that depend on both.
        typical: median of the items that a pair has.
        of_extra: share of the items that depend on one of the extra attributes.
    """

    attributes: int
    extra: tuple[str, ...]
    items: int
    invalid: float
    passed: float
    aligned: float
    calls: float
    words: float
    possible: int
    covered: float
    typical: float
    of_extra: float


def growth(data: IPDialogData, per_task: int, seed: int = 0) -> list[Grown]:
    """The same set with none of the extra attributes of `data`, with the first one, the first two and so on."""
    names = list(data.extra)
    return [
        grown(replace(data, extra={name: data.extra[name] for name in names[:count]}), per_task, seed)
        for count in range(len(names) + 1)
    ]


def grown(data: IPDialogData, per_task: int, seed: int = 0) -> Grown:
    """Make a training set and count what it took."""
    teacher = Metered(data.teacher)
    pipeline = Pipeline(teacher, replace(data.settings(seed), duplicates=None))
    items = pipeline.items("train", per_task, data.only)
    calls, words = teacher.calls.total(), teacher.words.total()
    invalid = sum(pipeline.lost[reason] for reason in INVALID)
    sent_back, asked = pipeline.lost["exchanges sent back by the exam"], teacher.calls["exam"]
    sizes = _pairs(data, items)
    related = [one.question.related for one in items if one.question]
    return Grown(
        attributes=len(pipeline.settings.space.schema.names),
        extra=tuple(data.extra),
        items=len(items),
        invalid=invalid / ((invalid + len(items)) or 1),
        passed=1 - sent_back / (asked or 1),
        aligned=_aligned(teacher, items),
        calls=calls / (len(items) or 1),
        words=words / (len(items) or 1),
        possible=len(sizes),
        covered=mean(size >= ENOUGH for size in sizes),
        typical=median(sizes),
        of_extra=mean(any(name in one for name in data.extra) for one in related) if related else 0.0,
    )


def _pairs(data: IPDialogData, items: Sequence[History]) -> list[int]:
    """The items of every pair of values of two attributes, pairs without any included."""
    known = data.settings(0).space.schema.attributes
    counts: Counter[tuple[str, ...]] = Counter()
    for item in items:
        named = sorted(item.question.related.items()) if item.question else []
        counts.update(tuple(f"{name}={value}" for name, value in pair) for pair in combinations(named, 2))
    return [
        counts[(f"{one}={first}", f"{two}={second}")]
        for one, two in combinations(sorted(known), 2)
        for first in known[one].values
        for second in known[two].values
    ]


def _aligned(teacher: Metered, items: Sequence[History]) -> float:
    """Asks the examiner about every exchange that is kept; its calls come after those that are counted."""
    verdicts = []
    for item in items:
        for place, name in enumerate(item.question.shown if item.question else ()):
            if name is None or item.question is None:
                continue
            made = Exchange(user=item.turns[2 * place].text, assistant=item.turns[2 * place + 1].text)
            draw = f"aligned/{item.id}/{place}"
            shows = yes(teacher.exam(made, name, item.question.persona[name], draw))
            verdicts.append(shows and yes(teacher.consistent(made, item.question.persona, draw)))
    return mean(verdicts) if verdicts else 0.0
