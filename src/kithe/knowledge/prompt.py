"""What a model is told: one short instruction and the turns, the user called "User" in every corpus.

The texts are constants. Whoever changes one changes `VERSION`, which is part of what identifies a result.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from kithe.records.chat import ChatExample, Message
from kithe.records.history import History

VERSION: Final = "pki-1"

_TASK: Final = "Read the conversation. List the facts that User reveals about themselves"
_STATEMENTS: Final = "as a JSON list of short first-person sentences."
_OBJECTS: Final = "as a JSON list of objects with {keys}."
_EMPTY: Final = "Answer [] if there are none."
_NOW: Final = "If there is a line 'Now:', use only what User says after it."
_THINK: Final = "First go through User's turns between <think> and </think>."
_EXPLAIN: Final = "After the list, say between <think> and </think> which of User's words it comes from."
_THOUGHT: Final = {"trace_then_answer": _THINK, "answer_then_trace": _EXPLAIN}
_KEYS: Final = {
    "quote": "quote (User's own words)",
    "statement": "statement (a short first-person sentence)",
    "type": "type (interest, preference, attribute, behavior, relationship, goal, constraint or dislike)",
    "polarity": "polarity (positive or negative)",
    "intensity": "intensity (high, medium or low)",
    "inference": "inference (explicit or implicit)",
    "confidence": "confidence (0 to 1)",
}


def instruction(fields: Sequence[str], *, style: str, context: bool) -> str:
    """The system message: what to list, in which form, and what to answer when there is nothing.

    Args:
        fields: the keys of an answer's objects; only `statement` asks for a list of strings.
        style: whether the answer has a trace, and where (`kithe.knowledge.target.Style`).
        context: whether earlier turns are shown before the ones that count.
    """
    keys = ", ".join(_KEYS.get(field, field) for field in fields)
    form = _STATEMENTS if tuple(fields) == ("statement",) else _OBJECTS.format(keys=keys)
    parts = [f"{_TASK} {form}", _EMPTY, _NOW if context else "", _THOUGHT.get(style, "")]
    return " ".join(part for part in parts if part)


def transcript(history: History, turns: Iterable[int]) -> str:
    """The turns at these indexes, a line each: `User: …` for the user, `Partner: …` for everybody else."""
    return "\n".join(f"{_role(history, index)}: {' '.join(history.turns[index].text.split())}" for index in turns)


def conversation(history: History, context: Sequence[int], turns: Sequence[int]) -> str:
    """The user message: the turns, after the earlier ones where there are any."""
    if not context:
        return transcript(history, turns)
    return f"Before:\n{transcript(history, context)}\n\nNow:\n{transcript(history, turns)}"


def with_shots(prompt: Sequence[Message], shots: Sequence[ChatExample]) -> tuple[Message, ...]:
    """`prompt` with worked examples between its system message and its last one.

    Of each shot, the last message of its prompt and its answer are shown. All requests with the same shots share their
    beginning, so a model needs to read it only once.
    """
    system, question = prompt[:-1], prompt[-1]
    shown = [message for shot in shots for message in (shot.prompt[-1], Message(role="assistant", content=shot.answer))]
    return (*system, *shown, question)


def _role(history: History, index: int) -> str:
    return "User" if history.turns[index].speaker == history.user else "Partner"
