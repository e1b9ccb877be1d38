"""What labels say, for each kind of package: how far people agree, and the figure the package was made for, with intervals."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np

from kithe.annotation.book import Label, by_task
from kithe.annotation.desk import decided, differs
from kithe.annotation.exchange import as_judged
from kithe.annotation.forms import Question, Value, form
from kithe.annotation.package import Package
from kithe.evaluation.agreement import agreement, kappa, krippendorff
from kithe.evaluation.correction import Corrected
from kithe.evaluation.judging.validation import ADJUDICATOR, settled, validate
from kithe.evaluation.judging.verdicts import Verdict
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES, Ratio, by_user, interval, wilson

PUBLISHED_ACCEPTANCE: Final = 0.85  # 115 users, "above 85 %", without an interval (paper A §4)
_FEW: Final = 20
_SIGNED: Final = ("kappa", "pabak")
_TOLD: Final = ("kappa", "agreement", "sensitivity", "specificity")
_METHODS: Final[Mapping[str, str]] = {
    "naive": "the judge alone",
    "human_only": "labels alone",
    "rogan_gladen": "Rogan-Gladen",
    "ppi": "PPI",
    "ppi_plus": "PPI++",
}


@dataclass(frozen=True)
class Row:
    """A figure; `span` is the range it can lie in, and `mark` a value to see it against."""

    name: str
    metric: Metric
    span: tuple[float, float] = (0.0, 1.0)
    mark: float | None = None


@dataclass(frozen=True)
class Section:
    """Figures that belong together, with what to know when reading them."""

    title: str
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()


def results(
    package: Package, labels: Sequence[Label], verdicts: Sequence[Verdict] = (), resamples: int = RESAMPLES, seed: int = 0
) -> list[Section]:
    """Everything the labels of a package tell.

    Args:
        package: what was asked.
        labels: what counts, everybody's.
        verdicts: of a judge on the same items, to be compared with people.
        resamples: of the bootstraps over users.
        seed: of the bootstraps.
    """
    known = [label for label in labels if label.task in package.by_id]
    kind = package.header.kind
    found = [counted(package, known)]
    if kind != "user":
        found.append(among_people(package, known, resamples, seed))
    if kind == "items":
        found += [precision(package, known, resamples, seed), *against(verdicts, known, resamples, seed)]
    elif kind == "user":
        found.append(acceptance(package, known, resamples, seed))
    elif kind == "turing":
        found.append(told_apart(package, known))
    elif kind == "review":
        found.append(threshold(package, known, resamples, seed))
    else:
        found.append(ratings(package, known, resamples, seed))
    return [section for section in found if section.rows or section.notes]


def counted(package: Package, labels: Sequence[Label]) -> Section:
    """How much there is, and what is missing."""
    blind = [label for label in labels if label.annotator != ADJUDICATOR]
    tasks, names = by_task(blind), sorted({label.annotator for label in blind})
    lines = [f"{len(tasks)} of {len(package.tasks)} tasks have a label; {len(blind)} labels by {len(names)} annotators."]
    if package.header.kind != "user" and names:
        single = sum(len(found) == 1 for found in tasks.values())
        lines += [f"{single} tasks have the label of one annotator only: they say nothing about agreement."] if single else []
    if form(package.header.kind).settles:
        final = {label.task for label in labels if label.annotator == ADJUDICATOR}
        split = [task for task, found in tasks.items() if differs(found)]
        lines.append(f"People differ on {len(split)} tasks; {len(final & set(split))} of these are settled.")
    return Section("Labels", notes=tuple(lines))


def among_people(package: Package, labels: Sequence[Label], resamples: int = RESAMPLES, seed: int = 0) -> Section:
    """Krippendorff's alpha of every question, and Cohen's kappa of every two annotators who share tasks; not the adjudicator.

    Ratings count how far two of them lie apart (interval alpha). Left out where it is not defined.
    """
    blind = [label for label in labels if label.annotator != ADJUDICATOR]
    users = {task.id: task.user or task.id for task in package.tasks}
    rated = package.header.kind in ("noise", "follow-up")
    pairs = [] if rated else list(combinations(sorted({label.annotator for label in blind}), 2))
    rows = []
    for name, answer in _criteria(package):
        rows += _defined(f"{name}: alpha", partial(_alpha, blind, users, answer, rated, resamples, seed))
        for one, two in pairs:
            rows += _defined(
                f"{name}: kappa, {one} and {two}", partial(_kappa, blind, users, answer, (one, two), resamples, seed)
            )
    note = "Agreement is not defined yet: it needs tasks that two people have answered, and more than one answer in use."
    return Section("Agreement among people", tuple(rows), () if rows else (note,))


def precision(package: Package, labels: Sequence[Label], resamples: int = RESAMPLES, seed: int = 0) -> Section:
    """The share of items that people call relevant, sensible, and both, where they are settled; intervals over users."""
    rows = []
    for criterion in ("correct", "relevance", "sensibility"):
        truth = settled(as_judged(labels), criterion)
        if truth:
            users = [package.by_id[item].user for item in truth]
            rows.append(Row(criterion, share(users, list(truth.values()), resamples, seed)))
    return Section("What people say of the items", tuple(rows))


def against(verdicts: Sequence[Verdict], labels: Sequence[Label], resamples: int, seed: int) -> list[Section]:
    """The run's judge beside people, and its precision corrected by them; nothing where there is no such judge."""
    if not verdicts or not labels:
        return []
    found = validate(verdicts, as_judged(labels), resamples, seed)
    if not found.labelled:
        return []
    rows = [
        Row(f"{criterion}: {name}", found.agreement[criterion][name], (-1.0, 1.0) if name in _SIGNED else (0.0, 1.0))
        for criterion in ("correct", "relevance", "sensibility")
        for name in _TOLD
        if name in found.agreement.get(criterion, {})
    ]
    corrected = [Row(_METHODS.get(name, name), _metric(value, found.labelled)) for name, value in found.precision.items()]
    note = f"{found.labelled} items have a verdict and a settled label; {found.unsettled} unsettled, {found.unscored} unscored."
    return [Section("The run's judge beside people", tuple(rows), (note,)), Section("Precision, corrected", tuple(corrected))]


def acceptance(package: Package, labels: Sequence[Label], resamples: int = RESAMPLES, seed: int = 0) -> Section:
    """The share of items that those accept whom they are about; the interval resamples people (spec A, 2.12)."""
    own = [label for label in labels if label.annotator == package.by_id[label.task].user]
    if not own:
        return Section("Acceptance", notes=("Nobody has reviewed their items yet.",))
    users, said = [label.annotator for label in own], [bool(label.answers["accept"]) for label in own]
    whole = by_user(users, np.array([[value, 1.0] for value in said], dtype=np.float64))
    each = whole[:, 0] / whole[:, 1]
    ratio = Ratio(tuple(dict.fromkeys(users)), each, np.ones(len(each)))
    low, high = interval(ratio, resamples, seed)
    asked, answered = by_count(package), by_task(own)
    finished = sum(all(task in answered for task in tasks) for tasks in asked.values())
    rows = (
        Row("accepted", share(users, said, resamples, seed), mark=PUBLISHED_ACCEPTANCE),
        Row("accepted, mean per person", Metric(value=ratio.value, low=low, high=high, n=len(each)), mark=PUBLISHED_ACCEPTANCE),
    )
    few = (f"With fewer than {_FEW} people the intervals are too short.",) if len(each) < _FEW else ()
    notes = (
        f"{len(each)} of {len(asked)} people answered, {finished} of them about all their items.",
        "The mark is the paper's figure: above 85 % with 115 users.",
        *few,
    )
    return Section("Acceptance", rows, notes)


def by_count(package: Package) -> dict[str, list[str]]:
    """User -> the tasks about them."""
    found: dict[str, list[str]] = {}
    for task in package.tasks:
        found.setdefault(task.user, []).append(task.id)
    return found


def told_apart(package: Package, labels: Sequence[Label]) -> Section:
    """How often people find the human conversation, with Wilson intervals; a half is chance (spec D, 5.9)."""
    right: dict[str, list[bool]] = {}
    for label in labels:
        right.setdefault(label.annotator, []).append(label.answers["human"] == package.by_id[label.task].truth)
    every = [value for found in right.values() for value in found]
    named = [("all", every), *sorted(right.items())] if len(right) > 1 else sorted(right.items())
    rows = tuple(Row(f"found the people: {name}", _wilson(found), mark=0.5) for name, found in named)
    notes = ("The mark is chance. The paper reports about 52 %.", "Together, labels of the same pair count as independent.")
    return Section("Told apart", rows, notes if rows else ())


def ratings(package: Package, labels: Sequence[Label], resamples: int = RESAMPLES, seed: int = 0) -> Section:
    """The mean rating of every group, with intervals over users; the controls beside the rest."""
    (question,) = form(package.header.kind).questions
    found: dict[str, list[tuple[str, float]]] = {}
    for label in labels:
        task = package.by_id[label.task]
        found.setdefault(task.group, []).append((task.user, float(label.answers[question.name])))
    rows = tuple(
        Row(group, mean([user for user, _ in rated], [value for _, value in rated], resamples, seed), (1.0, 5.0))
        for group, rated in sorted(found.items())
    )
    return Section("Mean rating, 1 to 5", rows)


def threshold(package: Package, labels: Sequence[Label], resamples: int = RESAMPLES, seed: int = 0) -> Section:
    """How far the automatic decision agrees with people's."""
    said = decided(labels, "agrees")
    if not said:
        return Section("The threshold beside people")
    automatic = [package.by_id[task].truth == "yes" for task in said]
    figures = agreement([bool(value) for value in said.values()], automatic, None, resamples, seed)
    rows = [Row(name, each, (-1.0, 1.0) if name in _SIGNED else (0.0, 1.0)) for name, each in figures.items()]
    return Section("The threshold beside people", tuple(rows))


def share(users: Sequence[str], values: Sequence[bool], resamples: int = RESAMPLES, seed: int = 0) -> Metric:
    """A share with its cluster bootstrap interval."""
    return mean(users, [float(value) for value in values], resamples, seed)


def mean(users: Sequence[str], values: Sequence[float], resamples: int = RESAMPLES, seed: int = 0) -> Metric:
    """A mean with its interval over users."""
    sums = by_user(users, np.array([[value, 1.0] for value in values], dtype=np.float64))
    ratio = Ratio(tuple(dict.fromkeys(users)), sums[:, 0], sums[:, 1])
    low, high = interval(ratio, resamples, seed)
    return Metric(value=ratio.value, low=low, high=high, n=len(values))


def _criteria(package: Package) -> list[tuple[str, Callable[[Label], Value]]]:
    """What agreement is measured on: every question, and for items whether both hold."""
    found: list[tuple[str, Callable[[Label], Value]]] = [
        (question.name, _answer(question)) for question in form(package.header.kind).questions
    ]
    if package.header.kind == "items":
        found.append(("correct", lambda label: bool(label.answers["relevance"] and label.answers["sensibility"])))
    return found


def _answer(question: Question) -> Callable[[Label], Value]:
    return lambda label: label.answers[question.name]


def _alpha(
    labels: Sequence[Label], users: Mapping[str, str], answer: Callable[[Label], Value], rated: bool, resamples: int, seed: int
) -> Metric:
    names = sorted({label.annotator for label in labels})
    found = by_task(labels)
    units: list[list[Hashable | None]] = []
    for said in found.values():
        own = {label.annotator: answer(label) for label in said}
        units.append([own.get(name) for name in names])
    distance = _apart if rated else None
    return krippendorff(units, [users[task] for task in found], resamples, seed, distance)


def _kappa(
    labels: Sequence[Label],
    users: Mapping[str, str],
    answer: Callable[[Label], Value],
    names: tuple[str, str],
    resamples: int,
    seed: int,
) -> Metric:
    pair = _shared(labels, *names)
    first, second = ([answer(labels[side]) for labels in pair] for side in (0, 1))
    return kappa(first, second, [users[label.task] for label, _ in pair], resamples, seed)


def _apart(one: Hashable, two: Hashable) -> float:
    return (float(str(one)) - float(str(two))) ** 2


def _shared(labels: Sequence[Label], one: str, two: str) -> list[tuple[Label, Label]]:
    """The labels of two people on the same tasks."""
    first, second = ({label.task: label for label in labels if label.annotator == name} for name in (one, two))
    return [(first[task], second[task]) for task in first if task in second]


def _defined(name: str, measure: Callable[[], Metric]) -> list[Row]:
    """The figure; nothing where it is not defined."""
    try:
        return [Row(name, measure(), (-1.0, 1.0))]
    except ValueError:
        return []


def _wilson(found: Sequence[bool]) -> Metric:
    low, high = wilson(sum(found), len(found))
    return Metric(value=sum(found) / len(found), low=low, high=high, n=len(found))


def _metric(value: Corrected, n: int) -> Metric:
    return Metric(value=float(value.value), low=float(value.low), high=float(value.high), n=n)
