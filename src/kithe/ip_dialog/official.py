r"""How the official scorer reads a model's text (spec 5.10), kept as it is so that published figures can be checked.

Its habits are part of the figures: "yes." is not "yes", `a` is not `A`, brackets of JSON-like answers stay, a bracket that is
never closed is closed at the end of the text, and that closing bracket then stands at the end of whatever is read after it.
"""

import re
from typing import Final

from kithe.records.question import Form

ATTRIBUTES: Final = {
    "basic": "Attributes",
    "cot1": "Related Attribute Values",
    "cot2": "Attribute Values",
    "cot3": "Full Attribute Values",
    "cot4": "Attributes",
}
_TOKEN: Final = r"\b((?:[A-Ea-e1-5]|[iI]{1,3}|[iI][vV]|[vV][iI]))"
_OPTION: Final = re.compile(rf"{_TOKEN}(?=,|$)", re.M)
_OPTION_WITH_TEXT: Final = re.compile(rf"{_TOKEN}(?=\.\s*\S)")
_ITEM: Final = re.compile(r"\d+\.\s*(.*?)(?=\s*\d+\.\s|\s*\Z)", re.S)
_NUMBERED: Final = re.compile(r"Answer:[ \t]*\n((?:[ \t]*\d+\.[^\n]*(?:\n|\Z))+)")
_ANALYSES: Final = (
    re.compile(r"Analysis:(.*?)(?:\n- Answer|-\Z)", re.S),
    re.compile(r"\*\*Analysis\*\*:?(.*?)\n- \*\*Answer\*\*", re.S | re.I),
    re.compile(r"\*\*Analysis:\*\*(.*?)\n- \*\*Answer:\*\*", re.S | re.I),
    re.compile(r'"Analysis": (\[.*?\])', re.S),
)
_ANSWERS: Final = (
    re.compile(r"Answer:(.*?)(?:\n-\s*[A-Z]|\Z)", re.S),
    re.compile(r"- \*\*Answer\*\*:(.*?)(?:- \*\*|\Z)", re.S),
    re.compile(r'"Answer": (\[.*?\])', re.S),
)


def attributes(text: str, pathway: str) -> dict[str, str]:
    """The attributes a text names; `pathway` is that of the file names: basic, cot1, … cot4."""
    name = re.escape(ATTRIBUTES[pathway])
    forms = (_bracket(name), re.compile(rf"- \*\*{name}\*\*: \[(.*?)\]", re.S), re.compile(rf'"{name}": (\[.*?\])', re.S))
    pieces = (piece.split(":") for piece in _first(text, forms).split(","))
    return {pair[0].strip(): pair[1].strip() for pair in pieces if len(pair) == 2}


def analysis(text: str) -> str:
    """The analysis; empty where there is none."""
    return _first(text, (_bracket("Analysis"), *_ANALYSES))


def answer(text: str) -> str:
    """The answer as text; empty where there is none."""
    found = _search(text, (_bracket("Answer"), _NUMBERED))
    return _first(f"{text}]", (_NUMBERED, _bracket("Answer"), *_ANSWERS)) if found is None else found


def values(text: str, form: Form) -> list[str]:
    """What an answer says in the form asked for; one text for `yes_no` and `text`."""
    if form == "yes_no":
        return [text.strip().lower().split("]")[0]]
    if form in ("options", "order"):
        return _OPTION.findall(text) or _OPTION_WITH_TEXT.findall(text)
    if form == "list":
        return [item.strip() for item in _ITEM.findall(text)]
    return [text.strip()]


def _bracket(name: str) -> re.Pattern[str]:
    return re.compile(rf"{name}: \[(.*?)\]", re.S)


def _first(text: str, forms: tuple[re.Pattern[str], ...]) -> str:
    return _search(text, forms) or ""


def _search(text: str, forms: tuple[re.Pattern[str], ...]) -> str | None:
    """What the first form that matches holds, which may be nothing; None if no form matches."""
    return next((match[1] for form in forms if (match := form.search(text))), None)
