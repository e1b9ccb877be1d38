"""The keys that an item of an answer can have, and what each may hold."""

from collections.abc import Sequence
from functools import cache
from typing import Final, get_args

from kithe.errors import ConfigError, unknown
from kithe.records.history import Inference, Intensity, ItemType, Polarity

NAMES: Final = ("quote", "statement", "category", "value", "type", "polarity", "intensity", "inference", "confidence")
MAX_WORDS: Final = 40  # twice what a statement should have
MAX_QUOTE: Final = 160  # characters

_CLOSED: Final[dict[str, tuple[str, ...]]] = {
    "type": get_args(ItemType),
    "polarity": get_args(Polarity),
    "intensity": get_args(Intensity),
    "inference": get_args(Inference),
}


def check(fields: Sequence[str]) -> None:
    """Refuse keys that no item has.

    Raises:
        ConfigError: an unknown or repeated key, or no `statement`.
    """
    for name in fields:
        if name not in NAMES:
            raise unknown("key of an answer's items (task.format.fields)", name, NAMES)
    if "statement" not in fields or len(set(fields)) < len(fields):
        raise ConfigError(
            f"task.format.fields={list(fields)}: it must name 'statement' and no key twice; allowed: {', '.join(NAMES)}"
        )


def needed(fields: Sequence[str]) -> frozenset[str]:
    """The optional fields of `KnowledgeItem` that a source must fill for these keys to be learnt."""
    return frozenset("evidence" if name == "quote" else name for name in fields) - {"statement"}


def choices(name: str) -> tuple[str, ...]:
    """The values a key may have; empty for free text and numbers."""
    return categories() if name == "category" else _CLOSED.get(name, ())


@cache
def categories() -> tuple[str, ...]:
    """The categories of the ontology, in its order."""
    from kithe.personas.ontology import ontology

    return ontology().categories
