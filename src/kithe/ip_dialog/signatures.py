"""How answers fail: with nothing, with a template's dots, or in the form of another task."""

import re
from typing import Final, Literal

from kithe.ip_dialog import reading
from kithe.records.question import Form

Failure = Literal["empty", "template", "other_form"]
FAILURES: Final[tuple[Failure, ...]] = ("empty", "template", "other_form")
_TEMPLATE: Final = re.compile(r"\[\s*(?:\.{2,}|…|content|your [a-z ]+|key: value)\s*\]|<[a-z ]+>", re.I)
_LETTERS: Final = re.compile(r"[\s\[(]*(?:[A-Ea-e1-5](?:[\s,;>.)\]]+|$))+")
_YES_NO: Final = re.compile(r"[\s\[(\"']*(?:yes|no)\b[\s\].\"']*", re.I)


def failure(text: str, form: Form) -> Failure | None:
    """How an answer fails before anybody looks at its content; None if it does not.

    `other_form`: a yes or no, or letters, where something else was asked for; or neither of them where they were.
    """
    if not text.strip():
        return "empty"
    found = reading.read(text)
    if found.answer is None:
        return "template" if _TEMPLATE.search(text) else "empty"
    shape = "letters" if _LETTERS.fullmatch(found.answer) else "yes_no" if _YES_NO.fullmatch(found.answer) else "text"
    wanted = {"options": "letters", "order": "letters", "yes_no": "yes_no"}.get(form, "text")
    # A right answer inside a sentence is in the form asked for: it can be read.
    rigid = shape != wanted if shape != "text" else reading.values(found.answer, form) is None
    return "other_form" if rigid else None
