"""The JSON schema of an answer, for decoding that cannot leave the format."""

from collections.abc import Sequence
from typing import Any, Final

from kithe.knowledge.fields import choices

THINKING: Final = "x-thinking"
"""Key of a schema whose answers start with a trace between `<think>` and `</think>`; validators ignore it."""


def answer_schema(fields: Sequence[str], *, most: int, trace: bool = False) -> dict[str, Any]:
    """The schema of a list of at most `most` items, possibly empty.

    Only `statement` is required, because a target leaves out what its source does not know. Strings have no bounds of length:
    with them, xgrammar takes seconds to compile and forbids escapes, so that no quotation mark could be quoted; what runs on is
    ended by the limit of new tokens, and empty statements are rejected by the parser.
    """
    string = {"type": "string"}
    item = string if tuple(fields) == ("statement",) else _object(fields, string)
    schema: dict[str, Any] = {"type": "array", "minItems": 0, "maxItems": most, "items": item}
    return schema | {THINKING: True} if trace else schema


def _object(fields: Sequence[str], string: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _value(name, string) for name in fields}
    return {"type": "object", "properties": properties, "required": ["statement"], "additionalProperties": False}


def _value(name: str, string: dict[str, Any]) -> dict[str, Any]:
    if name == "confidence":
        return {"type": "number", "minimum": 0, "maximum": 1}
    allowed = choices(name)
    return {"type": "string", "enum": list(allowed)} if allowed else string
