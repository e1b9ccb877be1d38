"""Which facts of a background never occur together under the joint model (`support.yaml`, counted from draws)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import combinations
from random import Random
from typing import Any, Final

from kithe.personas.ontology import ontology
from kithe.personas.pages import page
from kithe.personas.skeleton import SETTLED, draw_skeleton

DRAWS: Final = 60_000
EXPECTED: Final = 10.0  # times that two facts would meet by chance in those draws, at the least, if their absence is to count
UNUSUAL: Final = frozenset({"primary_language"})  # ties to places only, which are free text
Fact = tuple[str, str]


@cache
def keys() -> tuple[str, ...]:
    """The enumerated keys that a background settles."""
    return tuple(key for key in SETTLED if key not in UNUSUAL and ontology().by_key[key].kind == "enum")


@cache
def excluded() -> Mapping[Fact, frozenset[Fact]]:
    """For each fact those that never occur with it."""
    listed: Mapping[str, Mapping[str, Mapping[str, list[str]]]] = page("support.yaml")
    rows = [((key, value), (other, text)) for key, values in listed.items() for value, others in values.items()
            for other, texts in others.items() for text in texts]  # fmt: skip
    found: dict[Fact, set[Fact]] = {}
    for first, second in rows:
        found.setdefault(first, set()).add(second)
        found.setdefault(second, set()).add(first)
    return {fact: frozenset(others) for fact, others in found.items()}


def ruled_out(means: Mapping[str, Iterable[str]]) -> Mapping[str, frozenset[str]]:
    """The values, by key, that somebody cannot have of whom each key has one of these values.

    A value is out where its key is to have another one, or where it never occurs with any of the values of some key.
    """
    out: dict[str, set[str]] = {}
    for key, allowed in means.items():
        out.setdefault(key, set()).update(set(ontology().by_key[key].values) - set(allowed))
        for other, value in frozenset.intersection(*(excluded().get((key, value), frozenset()) for value in allowed)):
            out.setdefault(other, set()).add(value)
    return {key: frozenset(values) for key, values in out.items() if values}


def counted(draws: int, seed: int = 0) -> dict[str, Any]:
    """The page: pairs of facts that chance would bring together `EXPECTED` times in these draws and that never met."""
    single, pairs = Counter[Fact](), Counter[tuple[Fact, Fact]]()
    for place in range(draws):
        told = draw_skeleton(Random(f"{seed}/{place}")).facts()
        facts = [(key, text) for key in keys() if (text := told[key]) is not None]
        single.update(facts)
        pairs.update(combinations(facts, 2))
    met: dict[str, Any] = {}
    for first, second in combinations(sorted(single, key=_place), 2):
        if first[0] != second[0] and not pairs[first, second] and single[first] * single[second] / draws >= EXPECTED:
            met.setdefault(first[0], {}).setdefault(first[1], {}).setdefault(second[0], []).append(second[1])
    return met


def _place(fact: Fact) -> tuple[int, str]:
    return keys().index(fact[0]), fact[1]
