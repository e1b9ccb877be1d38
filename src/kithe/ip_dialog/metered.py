"""A teacher whose work is counted: calls and words by step, for what a valid item costs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from kithe.ip_dialog.asks import Request
from kithe.ip_dialog.cues import Exchange
from kithe.ip_dialog.teacher import Person, Teacher


@dataclass
class Metered:
    """Passes everything on to a teacher.

    Attributes:
        calls: by step.
        words: that came back, by step.
    """

    teacher: Teacher
    calls: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """The teacher's name."""
        return self.teacher.name

    @property
    def scripted(self) -> bool:
        """Whether a program writes."""
        return self.teacher.scripted

    def subjects(self, task: str, domain: str, draw: str) -> list[str]:
        """See `Teacher`."""
        found = self.teacher.subjects(task, domain, draw)
        self._count("subjects", *found)
        return found

    def requests(self, task: str, domain: str, subject: str, person: Person, draw: str) -> list[Request]:
        """See `Teacher`."""
        found = self.teacher.requests(task, domain, subject, person, draw)
        self._count("requests", *(request.text for request in found))
        return found

    def answer(self, request: Request, person: Person, draw: str) -> str:
        """See `Teacher`."""
        said = self.teacher.answer(request, person, draw)
        self._count("answer", said)
        return said

    def exchange(self, name: str, value: str, related: Person, earlier: Sequence[Exchange], draw: str) -> Exchange:
        """See `Teacher`."""
        return self._counted("exchange", self.teacher.exchange(name, value, related, earlier, draw))

    def exam(self, exchange: Exchange, name: str, value: str, draw: str) -> str:
        """See `Teacher`."""
        said = self.teacher.exam(exchange, name, value, draw)
        self._count("exam", said)
        return said

    def improve(self, exchange: Exchange, name: str, value: str, related: Person, draw: str) -> Exchange:
        """See `Teacher`."""
        return self._counted("improve", self.teacher.improve(exchange, name, value, related, draw))

    def consistent(self, exchange: Exchange, person: Person, draw: str) -> str:
        """See `Teacher`."""
        said = self.teacher.consistent(exchange, person, draw)
        self._count("consistent", said)
        return said

    def filler(self, related: Person, earlier: Sequence[Exchange], draw: str) -> Exchange:
        """See `Teacher`."""
        return self._counted("filler", self.teacher.filler(related, earlier, draw))

    def _counted(self, step: str, made: Exchange) -> Exchange:
        self._count(step, made.user, made.assistant)
        return made

    def _count(self, step: str, *texts: str) -> None:
        self.calls[step] += 1
        self.words[step] += sum(len(text.split()) for text in texts)
