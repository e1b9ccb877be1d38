"""One tolerant reading of a model's text, whatever form it chose: labelled fields, bold labels, JSON, or the bare answer."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kithe.ip_dialog.schema import schema
from kithe.records.question import Form

NAMES: Final[Mapping[str, str]] = {
    "full attribute values": "vector",
    "related attribute values": "attributes",
    "attribute values": "attributes",
    "related attributes": "attributes",
    "attributes": "attributes",
    "attribute keys": "types",
    "attribute key": "types",
    "analysis": "analysis",
    "answer": "answer",
}
_LABEL: Final = re.compile(
    r"(?:^|(?<=\n)|(?<=\]))[ \t#>*\-\u2022]*\"?\**(?P<name>" + "|".join(NAMES) + r")\**\"?\s*:\**[ \t]*", re.I
)
_EMPTY: Final = re.compile(r"[\s.…\[\]{}\"'*_\-]*(?:your answer|analysis|answer|n/a|none)?[\s.…\[\]{}\"'*_\-]*", re.I)
_YES_NO: Final = re.compile(r"\b(yes|no)\b", re.I)
_LISTED: Final = re.compile(r"(?:^|\n)[ \t]*(?:\d+[.)]|[-*\u2022])[ \t]+")
_INLINE: Final = re.compile(r"(?:^|\s|,)\d+[.)]\s+")
_MARKED: Final = re.compile(r"(?<![\w'])([A-E])(?=$|\s*[,.;:>)\]\"'\n]|\s+(?:and|then|or|&)\b)")
_LONE: Final = re.compile(r"(?<![\w'])([A-E])(?![\w'])")
_SMALL: Final = re.compile(r"(?<![\w'])([a-e])(?=$|\s*[,.;>)\]\"'\n]|\s+(?:and|then|&)\b)")
_NUMBER: Final = re.compile(r"(?<![\w'])([1-5])(?![\w'])")


@dataclass(frozen=True)
class Reading:
    """The fields of a text; None where a field is missing or holds nothing.

    Attributes:
        attributes: attribute -> value, names and values in the schema's spelling where they are the schema's.
        types: names of attributes without values.
        vector: whether the attributes were given as the full list of all attributes only.
    """

    attributes: dict[str, str] | None
    types: tuple[str, ...] | None
    analysis: str | None
    answer: str | None
    vector: dict[str, str] | None


def read(text: str) -> Reading:
    """The fields of a text. A text without any label is an answer."""
    found = _from_json(text) or _labelled(text)
    vector = _pairs(found.get("vector"))
    related = _pairs(found.get("attributes"))
    return Reading(
        attributes=vector if related is None else related,
        types=tuple(_known(name) for name in re.split(r"[,;\n]", found["types"]) if name.strip()) if "types" in found else None,
        analysis=found.get("analysis"),
        answer=found.get("answer"),
        vector=vector,
    )


def values(answer: str | None, form: Form) -> tuple[str, ...] | None:
    """What an answer says in the form asked for; None if it cannot be read as one."""
    if answer is None:
        return None
    if form == "yes_no":
        match = _YES_NO.search(answer)
        return (match[1].lower(),) if match else None
    if form in ("options", "order"):
        return _letters(answer) or None
    return (tuple(_items(answer)) or None) if form == "list" else (answer,)


def _letters(answer: str) -> tuple[str, ...]:
    """The option letters, each once, in order: those set off by punctuation, else any; else small ones, else numbers."""
    for pattern in (_MARKED, _LONE, _SMALL):
        if found := pattern.findall(answer):
            return tuple(dict.fromkeys(letter.upper() for letter in found))
    return tuple(dict.fromkeys("ABCDE"[int(number) - 1] for number in _NUMBER.findall(answer)))


def _items(answer: str) -> list[str]:
    """The items of a list: numbered, with bullets, or a line or clause each."""
    for pattern in (_LISTED, _INLINE, re.compile(r"\n|;")):
        parts = [part.strip(" \t\n,;\"'") for part in pattern.split(answer)]
        if len([part for part in parts if part]) > 1:
            return [part for part in parts if part]
    return [part for part in (_INLINE.sub("", answer).strip(" \n\"'"),) if part]


def _labelled(text: str) -> dict[str, str]:
    labels = list(_LABEL.finditer(text))
    if not labels:
        return _kept({"answer": text})
    ends = [label.start() for label in labels[1:]] + [len(text)]
    # The first of several fields of a name counts: what follows is often the prompt's example, repeated.
    found: dict[str, str] = {}
    for label, end in zip(labels, ends, strict=True):
        found.setdefault(NAMES[label["name"].lower()], text[label.end() : end])
    return _kept(found)


def _from_json(text: str) -> dict[str, str]:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return {}
    try:
        value = json.loads(text[start : end + 1])
    except ValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    return _kept({NAMES[key.lower()]: _plain(part) for key, part in value.items() if key.lower() in NAMES})


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {part}" for key, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        letters = all(isinstance(part, str) and len(part) == 1 for part in value)
        return ", ".join(map(_plain, value)) if letters else "\n".join(f"{i}. {_plain(part)}" for i, part in enumerate(value, 1))
    return str(value)


def _kept(fields: Mapping[str, str]) -> dict[str, str]:
    """Fields without the brackets and quotes around them, and without those that hold nothing."""
    bare = {name: text.strip().strip("*`").strip() for name, text in fields.items()}
    bare = {name: _unwrapped(text) for name, text in bare.items()}
    return {name: text for name, text in bare.items() if not _EMPTY.fullmatch(text)}


def _unwrapped(text: str) -> str:
    if text.startswith("[") and (text.count("]") <= 1 or text.endswith("]")):
        text = text[1:].rsplit("]", 1)[0] if "]" in text else text[1:]
    return text.strip().strip("\"'").strip()


def _pairs(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    pieces = (re.sub(r"^[\s\-*\u2022\d.]+", "", piece).split(":") for piece in re.split(r"[,;\n]", text))
    found = {_known(pair[0]): pair[1].strip(" \"'*[]{}").lower() for pair in pieces if len(pair) == 2 and pair[1].strip()}
    return {name: _value(name, value) for name, value in found.items()}


def _known(name: str) -> str:
    plain = re.sub(r"[_\s]+", " ", name.strip(" \"'*[]{}-").lower())
    return "income level" if plain == "income" else plain


def _value(name: str, value: str) -> str:
    """The schema's spelling of a value that differs from it in hyphens, underscores or spaces only."""
    spelt = {
        re.sub(r"[\s_-]+", " ", known): known for known in (schema().attributes[name].values if name in schema().names else ())
    }
    return spelt.get(re.sub(r"[\s_-]+", " ", value), value)
