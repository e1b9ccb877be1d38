"""The pages: plain values for the templates, which escape everything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kithe.annotation.book import Label
from kithe.annotation.desk import Desk
from kithe.annotation.figures import Row, Section
from kithe.annotation.package import Pane, Task
from kithe.evaluation.judging.validation import ADJUDICATOR
from kithe.knowledge.evidence import quoted
from kithe.records.history import Turn

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
Progress = Sequence[tuple[str, int, int]]


@dataclass(frozen=True)
class Shown:
    """A turn as it is shown.

    Attributes:
        own: whether the person says it whom the task is about.
        session: the session that begins here; 0 within one.
        parts: the text in pieces, each with whether it is evidence.
    """

    speaker: str
    own: bool
    session: int
    parts: tuple[tuple[str, bool], ...]

    @property
    def marked(self) -> bool:
        """Whether there is evidence in it."""
        return any(mark for _, mark in self.parts)


@dataclass(frozen=True)
class Bar:
    """A figure with its place on a line of 100 units."""

    name: str
    value: str
    interval: str
    n: int
    low: float
    point: float
    high: float
    mark: float | None


@cache
def environment() -> "Environment":
    """The templates; every value is escaped, a missing one is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def render(name: str, **values: Any) -> str:
    """A page."""
    return environment().get_template(name).render(**values)


def conversation(pane: Pane, called: str = "User") -> list[Shown]:
    """The turns of a conversation with the evidence marked; `called` is what the person is called whom the task is about."""
    others = {turn.speaker for turn in pane.turns} - {pane.person}
    several = len({turn.session for turn in pane.turns}) > 1
    found, session = [], 0
    for index, turn in enumerate(pane.turns):
        begins = turn.session if several and turn.session != session else 0
        session = turn.session
        marks = [mark.quote for mark in pane.marks if mark.turn == index]
        own = turn.speaker == pane.person
        # A single letter says less than "other" where there are two.
        name = called if own else "Other" if pane.person and len(others) == 1 and len(turn.speaker) == 1 else turn.speaker
        found.append(Shown(name, own, begins, tuple(parts(turn, marks))))
    return found


def parts(turn: Turn, quotes: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """A turn's text in pieces; a quote that is empty or not found marks the whole turn."""
    spans = sorted(_span(turn.text, quote) for quote in quotes)
    place = 0
    for start, end in spans:
        if end <= place:
            continue
        start = max(start, place)
        if start > place:
            yield turn.text[place:start], False
        yield turn.text[start:end], True
        place = end
    if place < len(turn.text):
        yield turn.text[place:], False


def bar(row: Row) -> Bar:
    """A figure for the results page."""
    low, high = row.span

    def place(value: float) -> float:
        return round(100 * (min(max(value, low), high) - low) / (high - low), 2)

    metric = row.metric
    return Bar(
        name=row.name,
        value=f"{metric['value']:.3f}",
        interval=f"[{metric['low']:.3f}, {metric['high']:.3f}]",
        n=metric["n"],
        low=place(metric["low"]),
        point=place(metric["value"]),
        high=place(metric["high"]),
        mark=None if row.mark is None else place(row.mark),
    )


def task_page(desk: Desk, person: str, task: Task, tasks: Sequence[Task], own: dict[str, Label], problem: str = "") -> str:
    """The page on which a task is answered."""
    called = "You" if desk.package.header.kind == "user" else "User"
    index = next((place for place, each in enumerate(tasks) if each.id == task.id), 0)
    return render(
        "task.html",
        **frame(desk, person, tasks, own),
        form=desk.form,
        task=task,
        panes=[(pane.title, conversation(pane, called)) for pane in task.panes],
        label=own.get(task.id),
        others=desk.others(task) if person == ADJUDICATOR else [],
        place=index + 1,
        before=tasks[index - 1].key if index else "",
        after=tasks[index + 1].key if index + 1 < len(tasks) else "",
        problem=problem,
    )


def list_page(desk: Desk, person: str, tasks: Sequence[Task], own: dict[str, Label]) -> str:
    """All of a person's tasks with their answers."""
    rows = [(number, task, own.get(task.id)) for number, task in enumerate(tasks, start=1)]
    return render("list.html", **frame(desk, person, tasks, own), rows=rows, form=desk.form)


def results_page(desk: Desk, tasks: Sequence[Task], own: dict[str, Label], sections: Sequence[Section], people: Progress) -> str:
    """Agreement and figures, for the adjudicator; `people`: name, tasks answered, tasks asked."""
    finished = sum(done >= asked for _, done, asked in people)
    shown = [(section.title, [bar(row) for row in section.rows], section.notes) for section in sections]
    return render("results.html", **frame(desk, ADJUDICATOR, tasks, own), sections=shown, people=people, finished=finished)


def message_page(title: str, text: str) -> str:
    """A page that says one thing."""
    return render("message.html", title=title, text=text)


def frame(desk: Desk, person: str, tasks: Sequence[Task], own: dict[str, Label]) -> dict[str, Any]:
    """What every page of a person shows."""
    done = sum(task.id in own for task in tasks)
    return {
        "title": desk.package.header.title or desk.package.header.name,
        "person": person,
        "adjudicator": person == ADJUDICATOR,
        "settles": desk.form.settles,
        "done": done,
        "total": len(tasks),
    }


def _span(text: str, quote: str) -> tuple[int, int]:
    found = quoted(text, quote) if quote else ""
    start = text.find(found) if found else 0
    return (start, start + len(found)) if found else (0, len(text))
