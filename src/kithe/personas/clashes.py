"""Rules over values that cannot both be true of one person (`contradictions.yaml`), looked up by key and by word."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from kithe.personas.ontology import ontology
from kithe.personas.opposed import heard, opposed
from kithe.personas.pages import page
from kithe.personas.persona import Stated
from kithe.personas.signs import signs_against
from kithe.personas.skeleton import SETTLED
from kithe.records.history import Polarity

Values = Mapping[str, Stated | None]
KNOWN: Final = 65_536  # texts whose words are remembered
_TOKEN = re.compile(r"\w+")


@dataclass(frozen=True)
class Side:
    """One half of a rule: any of these keys with a value for which `holds` is true; `same` names what another key holds."""

    keys: tuple[str, ...]
    holds: Callable[[str, Polarity], bool]
    same: str = ""
    needs: frozenset[str] | None = None  # lists of `opposed.yaml` of which a text must hold a phrase; None: it depends


@dataclass(frozen=True)
class Clash:
    """A rule: its two sides cannot both be true."""

    name: str
    reason: str
    a: Side
    b: Side


@dataclass(frozen=True)
class _Book:
    """All rules, for each key the numbers of the sides that look at it (2n and 2n + 1 for rule n), and the groups of words.

    `needing` holds those sides that only a phrase of some list can fulfil, under that list.
    """

    clashes: tuple[Clash, ...]
    sides: Mapping[str, tuple[int, ...]]
    needing: Mapping[str, Mapping[str, Sequence[int]]]
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]


def clashing(values: Values) -> Iterator[tuple[Clash, str, str]]:
    """The rules that these values break, each with the two keys that do so."""
    held: dict[int, list[str]] = {}
    for key, stated in values.items():
        for side in _held(key, stated.value, stated.polarity) if stated else ():
            held.setdefault(side, []).append(key)
    for side in sorted(side for side in held if side % 2 == 0 and side + 1 in held):
        clash = _book().clashes[side // 2]
        seconds = [key for key in held[side + 1] if _same(clash.b, key, values)]
        yield from ((clash, first, second) for first in held[side] for second in seconds if first != second)


def clashes_with(values: Values, key: str) -> bool:
    """Whether the value of one key breaks a rule with any other."""
    stated = values.get(key)
    for side in _held(key, stated.value, stated.polarity) if stated else ():
        clash = _book().clashes[side // 2]
        partner, first = side ^ 1, side % 2 == 0
        for other in (clash.b if first else clash.a).keys:
            found = values.get(other) if other != key else None
            if found and partner in _held(other, found.value, found.polarity) and _same(clash.b, other if first else key, values):
                return True
    return False


def _same(side: Side, key: str, values: Values) -> bool:
    if not side.same:
        return True
    stated, other = values[key], values.get(side.same)
    return stated is not None and other is not None and other.value.lower() in stated.value.lower()


@lru_cache(maxsize=KNOWN)
def _held(key: str, text: str, polarity: Polarity) -> tuple[int, ...]:
    """The sides that one value fulfils."""
    book = _book()
    by_list = book.needing.get(key, {})
    sides = (
        {*book.sides.get(key, ()), *(side for name in heard(text) for side in by_list.get(name, ()))}
        if by_list
        else book.sides.get(key, ())
    )
    both = [(side, book.clashes[side // 2]) for side in sorted(sides)]
    return tuple(side for side, clash in both if (clash.b if side % 2 else clash.a).holds(text, polarity))


@cache
def _book() -> _Book:
    listed = _page()
    rows = ((name, rule["reason"], _side(rule["a"]), _side(rule["b"])) for name, rule in listed["rules"].items())
    general = (
        Clash(name, reason, Side(tuple(a), one.holds, needs=one.needs), Side(tuple(b), two.holds, needs=two.needs))
        for name, reason, a, one, b, two in (*opposed(), *signs_against())
    )
    clashes = (*(Clash(*row) for row in rows), *general)
    sides, needing = dict[str, list[int]](), dict[str, dict[str, list[int]]]()
    for number, clash in enumerate(clashes):
        for place, side in enumerate((clash.a, clash.b)):
            for key in side.keys:
                if side.needs is None:
                    sides.setdefault(key, []).append(2 * number + place)
                for name in side.needs or ():
                    needing.setdefault(key, {}).setdefault(name, []).append(2 * number + place)
    return _Book(clashes, {key: tuple(numbers) for key, numbers in sides.items()}, needing, _phrases())


@cache
def _page() -> Mapping[str, Any]:
    return page("contradictions.yaml")


def _side(body: Mapping[str, Any]) -> Side:
    ((names, wanted),) = body.items()
    keys = dict.fromkeys(key for name in names.split("+") for key in _keys(name))
    return Side(tuple(keys), _condition(wanted), wanted.get("same", ""))


def _keys(name: str) -> Sequence[str]:
    if name == "any":
        return [entity.key for entity in ontology().entities if entity.kind in ("open", "list") and entity.key not in SETTLED]
    return _page()["groups"].get(name) or [ontology().by_key[name].key]


def _condition(wanted: Mapping[str, Any]) -> Callable[[str, Polarity], bool]:
    has, without = frozenset(wanted.get("has", ())), frozenset(wanted.get("not_has", ()))
    exact, polarity = frozenset(wanted.get("is", ())), wanted.get("polarity", "positive")
    below, above = wanted.get("below", float("inf")), wanted.get("above", float("-inf"))
    measured = "below" in wanted or "above" in wanted

    def holds(text: str, signed: Polarity) -> bool:
        return (
            polarity in (signed, "any")
            and (not exact or text in exact)
            and (not has or not has.isdisjoint(_said(text)))
            and (not without or without.isdisjoint(_said(text)))
            and (not measured or above < amount(text) < below)
        )

    return holds


def amount(text: str) -> float:
    """A number, or a time as minutes after midnight; no number is neither above nor below anything."""
    clock = re.fullmatch(r"(\d{1,2}):(\d\d)", text)
    if clock:
        return 60 * int(clock[1]) + int(clock[2])
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else float("nan")


@lru_cache(maxsize=KNOWN)
def _said(text: str) -> frozenset[str]:
    """The groups of words, and the words that rules name by themselves, of which a text holds one."""
    tokens = _tokens(text)
    table = _book().phrases
    return frozenset(
        name
        for place, token in enumerate(tokens)
        for phrase, name in table.get(token, ())
        if tokens[place : place + len(phrase)] == phrase
    )


def _tokens(text: str) -> tuple[str, ...]:
    """The words in lower case and in the singular, so that a list needs one form of a noun."""
    return tuple(map(_singular, _TOKEN.findall(text.lower())))


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word[-1] == "s" != word[-2] else word


def _phrases() -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """Every phrase of the rules under its first word, with the group that it stands for."""
    groups: Mapping[str, Sequence[str]] = _page()["words"]
    wanted = [body for rule in _page()["rules"].values() for side in (rule["a"], rule["b"]) for body in side.values()]
    names = {str(name) for body in wanted for kind in ("has", "not_has") for name in body.get(kind, ())}
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name in sorted(names):
        for phrase in dict.fromkeys(_tokens(str(word)) for word in groups.get(name, [name])):
            table.setdefault(phrase[0], []).append((phrase, name))
    return {first: tuple(rows) for first, rows in table.items()}
