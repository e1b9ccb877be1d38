"""A teacher of few words, with faults where a test wants them, and the stages it writes in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from kithe.generation.log import Rejected
from kithe.generation.pipeline import Block, Pipeline
from kithe.generation.stages import Dialogues, Outcome, Personas, Row, Unanswered
from kithe.personas.persona import Attribute, Persona
from kithe.records.base import Record
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

FIELDS = frozenset({"category", "key", "value", "type", "polarity", "intensity", "inference", "evidence"})


@dataclass
class Terse:
    """Says one thing about everybody, and remembers what it was asked."""

    asked: list[str] = field(default_factory=list)
    name: str = "terse"
    scripted: bool = True
    fields: frozenset[str] = FIELDS

    def persona(self, seed: int, index: int, unseen: bool = False) -> Persona:
        self.asked.append(f"p{index}")
        cats = Attribute(key="pets_owned", category="Pets", value=f"{index} cats", polarity="positive", slots={"v": "cats"})
        return Persona(id=f"terse-{seed}-{index}", attributes=(cats,), unseen=unseen)

    def dialogue(self, persona: Persona, seed: int, index: int) -> History:
        self.asked.append(f"d{persona.id.split('-')[2]}-{index}")
        (cats,) = persona.attributes
        quote = f"i have {cats.value}"
        turns = (Turn(speaker="B", text="hello"), Turn(speaker="A", text=f"{quote}, héhé"), Turn(speaker="A", text="set a timer"))
        item = KnowledgeItem(
            statement=f"I have {cats.value}.", category="Pets", key=cats.key, value=cats.value, type="attribute",
            polarity="positive", intensity="medium", inference="explicit", evidence=(Evidence(turn=1, quote=quote),))  # fmt: skip
        name = f"{persona.id}-{index}"
        return History(id=name, source="synthetic", user="A", turns=turns, items=(item,), licence="generated")


class KilledError(Exception):
    """Stands for a process that ends in the middle."""


@dataclass
class Faulty:
    """A stage around another one: some rows are rejected, some stay unanswered, and it is killed after so many rows."""

    stage: Any
    bad: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    kill_after: int | None = None
    version: ClassVar[int] = 1

    @property
    def record(self) -> type[Record]:
        kind: type[Record] = self.stage.record
        return kind

    def keys(self, key: str) -> tuple[str, ...]:
        keys: tuple[str, ...] = self.stage.keys(key)
        return keys

    def write(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        for key, known in rows:
            if self.kill_after == 0:
                raise KilledError
            if self.kill_after is not None:
                self.kill_after -= 1
            if key in self.bad:
                yield key, Rejected(reason="malformed", raw='{"a": ')
            elif key in self.silent:
                yield key, Unanswered("timeout")
            else:
                yield from self.stage.write([Row(key, known)], seed)


def pipeline(root: Path, *, each: int = 1, together: int = 4, **faults: dict[str, Any]) -> tuple[Pipeline, Terse]:
    """Personas and dialogues of a terse teacher; `faults` by stage."""
    teacher = Terse()
    stages: dict[str, Any] = {"personas": Personas(teacher), "dialogues": Dialogues(teacher, each)}
    stages = {name: Faulty(stage, **faults.get(name, {})) for name, stage in stages.items()}
    return Pipeline(stages, {name: root / name for name in stages}, seed=3, together=together), teacher


def content(root: Path, todo: Iterable[Block]) -> dict[str, bytes]:
    """The bytes of every file of rows."""
    return {
        f"{name}/{block.name}": (root / name / block.name).read_bytes() for name in ("personas", "dialogues") for block in todo
    }
