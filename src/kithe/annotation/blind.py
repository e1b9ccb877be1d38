"""Packages whose answer is known and not shown: who wrote a conversation, whether a message got noise, where a follow-up is from.

Each has a half that is the control, so that what people say of the machine's part can be read beside what they say of the rest.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from pydantic import ValidationError

from kithe.annotation.forms import guideline
from kithe.annotation.package import Header, Kind, Package, Pane, Task, checked, neutral
from kithe.errors import ConfigError
from kithe.evaluation.qa.review import Line
from kithe.gym.records import Spoken, Trajectory
from kithe.gym.source import FILE
from kithe.quality.sources import read
from kithe.records.history import History, Turn

CLEAN: Final = "clean"
OWN, FOREIGN = "follow-up", "of another conversation"
Moment = tuple[Trajectory, int]


def turing(name: str, machine: str, people: str, store: Path, pairs: int, seed: int = 0) -> Package:
    """Pairs of a machine's conversation and people's, the order drawn (spec D, 5.9).

    Each machine's conversation stands beside the human one nearest in length, both cut to the shorter one's turns, and speakers
    are called A and B, so that neither length nor names give it away.

    Args:
        name: of the package.
        machine: a corpus by id, folder or file.
        people: the same, or a real set such as `laps`.
        store: the root of all results.
        pairs: at most so many.
        seed: of the draw.

    Raises:
        ConfigError: one of the corpora is not there or cannot be read.
    """
    random = Random(f"{seed}/turing")
    made, spoken = (_conversations(read(what, store).histories) for what in (machine, people))
    random.shuffle(made)
    random.shuffle(spoken)
    tasks = []
    for number, turns in enumerate(made[: min(pairs, len(spoken))]):
        other = spoken.pop(min(range(len(spoken)), key=lambda index: abs(len(spoken[index]) - len(turns))))
        length = min(len(turns), len(other))
        people_first = random.random() < 0.5
        both = (other, turns) if people_first else (turns, other)
        panes = tuple(Pane(title=title, turns=one[:length]) for title, one in zip(("First", "Second"), both, strict=True))
        tasks.append(Task(id=f"pair-{number:04d}", panes=panes, truth="first" if people_first else "second"))
    return _package(name, "turing", f"{machine} beside {people}", tasks, seed)


def noise(name: str, trajectories: Path, count: int, seed: int = 0) -> Package:
    """Messages of simulated users, half of them with noise, each after the conversation so far (spec B, 3.8).

    Raises:
        ConfigError: the file cannot be read or holds none.
    """
    random = Random(f"{seed}/noise")
    moments = [(talk, place) for talk in _trajectories(trajectories) for place in _places(talk, opening=True)]
    random.shuffle(moments)
    noised, clean = ([moment for moment in moments if _said(moment).was_noised is with_noise] for with_noise in (True, False))
    half = min(len(noised), len(clean), (count + 1) // 2)
    if not half:
        raise ConfigError(f"{trajectories}: messages with noise and without are needed, there are {len(noised)} and {len(clean)}")
    tasks = [_moment(moment, _said(moment).content, _layer(_said(moment))) for moment in [*noised[:half], *clean[:half]]]
    random.shuffle(tasks)
    return _package(name, "noise", str(trajectories), tasks, seed)


def follow_up(name: str, trajectories: Path, count: int, seed: int = 0) -> Package:
    """What a simulated user says next, or in half of the tasks what another one says in another conversation (spec B, 3.8).

    Raises:
        ConfigError: the file cannot be read or holds no two users who go on.
    """
    random = Random(f"{seed}/follow-up")
    moments = [(talk, place) for talk in _trajectories(trajectories) for place in _places(talk, opening=False)]
    random.shuffle(moments)
    tasks = []
    for number, moment in enumerate(moments[:count]):
        others = [other for other in moments if other[0].persona_id != moment[0].persona_id] if number % 2 else [moment]
        if not others:
            raise ConfigError(f"{trajectories}: follow-ups of at least two users are needed for the control")
        tasks.append(_moment(moment, _said(random.choice(others)).content, FOREIGN if number % 2 else OWN))
    random.shuffle(tasks)
    return _package(name, "follow-up", str(trajectories), tasks, seed)


def review(name: str, path: Path) -> Package:
    """The pairs of answers that `kithe.evaluation.qa.review.export` wrote.

    Raises:
        ConfigError: the file cannot be read, or a line is no such pair.
    """
    try:
        lines = list(Line.read(path))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigError(f"reviews {path}: cannot be read: {str(error).splitlines()[0]}") from None
    tasks = [
        Task(
            id=line.id,
            facts={"Question": line.question, "Reference answer": line.gold, "Answer": line.candidate},
            truth="yes" if line.automatic else "no",
        )
        for line in lines
    ]
    return _package(name, "review", str(path), tasks, 0)


def _package(name: str, kind: Kind, source: str, tasks: Sequence[Task], seed: int) -> Package:
    header = Header(name=name, kind=kind, title=name, source=source, guideline=guideline(kind), seed=seed)
    return checked(Package(header=header, tasks=tuple(tasks)))


def _conversations(histories: Iterable[History]) -> list[tuple[Turn, ...]]:
    """Distinct conversations: a set may hold one of two people twice, once about each."""
    return list(dict.fromkeys(neutral(history.turns) for history in histories if history.turns))


def _trajectories(path: Path) -> list[Trajectory]:
    whole = path / FILE  # a corpus has further files beside it
    files = [whole] if whole.is_file() else sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    try:
        return [talk for file in files for talk in Trajectory.read(file)]
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigError(f"trajectories {path}: cannot be read: {str(error).splitlines()[0]}") from None


def _places(talk: Trajectory, opening: bool) -> list[int]:
    """Where in the conversation the user speaks."""
    found = [place for place, message in enumerate(talk.messages) if message.role == "user"]
    return found if opening else found[1:]


def _said(moment: Moment) -> Spoken:
    return moment[0].messages[moment[1]]


def _layer(message: Spoken) -> str:
    return message.noise.layer if message.was_noised and message.noise else CLEAN


def _moment(moment: Moment, text: str, group: str) -> Task:
    talk, place = moment
    turns = tuple(Turn(speaker=message.role, text=message.content) for message in talk.messages[:place])
    panes = (Pane(person="user", turns=turns),) if turns else ()
    return Task(id=f"{talk.id}@{place}", user=talk.persona_id, statement=text, panes=panes, group=group)
