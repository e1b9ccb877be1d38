"""How a model is asked along a pathway, and what it should write (wordings of our own)."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from kithe.ip_dialog.pathways import Step
from kithe.ip_dialog.schema import Schema, tasks
from kithe.ip_dialog.teacher import spoken
from kithe.records.chat import Message
from kithe.records.history import History
from kithe.records.question import Question

VERSION: Final = "1"
Style = Literal["fields", "json", "sentence", "digits"]
WHO: Final = "You help somebody whom you know only from your earlier conversation."
HOW: Final = {
    "vector": "all attributes of the user with the likeliest value each, as key: value pairs with commas",
    "types": "the names of the attributes that matter for the request, five at most, with commas",
    "related": "the attributes that matter, five at most, as key: value pairs with commas",
    "analysis": "one or two sentences on what the answer should take into account",
}
STYLES: Final[Mapping[Style, str]] = {
    "fields": "Write exactly these fields, each as `- Name: [content]`:",
    "json": "Write one JSON object with exactly these keys, each with a text as value:",
    "sentence": "Go through these points, then end with one plain sentence that begins with `Answer:`",
    "digits": "Write exactly these fields, each as `- Name: [content]`. Options go by number, not by letter:",
}
SHOWN: Final = {
    "vector": "What is known about the user",
    "types": "Attributes that matter",
    "related": "What matters about the user",
}


def table(known: Schema) -> str:
    """All attributes with their values, a line each."""
    return "\n".join(f"{name}: {', '.join(part.values)}" for name, part in known.attributes.items())


def system(question: Question, steps: Sequence[Step], style: Style, known: Schema) -> str:
    """The instruction for some steps in one answer."""
    info = tasks()[question.task]
    lines = [WHO]
    if any(step.node != "answer" for step in steps):
        lines += ["Attributes and their possible values:", table(known)]
    if steps[-1].node == "answer":
        lines.append(f"In the end {info.definition}.")
    lines.append(STYLES[style])
    for name, how in fields(steps):
        wanted = info.answer_as if name == "Answer" else how
        lines.append(f"{name}: {wanted}")
    return "\n".join(lines)


def fields(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """The names of the fields of some steps with what belongs there; the analysis comes before the answer."""
    named: list[tuple[str, str]] = []
    for step in steps:
        named += [("Analysis", HOW["analysis"]), ("Answer", "")] if step.node == "answer" else [(step.field, HOW[step.node])]
    return named


def user(history: History, question: Question, parents: Sequence[str], given: Mapping[str, str], style: Style) -> str:
    """What is shown: the conversation, the request, and what earlier steps found, as far as they are parents."""
    parts = []
    if "history" in parents:
        said = "\n".join(f"{'User' if turn.speaker == history.user else 'AI'}: {turn.text}" for turn in history.turns)
        parts.append(f"Conversation:\n{said}")
    parts += [f"{SHOWN[name]}: {given[name]}" for name in parents if name in given]
    if "request" in parents:
        parts.append(f"Request: {relabelled(question) if style == 'digits' else question.text}")
    return "\n\n".join(parts)


def relabelled(question: Question) -> str:
    """The request with its options numbered."""
    text = question.text
    for number, (letter, option) in enumerate(zip("ABCDE", question.options, strict=False), 1):
        text = text.replace(f"{letter}. {option}", f"{number}. {option}")
    return text


def messages(
    history: History, question: Question, steps: Sequence[Step], given: Mapping[str, str], style: Style, known: Schema
) -> tuple[Message, ...]:
    """The prompt for some steps in one answer: everything that one of them has as a parent and that is known is shown."""
    made = {step.node for step in steps}
    parents = [name for name in ("history", "vector", "types", "related", "request") if any(name in s.parents for s in steps)]
    shown = user(history, question, [name for name in parents if name not in made], given, style)
    return (Message(role="system", content=system(question, steps, style, known)), Message(role="user", content=shown))


def gold(question: Question, style: Style = "fields") -> dict[str, str]:
    """The right content of every field by node, and `analysis`."""
    pairs = {"vector": question.persona, "related": question.related}
    found = {name: ", ".join(f"{key}: {value}" for key, value in person.items()) for name, person in pairs.items()}
    said = question.answer
    if style == "digits" and question.form in ("options", "order"):
        said = tuple(str("ABCDE".index(letter) + 1) for letter in said)
    return {**found, "types": ", ".join(question.related), "analysis": question.analysis, "answer": spoken(said, question.form)}


def written(content: Mapping[str, str], steps: Sequence[Step], style: Style) -> str:
    """What a perfect model writes for some steps."""
    named = {step.field: content[step.node] for step in steps if step.node != "answer"}
    if steps[-1].node == "answer":
        named |= {"Analysis": content["analysis"], "Answer": content["answer"]}
    if style == "json":
        import json

        return json.dumps(named, ensure_ascii=False)
    if style == "sentence":
        return "\n".join(f"{name}: {text}" for name, text in named.items())
    return "\n".join(f"- {name}: [{text}]" for name, text in named.items())
