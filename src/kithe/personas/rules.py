"""What no background may be: named rules, each with its reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from kithe.personas.ontology import ontology
from kithe.personas.skeleton import BANDS, PARTNERED, Skeleton, skeleton_page

OLDER: Final = 16  # years that a parent is older than a child, at the least


@dataclass(frozen=True)
class Rule:
    """Something that cannot be; `broken` says whether a background is so."""

    name: str
    reason: str
    broken: Callable[[Skeleton], bool]


def violations(life: Skeleton) -> list[Rule]:
    """The rules that a background breaks."""
    return [rule for rule in RULES if rule.broken(life)]


def knows(*names: str | None) -> bool:
    """Whether each name is a region or an occupation of the model, or nothing."""
    return all(name is None or name in _regions() or name in _least() for name in names)


@cache
def _regions() -> Mapping[str, Any]:
    page = skeleton_page()
    return {name: (page["settings"][setting], languages) for name, (_, setting, languages) in page["regions"].items()}


@cache
def _least() -> Mapping[str, int]:
    page = skeleton_page()
    return {name: row[1] for name, row in page["occupations"].items()}


@cache
def _rung(level: str) -> int:
    return ontology().by_key["education_level"].values.index(level)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def _asleep(life: Skeleton) -> int:
    return (_minutes(life.wake_time) - _minutes(life.sleep_time)) % 1440


def _wrong_band(life: Skeleton) -> bool:
    low, high = BANDS[life.age_band]
    return not low <= life.age <= high


def _foreign(life: Skeleton) -> bool:
    spoken = {language for place in (life.region_of_residence, life.hometown_region) for language in _regions()[place][1]}
    return life.primary_language not in spoken


def _too_few(life: Skeleton) -> bool:
    return life.household_size < 1 + life.at_home


RULES: Final = (
    Rule("age_in_band", "the age lies in its band", _wrong_band),
    Rule(
        "minors_go_to_school",
        "who is below 18 is a pupil, and nobody else is one",
        lambda life: life.minor != (life.employment_status == "a pupil"),
    ),
    Rule(
        "stage_of_minors",
        "pupils go to primary, middle, high or vocational school",
        lambda life: life.minor and life.school_stage in ("university", "graduate school", "evening classes", "no school"),
    ),
    Rule(
        "stage_of_age",
        "primary school ends by 12, middle school is for 11 to 15, high school for 14 to 19",
        lambda life: (
            (life.school_stage == "primary school" and life.age > 12)
            or (life.school_stage == "middle school" and not 11 <= life.age <= 15)
            or (life.school_stage == "high school" and not 14 <= life.age <= 19)
        ),
    ),
    Rule(
        "students_study",
        "a student is at a university, a graduate or a vocational school",
        lambda life: (
            life.employment_status == "a student"
            and life.school_stage not in ("university", "graduate school", "vocational school")
        ),
    ),
    Rule(
        "only_students_study",
        "who is no student or pupil goes to evening classes at most",
        lambda life: (
            life.employment_status not in ("a student", "a pupil") and life.school_stage not in ("no school", "evening classes")
        ),
    ),
    Rule(
        "graduate_school_needs_degree",
        "a graduate student has a bachelor's degree",
        lambda life: life.school_stage == "graduate school" and _rung(life.education_level) < 3,
    ),
    Rule(
        "degree_needs_years",
        "a bachelor's degree is not held before 20, a master's before 22, a doctorate before 25",
        lambda life: life.age < {3: 20, 4: 22, 5: 25}.get(_rung(life.education_level), 0),
    ),
    Rule(
        "pupils_hold_no_certificate",
        "who still goes to school has not left it with a certificate",
        lambda life: life.minor and _rung(life.education_level) > 0,
    ),
    Rule(
        "field_needs_studies",
        "a field of study needs a degree or studies",
        lambda life: (
            life.field_of_study is not None and _rung(life.education_level) < 3 and life.employment_status != "a student"
        ),
    ),
    Rule(
        "work_means_occupation",
        "who works, and nobody else, has an occupation, an industry, a level and an arrangement",
        lambda life: any(
            (getattr(life, key) is not None) != life.working
            for key in ("occupation", "industry", "seniority", "work_arrangement")
        ),
    ),
    Rule(
        "occupation_needs_schooling",
        "an occupation needs its least education",
        lambda life: life.occupation is not None and _rung(life.education_level) < _least()[life.occupation],
    ),
    Rule(
        "owners_are_self_employed",
        "who is self-employed owns the business, and nobody else does",
        lambda life: (life.seniority == "an owner") != (life.employment_status == "self-employed"),
    ),
    Rule(
        "leaders_are_grown",
        "a manager is at least 24, an executive at least 30",
        lambda life: life.age < {"a manager": 24, "an executive": 30}.get(life.seniority or "", 0),
    ),
    Rule("trainees_are_young", "a trainee is below 35", lambda life: life.seniority == "a trainee" and life.age > 34),
    Rule("retired_is_old", "who is retired is at least 55", lambda life: life.employment_status == "retired" and life.age < 55),
    Rule(
        "former_work_is_another",
        "what one used to be one is no more",
        lambda life: life.previous_occupation is not None and life.previous_occupation == life.occupation,
    ),
    Rule(
        "former_work_needs_years",
        "a former occupation needs an age of 21",
        lambda life: life.previous_occupation is not None and life.age < 21,
    ),
    Rule(
        "farmers_live_in_the_country",
        "a farmer lives in a village or the countryside",
        lambda life: life.occupation == "a farmer" and life.place_type not in ("a village", "the countryside"),
    ),
    Rule(
        "minors_have_no_status",
        "of a minor no relationship and no children are stated",
        lambda life: life.minor and (life.relationship_status is not None or bool(life.family)),
    ),
    Rule(
        "widowed_is_grown",
        "who is divorced or widowed is at least 25",
        lambda life: life.relationship_status in ("divorced", "widowed") and life.age < 25,
    ),
    Rule(
        "parents_are_older",
        f"a parent is at least {OLDER} years older than a child",
        lambda life: any(life.age - child.age < OLDER for child in life.family),
    ),
    Rule("household_holds_its_children", "the children at home are part of the household", _too_few),
    Rule("minors_do_not_live_alone", "a minor lives with somebody", lambda life: life.minor and life.household_size < 2),
    Rule(
        "studio_is_small", "a studio holds at most two", lambda life: life.housing_type == "a studio" and life.household_size > 2
    ),
    Rule(
        "hall_is_for_students",
        "a student hall is for students, without children",
        lambda life: life.housing_type == "a student hall" and (life.employment_status != "a student" or life.at_home > 0),
    ),
    Rule(
        "shared_flat_is_shared",
        "a shared flat has at least two, and no minor",
        lambda life: life.housing_type == "a shared flat" and (life.household_size < 2 or life.minor),
    ),
    Rule(
        "retirement_home_is_for_the_old",
        "a retirement home is for people from 65 who do not work",
        lambda life: life.housing_type == "a retirement home" and (life.age < 65 or life.working or life.household_size > 2),
    ),
    Rule(
        "farmhouse_is_rural",
        "a farmhouse stands in a village or the countryside",
        lambda life: life.housing_type == "a farmhouse" and life.place_type not in ("a village", "the countryside"),
    ),
    Rule(
        "minors_own_nothing_big",
        "a minor is a guest of the family at home and owns no vehicle",
        lambda life: life.minor and (life.home_ownership != "a guest of the family" or life.vehicle_owned is not None),
    ),
    Rule(
        "rooms_are_rented",
        "a room in a hall, a shared flat or a home is rented",
        lambda life: (
            life.housing_type in ("a student hall", "a shared flat", "a retirement home") and life.home_ownership != "a tenant"
        ),
    ),
    Rule(
        "mortgage_needs_income",
        "a mortgage needs an income",
        lambda life: (
            life.home_ownership == "an owner with a mortgage"
            and life.income_band == "none of their own"
            and life.relationship_status not in PARTNERED
        ),
    ),
    Rule(
        "no_income_no_work",
        "who works has an income, pupils have none",
        lambda life: (
            (life.working and life.income_band == "none of their own") or (life.minor and life.income_band != "none of their own")
        ),
    ),
    Rule(
        "students_are_not_rich",
        "students, trainees and people who look for work have no middle or high income",
        lambda life: (
            (life.employment_status in ("a student", "looking for work") or life.seniority == "a trainee")
            and life.income_band in ("middle", "high")
        ),
    ),
    Rule(
        "vehicle_is_said_once",
        "a vehicle is named if and only if somebody drives or says that there is none",
        lambda life: (
            (life.vehicle_owned is None) != (life.drives is None) or (life.drives is False) != (life.vehicle_owned == "a car")
        ),
    ),
    Rule(
        "driving_to_work_needs_a_car",
        "who drives to work has a vehicle, unless a parent drives",
        lambda life: life.commute_mode == "by car" and not life.drives and not life.minor,
    ),
    Rule(
        "commute_needs_a_way",
        "only who works or studies has a way there",
        lambda life: (
            life.commute_mode is not None and not life.working and life.employment_status not in ("a student", "a pupil")
        ),
    ),
    Rule(
        "home_work_has_no_way",
        "who works from home has no commute, and nobody else has none",
        lambda life: (life.commute_mode == "without any commute") != (life.work_arrangement == "from home"),
    ),
    Rule(
        "night_work_is_slept_off",
        "who works nights gets up after noon",
        lambda life: life.work_arrangement == "night shifts" and _minutes(life.wake_time) < 720,
    ),
    Rule(
        "days_start_before_noon",
        "who does not work nights gets up before noon",
        lambda life: life.work_arrangement != "night shifts" and _minutes(life.wake_time) >= 720,
    ),
    Rule("sleep_is_human", "a night has five to eleven hours", lambda life: not 300 <= _asleep(life) <= 660),
    Rule(
        "place_is_there",
        "the kind of place is one that the region has",
        lambda life: life.place_type not in _regions()[life.region_of_residence][0],
    ),
    Rule("language_is_spoken_there", "the language is spoken where somebody lives or comes from", _foreign),
)
