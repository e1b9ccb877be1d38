"""States: what a rewriter is shown of somebody. Who that person is stays in the record's hidden part, which no prompt reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from kithe.errors import ConfigError
from kithe.gym.assistant import heard
from kithe.gym.user import script
from kithe.ppopt.texts import texts
from kithe.records.chat import Message
from kithe.records.history import History
from kithe.records.question import Question


@dataclass(frozen=True)
class State:
    """Messages of past sessions, the oldest session first, and the new message. Nothing else reaches a policy."""

    sessions: tuple[tuple[str, ...], ...]
    query: str


def question(history: History) -> Question:
    """The new message of a history, with what is hidden.

    Raises:
        ConfigError: it has none.
    """
    if history.question is None:
        raise ConfigError(f"history '{history.id}' of {history.source} has no new message; task=ppopt needs data=ppopt")
    return history.question


def state(history: History, sessions: int = 4, characters: int = 500) -> State:
    """What a policy sees: the user's messages of the last `sessions` sessions, each cut at `characters`, and the new message."""
    by_session: dict[int, list[str]] = {}
    for turn in history.turns:
        if turn.speaker == history.user:
            by_session.setdefault(turn.session, []).append(turn.text[:characters])
    kept = sorted(by_session)[-sessions:] if sessions else []
    return State(tuple(tuple(by_session[number]) for number in kept), question(history).text)


def shown(own: State) -> str:
    """The state in words: sessions, then the new message."""
    lines = [texts().hidden]
    for number, messages in enumerate(own.sessions, 1):
        lines += [texts().session.format(number=number), *(f"- {message}" for message in messages)]
    return "\n".join([*lines, texts().query, own.query])


def fitting(own: State, characters: int) -> State:
    """The state without its oldest sessions until it is no longer than that; the new message is never cut (defect U8)."""
    kept = list(own.sessions)
    while kept and len(shown(State(tuple(kept), own.query))) > characters:
        kept.pop(0)
    return State(tuple(kept), own.query)


def prompt(own: State, instruction: str) -> tuple[Message, ...]:
    """Task, sessions, new message, instruction, in this order (spec C, 4.2)."""
    return (Message(role="user", content=f"{texts().task}\n{shown(own)}\n\n{instruction}"),)


def told(messages: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Dimension -> value and the words that ask for it, of wishes that can be read in messages; the last one counts."""
    found: dict[str, tuple[str, str]] = {}
    for message in messages:
        for name, value in heard(message).items():
            clauses = [clause for clause in script().cues[name][value] if clause in message.lower()]
            if clauses:
                found[name] = (value, clauses[0])
    return found


def evidence(own: State) -> dict[str, tuple[str, str]]:
    """`told` of all past messages of a state."""
    return told([message for session in own.sessions for message in session])
