"""A small text grammar, so that a handful of lines in a YAML file says a thing in many ways.

`(a|b|)` picks one alternative, `<name>` one of a shared word list, `$slot` or `$slot.form` a form of a value.
"""

import re
from collections.abc import Mapping
from random import Random
from typing import TypeAlias

_GROUP = re.compile(r"\(([^()]*)\)")
_WORDS = re.compile(r"<(\w+)>")
_SLOT = re.compile(r"\$(\w+)(?:\.(\w+))?")
_SPACES = re.compile(r" +")
_GAP = re.compile(r" ([,.!?;])")

Forms: TypeAlias = Mapping[str, str]


def expand(template: str, rng: Random, words: Mapping[str, str], slots: Mapping[str, Forms] | None = None) -> str:
    """One random reading of a template.

    Args:
        template: text with alternatives, word lists and slots.
        rng: where the choices come from; the same state gives the same text.
        words: the shared lists, each a string of alternatives "a|b|c" that may itself use the grammar.
        slots: the forms of the value behind each slot; the form without a name is "v".

    Raises:
        KeyError: for a list, slot or form that does not exist.
    """
    text = template
    while _WORDS.search(text):
        text = _WORDS.sub(lambda found: f"({words[found[1]]})", text)
    while _GROUP.search(text):
        text = _GROUP.sub(lambda found: rng.choice(found[1].split("|")), text)
    text = _SLOT.sub(lambda found: (slots or {})[found[1]][found[2] or "v"], text)
    text = _GAP.sub(r"\1", _SPACES.sub(" ", text)).strip()
    return text if template.endswith(",") else text.strip(" ,")


def article(noun: str) -> str:
    """The noun with its indefinite article, by spelling."""
    vowel = noun[:1].lower() in "aeiou" and not noun.lower().startswith(("uni", "use", "eu", "one"))
    return f"{'an' if vowel else 'a'} {noun}"


def plural(noun: str) -> str:
    """The regular English plural."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"


def is_plural(noun: str) -> bool:
    """Whether the noun looks plural, by spelling."""
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is"))
