"""What in a persona contradicts what: rules over values, the same thing liked and disliked, numbers, and the rules of backgrounds."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any, Final

import yaml

from kithe.personas.ontology import ontology
from kithe.personas.persona import Stated
from kithe.personas.rules import RULES, knows
from kithe.personas.skeleton import BANDS, SETTLED, Child, Skeleton
from kithe.personas.summary import stems

Values = Mapping[str, Stated | None]
AVOIDED: Final = ("disliked_food", "food_restriction", "topic_to_avoid")  # what is named here is not wanted, whatever the polarity
LEISURE: Final = ("social_leisure", "solo_leisure", "event_attendance", "seasonal_activity", "wellness_practice", "weekend_routine")
_AGED: Final = re.compile(r"\b(?:aged |age )?(\d{1,2})(?:[ -]years?[ -]old)?\b")
_ADULTHOOD: Final = re.compile(r"\bgrown(?:-up)? (?:children|kids|sons?|daughters?)\b|\bgrand(?:children|child|sons?|daughters?|kids?)\b")


@dataclass(frozen=True)
class Conflict:
    """A contradiction: its kind, why it is one, and the keys that cannot all be true."""

    name: str
    reason: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class _Side:
    """One half of a rule: any of these keys, with a value for which `holds` is true."""

    keys: tuple[str, ...]
    holds: Callable[[Stated, Values], bool]

    def found(self, values: Values) -> str | None:
        """The first key whose value fulfils it."""
        for key in self.keys:
            stated = values.get(key)
            if stated and self.holds(stated, values):
                return key
        return None


@dataclass(frozen=True)
class _Pair:
    name: str
    reason: str
    a: _Side
    b: _Side


def conflicts(values: Values) -> list[Conflict]:
    """Everything in these values that contradicts something else in them."""
    return [*_rules(values), *_opposites(values), *_ages(values), *_background(values)]


def _rules(values: Values) -> Iterator[Conflict]:
    for pair in _pairs():
        first, second = pair.a.found(values), pair.b.found(values)
        if first and second and first != second:
            yield Conflict(pair.name, pair.reason, (first, second))


@cache
def _pairs() -> tuple[_Pair, ...]:
    page = yaml.safe_load((files("kithe.personas") / "contradictions.yaml").read_text("utf-8"))
    sides = ((name, rule["reason"], _side(rule["a"], page), _side(rule["b"], page)) for name, rule in page["rules"].items())
    return tuple(_Pair(*row) for row in sides)


def _side(body: Mapping[str, Any], page: Mapping[str, Any]) -> _Side:
    ((names, wanted),) = body.items()
    keys = [key for name in names.split("+") for key in _keys(name, page["groups"])]
    return _Side(tuple(dict.fromkeys(keys)), _condition(wanted, page["words"]))


def _keys(name: str, groups: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if name == "any":
        return [entity.key for entity in ontology().entities if entity.kind in ("open", "list") and entity.key not in SETTLED]
    return groups.get(name) or [ontology().by_key[name].key]


def _condition(wanted: Mapping[str, Any], words: Mapping[str, Sequence[str]]) -> Callable[[Stated, Values], bool]:
    has, without = (_pattern(wanted[name], words) if name in wanted else None for name in ("has", "not_has"))
    exact, polarity = frozenset(wanted.get("is", ())), wanted.get("polarity", "positive")
    below, above = wanted.get("below", float("inf")), wanted.get("above", float("-inf"))
    measured = "below" in wanted or "above" in wanted

    def holds(stated: Stated, values: Values) -> bool:
        text = stated.value.lower()
        other = values.get(wanted.get("same", ""))
        return (
            polarity in (stated.polarity, "any")
            and (not exact or stated.value in exact)
            and (has is None or bool(has.search(text)))
            and (without is None or not without.search(text))
            and (not measured or above < _amount(text) < below)
            and ("same" not in wanted or (other is not None and other.value.lower() in text))
        )

    return holds


def _pattern(names: Sequence[str], words: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    every = sorted({str(word).lower() for name in names for word in words.get(name, [name])}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, every))})(?!\w)")


def _amount(text: str) -> float:
    """A number, or a time as minutes after midnight; no number is neither above nor below anything."""
    clock = re.fullmatch(r"(\d{1,2}):(\d\d)", text)
    if clock:
        return 60 * int(clock[1]) + int(clock[2])
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else float("nan")


def _opposites(values: Values) -> Iterator[Conflict]:
    """The same thing liked under one key and disliked under another (or cut out of the diet)."""
    tastes = {key: stated for key in _tastes() if (stated := values.get(key))}
    against = [key for key, stated in tastes.items() if key in AVOIDED or stated.polarity == "negative"]
    for other in against:
        cut = stems(tastes[other].value)
        for key in tastes:
            if key not in against and cut and cut <= stems(tastes[key].value):
                yield Conflict("liked_and_disliked", "the same thing is liked and disliked", (other, key))


@cache
def _tastes() -> tuple[str, ...]:
    """The keys that hold likings and dislikes of things."""
    open_keys = (entity for entity in ontology().entities if entity.kind in ("open", "list"))
    return tuple(entity.key for entity in open_keys if entity.tier == "Interest" or entity.key in (*AVOIDED, *LEISURE))


def _ages(values: Values) -> Iterator[Conflict]:
    """Children who are older than their parent allows, or more people than the household holds."""
    band, children, size = (values.get(key) for key in ("age_band", "children", "household_size"))
    if band and children and children.polarity == "positive" and band.value in BANDS:
        oldest = BANDS[band.value][1] - 16
        ages = [int(found) for found in _AGED.findall(children.value)]
        if any(age > oldest for age in ages) or (oldest < 20 and _ADULTHOOD.search(children.value.lower())):
            yield Conflict("child_older_than_possible", "a parent is at least 16 years older than a child", ("age_band", "children"))
    if size and children and children.polarity == "positive" and size.value == "1" and _young(children.value):
        yield Conflict("child_not_in_household", "who lives alone has no small child at home", ("household_size", "children"))
    for first, second in combinations([key for key in ("wake_time", "sleep_time") if values.get(key)], 2):
        hours = (_amount(str(getattr(values[first], "value", ""))) - _amount(str(getattr(values[second], "value", "")))) % 1440 / 60
        if not 4 <= hours <= 12:
            yield Conflict("night_of_wrong_length", "a night has four to twelve hours", (first, second))


def _young(text: str) -> bool:
    return any(int(age) < 12 for age in _AGED.findall(text)) or bool(re.search(r"\b(baby|toddler|newborn|infant)\b", text.lower()))


def _background(values: Values) -> Iterator[Conflict]:
    """The rules of backgrounds that no age within the band would save."""
    band = values.get("age_band")
    if not band or band.value not in BANDS:
        return
    low, high = BANDS[band.value]
    lives = [life for age in dict.fromkeys((low, (low + high) // 2, high)) if (life := _skeleton(values, age))]
    for rule in RULES if lives else ():
        if all(rule.broken(life) for life in lives):
            yield Conflict(rule.name, rule.reason, SETTLED)


def _skeleton(values: Values, age: int) -> Skeleton | None:
    """The values read back as a background of this age; None where a needed one is missing or none that the model knows."""
    found: dict[str, Any] = {key: None if (stated := values.get(key)) is None else stated.value for key in SETTLED if key != "children"}
    vehicle, children = values.get("vehicle_owned"), values.get("children")
    drives = None if vehicle is None else vehicle.polarity == "positive"
    family = tuple(Child(kind="son", age=int(years)) for years in _AGED.findall(children.value)) if children and children.polarity == "positive" else ()
    try:
        return Skeleton.model_validate({**found, "age": age, "drives": drives, "family": family}) if _known(found) else None
    except ValueError:
        return None


def _known(found: Mapping[str, Any]) -> bool:
    """Whether places and occupation are among those whose properties the model knows."""
    return knows(found["region_of_residence"], found["hometown_region"], found["occupation"])
