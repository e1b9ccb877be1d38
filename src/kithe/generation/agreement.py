"""How far the labels of construction and a second labelling agree: on items, on turns, and on polarity and strength."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from kithe.generation.stages import Outcome, Row, Written
from kithe.records.base import Record
from kithe.records.chat import Prediction
from kithe.records.history import History, KnowledgeItem

if TYPE_CHECKING:
    from kithe.llm.embed import Embedder

Pair = tuple[str, str]


class Agreement(Record):
    """One dialogue: items of construction, items found, and those that are the same by the matcher.

    `turns` counts user turns by what the two say of them (tells something: construction, extractor), as `yes/no` pairs;
    `polarity` and `intensity` are those of the matched items, construction first.
    """

    id: str
    planted: int
    found: int
    matched: int
    unread: int = 0
    turns: tuple[Pair, ...] = ()
    polarity: tuple[Pair, ...] = ()
    intensity: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Agreements:
    """The stage: the two labellings of every dialogue, matched as `judge=gold` matches predictions.

    Attributes:
        threshold: cosine from which two statements can be the same fact; None for the calibrated one.
    """

    threshold: float | None = None
    record: ClassVar[type[Record]] = Agreement
    version: ClassVar[int] = 1

    def keys(self, key: str) -> tuple[str, ...]:
        """One comparison a dialogue."""
        return (key,)

    def write(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Stage.write`."""
        from kithe.evaluation.calibration import calibrated_threshold
        from kithe.evaluation.matching import as_statement, match

        pairs = [(row.key, row.known["dialogues"], row.known["extraction"]) for row in rows]
        encoder, threshold = _encoder(), self.threshold or calibrated_threshold()
        encoder.encode([as_statement(item) for _, history, found in pairs for item in (*history.items, *found.items)])
        for key, history, found in pairs:
            hits = [(history.items[i], found.items[j]) for i, j, _ in match(history.items, found.items, encoder, threshold)]
            yield key, Written(compared(history, found, hits))

    def account(self) -> "Account":
        """What all comparisons say together."""
        return Account()


def compared(history: History, found: Prediction, hits: Sequence[tuple[KnowledgeItem, KnowledgeItem]]) -> Agreement:
    """One dialogue's comparison, given which items are the same."""
    own = [index for index, turn in enumerate(history.turns) if turn.speaker == history.user]
    tells = [{evidence.turn for item in items for evidence in item.evidence} for items in (history.items, found.items)]
    return Agreement(
        id=history.id,
        planted=len(history.items),
        found=len(found.items),
        matched=len(hits),
        unread=found.unparsed,
        turns=tuple((_yes(index in tells[0]), _yes(index in tells[1])) for index in own),
        polarity=tuple((ours.polarity, theirs.polarity) for ours, theirs in hits if ours.polarity and theirs.polarity),
        intensity=tuple((ours.intensity, theirs.intensity) for ours, theirs in hits if ours.intensity and theirs.intensity),
    )


@dataclass
class Account:
    """Sums over dialogues; see `kithe.generation.stages.Account`."""

    counts: Counter[str] = field(default_factory=Counter)
    pairs: dict[str, Counter[Pair]] = field(
        default_factory=lambda: {name: Counter() for name in ("turns", "polarity", "intensity")}
    )

    def add(self, text: bytes) -> None:
        """Count a dialogue that was read; one that was not is counted as unread and says nothing about agreement."""
        row = Agreement.model_validate_json(text)
        self.counts["unread"] += row.unread
        if row.unread:
            return
        self.counts["dialogues"] += 1
        for name in ("planted", "found", "matched"):
            self.counts[name] += getattr(row, name)
        for name, pairs in self.pairs.items():
            pairs.update(getattr(row, name))

    def report(self) -> dict[str, Any]:
        """Precision and recall are of the second labelling against construction; kappa is Cohen's."""
        counts = {name: self.counts[name] for name in ("dialogues", "unread", "planted", "found", "matched")}
        return {
            **counts,
            "precision": _ratio(counts["matched"], counts["found"]),
            "recall": _ratio(counts["matched"], counts["planted"]),
            "f1": _ratio(2 * counts["matched"], counts["found"] + counts["planted"]),
            "kappa": {name: kappa(pairs) for name, pairs in self.pairs.items()},
        }


def kappa(pairs: Counter[Pair]) -> float | None:
    """Cohen's kappa of two raters, (p_o - p_e) / (1 - p_e) (spec 7.1); None where chance alone decides or there is nothing."""
    n = pairs.total()
    if not n:
        return None
    first, second = Counter[str](), Counter[str]()
    for (one, other), count in pairs.items():
        first[one] += count
        second[other] += count
    chance = sum(first[label] * second[label] for label in first) / n**2
    agreed = sum(count for (one, other), count in pairs.items() if one == other) / n
    return round((agreed - chance) / (1 - chance), 4) if chance < 1 else None


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _yes(value: bool) -> str:
    return "yes" if value else "no"


@cache
def _encoder() -> "Embedder":
    from kithe.llm.embed import Embedder

    return Embedder()
