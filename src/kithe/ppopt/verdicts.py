"""Who judges answers and profiles: rules that know the truth, or a language model; and how a judge's words are read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from kithe.gym.noise.meaning import NUMBER, extract, lost
from kithe.gym.sampling import GymPersona
from kithe.gym.style import count_words
from kithe.gym.user import statuses
from kithe.llm.client import Ask, Client
from kithe.llm.ladder import Problem, Reading, structured
from kithe.llm.tolerant import find
from kithe.ppopt import output
from kithe.ppopt.states import question
from kithe.ppopt.texts import texts
from kithe.records.chat import Message
from kithe.records.history import History

Verdict = Literal["win", "tie", "lose"]
ANSWER: Final = 2000  # characters of an answer that judges read (spec C, 4.6)
_WORD: Final = re.compile(r"\b(win|wins|won|tie|tied|draw|lose|loses|lost)\b", re.I)
_DENIED: Final = re.compile(  # shortly before the verdict: what is meant then, nobody knows
    r"(?:\b(?:not|never|neither|nor|cannot)\b|n['’]t\b)(?:\W+\w+){0,3}?\W+(?:win|wins|won|tie|tied|draw|lose|loses|lost)\b", re.I
)
_MEANT: Final[Mapping[str, Verdict]] = {"w": "win", "t": "tie", "d": "tie", "l": "lose"}


def verdict(text: str) -> Verdict | None:
    """Win, tie or lose as a judge said it; None where it says nothing or several things (never 0: defect U1)."""
    found = find(text)
    value = found.value.get("verdict") if found and isinstance(found.value, dict) else text
    if not isinstance(value, str) or _DENIED.search(value):
        return None
    said = {_MEANT[word[0].lower()] for word in _WORD.findall(value)}
    return said.pop() if len(said) == 1 else None


def scored(text: str, high: int) -> int | None:
    """A whole score from 1 to `high`; None where there is none (not a default of 5)."""
    found = find(text)
    value = found.value.get("score") if found and isinstance(found.value, dict) else None
    if value is None or isinstance(value, str):
        bare = re.fullmatch(r"\D{0,20}(\d{1,2})(?:\s*/\s*(\d+))?\D{0,20}", (value or text).strip())
        value = int(bare[1]) if bare and int(bare[2] or high) == high else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= high else None


class Pairs(Protocol):
    """Compares two answers."""

    def compare(self, asked: Sequence[tuple[History, str, str]]) -> list[Verdict | None]:
        """For each (history, first, second): whether the second wins over the first; None where there is no verdict."""


class Ratings(Protocol):
    """Scores single answers, from 1 to 10, against the user's own message."""

    def personalisation(self, asked: Sequence[tuple[History, str]]) -> list[float | None]:
        """How well each (history, answer) fits its user."""

    def completion(self, asked: Sequence[tuple[History, str]]) -> list[float | None]:
        """Whether each (history, answer) does what the original message asks."""


def fit(history: History, answer: str) -> float:
    """The share of a user's wishes that an answer meets, of those that any answer meets or misses; 0.5 without wishes."""
    status = statuses(GymPersona(id=history.id, values=question(history).persona), answer)
    told = [name for name, own in status.items() if own != "unrevealed"]
    return sum(status[name] == "satisfied" for name in told) / len(told) if told else 0.5


def things_kept(query: str, text: str) -> float:
    """The share of numbers, digit by digit, and named things of a message that stand in a text; 1 where it has none."""
    slots = [found[0] if (found := re.match(NUMBER, slot)) else slot for slot in map(str.lower, extract(query).slots)]
    return 1 - len(lost(slots, query.lower(), text.lower())) / len(slots) if slots else 1.0


@dataclass(frozen=True)
class Scripted:
    """The scripted user as a judge: exact, and the same whichever answer comes first.

    Attributes:
        margin: answers whose fit differs by less are a tie.
    """

    margin: float = 1e-9

    def compare(self, asked: Sequence[tuple[History, str, str]]) -> list[Verdict | None]:
        """See `Pairs`."""
        gains = [fit(history, second) - fit(history, first) for history, first, second in asked]
        return ["win" if gain > self.margin else "lose" if gain < -self.margin else "tie" for gain in gains]

    def personalisation(self, asked: Sequence[tuple[History, str]]) -> list[float | None]:
        """1 where no wish is met, 10 where all are."""
        return [1 + 9 * fit(history, answer) for history, answer in asked]

    def completion(self, asked: Sequence[tuple[History, str]]) -> list[float | None]:
        """1 for an empty answer; otherwise 4 to 10 by whether it is about a thing that the original message names."""
        return [self._done(question(history).text, answer) for history, answer in asked]

    @staticmethod
    def _done(query: str, answer: str) -> float:
        if not count_words(answer):
            return 1.0
        return 10.0 if not extract(query).slots or things_kept(query, answer) > 0 else 4.0


def wished(history: History) -> str:
    """A user's wishes in a line."""
    return "; ".join(f"{name} = {value}" for name, value in output.wishes(question(history).persona).items())


@dataclass(frozen=True)
class Model:
    """A language model as a judge, at temperature 0; an answer it cannot give is None.

    Attributes:
        client: how it is reached, with a cache around it that training and evaluation share.
        max_tokens: longest verdict.
    """

    client: Client
    max_tokens: int = 128

    def compare(self, asked: Sequence[tuple[History, str, str]]) -> list[Verdict | None]:
        """See `Pairs`."""
        bodies = [
            texts().pair_judge.format(wishes=wished(one), query=question(one).text, first=first[:ANSWER], second=second[:ANSWER])
            for one, first, second in asked
        ]
        return self.ask(bodies, verdict, "the verdict is win, tie or lose")

    def personalisation(self, asked: Sequence[tuple[History, str]]) -> list[float | None]:
        """See `Ratings`."""
        return self.ask(
            [self._rated(texts().personalisation, *pair) for pair in asked], _ten, "the score is a number from 1 to 10"
        )

    def completion(self, asked: Sequence[tuple[History, str]]) -> list[float | None]:
        """See `Ratings`; it is the original message that is shown (defect U3)."""
        return self.ask([self._rated(texts().completion, *pair) for pair in asked], _ten, "the score is a number from 1 to 10")

    def profile(self, asked: Sequence[tuple[History, Mapping[str, str]]]) -> list[float | None]:
        """From 1 to 5, how well each profile describes its user."""
        bodies = [
            texts().profile_judge.format(
                wishes=wished(one), profile="; ".join(f"{k} = {v}" for k, v in found.items()) or "(none)"
            )
            for one, found in asked
        ]
        return self.ask(bodies, _five, "the score is a number from 1 to 5")

    def kept(self, asked: Sequence[tuple[str, str]]) -> list[bool | None]:
        """Whether each second message asks for what the first asks for."""
        return self.ask(
            [texts().intent.format(query=query, prompt=prompt) for query, prompt in asked], _kept, "kept is true or false"
        )

    def ask(self, bodies: Sequence[str], read: Any, problem: str) -> list[Any]:
        """What is read in the answer to each text; None where there is no answer, or a useless one twice."""

        def reading(text: str) -> Reading[Any] | Problem:
            value = read(text)
            return Problem(problem) if value is None else Reading(value)

        asks = [
            Ask(str(number), (Message(role="user", content=body),), None, self.max_tokens) for number, body in enumerate(bodies)
        ]
        found: list[Any] = [None] * len(asks)
        for result in structured(self.client, asks, reading):
            found[int(result.ask.id)] = result.value
        return found

    @staticmethod
    def _rated(text: str, history: History, answer: str) -> str:
        return text.format(wishes=wished(history), query=question(history).text, answer=answer[:ANSWER])


def _ten(text: str) -> float | None:
    return scored(text, 10)


def _five(text: str) -> float | None:
    return scored(text, 5)


def _kept(text: str) -> bool | None:
    found = find(text)
    value = found.value.get("kept") if found and isinstance(found.value, dict) else None
    return value if isinstance(value, bool) else None


def outcomes(pairs: Pairs, asked: Sequence[tuple[History, str, str]]) -> Iterator[tuple[Verdict | None, Verdict | None]]:
    """The verdict on each (history, first, second) in this order and, turned round, in the other."""
    forward = pairs.compare(asked)
    backward = pairs.compare([(history, second, first) for history, first, second in asked])
    turned: dict[Verdict | None, Verdict | None] = {"win": "lose", "lose": "win", "tie": "tie", None: None}
    yield from zip(forward, (turned[own] for own in backward), strict=True)
