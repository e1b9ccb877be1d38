"""A language model fills a persona tier by tier: the prompts, the schema of an answer, and how an answer is read; no client.

One call a tier, because 130 keys in one answer are too many for a small model (paper A, section 3.1: U <- M(I, P, Omega)).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from kithe.personas.ontology import MAX_WORDS, Entity, Ontology
from kithe.personas.persona import Stated
from kithe.personas.skeleton import Skeleton
from kithe.personas.summary import SAMPLE, WORDS, SummaryCheck, check_summary, said
from kithe.records.chat import Message
from kithe.records.history import Intensity, Polarity

PROMPT_VERSION: Final = "persona-fill/1"
GROUNDED: Final = "Interest"  # the tier that must speak of every interest line
MAX_ANSWER: Final = 40_000  # characters; a longer answer is not read

_FORMS: Final = {
    "list": "one or several things",
    "number": "a number",
    "time": "a time (HH:MM)",
    "date": "an occasion with its month",
}

_FILL: Final = """You write one section of the profile of an invented person. Nobody real is meant.

What is settled and must not be contradicted:
{facts}

Interest lines, from general to specific:
{lines}

What other sections say already:
{earlier}

Write the section "{tier}". For each key below give an object with
- "value": at most {words} words, specific, fitting to everything above, not what one would guess from age, gender or place alone;
- "polarity": "positive", or "negative" if the person dislikes, lacks or avoids it;
- "intensity": "high", "medium" or "low", by how much it matters to the person;
- "path": the id of the interest line that the value comes from, or null.
Give null in place of the object where nothing natural fits or where a value would contradict.
{wanted}
Keys:
{keys}

Answer with one JSON object that has exactly these keys, and with nothing else."""

_SUMMARY: Final = """Write {low} to {high} words about the invented person below, in the third person, in one paragraph. Say each
of these facts, and nothing that is not among them: no name, no reason, no example, no judgement.

{facts}

Answer with the paragraph only."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one key of an answer (key "": with all of it).

    `kind` is one of: unreadable, missing, unknown, shape, enum, length, kind, path, links.
    """

    key: str
    kind: str
    text: str


@dataclass(frozen=True)
class TierAnswer:
    """A tier as read: every key of the tier with its value (null: not stated, or unusable and then among the problems)."""

    values: Mapping[str, Stated | None]
    problems: tuple[Problem, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True)
class SummaryAnswer:
    """A summary as read, what the check found, and what is wrong with it."""

    text: str
    check: SummaryCheck
    problems: tuple[Problem, ...]


def asked(ontology: Ontology, tier: str, skeleton: Skeleton) -> tuple[Entity, ...]:
    """The attributes of a tier that the skeleton leaves open."""
    settled = skeleton.facts()
    return tuple(entity for entity in ontology.of(tier) if entity.key not in settled)


def settled_values(skeleton: Skeleton) -> dict[str, Stated | None]:
    """What the skeleton says, as values of a persona."""
    denied = skeleton.denied()
    return {key: None if text is None else Stated(value=text, polarity="negative" if key in denied else "positive")
            for key, text in skeleton.facts().items()}  # fmt: skip


def tier_prompt(
    ontology: Ontology, tier: str, skeleton: Skeleton, paths: Sequence[tuple[str, ...]], earlier: Mapping[str, Stated | None]
) -> tuple[Message, ...]:
    """The request for one tier.

    Args:
        ontology: the attributes.
        tier: which tier to write.
        skeleton: the settled background.
        paths: the interest lines, each from its top category to its leaf; line n has the id "Ln", from L1.
        earlier: values of the tiers written before.
    """
    return (
        Message(
            role="user",
            content=_FILL.format(
                facts=_said(ontology, settled_values(skeleton)),
                lines="\n".join(f"L{place}: {' > '.join(path)}" for place, path in enumerate(paths, 1)) or "(none)",
                earlier=_said(ontology, earlier),
                tier=tier,
                words=MAX_WORDS,
                wanted=_wanted(tier, paths),
                keys="\n".join(map(_described, asked(ontology, tier, skeleton))),
            ),
        ),
    )


def _wanted(tier: str, paths: Sequence[tuple[str, ...]]) -> str:
    if tier != GROUNDED or not paths:
        return "Use an interest line where it fits; not every value needs one.\n"
    return f"Each of the {len(paths)} interest lines must be the path of at least one value.\n"


def _said(ontology: Ontology, values: Mapping[str, Stated | None]) -> str:
    stated = {key: value for key, value in values.items() if value}
    lines = [f"- {key}: {said(ontology, key, values)}" for key in stated]
    return "\n".join(lines) or "(nothing)"


def _described(entity: Entity) -> str:
    if entity.kind == "enum":
        return f'- {entity.key}: one of "{", ".join(entity.allowed)}"'.replace(", ", '", "')
    form = {
        "list": "one or several things",
        "number": "a number",
        "time": "a time as HH:MM",
        "date": "an occasion with its month",
    }
    return f"- {entity.key}: {form.get(entity.kind, 'free text')}, such as: {'; '.join(entity.hints[:2])} ({entity.says})"


def tier_schema(ontology: Ontology, tier: str, skeleton: Skeleton, paths: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    """The JSON schema of an answer to `tier_prompt`."""
    entities = asked(ontology, tier, skeleton)
    return {
        "type": "object",
        "properties": {entity.key: {"anyOf": [{"type": "null"}, _value_schema(entity, len(paths))]} for entity in entities},
        "required": [entity.key for entity in entities],
        "additionalProperties": False,
    }


def _value_schema(entity: Entity, lines: int) -> dict[str, Any]:
    value: dict[str, Any] = (
        {"type": "string", "enum": list(entity.allowed)} if entity.allowed else {"type": "string", "maxLength": 100}
    )
    if entity.kind == "time":
        value = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
    ids = [f"L{place}" for place in range(1, lines + 1)]
    return {
        "type": "object",
        "properties": {
            "value": value,
            "polarity": {"type": "string", "enum": list(get_args(Polarity))},
            "intensity": {"type": "string", "enum": list(get_args(Intensity))},
            "path": {"enum": [*ids, None]},
        },
        "required": ["value", "polarity", "intensity", "path"],
        "additionalProperties": False,
    }


def read_tier(text: str, ontology: Ontology, tier: str, skeleton: Skeleton, paths: Sequence[tuple[str, ...]]) -> TierAnswer:
    """What an answer says; it never raises, whatever the answer is.

    Text around the object is passed over, and a bare string counts as a value with the usual polarity and intensity. What the
    skeleton settles of this tier is added.
    """
    entities = asked(ontology, tier, skeleton)
    fixed = {key: value for key, value in settled_values(skeleton).items() if ontology.by_key[key].tier == tier}
    found = _object(text)
    if isinstance(found, str):
        return TierAnswer({**{entity.key: None for entity in entities}, **fixed}, (Problem("", "unreadable", found),))
    values: dict[str, Stated | None] = {}
    problems: list[Problem] = []
    for entity in entities:
        if entity.key not in found:
            problems.append(Problem(entity.key, "missing", "the key is not there"))
        read = _stated(entity, found.get(entity.key), len(paths))
        values[entity.key] = None if isinstance(read, Problem) else read
        problems += [read] if isinstance(read, Problem) else []
    problems += [Problem(key, "unknown", "no such key was asked for") for key in found if key not in values]
    problems += _unlinked(tier, paths, values)
    return TierAnswer({entity.key: {**values, **fixed}.get(entity.key) for entity in ontology.of(tier)}, tuple(problems))


def _unlinked(tier: str, paths: Sequence[tuple[str, ...]], values: Mapping[str, Stated | None]) -> list[Problem]:
    linked = {value.path for value in values.values() if value}
    left = [f"L{place + 1} ({path[-1]})" for place, path in enumerate(paths) if place not in linked]
    return [Problem("", "links", f"no value comes from {', '.join(left)}")] if left and tier == GROUNDED else []


def _stated(entity: Entity, body: Any, lines: int) -> Stated | Problem | None:
    """One value, or what is wrong with it."""
    if body is None:
        return None
    row = body if isinstance(body, dict) else {"value": body}
    value = row.get("value")
    if value is None:
        return None
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return Problem(entity.key, "shape", f"the value is a {type(value).__name__}, not a text")
    text = " ".join(str(value).split())
    if wrong := entity.problem(text):
        kind = "enum" if entity.kind == "enum" else "length" if "words;" in wrong else "kind"
        return Problem(entity.key, kind, wrong)
    polarity, intensity = row.get("polarity", "positive"), row.get("intensity", "medium")
    if polarity not in get_args(Polarity) or intensity not in get_args(Intensity):
        return Problem(entity.key, "enum", f"polarity '{polarity}', intensity '{intensity}': not among the allowed words")
    path = row.get("path")
    if path is not None and path not in [f"L{place}" for place in range(1, lines + 1)]:
        return Problem(entity.key, "path", f"there is no interest line '{path}'")
    return Stated(value=text, polarity=polarity, intensity=intensity, path=int(path[1:]) - 1 if path else None)


def _object(text: str) -> dict[str, Any] | str:
    """The first JSON object in a text, or why there is none."""
    if len(text) > MAX_ANSWER:
        return f"{len(text)} characters; at most {MAX_ANSWER} are read"
    start = text.find("{")
    if start < 0:
        return "there is no JSON object in it"
    try:
        found, _ = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError) as error:
        return f"the JSON object does not end well: {error}"
    return found if isinstance(found, dict) else "it is no JSON object"


def ask_again(prompt: Sequence[Message], answer: str, problems: Sequence[Problem]) -> tuple[Message, ...]:
    """The request once more, with the answer (cut short) and what was wrong with it."""
    wrong = "\n".join(f"- {problem.key or 'all of it'}: {problem.text}" for problem in problems)
    text = f"This answer cannot be used:\n{wrong}\nGive the whole answer again, without these faults."
    return (*prompt, Message(role="assistant", content=answer[:4000] or "(empty)"), Message(role="user", content=text))


def summary_prompt(ontology: Ontology, values: Mapping[str, Stated | None], keys: Sequence[str]) -> tuple[Message, ...]:
    """The request for a summary of the values under these keys (`summary.sampled_keys`)."""
    facts = _said(ontology, {key: values[key] for key in keys[:SAMPLE]})
    return (Message(role="user", content=_SUMMARY.format(low=WORDS[0], high=WORDS[1], facts=facts)),)


def read_summary(text: str, ontology: Ontology, values: Mapping[str, Stated | None], keys: Sequence[str]) -> SummaryAnswer:
    """A summary with everything that is wrong with it: length, facts that are missing, facts that are new."""
    plain = " ".join(text[:MAX_ANSWER].split()).strip('"')
    check = check_summary(plain, ontology, values, keys)
    return SummaryAnswer(plain, check, tuple(Problem("", "summary", problem) for problem in check.problems))
