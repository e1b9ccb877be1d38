"""The hand-written corpus that comes with kithe: everyday talk to an assistant and between people, with gold items."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import islice
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from kithe.corpora.source import Split
from kithe.errors import ConfigError, at_least
from kithe.records.base import Record
from kithe.records.history import Evidence, History, Inference, Intensity, ItemType, KnowledgeItem, Polarity, Turn

_FILES = {"validation": "validation", "test": "test_"}
_SESSION = re.compile(r"-- session (\d+) --")


class SampleItem(Record):
    """One gold item: what the user could say of themselves, and the words that show it."""

    say: str
    value: str
    category: str
    type: ItemType
    polarity: Polarity
    intensity: Intensity
    inference: Inference
    quotes: tuple[str, ...] = Field(min_length=1)


class SampleEntry(Record):
    """One conversation: turns are "U: …" (the user), "P: …" (the partner) or "-- session 2 --"."""

    id: str
    kind: Literal["assistant", "people"]
    turns: tuple[str, ...] = Field(min_length=1)
    items: tuple[SampleItem, ...]


@dataclass(frozen=True)
class Sample:
    """The hand-written histories, splits validation and test (`conf/data/sample.yaml`).

    Attributes:
        name: how results name the corpus.
        limit: the first so many histories of a split (None: all).
    """

    name: str = "sample"
    limit: int | None = None

    def __post_init__(self) -> None:
        """Check the limit.

        Raises:
            ConfigError: it leaves nothing.
        """
        if self.limit is not None:
            at_least(f"{self.name}.limit", self.limit, 1)

    @property
    def fields(self) -> frozenset[str]:
        """Every optional field except the persona key."""
        return frozenset({"category", "value", "type", "polarity", "intensity", "inference", "evidence"})

    def check(self, split: Split) -> None:
        """Look whether there is such a split (`Checked.check`)."""
        if split not in _FILES:
            raise ConfigError(f"data=sample has no split '{split}', only validation and test: train on another data=…")

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The histories in the order they are written, whatever the seed.

        Raises:
            ConfigError: the split is train (there is none), or a file does not hold what it should.
        """
        del seed
        self.check(split)
        yield from islice(_entries(split), self.limit)


def _entries(split: Split) -> Iterator[History]:
    seen: set[str] = set()
    folder = resources.files("kithe.corpora").joinpath("sample")
    for file in sorted(folder.iterdir(), key=lambda found: found.name):
        if file.name.startswith(_FILES[split]) and file.name.endswith(".yaml"):
            for history in read(file):
                if history.id in seen:
                    raise ConfigError(f"{file.name}: the id '{history.id}' is used twice in the split {split}; give it a new one")
                seen.add(history.id)
                yield history


def read(file: Traversable) -> Iterator[History]:
    """The histories of one YAML file.

    Raises:
        ConfigError: an entry breaks the format, or a quote does not stand in exactly one of the user's turns.
    """
    for entry in yaml.safe_load(file.read_text(encoding="utf-8")):
        where = f"{file.name}: entry '{entry.get('id', '?')}'"
        try:
            yield _history(SampleEntry.model_validate(entry), where)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{where}: {place}: {first['msg']}") from error


def _history(entry: SampleEntry, where: str) -> History:
    turns = tuple(_turns(entry.turns, where))
    items = tuple(_item(item, turns, where) for item in entry.items)
    return History(id=entry.id, source="sample", user="U", turns=turns, items=items)


def _turns(lines: tuple[str, ...], where: str) -> Iterator[Turn]:
    session = 1
    for line in lines:
        if mark := _SESSION.fullmatch(line):
            session = int(mark[1])
        elif line[:3] in ("U: ", "P: "):
            yield Turn(speaker=line[0], text=line[3:], session=session)
        else:
            raise ConfigError(f"{where}: turn '{line[:40]}' starts neither with 'U: ' nor 'P: ' and is no '-- session <n> --'")


def _item(item: SampleItem, turns: tuple[Turn, ...], where: str) -> KnowledgeItem:
    evidence = tuple(_evidence(quote, turns, where) for quote in item.quotes)
    return KnowledgeItem(statement=item.say, evidence=evidence, **item.model_dump(exclude={"say", "quotes"}))


def _evidence(quote: str, turns: tuple[Turn, ...], where: str) -> Evidence:
    found = [number for number, turn in enumerate(turns) if turn.speaker == "U" and quote in turn.text]
    if len(found) != 1:
        raise ConfigError(
            f"{where}: the quote '{quote}' stands in {len(found)} of the user's turns, not word by word in exactly one"
        )
    return Evidence(turn=found[0], quote=quote)
