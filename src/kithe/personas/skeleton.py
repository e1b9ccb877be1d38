"""The background of a persona from an explicit joint model: conditional tables (`skeleton.yaml`) and hard rules (`rules.py`)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Final, Literal

import yaml

from kithe.personas.ontology import ontology
from kithe.personas.tables import Tables, pick
from kithe.records.base import Record

BANDS: Final[Mapping[str, tuple[int, int]]] = {
    "8-12": (8, 12), "13-17": (13, 17), "18-24": (18, 24), "25-34": (25, 34), "35-44": (35, 44), "45-59": (45, 59),
    "60-74": (60, 74), "75 or older": (75, 90)}  # fmt: skip
PARTNERED: Final = frozenset({"in a relationship", "engaged", "married"})
WORKING: Final = frozenset({"employed", "self-employed"})
LEAVES_HOME: Final = 19  # age from which a child lives elsewhere
COUNTS: Final = ("no", "one", "two", "three", "four", "five", "six")


class Child(Record):
    """A child of a persona."""

    kind: Literal["son", "daughter"]
    age: int


class Skeleton(Record):
    """What is settled about a persona before anything else; the names are keys of the ontology, but for the first three."""

    age: int
    family: tuple[Child, ...] = ()
    drives: bool | None = None
    age_band: str
    gender_identity: str
    region_of_residence: str
    place_type: str
    hometown_region: str
    primary_language: str
    education_level: str
    field_of_study: str | None
    school_stage: str
    occupation: str | None
    industry: str | None
    seniority: str | None
    work_arrangement: str | None
    employment_status: str
    previous_occupation: str | None
    housing_type: str
    household_size: int
    home_ownership: str
    vehicle_owned: str | None
    income_band: str
    commute_mode: str | None
    wake_time: str
    sleep_time: str
    relationship_status: str | None

    @property
    def working(self) -> bool:
        """Whether somebody has paid work."""
        return self.employment_status in WORKING

    @property
    def minor(self) -> bool:
        """Whether somebody is below 18."""
        return self.age < 18

    @property
    def at_home(self) -> int:
        """How many children live in the household."""
        return sum(child.age < LEAVES_HOME for child in self.family)

    @property
    def children(self) -> str | None:
        """The children as a value of the ontology's key; "children" (to be denied) where there are none, null for minors."""
        if self.minor:
            return None
        if len(self.family) == 1:
            return f"a {self.family[0].kind} aged {self.family[0].age}"
        return f"{COUNTS[len(self.family)]} children" if self.family else "children"

    def facts(self) -> dict[str, str | None]:
        """The values of all keys of the ontology that a skeleton settles, null where nothing is stated."""
        known = {key: getattr(self, key) for key in SETTLED if key != "children"}
        return {key: None if value is None else str(value) for key, value in {**known, "children": self.children}.items()}

    def denied(self) -> frozenset[str]:
        """The keys whose value says what there is not."""
        return frozenset(key for key, no in (("vehicle_owned", self.drives is False), ("children", not self.family)) if no)


SETTLED: Final = (*(name for name in Skeleton.model_fields if name not in ("age", "family", "drives")), "children")


@cache
def skeleton_page() -> Mapping[str, Any]:
    """What `skeleton.yaml` says, with the rungs of education in order."""
    page = yaml.safe_load((files("kithe.personas") / "skeleton.yaml").read_text("utf-8"))
    return {**page, "rungs": ontology().by_key["education_level"].values}


@cache
def _tables() -> Tables:
    return Tables(skeleton_page()["tables"])


def draw_skeleton(rng: Random) -> Skeleton:
    """A background that breaks no rule: drawn from the tables, and drawn again where it breaks one."""
    from kithe.personas.rules import violations

    return next(life for life in _drawn(rng) if not violations(life))


def _drawn(rng: Random) -> Iterator[Skeleton]:
    """Draws from the tables alone."""
    while True:
        life: dict[str, Any] = {}
        for step in (_person, _origin, _schooling, _work, _family, _home, _day):
            step(life, rng)
        yield Skeleton(**{name: life[name] for name in Skeleton.model_fields})


def _fill(life: dict[str, Any], rng: Random, *names: str) -> None:
    for name in names:
        life[name] = _tables().draw(name, life, rng)


def _person(life: dict[str, Any], rng: Random) -> None:
    _fill(life, rng, "age_band", "gender_identity", "employment_status", "school_stage")
    life["age"] = rng.randint(*BANDS[life["age_band"]])


def _origin(life: dict[str, Any], rng: Random) -> None:
    """Where somebody grew up gives the language; they still live there, or moved."""
    regions = skeleton_page()["regions"]
    shares = {name: weight for name, (weight, _, _) in regions.items()}
    life["hometown_region"] = pick(shares, rng)
    life["primary_language"] = pick(regions[life["hometown_region"]][2], rng)
    stays = rng.random() < skeleton_page()["stays"]
    life["region_of_residence"] = life["hometown_region"] if stays else pick(shares, rng)
    life["place_type"] = pick(skeleton_page()["settings"][regions[life["region_of_residence"]][1]], rng)


def _schooling(life: dict[str, Any], rng: Random) -> None:
    _fill(life, rng, "education_level")
    life["rung"] = skeleton_page()["rungs"].index(life["education_level"])
    studies = life["employment_status"] == "a student" and life["school_stage"] != "vocational school"
    life["field_of_study"] = rng.choice(skeleton_page()["subjects"]) if studies or life["rung"] > 2 else None


def _work(life: dict[str, Any], rng: Random) -> None:
    """Work that the schooling allows, and what follows from it."""
    working = life["employment_status"] in WORKING
    name = pick(_jobs(life["rung"], life["employment_status"], life["place_type"]), rng) if working else None
    industry, _, pay, place, field, _ = skeleton_page()["occupations"][name] if name else (None,) * 6
    life |= {"occupation": name, "industry": industry, "pay": pay}
    life["work_arrangement"] = pick(skeleton_page()["arrangements"][place], rng) if name else None
    if field and life["rung"] > 2:
        life["field_of_study"] = field
    had = life["employment_status"] in ("retired", "looking for work") or (life["age"] > 27 and rng.random() < 0.4)
    life["previous_occupation"] = rng.choice(skeleton_page()["former"]) if had and life["age"] > 20 else None
    _fill(life, rng, "seniority", "income_band")


@cache
def _jobs(rung: int, status: str, place: str) -> Mapping[str, float]:
    """Occupations by share: nearer to one's schooling more often, farmers in the country, one's own boss where that is done."""
    page = skeleton_page()
    jobs = {name: row for name, row in page["occupations"].items() if row[1] <= rung}
    if status == "self-employed":
        jobs = {name: row for name, row in jobs.items() if name in page["own"]}
    if place not in ("a village", "the countryside"):
        jobs = {name: row for name, row in jobs.items() if name != "a farmer"}
    return {name: row[5] * 0.35 ** (rung - row[1]) for name, row in jobs.items()}


def _family(life: dict[str, Any], rng: Random) -> None:
    """Partner and children; a child is 20 to 42 years younger, and the household is those who live together."""
    _fill(life, rng, "relationship_status", "number_of_children")
    oldest = life["age"] - 20
    ages = sorted(max(0, life["age"] - rng.randint(20, 42)) for _ in range(life["number_of_children"]) if oldest >= 0)
    life["family"] = tuple(Child(kind=rng.choice(("son", "daughter")), age=age) for age in ages)
    home = sum(age < LEAVES_HOME for age in ages)
    partner = {"married": 0.97, "engaged": 0.85, "in a relationship": 0.4}.get(life["relationship_status"], 0)
    size = 1 + home + (rng.random() < partner)
    if life["age"] < 18:
        size = pick({2: 10, 3: 30, 4: 38, 5: 16, 6: 6}, rng)
    elif size == 1 and life["age"] < 30:
        size += pick({0: 40, 1: 18, 2: 22, 3: 14, 4: 6}, rng)
    life["household_size"] = size


def _home(life: dict[str, Any], rng: Random) -> None:
    _fill(life, rng, "housing_type", "home_ownership", "drives")
    vehicles: Sequence[str] = skeleton_page()["vehicles"]
    life["vehicle_owned"] = rng.choice(vehicles) if life["drives"] else "a car" if life["drives"] is False else None


def _day(life: dict[str, Any], rng: Random) -> None:
    _fill(life, rng, "commute_mode", "wake_time", "sleep_time")


def shuffled(lives: Sequence[Skeleton], rng: Random) -> list[Skeleton]:
    """The same values dealt out at random, each field by itself: the same shares as the joint model's, without what ties them."""
    columns = {name: rng.sample([getattr(life, name) for life in lives], len(lives)) for name in Skeleton.model_fields}
    return [Skeleton(**{name: column[place] for name, column in columns.items()}) for place in range(len(lives))]
