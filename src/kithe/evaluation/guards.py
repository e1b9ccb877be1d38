"""What makes two statements different facts however alike they sound: sign, number, person, time, thing.

Cosine similarity hardly sees any of these ("I like basketball." and "I dislike basketball." have 0.84).
"""

from collections.abc import Callable

from kithe.evaluation.lexicon import KIND_ITSELF, lexicon
from kithe.evaluation.quantities import agree
from kithe.evaluation.statements import SOMEONE, Reading, read

COMPATIBLE_STATUSES = ({"present", "past"}, {"past", "former"})


def polarity_conflict(one: Reading, other: Reading) -> bool:
    """Whether one says the opposite of the other.

    Signs are compared after cancelling opposites that stand on the two sides ("not tall" and "short" agree). A word that holds a
    negation of its own on one side only ("vegetarian") excuses a difference of signs.
    """
    differ = one.sign != other.sign
    opposed = sum(_ends(one, axis).isdisjoint(_ends(other, axis)) for axis in _axes(one) & _axes(other))
    if opposed % 2:
        return not differ
    return differ and one.privative == other.privative


def number_conflict(one: Reading, other: Reading) -> bool:
    """Whether each has a number that the other does not have, or they happen at different intervals."""
    if one.periods and other.periods and one.periods.isdisjoint(other.periods):
        return True
    return _number_of_its_own(one, other) and _number_of_its_own(other, one)


def person_conflict(one: Reading, other: Reading) -> bool:
    """Whether they are about, or mention, different people."""
    if _about_somebody_absent(one, other) or _about_somebody_absent(other, one):
        return True
    return bool(one.people and other.people) and not any(_related(x, y) for x in one.people for y in other.people)


def time_conflict(one: Reading, other: Reading) -> bool:
    """Whether one holds now and the other is over or to come; a plain past tense can be either over or still so."""
    statuses = {one.status, other.status}
    return len(statuses) > 1 and statuses not in COMPATIBLE_STATUSES


def thing_conflict(one: Reading, other: Reading) -> bool:
    """Whether they name different things of one kind, a thing and its kind, or different proper nouns."""
    if one.names and other.names and one.names.isdisjoint(other.names):
        return True
    return any(_other_members(one.kinds[kind], other.kinds[kind]) for kind in one.kinds.keys() & other.kinds.keys())


GUARDS: dict[str, Callable[[Reading, Reading], bool]] = {
    "polarity": polarity_conflict,
    "number": number_conflict,
    "person": person_conflict,
    "time": time_conflict,
    "thing": thing_conflict,
}


def conflicts(one: str, other: str) -> list[str]:
    """The names of the guards that forbid two statements to be the same fact."""
    readings = read(one), read(other)
    return [name for name, guard in GUARDS.items() if guard(*readings)]


def _axes(reading: Reading) -> set[str]:
    return {axis for axis, _ in reading.poles}


def _ends(reading: Reading, axis: str) -> set[int]:
    return {end for name, end in reading.poles if name == axis}


def _number_of_its_own(one: Reading, other: Reading) -> bool:
    return any(not any(agree(number, candidate) for candidate in other.numbers) for number in one.numbers)


def _about_somebody_absent(one: Reading, other: Reading) -> bool:
    return one.subject is not None and not any(_related(one.subject, name) for name in other.people)


def _other_members(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether members of a kind are named, but none on both sides; the name of the kind itself is no member."""
    members = one - {KIND_ITSELF}, other - {KIND_ITSELF}
    return any(members) and members[0].isdisjoint(members[1])


def _related(one: str, other: str) -> bool:
    wider = lexicon().wider
    return SOMEONE in (one, other) or one == other or other in wider.get(one, ()) or one in wider.get(other, ())
