"""From finished rows to the files of a corpus, in one pass and in the order of rows, whoever wrote them and when.

train.jsonl  validation.jsonl                histories with their items, a line each, as every corpus folder holds them
personas/    chat/                           who spoke; examples to learn from, as chat messages
parquet/dialogues/ personas/ chat/           the same as Parquet
rejected.jsonl                               what is in quarantine, with stage, reason and raw text
card.json  README.md                         what all this is
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from kithe.generation import columns
from kithe.generation.pipeline import Block, Pipeline, Split
from kithe.generation.stages import Account, Checks
from kithe.generation.statistics import Statistics
from kithe.personas.persona import Persona
from kithe.records.base import Record, write_lines
from kithe.records.chat import ChatExample, Message
from kithe.records.history import History

SPLITS: Final[tuple[Split, ...]] = ("train", "validation")
Table = Literal["dialogues", "personas", "chat"]


class ChatRow(Record):
    """An example to learn from, in the form trainers read: what is shown and, as the last message, what is to be said.

    `empty`: the right answer is that there is nothing.
    """

    id: str
    messages: tuple[Message, ...]
    empty: bool = False


RECORDS: Final[Mapping[str, type[Record]]] = {"dialogues": History, "personas": Persona, "chat": ChatRow}


class Format(Protocol):
    """Makes examples of histories (a task's format, `kithe.knowledge.task.PKI`)."""

    def examples(self, histories: Iterable[History]) -> list[ChatExample]:
        """What to learn from these histories."""


@dataclass
class Written:
    """What an export wrote: files with size and hash, rows of each table, statistics of each split, quarantine by stage."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    statistics: dict[Split, Statistics] = field(default_factory=lambda: {split: Statistics() for split in SPLITS})
    rejected: dict[str, Counter[str]] = field(default_factory=dict)
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)


@dataclass(frozen=True)
class Export:
    """What is published of a corpus.

    Attributes:
        chat: how histories become chat examples.
        files: which kinds of files.
        title: of the corpus card.
        licence: of the text; an identifier as dataset cards use them.
    """

    chat: Format
    files: Sequence[Literal["jsonl", "parquet"]] = ("jsonl", "parquet")
    title: str = "Synthetic conversations with personal knowledge items"
    licence: str = "apache-2.0"

    def write(self, folder: Path, pipeline: Pipeline, todo: Sequence[Block]) -> Written:
        """Write every file but the card; the same rows give the same bytes."""
        written = Written(
            accounts={name: stage.account() for name, stage in pipeline.stages.items() if isinstance(stage, Checks)}
        )
        for split in SPLITS:
            with ExitStack() as stack:
                tables = {name: stack.enter_context(self._table(folder, name, split)) for name in RECORDS}
                for block in (block for block in todo if block.split == split):
                    self._block(pipeline, block, tables, written)
            for name, table in tables.items():
                written.files |= {str(path.relative_to(folder)): described(path) for path in table.files}
                written.rows[f"{name}/{split}"] = table.rows
        lines = (json.dumps(entry, ensure_ascii=False) for block in todo for entry in _quarantined(pipeline, block, written))
        write_lines(folder / "rejected.jsonl", lines)
        written.files["rejected.jsonl"] = described(folder / "rejected.jsonl")
        return written

    def _block(self, pipeline: Pipeline, block: Block, tables: Mapping[str, columns.Table], written: Written) -> None:
        index = ""
        for key, texts in pipeline.rows(block):
            history = History.model_validate_json(texts["dialogues"])
            if key.split("-")[0] != index:
                index = key.split("-")[0]
                persona = Persona.model_validate_json(texts["personas"])
                tables["personas"].add(persona)
                written.statistics[block.split].meet(persona)
            tables["dialogues"].add(history)
            for example in self.chat.examples([history]):
                answer = Message(role="assistant", content=example.answer)
                tables["chat"].add(ChatRow(id=example.id, messages=(*example.prompt, answer), empty=example.empty))
            written.statistics[block.split].add(history)
            for name, account in written.accounts.items():
                account.add(texts[name])

    def _table(self, folder: Path, name: str, split: Split) -> columns.Table:
        lines = folder / f"{split}.jsonl" if name == "dialogues" else folder / name / f"{split}.jsonl"
        kept = lines if "jsonl" in self.files or name == "dialogues" else None
        return columns.Table(RECORDS[name], kept, folder / "parquet" / name / split if "parquet" in self.files else None)


def described(path: Path) -> dict[str, Any]:
    """Size and hash of a file."""
    with open(path, "rb") as file:
        return {"bytes": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}


def _quarantined(pipeline: Pipeline, block: Block, written: Written) -> Iterator[dict[str, str]]:
    for stage, row, what, why in pipeline.quarantine(block):
        counts = written.rejected if what == "rejected" else written.dropped
        counts.setdefault(stage, Counter())[why.reason] += 1
        yield {"stage": stage, "row": row, "split": block.split, "what": what, "reason": why.reason, "raw": why.raw}
