"""What people are asked: a package of tasks of one kind, in one file of JSON lines (the header first)."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args

from pydantic import Field, ValidationError

from kithe.errors import ConfigError
from kithe.identity import digest
from kithe.records.base import SCHEMA_VERSION, Record, open_text, write_lines
from kithe.records.history import Evidence, Turn

Kind = Literal["items", "user", "turing", "noise", "follow-up", "review"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
R = TypeVar("R", bound=Record)


class Pane(Record):
    """A conversation as it is shown; `person` is the speaker the task is about, `marks` where to look."""

    title: str = ""
    person: str = ""
    turns: tuple[Turn, ...]
    marks: tuple[Evidence, ...] = ()


class Task(Record):
    """One thing to decide.

    Attributes:
        id: unique in its package.
        user: whose data it is: the unit of resampling, and in a user's own validation the person who answers.
        statement: what is judged.
        facts: named texts to show with it, such as the question and the two answers of a review.
        panes: the conversations shown.
        truth: what is known already and never shown to anybody who answers, such as which conversation people wrote.
        group: what the answers are compared by afterwards; not shown either.
    """

    id: str = Field(min_length=1)
    user: str = ""
    statement: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    panes: tuple[Pane, ...] = ()
    truth: str = ""
    group: str = ""

    @cached_property
    def key(self) -> str:
        """The task's name in an address; says nothing about where it comes from."""
        return digest(self.id, 12)


class Header(Record):
    """The first line of a package: what it is, what it was made from, and the version of the rules people are given."""

    name: str = Field(min_length=1)
    kind: Kind
    title: str = ""
    source: str = ""
    guideline: str = ""
    seed: int = 0
    schema_version: int = SCHEMA_VERSION


class Package(Record):
    """Tasks of one kind."""

    header: Header
    tasks: tuple[Task, ...]

    @cached_property
    def by_id(self) -> dict[str, Task]:
        """The tasks by their ids."""
        return {task.id: task for task in self.tasks}

    @cached_property
    def by_key(self) -> dict[str, Task]:
        """The tasks by what stands for them in an address."""
        return {task.key: task for task in self.tasks}

    @cached_property
    def users(self) -> tuple[str, ...]:
        """Everybody the tasks are about, in order of appearance."""
        return tuple(dict.fromkeys(task.user for task in self.tasks))

    @cached_property
    def digest(self) -> str:
        """Changes with everything in it."""
        return digest([self.header.model_dump(), *(task.line() for task in self.tasks)])


def write(path: Path, package: Package) -> None:
    """Write a package, whole or not at all."""
    write_lines(path, [package.header.model_dump_json(), *(task.line() for task in package.tasks)])


def read(path: Path) -> Package:
    """The package in a file.

    Raises:
        ConfigError: the file cannot be read, or a line of it is not what it should be.
    """
    try:
        with open_text(path) as lines:
            texts = [text for text in lines if text.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"package {path}: cannot be read: {' '.join(str(error).split())}") from None
    if not texts:
        raise ConfigError(f"package {path}: it is empty; the first line is a header such as {_example()}")
    header = _line(path, 1, texts[0], Header)
    return checked(Package(header=header, tasks=tuple(_line(path, n, text, Task) for n, text in enumerate(texts[1:], start=2))))


def checked(package: Package) -> Package:
    """The package, if it can be answered.

    Raises:
        ConfigError: it has no task, or two tasks have the same id.
    """
    if not package.tasks:
        raise ConfigError(f"package '{package.header.name}': there is nothing to decide in it")
    twice = [name for name, count in Counter(task.id for task in package.tasks).items() if count > 1]
    if twice:
        raise ConfigError(f"package '{package.header.name}': {len(twice)} task ids stand there twice, such as '{twice[0]}'")
    return package


def neutral(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns with the speakers called A, B, ... in order of appearance, so that names tell nothing."""
    names: dict[str, str] = {}
    for turn in turns:
        names.setdefault(turn.speaker, chr(ord("A") + len(names) % 26))
    return tuple(turn.model_copy(update={"speaker": names[turn.speaker]}) for turn in turns)


def _line(path: Path, number: int, text: str, record: type[R]) -> R:
    try:
        return record.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the line"
        raise ConfigError(f"package {path}, line {number}: {where}: {problem['msg']}") from None


def _example() -> str:
    return Header(name="mine", kind="items").line()
