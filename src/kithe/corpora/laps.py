"""The values of LAPS as first-person statements.

LAPS notes what a user said as short values under 26 categories ("recipe/allergies": "nuts"). The other sets, and what a model
is asked to write, are sentences in the user's own voice ("I am allergic to nuts."). The table in `laps.yaml` says how a value
becomes one, and which of the 30 ontology categories its category belongs to.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from kithe.errors import unknown

DETERMINERS = re.compile(
    r"(?:an?|the|my|our|your|his|her|their|some|any|no|not|all|every|each|most|many|more|less|few|fewer|several|both|lots?|plenty|two|"
    r"three|four|five|one|\d\S*|something|anything|nothing|everything|this|that|these|those|for|to|with|in|at|on|enough|quite)\b",
    re.I,
)
FIRST_PERSON = {"likes": "like", "loves": "love", "watches": "watch", "tries": "try", "goes": "go", "does": "do"}
PERSONS = (
    (re.compile(r"\b(?:the )?user's (?:own )?", re.I), "my "),
    (re.compile(r"\b(?:for|with|by) (?:the user|themsel(?:f|ves)|oneself|himself|herself)\b", re.I), "for myself"),
    (re.compile(r"\bthe user (?:is|was)\b", re.I), "I am"),
    (re.compile(r"\bthe user has\b", re.I), "I have"),
    (re.compile(r"\bthe user(?: already)? (\w+?)s\b", re.I), r"I \1"),
    (re.compile(r"\b(?:the )?user\b", re.I), "me"),
    (re.compile(r"\s*\((?:(?:as |the )*(?:director|actor|actress|directors|actors))\)"), ""),
)


@dataclass(frozen=True)
class Statement:
    """What one LAPS value says: the sentence, its ontology category, and whether a rule of the table fitted."""

    text: str
    category: str
    fitted: bool = True


@dataclass(frozen=True)
class Table:
    """The parsed `laps.yaml`: for each LAPS category the ontology category and (pattern, sentence by polarity) pairs in order."""

    categories: Mapping[str, str]
    rules: Mapping[str, tuple[tuple[re.Pattern[str], Mapping[str, str]], ...]]


def _by_polarity(sentence: str | Mapping[str, str]) -> Mapping[str, str]:
    return sentence if isinstance(sentence, Mapping) else {"positive": sentence, "negative": sentence}


def _rules(raw: Mapping[str, Any], category: Mapping[str, Any]) -> tuple[tuple[re.Pattern[str], Mapping[str, str]], ...]:
    pairs = [
        *category.get("first", ()),
        *raw["clauses"],
        [raw["nothing"]["none"], category["none"]],
        [raw["nothing"]["have"], "I have {low}."],
        *category["rules"],
        [".*", category["frame"]],
    ]
    expand = functools.partial(re.sub, r"<(\w+)>", lambda match: raw["lexicon"][match[1]])
    return tuple((re.compile(expand(pattern), re.I | re.S), _by_polarity(sentence)) for pattern, sentence in pairs)


@functools.cache
def table() -> Table:
    """The table of `laps.yaml`."""
    raw = yaml.safe_load(resources.files("kithe.corpora").joinpath("laps.yaml").read_text(encoding="utf-8"))
    return Table(
        {name: entry["category"] for name, entry in raw["categories"].items()},
        {name: _rules(raw, entry) for name, entry in raw["categories"].items()},
    )


def _article(text: str) -> str:
    head = re.split(r" (?:for|with|to|of|in|at|on|from|that|which|who|and|or|by|like|before|after|during|within)\b|[;(]", text)[0]
    plural = re.search(r"(?<!s)s$", head) and not re.search(r"(?:ous|us|is)$", head)
    if DETERMINERS.match(text) or plural or re.search(r"(?:food|fare|pasta|tea|fish)$", head):
        return text
    return f"{'an' if re.match('[aeio]|u(?!ni|se)|8', text, re.I) else 'a'} {_lower(text)}"


def _first_person(verb: str) -> str:
    return FIRST_PERSON.get(verb.lower(), verb.lower().removesuffix("s"))


def _mine(text: str) -> str:
    return _lower(text) if DETERMINERS.match(text) else f"my {_lower(text)}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[:2] not in ("I ", "I'") and not text[:2].isupper() else text


SHAPES: Mapping[str, Callable[[str], str]] = {"x": str, "low": _lower, "a": _article, "my": _mine, "verb": _first_person}


def _clean(value: str, spoken: frozenset[str]) -> str:
    """The value without its full stop and without a capital the user did not write; "the user" becomes the speaker."""
    text = value.strip().rstrip(".").strip()
    for pattern, words in PERSONS:
        text = pattern.sub(words, text)
    first = text.split(" ")[0]
    name = re.match(r"\S+ [A-Z]", text) or first.isupper() or first.startswith("I'")
    return text if name or first.lower() not in spoken else first.lower() + text[len(first) :]


def _fill(sentence: str, match: re.Match[str]) -> str:
    text = re.sub(r"\{(\w+)(?::(\d))?\}", lambda slot: SHAPES[slot[1]]((match[int(slot[2] or 0)] or "").strip()), sentence)
    text = re.sub(r"\s+", " ", text).replace(" .", ".")
    return text[0].upper() + text[1:]


def statement(value: str, category: str, polarity: str | None = None, spoken: frozenset[str] = frozenset()) -> Statement:
    """The first-person statement a LAPS value stands for.

    Args:
        value: the note, such as "nuts" or "No allergies".
        category: the LAPS category, such as "recipe/allergies".
        polarity: "positive", "negative" or None (the category has no polarity).
        spoken: the words of the dialogue as they were written; a capital at the start of the value that nobody wrote is dropped.

    Raises:
        ConfigError: the category is not one of LAPS.
    """
    rules = table().rules.get(category)
    if rules is None:
        raise unknown("LAPS category", category, table().rules)
    text = _clean(value, spoken)
    for position, (pattern, sentences) in enumerate(rules):
        if match := pattern.fullmatch(text):
            sentence = _fill(sentences[polarity or "positive"], match)
            return Statement(sentence, table().categories[category], position < len(rules) - 1)
    raise AssertionError(f"the frame of {category} matches every value")
