"""What a stage is, and the stages that the configuration lists: personas, then dialogues with their labels, then what reads them.

A stage makes rows out of rows. A row is known by a key: the index of its persona, then `<index>-<number>` for each dialogue.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from kithe.corpora.synthetic import VALIDATION_START
from kithe.dialogues.teacher import Teacher
from kithe.errors import ConfigError
from kithe.generation.likeness import Likeness
from kithe.generation.log import Rejected
from kithe.llm.client import Ask, Client
from kithe.personas.persona import Persona
from kithe.records.base import Record
from kithe.records.history import History

Known = Mapping[str, Any]
"""What the stages before have written about a row: stage -> record."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A row that nobody answered for (no connection, no time, no money): it stays to be done."""

    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """A record with what had to be left out of it, which goes into quarantine."""

    record: Record
    dropped: tuple[Rejected, ...] = ()


Outcome = Written | Rejected | Unanswered


class Row(NamedTuple):
    """A row to be written."""

    key: str
    known: Known


@runtime_checkable
class ModelTeacher(Protocol):
    """A teacher that asks a model, and so writes many rows at once."""

    @property
    def name(self) -> str:
        """See `Teacher.name`."""

    def personas(self, keys: Sequence[str], seed: int) -> Iterator[tuple[str, Outcome]]:
        """The personas of these indexes."""

    def dialogues(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        """A dialogue for each row, whose persona is known."""


class Stage(Protocol):
    """One step from rows to rows.

    Attributes:
        record: what its rows hold.
        version: of its code; raised by whoever changes what it writes.
    """

    record: ClassVar[type[Record]]
    version: ClassVar[int]

    def keys(self, key: str) -> tuple[str, ...]:
        """The rows it makes from a row of the stage before."""

    def write(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        """An outcome for each row, in any order.

        Each is a function of key, what is known of the row, and seed.
        """


@runtime_checkable
class Asking(Protocol):
    """What asks a model, and can say beforehand what for."""

    @property
    def client(self) -> Client:
        """Whom it asks."""

    def asks(self, stage: str, key: str, seed: int) -> list[Ask]:
        """What a row of a stage takes at least, with stand-ins for what is not written yet."""


class Account(Protocol):
    """What a stage's rows say together, counted as they pass."""

    def add(self, text: bytes) -> None:
        """Count a row, given as the JSON text of its record."""

    def report(self) -> dict[str, Any]:
        """Plain JSON values for the card."""


@runtime_checkable
class Checks(Protocol):
    """A stage whose rows are for the card."""

    def account(self) -> Account:
        """A new, empty account."""


@dataclass(frozen=True)
class Personas:
    """Who the conversations are about."""

    teacher: Teacher | ModelTeacher
    record: ClassVar[type[Record]] = Persona
    version: ClassVar[int] = 1

    def keys(self, key: str) -> tuple[str, ...]:
        """One persona an index."""
        return (key,)

    def write(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Stage.write`."""
        if isinstance(self.teacher, ModelTeacher):
            yield from self.teacher.personas([row.key for row in rows], seed)
            return
        for key, _ in rows:
            index = int(key)
            yield key, Written(self.teacher.persona(seed, index, unseen=index >= VALIDATION_START))


@dataclass(frozen=True)
class Dialogues:
    """Conversations with labels by construction: the teacher plans which turn shows what, so every item knows its turn.

    Attributes:
        each: dialogues a persona.
    """

    teacher: Teacher | ModelTeacher
    each: int = 1
    record: ClassVar[type[Record]] = History
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: there would be no dialogue.
        """
        if self.each < 1:
            raise ConfigError(f"task.stages.dialogues.each={self.each}: a persona needs at least one dialogue")

    def keys(self, key: str) -> tuple[str, ...]:
        """So many dialogues a persona."""
        return tuple(f"{key}-{number}" for number in range(self.each))

    def account(self) -> Account:
        """Echoes of the teacher's exemplars, and distances from the log that it follows."""
        return Likeness.of(self.teacher)

    def write(self, rows: Sequence[Row], seed: int) -> Iterator[tuple[str, Outcome]]:
        """See `Stage.write`."""
        if isinstance(self.teacher, ModelTeacher):
            yield from self.teacher.dialogues(rows, seed)
            return
        for key, known in rows:
            yield key, Written(self.teacher.dialogue(known["personas"], seed, int(key.split("-")[1])))
