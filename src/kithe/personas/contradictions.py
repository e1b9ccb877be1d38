"""What in a persona contradicts what: rules over values, a thing liked and disliked, numbers, the rules of backgrounds."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, Final

from kithe.personas.clashes import Values, amount, clashes_with, clashing
from kithe.personas.kinds import kinds_of
from kithe.personas.ontology import ontology
from kithe.personas.opposed import AVOIDED, DONE_ONLY, free
from kithe.personas.persona import Stated
from kithe.personas.rules import RULES, Rule, knows
from kithe.personas.signs import told
from kithe.personas.skeleton import BANDS, SETTLED, Child, Skeleton
from kithe.personas.summary import stems
from kithe.personas.wording import clock_times
from kithe.personas.years import another_age
from kithe.records.history import Polarity

HOURED: Final = (
    "weekend_routine",
    "viewing_habit",
    "listening_time",
    "listening_context",
    "solo_leisure",
    "social_leisure",
    "reading_habit",
    "time_constraint",
    "preferred_workout",
)  # what is done at an hour
OF_OTHERS: Final = ("caregiving", "volunteering", "children", "family_tradition")  # whose ages are not the person's own
PREFERRED: Final = ("travel_style", "shopping_channel", "transport_preference", "commute_mode", "work_arrangement")
VAGUE: Final = stems("trip trips holiday holidays break breaks local day work")
NIGHT: Final = 480  # minutes of sleep, where only the hour of getting up is known
MARGIN: Final = 30  # minutes by which a night may shift
SLEPT: Final = re.compile(r"\b(sleep|in bed|stay in bed|lie in)\b")
_AGED: Final = re.compile(r"\b(?:aged |age )?(\d{1,2})(?:[ -]years?[ -]old)?\b")
_ADULTHOOD: Final = re.compile(
    r"\b(grown(-up)?|adult|married|divorced) (children|kids|sons?|daughters?|twins)\b"
    r"|\b(great-)?grand(children|child|sons?|daughters?|kids?)\b"
    r"|\b(at|in) (university|college|graduate school)\b|\bin (his|her|their) (twenties|thirties|forties|fifties)\b"
)


@dataclass(frozen=True)
class Conflict:
    """A contradiction: its kind, why it is one, and the keys that cannot all be true."""

    name: str
    reason: str
    keys: tuple[str, ...]


def conflicts(values: Values) -> list[Conflict]:
    """Everything in these values that contradicts something else in them."""
    return [*_rules(values), *_opposites(values), *_ages(values), *_hours(values), *_background(values)]


def fits(values: Values, key: str) -> bool:
    """Whether the value of one key contradicts nothing else; the same as no conflict that names the key, and quicker."""
    if key in SETTLED:
        return not any(key in conflict.keys for conflict in conflicts(values))
    others = (*_opposites(values), *_ages(values), *_hours(values))
    return not clashes_with(values, key) and not any(key in conflict.keys for conflict in others)


def _rules(values: Values) -> Iterator[Conflict]:
    for clash, first, second in clashing(values):
        yield Conflict(clash.name, clash.reason, (first, second))


def _opposites(values: Values) -> Iterator[Conflict]:
    """The same thing, or a kind of it, liked under one key and disliked under another (or cut out of the diet)."""
    against: dict[str, tuple[frozenset[str], ...]] = {}
    liked: dict[str, frozenset[str]] = {}
    for key in (*AVOIDED, *free()):
        if stated := values.get(key):
            if key in AVOIDED or (stated.polarity == "negative" and key not in DONE_ONLY):
                kinds = key in AVOIDED or ontology().by_key[key].tier == "Interest"
                against[key] = (stems(stated.value), *(kinds_of(stated.value) if kinds else ()))
            else:
                liked[key] = stems(stated.value)
    holding: dict[str, list[str]] = {}
    for key, words in liked.items():
        for word in words:
            holding.setdefault(word, []).append(key)
    for other, cuts in against.items():
        found = {key for cut in cuts if cut for key in holding.get(next(iter(cut)), ()) if cut <= liked[key]}
        for key in sorted(found):
            yield Conflict("liked_and_disliked", "the same thing is liked and disliked", (other, key))
    for key, preferred in _habits(values):
        if preferred <= stems(values["topic_to_avoid"].value):  # type: ignore[union-attr]
            yield Conflict("done_and_avoided", "who does not want to hear of a thing does not prefer it", ("topic_to_avoid", key))


def _habits(values: Values) -> Iterator[tuple[str, frozenset[str]]]:
    """The preferences that are chosen from a list, where there is a topic to avoid that could name them."""
    for key in PREFERRED if values.get("topic_to_avoid") else ():
        if (stated := values.get(key)) and stated.polarity == "positive" and (words := stems(stated.value) - VAGUE):
            yield key, words


def _ages(values: Values) -> Iterator[Conflict]:
    """Children who are older than their parent allows, or more people than the household holds."""
    band, children, size = (values.get(key) for key in ("age_band", "children", "household_size"))
    if band and children and children.polarity == "positive" and band.value in BANDS:
        oldest = BANDS[band.value][1] - 16
        ages = [int(found) for found in _AGED.findall(children.value)]
        if any(age > oldest for age in ages) or (oldest < 20 and _ADULTHOOD.search(children.value.lower())):
            yield Conflict(
                "child_older_than_possible", "a parent is at least 16 years older than a child", ("age_band", "children")
            )
    for key in _of_another_age(values, band.value) if band and band.value in BANDS else ():
        yield Conflict("another_age", "this is said of another age", ("age_band", key))
    if size and children and children.polarity == "positive" and size.value == "1" and _young(children.value):
        yield Conflict("child_not_in_household", "who lives alone has no small child at home", ("household_size", "children"))
    for first, second in combinations([key for key in ("wake_time", "sleep_time") if values.get(key)], 2):
        hours = (amount(str(getattr(values[first], "value", ""))) - amount(str(getattr(values[second], "value", "")))) % 1440 / 60
        if not 4 <= hours <= 12:
            yield Conflict("night_of_wrong_length", "a night has four to twelve hours", (first, second))


def _of_another_age(values: Values, band: str) -> Iterator[str]:
    """The keys whose values name an age of the person that lies outside the band."""
    rows = ((key, values.get(key)) for key in told() if key not in OF_OTHERS)
    return (key for key, stated in rows if stated and stated.polarity == "positive" and another_age(stated.value, band))


def _hours(values: Values) -> Iterator[Conflict]:
    """Something done at an hour when the persona is asleep, or sleep far into the day of somebody who gets up early."""
    up, down = (amount(stated.value) if (stated := values.get(key)) else None for key in ("wake_time", "sleep_time"))
    if up is None or up != up:
        return
    asleep = (up - down) % 1440 if down is not None and down == down else NIGHT
    for key in HOURED:
        stated = values.get(key)
        for time in _times(stated.value) if stated and stated.polarity == "positive" else ():
            long = SLEPT.search(stated.value) if stated else None
            if (long and 360 < (time - up) % 1440 < 960) or (not long and MARGIN < (up - time) % 1440 < asleep - MARGIN):
                yield Conflict("asleep_at_that_hour", "who sleeps at that hour does nothing else", ("wake_time", key))


@lru_cache(maxsize=4096)
def _times(text: str) -> tuple[int, ...]:
    return (*clock_times(text), *((720,) if "until noon" in text else ()))


def _young(text: str) -> bool:
    return any(int(age) < 12 for age in _AGED.findall(text)) or bool(
        re.search(r"\b(baby|toddler|newborn|infant)\b", text.lower())
    )


def _background(values: Values) -> list[Conflict]:
    rows = tuple((key, stated.value, stated.polarity) for key in SETTLED if (stated := values.get(key)))
    return [Conflict(rule.name, rule.reason, SETTLED) for rule in _broken(rows)]


@lru_cache(maxsize=4096)
def _broken(rows: tuple[tuple[str, str, Polarity], ...]) -> tuple[Rule, ...]:
    """The rules of backgrounds that no age within the band would save."""
    values = {key: Stated(value=text, polarity=polarity) for key, text, polarity in rows}
    band = values.get("age_band")
    if not band or band.value not in BANDS:
        return ()
    low, high = BANDS[band.value]
    lives = [life for age in dict.fromkeys((low, (low + high) // 2, high)) if (life := _skeleton(values, age))]
    return tuple(rule for rule in RULES if lives and all(rule.broken(life) for life in lives))


def _skeleton(values: Values, age: int) -> Skeleton | None:
    """The values read back as a background of this age; None where a needed one is missing or none that the model knows."""
    found: dict[str, Any] = {
        key: None if (stated := values.get(key)) is None else stated.value for key in SETTLED if key != "children"
    }
    vehicle, children = values.get("vehicle_owned"), values.get("children")
    drives = None if vehicle is None else vehicle.polarity == "positive"
    family = (
        tuple(Child(kind="son", age=int(years)) for years in _AGED.findall(children.value))
        if children and children.polarity == "positive"
        else ()
    )
    try:
        return Skeleton.model_validate({**found, "age": age, "drives": drives, "family": family}) if _known(found) else None
    except ValueError:
        return None


def _known(found: Mapping[str, Any]) -> bool:
    """Whether places and occupation are among those whose properties the model knows."""
    return knows(found["region_of_residence"], found["hometown_region"], found["occupation"])
