"""The rubric of judged precision, and the prompt and answer of a judge that is a language model (spec 2.9, A5). No client code.

An answer becomes a vote or the reason why it cannot be read: prose, nothing, a contradiction, a refusal and another language are
all `Unread`, never a `no`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import ValidationError

from kithe.errors import ConfigError, unknown
from kithe.evaluation.judging.verdicts import Question, Unread, Variant, Vote, checked
from kithe.llm.tolerant import find
from kithe.records.base import Record
from kithe.records.chat import Message
from kithe.records.history import History

FOLDER: Final = Path(__file__).parents[1] / "rubric"
LATEST: Final = "v1"
NONE: Final = "NONE"
VERDICTS: Final[Mapping[str, bool]] = {"yes": True, "no": False}
REFUSAL: Final = re.compile(
    r"\b(i (can(no|')?t|am (not able|unable)|won't|will not)|i'm (sorry|unable|not able)|as an ai)\b", re.IGNORECASE
)
NOTHING: Final = re.compile(r"\W*(none|null|n/a)?\W*", re.IGNORECASE)
CONVERSATION: Final = ("<conversation>", "</conversation>")
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "quote": {"type": "string"},
        "relevance": {"type": "string", "enum": list(VERDICTS)},
        "relevance_reason": {"type": "string"},
        "sensibility": {"type": "string", "enum": list(VERDICTS)},
        "sensibility_reason": {"type": "string"},
    },
    "required": ["quote", "relevance", "relevance_reason", "sensibility", "sensibility_reason"],
    "additionalProperties": False,
}


class Rule(Record):
    """One case of the rubric and what it leads to."""

    verdict: Literal["yes", "no"]
    case: str


class Rubric(Record):
    """A version of the rubric; `digest` changes with every word of it."""

    name: str
    task: str
    steps: tuple[str, ...]
    relevance: tuple[Rule, ...]
    sensibility: tuple[Rule, ...]
    digest: str

    @property
    def version(self) -> str:
        """What verdicts are filed under."""
        return f"{self.name}-{self.digest}"


def rubric(name: str = LATEST) -> Rubric:
    """A version of the rubric by its name, or one's own by the path of its file (`….yaml`).

    Raises:
        ConfigError: there is no such version or file, or it is no rubric.
    """
    path = Path(name) if name.endswith(".yaml") else FOLDER / f"{name}.yaml"
    if path.parent == FOLDER and path not in (known := sorted(FOLDER.glob("*.yaml"))):
        raise unknown("rubric", name, [file.stem for file in known])
    try:
        return _rubric(path.read_text(encoding="utf-8"))
    except (OSError, TypeError, UnicodeDecodeError, ValidationError, yaml.YAMLError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error).splitlines()[0]
        raise ConfigError(f"rubric {name}: {why}; it needs {', '.join(set(Rubric.model_fields) - {'digest'})}") from None


@cache
def _rubric(text: str) -> Rubric:
    return Rubric.model_validate({**yaml.safe_load(text), "digest": sha256(text.encode()).hexdigest()[:8]})


def prompt(question: Question, rules: Rubric) -> tuple[Message, ...]:
    """The messages that ask about one item: the rubric as system message, then the conversation and the statement."""
    system = "\n".join(_instructions(rules))
    statement = " ".join(question.item.statement.split())
    shown = f"{CONVERSATION[0]}\n{transcript(question.history)}\n{CONVERSATION[1]}"
    user = f"{shown}\n\nStatement about the user: {json.dumps(statement)}"
    return Message(role="system", content=system), Message(role="user", content=user)


def transcript(history: History) -> str:
    """The conversation a line a turn; nothing in it can close the marks that surround it."""
    session, lines = 0, []
    for turn in history.turns:
        if turn.session != session:
            session = turn.session
            lines.append(f"[session {session}]")
        speaker = "User" if turn.speaker == history.user else "Other"
        lines.append(f"{speaker}: {harmless(turn.text)}")
    return "\n".join(lines)


def harmless(text: str) -> str:
    """Text in one line, with nothing that could open or close a mark."""
    return " ".join(text.replace("<", "‹").replace(">", "›").split())


def read_answer(text: str, question: Question, variant: Variant = "plain") -> Vote | Unread:
    """The vote in a judge's answer, its quote looked up in the history; or why there is none.

    JSON may stand in a code fence or among other words. Verdicts are "yes" and "no" in any case (or true and false).
    """
    said = read_vote(text, variant)
    return checked(said, question.history) if isinstance(said, Vote) else said


def read_vote(text: str, variant: Variant = "plain") -> Vote | Unread:
    """As `read_answer`, without looking the quote up."""
    raw = text.strip()
    if not raw:
        return Unread(unread="empty answer", variant=variant)
    objects = list(_objects(raw)) or list(_mended(raw))
    if not objects:
        reason = "refusal" if REFUSAL.search(raw) else "no JSON in the answer"
        return Unread(unread=reason, raw=raw, variant=variant)
    votes = [_vote(found, variant) for found in objects]
    first = votes[0]
    if isinstance(first, str):
        return Unread(unread=first, raw=raw, variant=variant)
    if any(
        isinstance(vote, Vote) and (vote.relevance, vote.sensibility) != (first.relevance, first.sensibility) for vote in votes
    ):
        return Unread(unread="several answers that contradict each other", raw=raw, variant=variant)
    return first


def _instructions(rules: Rubric) -> Iterator[str]:
    yield " ".join(rules.task.split())
    yield from (f"{number}. {' '.join(step.split())}" for number, step in enumerate(rules.steps, start=1))
    for title, cases in (("relevance", rules.relevance), ("sensibility", rules.sensibility)):
        yield f"\nRules for {title}:"
        yield from (f"- {rule.verdict}: {rule.case}" for rule in cases)
    form = ", ".join(f'"{key}": ...' for key in SCHEMA["required"])
    yield f"\nAnswer in English with one JSON object and nothing else: {{{form}}}."


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, outermost ones, in order."""
    decoder, at = json.JSONDecoder(object_pairs_hook=_once), text.find("{")
    while at >= 0:
        try:
            found, length = decoder.raw_decode(text[at:])
        except ValueError:
            found, length = None, 1
        if isinstance(found, dict):
            yield found
        at = text.find("{", at + length)


def _mended(text: str) -> Iterator[dict[str, Any]]:
    """An object with slips that leave no doubt, such as a trailing comma; nothing of one that breaks off."""
    found = find(text)
    if found is not None and found.complete and isinstance(found.value, dict):
        yield found.value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one that says two things under one name says neither."""
    found = dict(pairs)
    return {key: value for key, value in found.items() if all(other == value for name, other in pairs if name == key)}


def _vote(found: Mapping[str, Any], variant: Variant) -> Vote | str:
    """The vote in an object, or what is wrong with it."""
    verdicts = {}
    for criterion in ("relevance", "sensibility"):
        if criterion not in found:
            return f"no verdict on {criterion}"
        said = found[criterion]
        verdict = said if isinstance(said, bool) else VERDICTS.get(str(said).strip().strip(".").casefold())
        if verdict is None:
            return f"a verdict on {criterion} that is neither yes nor no"
        verdicts[criterion] = verdict
    quote = str(found.get("quote") or "")
    quote = "" if NOTHING.fullmatch(quote) else quote
    why = {key: str(found.get(key) or "") for key in ("relevance_reason", "sensibility_reason")}
    return Vote(**verdicts, quote=quote, variant=variant, **why)
