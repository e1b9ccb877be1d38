"""Rows through stages: block by block, a few hundred rows at a time, each stage into a file of its own.

Rows are addressed by index, and a block is a range of indexes with a file in every stage. So any process can write any block:
shards are processes that share no block, and their union is what one process would have written.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kithe.corpora.synthetic import VALIDATION_SHARE, VALIDATION_START
from kithe.generation.log import Log, Rejected, is_complete, quarantined
from kithe.generation.stages import Outcome, Row, Stage, Unanswered, Written
from kithe.records.base import Record

Split = Literal["train", "validation"]


@dataclass(frozen=True)
class Block:
    """The rows with these indexes."""

    split: Split
    number: int
    indexes: range

    @property
    def name(self) -> str:
        """The block's file in every stage."""
        return f"{self.split}-{self.number:05d}.jsonl"


def blocks(personas: int, size: int) -> list[Block]:
    """The blocks of so many training personas and, from `VALIDATION_START` on, an eighth as many others.

    More personas add rows after the old ones and change none.
    """
    counts: dict[Split, int] = {"train": personas, "validation": max(1, personas // VALIDATION_SHARE)}
    starts: dict[Split, int] = {"train": 0, "validation": VALIDATION_START}
    return [
        Block(split, number, range(start, min(start + size, starts[split] + count)))
        for split, count in counts.items()
        for number, start in enumerate(range(starts[split], starts[split] + count, size))
    ]


@dataclass(frozen=True)
class Pipeline:
    """Stages in order, each with the folder its rows lie in.

    Attributes:
        stages: name -> stage.
        folders: name -> folder; made from the ids of the stages.
        seed: root of every draw.
        together: rows under way at once, which bounds memory; what is written does not depend on it.
    """

    stages: Mapping[str, Stage]
    folders: Mapping[str, Path]
    seed: int
    together: int

    def run(self, todo: Iterable[Block]) -> Counter[str]:
        """Write what is missing of these blocks; returns how many rows nobody answered for, by reason."""
        unanswered: Counter[str] = Counter()
        for block in todo:
            if not self.complete(block):
                unanswered += self._block(block)
        return unanswered

    def complete(self, block: Block) -> bool:
        """Whether every stage has every row of the block."""
        return all(is_complete(folder / block.name, len(block.indexes)) for folder in self.folders.values())

    def rows(self, block: Block) -> Iterator[tuple[str, dict[str, bytes]]]:
        """The rows of a complete block that passed every stage, in the order of keys, with the JSON text each stage wrote."""
        with self._logs(block) as logs:
            for index in block.indexes:
                rows: dict[str, dict[str, bytes]] = {str(index): {}}
                for name, stage in self.stages.items():
                    rows = {child: known for key, known in rows.items() for child in stage.keys(key)}
                    rows = {key: {**known, name: text} for key, known in rows.items() if (text := logs[name].value(key))}
                yield from rows.items()

    def quarantine(self, block: Block) -> Iterator[tuple[str, str, str, Rejected]]:
        """Stage, key, `rejected` (the row) or `dropped` (a part of it), and why; in the order of stages and keys."""
        for name, folder in self.folders.items():
            found = sorted(quarantined(folder / block.name), key=lambda entry: order(entry[0]))
            yield from ((name, *entry) for entry in found)

    @contextmanager
    def _logs(self, block: Block) -> Iterator[dict[str, Log]]:
        """The block's files, held; always opened in the order of stages, so that no two processes wait for each other."""
        with ExitStack() as stack:
            yield {name: stack.enter_context(Log(folder / block.name)) for name, folder in self.folders.items()}

    def _block(self, block: Block) -> Counter[str]:
        unanswered: Counter[str] = Counter()
        with self._logs(block) as logs:
            for indexes in _chunks(block.indexes, self.together):
                self._walk(logs, indexes, unanswered)
            if not unanswered:
                for log in logs.values():
                    log.complete(len(block.indexes))
        return unanswered

    def _walk(self, logs: Mapping[str, Log], indexes: range, unanswered: Counter[str]) -> dict[str, dict[str, Any]]:
        """Take the rows of these indexes through all stages, writing what is missing; returns those that arrived."""
        rows: dict[str, dict[str, Any]] = {str(index): {} for index in indexes}
        for name, stage in self.stages.items():
            rows = {child: known for key, known in rows.items() for child in stage.keys(key)}
            values = {key: _read(stage, logs[name], key) for key in rows if key in logs[name]}
            missing = [Row(key, known) for key, known in rows.items() if key not in values]
            values |= _written(stage.write(missing, self.seed), logs[name], unanswered)
            rows = {key: {**known, name: value} for key, known in rows.items() if (value := values.get(key)) is not None}
        return rows


def order(key: str) -> tuple[int, ...]:
    """What keys are sorted by."""
    return tuple(int(part) for part in key.split("-"))


def _read(stage: Stage, log: Log, key: str) -> Record | None:
    value = log.value(key)
    return None if value is None else stage.record.model_validate_json(value)


def _written(outcomes: Iterable[tuple[str, Outcome]], log: Log, unanswered: Counter[str]) -> dict[str, Record | None]:
    """Write outcomes as they come; returns the records."""
    found: dict[str, Record | None] = {}
    for key, outcome in outcomes:
        match outcome:
            case Unanswered(reason):
                unanswered[reason] += 1
            case Rejected():
                log.reject(key, outcome)
            case Written(record, dropped):
                log.add(key, record.line(), dropped)
                found[key] = record
    return found


def _chunks(indexes: range, size: int) -> Iterator[range]:
    return (indexes[start : start + size] for start in range(0, len(indexes), size))
