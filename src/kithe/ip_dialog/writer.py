"""A language model as teacher: the same pipeline, with prompts of our own and tolerant reading of what comes back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

from kithe.ip_dialog.asks import OPTIONS, Request
from kithe.ip_dialog.cues import Exchange
from kithe.ip_dialog.schema import read, tasks
from kithe.ip_dialog.teacher import Person
from kithe.llm.client import Ask, Client, one
from kithe.records.chat import Message

SUBJECTS, REQUESTS, WORDS = 10, 4, 6  # so many are taken; a subject has at most so many words
_BULLET: Final = re.compile(r"^\s*(?:\d+[.)]|[-*\u2022])\s*")
_OPTION: Final = re.compile(r"\b([A-E])[.)]\s+(.*?)(?=\s*\b[A-E][.)]\s|\s*$)", re.S)
_SIDES: Final = re.compile(r"^\W*User\W*:\s*(?P<user>.*?)\s*^\W*(?:AI|Assistant)\W*:\s*(?P<assistant>.*)", re.S | re.M | re.I)


@dataclass(frozen=True, eq=False)
class Writer:
    """A teacher that asks language models.

    Attributes:
        client: writes subjects, requests, answers and exchanges.
        examiner: says whether an exchange passes; better of another family than the writer, which goes easy on itself.
        temperature: of what is written; verdicts are the likeliest ones.
        max_tokens: the longest answer.
    """

    client: Client
    examiner: Client
    temperature: float = 0.8
    max_tokens: int = 500

    scripted = False

    @property
    def name(self) -> str:
        """The writer's name."""
        return self.client.name

    def subjects(self, task: str, domain: str, draw: str) -> list[str]:
        """See `Teacher`."""
        said = self._write("subjects", draw, domain=domain, definition=tasks()[task].definition)
        return [line for line in _lines(said) if len(line.split()) <= WORDS][:SUBJECTS]

    def requests(self, task: str, domain: str, subject: str, person: Person, draw: str) -> list[Request]:
        """See `Teacher`; where options are asked for, requests without all of them are left out."""
        slots = {"domain": domain, "subject": subject, "definition": tasks()[task].definition, "attributes": _listed(person)}
        texts = _lines(self._write("requests", draw, **slots, options=prompts()["options"].get(task, "")))[:REQUESTS]
        made = [
            Request(task=task, domain=domain, subject=subject, text=text, options=options(text) if task in OPTIONS else ())
            for text in texts
        ]
        return [request for request in made if len(request.options) == OPTIONS.get(task, 0)]

    def answer(self, request: Request, person: Person, draw: str) -> str:
        """See `Teacher`."""
        info = tasks()[request.task]
        slots = {"definition": info.definition, "answer_as": info.answer_as, "request": request.text}
        return self._write("answer", draw, **slots, attributes=_listed(person))

    def exchange(self, name: str, value: str, related: Person, earlier: Sequence[Exchange], draw: str) -> Exchange:
        """See `Teacher`."""
        before = "\n".join(map(_spelt, earlier)) or "(nothing yet)"
        return _sides(self._write("exchange", draw, name=name, value=value, attributes=_listed(related), earlier=before))

    def exam(self, exchange: Exchange, name: str, value: str, draw: str) -> str:
        """See `Teacher`."""
        return self._judge("exam", draw, exchange=_spelt(exchange), name=name, value=value)

    def improve(self, exchange: Exchange, name: str, value: str, related: Person, draw: str) -> Exchange:
        """See `Teacher`."""
        slots = {"name": name, "value": value, "attributes": _listed(related), "exchange": _spelt(exchange)}
        return _sides(self._write("improve", draw, **slots))

    def consistent(self, exchange: Exchange, person: Person, draw: str) -> str:
        """See `Teacher`."""
        return self._judge("consistent", draw, exchange=_spelt(exchange), attributes=_listed(person))

    def filler(self, related: Person, earlier: Sequence[Exchange], draw: str) -> Exchange:
        """See `Teacher`."""
        return _sides(self._write("filler", draw, earlier=" ".join(exchange.user for exchange in earlier)))

    def _write(self, prompt: str, draw: str, **slots: str) -> str:
        return self._said(self.client, prompt, draw, self.temperature, slots)

    def _judge(self, prompt: str, draw: str, **slots: str) -> str:
        return self._said(self.examiner, prompt, draw, 0.0, slots)

    def _said(self, client: Client, prompt: str, draw: str, temperature: float, slots: Mapping[str, str]) -> str:
        """The reply's text; nothing where it failed, which the pipeline counts like any answer it cannot use."""
        message = Message(role="user", content=str(prompts()[prompt]).format(**slots))
        seed = int(sha256(draw.encode()).hexdigest()[:8], 16)
        reply = one(client, Ask(draw, (message,), max_tokens=self.max_tokens, temperature=temperature, seed=seed))
        return reply.text if reply.ok else ""


@cache
def prompts() -> dict[str, Any]:
    """The prompts by step."""
    return dict(read("writer.yaml"))


def options(text: str) -> tuple[str, ...]:
    """The options at the end of a request, in order; none where their letters are not those expected."""
    found = _OPTION.findall(text)
    lettered = "".join(letter for letter, _ in found)
    return tuple(option.strip(" ,;") for _, option in found) if "ABCDE".startswith(lettered) else ()


def _lines(text: str) -> list[str]:
    """The lines of a list, without numbers and without the line that announces it."""
    bare = (_BULLET.sub("", line).strip().strip('"') for line in text.splitlines())
    return [line for line in bare if line and not line.endswith(":")]


def _listed(person: Person) -> str:
    return ", ".join(f"{name}: {value}" for name, value in person.items())


def _spelt(exchange: Exchange) -> str:
    return f"User: {exchange.user}\nAI: {exchange.assistant}"


def _sides(text: str) -> Exchange:
    """The two sides of an exchange; a text without them is all the user's, and the exam decides."""
    match = _SIDES.search(text)
    return Exchange(**match.groupdict()) if match else Exchange(user=text.strip(), assistant="")
