"""Reading a judge's yes or no."""

import re
from typing import Final

_WORD: Final = re.compile(r"\b(yes|no)\b", re.I)


def yes(text: str) -> bool:
    """Whether a text's first yes or no is a yes; a text without either is not."""
    found = _WORD.search(text)
    return found is not None and found[1].lower() == "yes"


def official_yes(text: str) -> bool:
    """As the official code reads it (defect U19): "no" anywhere, inside other words too, is a no."""
    return "no" not in text.lower()
