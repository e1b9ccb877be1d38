"""Recall and precision by slices of the items: where a cell is good and where it is not (spec 7.3; features, row 30)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kithe.records.history import KnowledgeItem
from kithe.report.background import Background
from kithe.report.estimates import Estimate, read_estimate
from kithe.report.material import Answer
from kithe.report.text import with_interval
from kithe.report.writers import Table

if TYPE_CHECKING:
    from kithe.evaluation.outcomes import Outcome

RESAMPLES: Final = 2_000
RECALL: Final = {
    "frequency": "topic, by how often it is asked for in the test set",
    "training": "topic, by how often the training facts have it",
    "inference": "explicit or implicit",
    "wording": "said in the fact's own words, or in others",
    "distance": "turns between the evidence and the end",
    "polarity": "polarity",
    "negation": "negation in the statement",
    "length": "length of the history",
    "category": "category",
    "type": "type",
}
PRECISION: Final = {
    "distance": "turns between the item's evidence and the end",
    "negation": "negation in the statement",
    "length": "length of the history",
    "polarity": "polarity",
    "inference": "explicit or implicit",
    "category": "category",
    "type": "type",
}
CONTRASTS: Final = (
    ("frequency", "head", "tail"),
    ("inference", "explicit", "implicit"),
    ("wording", "own words", "other words"),
    ("polarity", "positive", "negative"),
    ("negation", "plain", "negated"),
)
EXPLAINED: Final = (
    "Intervals: 95 %, users resampled; the items of all seeds of a row are taken together, and the spread of seeds is not in"
    " them. The topic of a fact is its category, or the most common of its content words where the set has no categories; head"
    " and tail hold about equally many facts. A difference of slices counts what stands in one slice less what stands in the"
    " other, within one cell. n: facts or items of one seed, of the cell with most."
)


@dataclass(frozen=True)
class Slice:
    """One slice of one cell: `measure` (recall or precision) of the items whose `label` is `value`."""

    measure: str
    label: str
    value: str
    cell: str
    estimate: Estimate


@dataclass(frozen=True)
class Gap:
    """The measure of one slice minus that of another, within one cell."""

    measure: str
    label: str
    first: str
    second: str
    cell: str
    estimate: Estimate


def sliced(name: str, answers: Sequence[Answer], known: Background, learnt: Sequence[KnowledgeItem] = ()) -> list[Slice | Gap]:
    """All slices of one cell, and the differences between those that are opposites; labels that nothing is known of are left out.

    Args:
        name: what the cell is called.
        answers: of all its seeds.
        known: the test set.
        learnt: the cell's training facts.
    """
    found: list[Slice | Gap] = []
    for measure, outcomes in (("recall", gold(answers, known, learnt)), ("precision", inferred(answers, known))):
        for label in RECALL if measure == "recall" else PRECISION:
            found += of_label(name, measure, label, outcomes)
    return found


def of_label(name: str, measure: str, label: str, outcomes: "Sequence[Outcome]") -> list[Slice | Gap]:
    """The slices of one label, and the difference of its opposites."""
    from kithe.evaluation import outcomes as evaluation

    known = [each for each in outcomes if each.labels.get(label, evaluation.UNKNOWN) != evaluation.UNKNOWN]
    if len({each.labels[label] for each in known}) < 2:
        return []
    shares = evaluation.sliced(known, label, RESAMPLES)
    slices = [Slice(measure, label, value, name, found) for value, each in shares.items() if (found := read_estimate({**each}))]
    gaps = [
        Gap(measure, label, first, second, name, Estimate(made.value, made.low, made.high))
        for group, first, second in CONTRASTS
        if group == label and {first, second} <= shares.keys()
        for made in [evaluation.contrast(known, label, first, second, RESAMPLES)]
    ]
    return [*slices, *gaps]


def gold(answers: Sequence[Answer], known: Background, learnt: Sequence[KnowledgeItem]) -> "list[Outcome]":
    """Every gold fact, found or not, with its labels; none under a judge of items, which knows no missed facts."""
    from kithe.evaluation.outcomes import Outcome

    bands = known.in_training(learnt)
    return [
        Outcome(each.history.id, index in each.found, None, with_band(labels, bands) if learnt else labels)
        for each in answers
        if not each.judged
        for index, labels in enumerate(known.labels[each.history.id])
    ]


def with_band(labels: Mapping[str, str], bands: Mapping[str, str]) -> dict[str, str]:
    """A fact's labels with how often the training facts have its topic."""
    return {**labels, "training": bands.get(labels["topic"], "unseen")}


def inferred(answers: Sequence[Answer], known: Background) -> "list[Outcome]":
    """Every inferred item about which somebody said whether it is right, with its labels."""
    from kithe.evaluation.outcomes import Outcome, distance, labels

    return [
        Outcome(
            each.history.id,
            call.right,
            item.confidence,
            {**labels(item), "length": known.lengths[each.history.id], "distance": distance(each.history, item)},
        )
        for each in answers
        for item, call in zip(each.prediction.items, each.calls, strict=True)
        if call.right is not None
    ]


def slice_tables(found: Sequence[Slice | Gap], cells: Sequence[str], seeds: int = 1) -> list[Table]:
    """A table for each measure and label, a column for each cell; in their order.

    Args:
        found: slices of all cells.
        cells: the columns.
        seeds: how many seeds a cell has at most, whose items are counted once.
    """
    slices = [each for each in found if isinstance(each, Slice)]
    held = {(each.measure, each.label, each.value, each.cell): each.estimate for each in slices}
    tables = []
    for measure, labels in (("recall", RECALL), ("precision", PRECISION)):
        for label, words in labels.items():
            values = dict.fromkeys(each.value for each in slices if (each.measure, each.label) == (measure, label))
            lines = {value: [held.get((measure, label, value, cell)) for cell in cells] for value in ordered(label, values)}
            body = tuple(
                (value, str(max((each.n or 0 for each in line if each), default=0) // seeds), *map(with_interval, line))
                for value, line in lines.items()
            )
            if body:
                tables.append(Table((f"{measure} by {words}", "n", *cells), (False, *(True,) * (len(cells) + 1)), body))
    return tables


def gap_table(found: Sequence[Slice | Gap], cells: Sequence[str]) -> Table:
    """Differences of opposite slices, a column for each cell."""
    gaps = {(each.label, each.measure, each.cell): each for each in found if isinstance(each, Gap)}
    body = []
    for label, first, second in CONTRASTS:
        for measure in ("recall", "precision"):
            line = [gaps.get((label, measure, cell)) for cell in cells]
            if any(line):
                texts = (with_interval(gap.estimate if gap else None, signed=True) for gap in line)
                body.append((f"{measure}: {first} − {second}", *texts))
    return Table(("difference of slices", *cells), (False, *(True,) * len(cells)), tuple(body))


def ordered(label: str, values: Iterable[str]) -> list[str]:
    """The values of a label in their own order, if they have one."""
    from kithe.evaluation.outcomes import FAR, NEAR

    own = {
        "distance": [*(name for _, name in NEAR), FAR],
        **{key: ["head", "tail", "unseen"] for key in ("frequency", "training")},
        "inference": ["explicit", "implicit"],
        "wording": ["own words", "other words"],
        "polarity": ["positive", "negative"],
        "negation": ["plain", "negated"],
    }.get(label, [])
    first = {"length": lambda value: (not value.startswith("up"), value.startswith("over"))}.get(label)
    listed = list(values)
    if first is not None:
        return sorted(listed, key=first)
    return sorted(listed, key=lambda value: (own.index(value) if value in own else len(own), value))
