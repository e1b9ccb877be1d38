"""A judge against people: labels from a file, and everything one page about a judge needs (spec 7.1 and 7.2)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from kithe.errors import ConfigError
from kithe.evaluation.agreement import agreement, krippendorff
from kithe.evaluation.correction import Corrected, Judged, Labelled, clustered
from kithe.evaluation.judging.verdicts import Scored, Verdict, only_scored
from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES
from kithe.records.base import Record

CRITERIA: Final = ("relevance", "sensibility", "correct")
ADJUDICATOR: Final = "adjudicator"


class Label(Record):
    """What one person says of one item; whoever settles disagreements signs as `adjudicator`."""

    item: str
    annotator: str
    relevance: bool
    sensibility: bool
    note: str = ""

    @property
    def correct(self) -> bool:
        """Relevant and sensible."""
        return self.relevance and self.sensibility


@dataclass(frozen=True)
class Labels:
    """The labels of a file and what was wrong with it; nothing that is right is lost.

    Attributes:
        rows: one label per item and annotator, in the file's order.
        unknown: items that nobody asked about, how many labels each.
        repeated: (item, annotator) with several labels; the last one counts.
        unreadable: lines that are no label, by number.
    """

    rows: tuple[Label, ...]
    unknown: Mapping[str, int] = field(default_factory=dict)
    repeated: tuple[tuple[str, str], ...] = ()
    unreadable: Mapping[int, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """What to tell whoever sent the file, a line a kind of problem."""
        several = [f"{item} by {annotator}" for item, annotator in self.repeated]
        lines = [f"line {number}: {reason}" for number, reason in self.unreadable.items()]
        kinds = {
            "items that are not among those judged, left out": list(self.unknown),
            "items labelled several times by one annotator, the last label counts": several,
            "lines that could not be read, left out": lines,
        }
        return [f"{len(found)} {kind}, such as {found[0]}" for kind, found in kinds.items() if found]

    def single(self) -> list[str]:
        """Items with the label of one annotator only."""
        counts = Counter(label.item for label in self.rows if label.annotator != ADJUDICATOR)
        return [item for item, count in counts.items() if count == 1]


@dataclass(frozen=True)
class Validation:
    """A judge against people.

    Attributes:
        agreement: criterion -> figures of `kithe.evaluation.agreement.agreement`, over items with a verdict and a settled label.
        people: criterion -> Krippendorff's alpha among annotators, where it is defined.
        precision: method -> corrected precision of the items judged, with intervals over users.
        labelled: items with both a verdict and a settled label.
        unsettled: labelled items on which people are split and nobody settled it.
        unscored: labelled items without a verdict.
    """

    agreement: Mapping[str, Mapping[str, Metric]]
    people: Mapping[str, Metric]
    precision: Mapping[str, Corrected]
    labelled: int
    unsettled: int
    unscored: int


def load(path: Path, known: Sequence[str]) -> Labels:
    """Read labels, one JSON object a line.

    Args:
        path: the file.
        known: the ids of the items there are.

    Raises:
        ConfigError: the file cannot be read at all.
    """
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"labels {path}: cannot be read ({error}); name a file of JSON lines") from error
    items = set(known)
    rows: dict[tuple[str, str], Label] = {}
    unknown: Counter[str] = Counter()
    unreadable, repeated = {}, []
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            label = Label.model_validate_json(text)
        except ValidationError as error:
            unreadable[number] = error.errors()[0]["msg"]
            continue
        if label.item not in items:
            unknown[label.item] += 1
            continue
        key = label.item, label.annotator
        repeated += [key] if key in rows else []
        rows[key] = label
    return Labels(tuple(rows.values()), dict(unknown), tuple(repeated), unreadable)


def settled(labels: Sequence[Label], criterion: str) -> dict[str, bool]:
    """Item -> what people say: the adjudicator, or else the majority; items on which people are split are left out."""
    said: dict[str, list[bool]] = {}
    final: dict[str, bool] = {}
    for label in labels:
        if label.annotator == ADJUDICATOR:
            final[label.item] = bool(getattr(label, criterion))
        else:
            said.setdefault(label.item, []).append(bool(getattr(label, criterion)))
    majority = {item: 2 * sum(votes) > len(votes) for item, votes in said.items() if 2 * sum(votes) != len(votes)}
    return {**majority, **final}


def validate(verdicts: Sequence[Verdict], labels: Sequence[Label], resamples: int = RESAMPLES, seed: int = 0) -> Validation:
    """Everything about a judge that people's labels tell.

    Precision is corrected by the labelled items that have a verdict, and is that of all items with one: labels must be of items
    drawn at random from those judged.

    Args:
        verdicts: of all items.
        labels: of some of them, by one or more annotators.
        resamples: of the bootstrap over users.
        seed: of the bootstrap.
    """
    scored = {verdict.item: verdict for verdict in only_scored(verdicts)}
    truth = settled(labels, "correct")
    both = [item for item in scored if item in truth]
    found = {name: figures for name in CRITERIA if (figures := _against(scored, labels, name, resamples, seed))}
    rest = [verdict for item, verdict in scored.items() if item not in truth]
    corrected = {}
    if both:
        users = [scored[item].user for item in both]
        labelled = Labelled([truth[item] for item in both], [scored[item].correct for item in both], users)
        judged = Judged([each.correct for each in rest], [each.user for each in rest])
        corrected = clustered(labelled, judged, resamples, seed)
    named = {label.item for label in labels}
    return Validation(
        agreement=found,
        people=among_people(labels, {item: verdict.user for item, verdict in scored.items()}, resamples, seed),
        precision=corrected,
        labelled=len(both),
        unsettled=len(named - truth.keys()),
        unscored=len(named - scored.keys()),
    )


def among_people(
    labels: Sequence[Label], users: Mapping[str, str], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Metric]:
    """Krippendorff's alpha of the annotators (not the adjudicator) per criterion; left out where it is not defined."""
    blind = [label for label in labels if label.annotator != ADJUDICATOR]
    items, annotators = (sorted({getattr(label, name) for label in blind}) for name in ("item", "annotator"))
    found = {}
    for criterion in CRITERIA:
        table = {(label.item, label.annotator): bool(getattr(label, criterion)) for label in blind}
        units = [[table.get((item, annotator)) for annotator in annotators] for item in items]
        pairable = [[value for value in unit if value is not None] for unit in units]
        if len({value for unit in pairable if len(unit) > 1 for value in unit}) > 1:
            found[criterion] = krippendorff(units, [users.get(item, item) for item in items], resamples, seed)
    return found


def _against(
    scored: Mapping[str, Scored], labels: Sequence[Label], criterion: str, resamples: int, seed: int
) -> dict[str, Metric]:
    truth = settled(labels, criterion)
    both = [item for item in scored if item in truth]
    if not both:
        return {}
    said = [bool(getattr(scored[item], criterion)) for item in both]
    return agreement([truth[item] for item in both], said, [scored[item].user for item in both], resamples, seed)
