"""The style of an answer: written by the scripted assistant, and read from any text by the scripted user.

Seven dimensions of the bank show in an answer's text; `read` is what "shows" means, for scripted and for models' answers alike.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Final

import yaml
from pydantic import Field

from kithe.records.base import Record

Style = Mapping[str, str]

SHOWN: Final = (
    "length_pref", "format_pref_primary", "tone_pref", "citation_pref", "example_pref", "explanation_depth", "formality_level",
)  # fmt: skip
_BANDS: Final = {"terse": (1, 50), "brief": (50, 100), "medium": (100, 190), "detailed": (190, 330), "exhaustive": (330, 520)}
_EXAMPLES: Final = {"no examples": 0, "one example": 1, "a few examples": 2, "many examples": 4}
_REASONS: Final = {"left out": 0, "in half a line": 1, "in brief": 2, "in depth": 3, "from first principles": 5}
_MARGIN: Final = 4  # words inside a band, so that layout does not tip it over
_FORMATS: Final = (
    ("code blocks", re.compile(r"^```", re.M)),
    ("a table", re.compile(r"^\|.*\|", re.M)),
    ("a checklist", re.compile(r"^\s*[-*] \[[ x]\] ", re.M)),
    ("questions and answers", re.compile(r"^\**Q[:.]", re.M)),
    ("numbered steps", re.compile(r"^\s*(?:\d+[.)]|Step \d+)", re.M)),
    ("headed sections", re.compile(r"^#{1,4} ", re.M)),
    ("bullet points", re.compile(r"^\s*[-*•] ", re.M)),
    ("one sentence first", re.compile(r"^\**(?:In one sentence|In short|Short answer)\b", re.M)),
)
_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_CITED: Final = re.compile(r"\[\d+\]")


class Wording(Record):
    """The texts of `answers.yaml`."""

    points: tuple[str, ...] = Field(min_length=8)
    reasons: tuple[str, ...]
    examples: tuple[str, ...]
    openers: dict[str, tuple[str, ...]]
    registers: dict[str, tuple[str, ...]]


@cache
def wording() -> Wording:
    """The texts of the package."""
    return Wording.model_validate(yaml.safe_load((files("kithe.gym") / "answers.yaml").read_text("utf-8")))


@cache
def _marks() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Opener -> tone, and register -> formality."""
    own = wording()
    first, second = ({text: value for value, texts in table.items() for text in texts} for table in (own.openers, own.registers))
    return first, second


def count_words(text: str) -> int:
    """Words of a text; numbers count, marks of layout do not."""
    return len(_WORD.findall(text))


def read(text: str) -> dict[str, str]:
    """The style that shows in a text: a value for each dimension of `SHOWN`."""
    words, cited = count_words(text), len(_CITED.findall(text))
    examples, reasons = text.count("For example") + text.count("For instance"), len(re.findall(r"\bbecause\b", text))
    tones, registers = _marks()
    return {
        "length_pref": next((value for value, (_, high) in _BANDS.items() if words < high), "exhaustive"),
        "format_pref_primary": next((value for value, mark in _FORMATS if mark.search(text)), "plain paragraphs"),
        "tone_pref": next((tone for mark, tone in tones.items() if mark in text), "neutral"),
        "citation_pref": ("never", "where it matters")[cited] if cited < 2 else "for everything",
        "example_pref": max((value for value, n in _EXAMPLES.items() if n <= examples), key=lambda value: _EXAMPLES[value]),
        "explanation_depth": max((value for value, n in _REASONS.items() if n <= reasons), key=lambda value: _REASONS[value]),
        "formality_level": next((level for mark, level in registers.items() if mark in text), "neutral"),
    }


def write(style: Style, things: Sequence[str], rng: Random) -> str:
    """An answer in a style.

    Args:
        style: a value for each dimension of `SHOWN`.
        things: what the user named; at least one.
        rng: where every choice comes from.
    """
    own = wording()
    opener = rng.choice(own.openers.get(style["tone_pref"], ("",)))
    register = rng.choice(own.registers.get(style["formality_level"], ("",)))
    fill = _Filler(things, rng)
    reasons = rng.sample(own.reasons, _REASONS[style["explanation_depth"]])
    examples = [fill(text) for text in rng.sample(own.examples, _EXAMPLES[style["example_pref"]])]
    cites = {"never": 0, "where it matters": 1, "for everything": 2}[style["citation_pref"]]
    lead = " ".join(text for text in (opener, register) if text)
    low, high = _BANDS[style["length_pref"]]
    points: list[str] = []
    count = sum(map(count_words, (lead, *reasons, *examples))) + 2 * cites
    goal = rng.randint(low, (low + high) // 2) + _MARGIN
    # A reason or a source needs a point to follow; the points are used up in a random order, then once more.
    for text in rng.sample(own.points, len(own.points)) * 2:
        if points and count >= goal:
            break
        points.append(fill(text))
        count += count_words(points[-1])
    body = [f"{point[:-1]} {reason}." for point, reason in zip(points, reasons, strict=False)] + points[len(reasons) :]
    if len(reasons) > len(points):
        body[-1] = f"{body[-1][:-1]} and {' and '.join(reasons[len(points) :])}."
    body = [f"{text} [{n + 1}]" if n < cites else text for n, text in enumerate(body)]
    if cites > len(body):
        body[-1] += " [2]"
    return _LAYOUTS[style["format_pref_primary"]](lead, [*body, *examples]).strip()


class _Filler:
    """Puts what the user named into texts."""

    def __init__(self, things: Sequence[str], rng: Random) -> None:
        self.things, self.rng = things, rng

    def __call__(self, text: str) -> str:
        a = self.rng.choice(self.things)
        return text.replace("{a}", a).replace("{b}", self.rng.choice([thing for thing in self.things if thing != a] or [a]))


def _lines(lead: str, texts: Sequence[str], mark: Callable[[int], str]) -> str:
    return "\n".join([lead, *(f"{mark(number)}{text}" for number, text in enumerate(texts, 1))])


def _paragraphs(lead: str, texts: Sequence[str]) -> str:
    groups = [" ".join(texts[start : start + 4]) for start in range(0, len(texts), 4)]
    return "\n\n".join([f"{lead} {groups[0]}".strip(), *groups[1:]])


def _table(lead: str, texts: Sequence[str]) -> str:
    rows = "\n".join(f"| {number} | {text} |" for number, text in enumerate(texts, 1))
    return f"{lead}\n\n| | |\n|---|---|\n{rows}"


def _sections(lead: str, texts: Sequence[str]) -> str:
    half = (len(texts) + 1) // 2
    parts = [("First", texts[:half]), ("Then", texts[half:])]
    return "\n\n".join([lead, *(f"## {name}\n{' '.join(own)}" for name, own in parts if own)])


_LAYOUTS: Final[Mapping[str, Callable[[str, Sequence[str]], str]]] = {
    "plain paragraphs": _paragraphs,
    "bullet points": lambda lead, texts: _lines(lead, texts, lambda _: "- "),
    "numbered steps": lambda lead, texts: _lines(lead, texts, lambda number: f"{number}. "),
    "a table": _table,
    "questions and answers": lambda lead, texts: _lines(
        lead, texts, lambda number: "Q: Next?\nA: " if number > 1 else "Q: How?\nA: "
    ),
    "headed sections": _sections,
    "a checklist": lambda lead, texts: _lines(lead, texts, lambda _: "- [ ] "),
    "one sentence first": lambda lead, texts: f"In short: {texts[0]}\n\n" + _paragraphs(lead, texts[1:] or ["That is all."]),
    "code blocks": lambda lead, texts: f"{lead}\n```\n" + "\n".join(texts) + "\n```",
}
