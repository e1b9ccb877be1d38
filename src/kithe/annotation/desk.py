"""Who has what on their desk: everybody's tasks in their own order, what is open, and where people differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kithe.annotation.book import Book, Label, by_task
from kithe.annotation.forms import Form, Value, form
from kithe.annotation.package import Package, Task
from kithe.annotation.people import People
from kithe.evaluation.judging.validation import ADJUDICATOR
from kithe.identity import digest


@dataclass(frozen=True)
class Desk:
    """A package with its people and their labels."""

    package: Package
    people: People
    book: Book = field(repr=False)

    @cached_property
    def form(self) -> Form:
        """What is asked."""
        return form(self.package.header.kind)

    def tasks(self, person: str) -> list[Task]:
        """What a person is asked, in their order: in user validation what is about them; what is disputed for the adjudicator."""
        if person == ADJUDICATOR:
            return self.disputed() if self.form.settles else []
        if self.package.header.kind == "user":
            return [task for task in self.package.tasks if task.user == person]
        return ordered(self.package.tasks, str(self.package.header.seed))

    def disputed(self) -> list[Task]:
        """The tasks on which people's answers differ, in the package's order."""
        found = by_task([label for label in self.book.labels() if label.annotator != ADJUDICATOR])
        return [task for task in self.package.tasks if differs(found.get(task.id, []))]

    def own(self, person: str) -> dict[str, Label]:
        """A person's labels by task."""
        return {label.task: label for label in self.book.labels(person)}

    def others(self, task: Task) -> list[Label]:
        """What annotators say of a task, without the adjudicator; for the adjudicator's eyes only."""
        return [label for label in self.book.labels() if label.task == task.id and label.annotator != ADJUDICATOR]


def ordered(tasks: Sequence[Task], seed: str) -> list[Task]:
    """The tasks of one user together, so that a conversation is read once; users in an order of the seed's own.

    The order is everybody's: what two people have done half of overlaps, and its users are a random part of all.
    """
    return sorted(tasks, key=lambda task: digest([seed, task.user]))


def differs(labels: Sequence[Label]) -> bool:
    """Whether not all answers are the same."""
    return any(label.answers != labels[0].answers for label in labels[1:])


def following(tasks: Sequence[Task], done: dict[str, Label], after: str | None = None) -> Task | None:
    """The next task without a label, from the one after `after` on and then from the start; None when all are done."""
    start = next((index + 1 for index, task in enumerate(tasks) if task.id == after), 0)
    return next((task for task in (*tasks[start:], *tasks[:start]) if task.id not in done), None)


def decided(labels: Sequence[Label], name: str) -> dict[str, Value]:
    """Task -> the adjudicator's answer, or else that of more than half of the people; left out where there is neither."""
    found: dict[str, Value] = {}
    for task, said in by_task(labels).items():
        final = [label.answers[name] for label in said if label.annotator == ADJUDICATOR]
        votes = [label.answers[name] for label in said if label.annotator != ADJUDICATOR]
        most = max(set(votes), key=votes.count, default=None)
        if final:
            found[task] = final[-1]
        elif most is not None and 2 * votes.count(most) > len(votes):
            found[task] = most
    return found
