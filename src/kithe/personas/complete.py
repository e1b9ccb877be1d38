"""A complete persona by the scripted teacher: a background, the interest paths, and a value for every key that can have one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import accumulate
from random import Random
from typing import Final

import yaml

from kithe.personas.anchors import Anchor, anchor
from kithe.personas.fill import settled_values
from kithe.personas.ontology import Entity, ontology
from kithe.personas.persona import Attribute, Life, Persona, Stated, attribute_of, order
from kithe.personas.skeleton import PARTNERED, Skeleton, draw_skeleton
from kithe.personas.summary import sampled_keys, write_summary
from kithe.personas.tables import Tables, pick
from kithe.personas.traits import Trait, Value, book
from kithe.personas.voices import fit, spoken, value_of, voice, voices_of_family
from kithe.records.history import Intensity, Polarity

INTENSITIES: Final[Mapping[Intensity, float]] = {"high": 0.25, "medium": 0.45, "low": 0.30}  # paper A, step A5: our shares
_DEGREES: Final = tuple(INTENSITIES)
_CUMULATED: Final = tuple(accumulate(INTENSITIES.values()))
DISLIKED: Final = 0.12  # share of interest paths that a persona is against
UNSTATED: Final = 0.06  # share of the other keys that stay null
FREE: Final = 12  # attributes beyond the ontology, such as a name
SENSITIVE: Final = tuple(entity.key for entity in ontology().entities if entity.sensitivity == 2)
_STAGES: Final = ("minor", "adult", "young", "grown", "old", "pupil", "student", "working", "retired", "jobless",
                  "parent", "childless", "partnered", "single", "driver")  # fmt: skip


@dataclass
class Draft:
    """A persona while it is written: what is settled, and what has been said of it."""

    skeleton: Skeleton
    rng: Random
    unseen: bool
    life: Life
    values: dict[str, Stated | None] = field(default_factory=dict)
    attributes: list[Attribute] = field(default_factory=list)

    def intensity(self) -> Intensity:
        """How much something matters."""
        return self.rng.choices(_DEGREES, cum_weights=_CUMULATED)[0]

    def say(self, key: str, way: tuple[Trait, dict[str, Value]] | None) -> bool:
        """Add how a value is said; False where that contradicts what is settled."""
        if way is None:
            return True
        if self.life.take(*way):
            self.attributes.append(spoken(key, way, self.rng))
        return self.life.agrees(*way)


def draft_persona(identity: str, rng: Random, paths: Sequence[tuple[str, ...]], unseen: bool = False) -> Persona:
    """A complete persona as it is first written; `repair.py` looks for contradictions in it.

    Args:
        identity: its id.
        rng: where every choice comes from.
        paths: the interest lines, each from its top category to its leaf; each becomes the source of a value.
        unseen: whether words kept for validation may be used.
    """
    skeleton = draw_skeleton(rng)
    draft = Draft(skeleton, rng, unseen, _life(skeleton), settled_values(skeleton))
    _background(draft)
    for place, path in enumerate(paths):
        _ground(draft, place, anchor(tuple(path)))
    for entity in ontology().entities:
        if entity.kind == "enum" and entity.key not in draft.values:
            draft.values[entity.key] = _choose(draft, entity)
    _traits(draft)
    for entity in ontology().entities:
        if entity.key not in draft.values:
            draft.values[entity.key] = (
                Stated(value=rng.choice(entity.hints), intensity=draft.intensity()) if entity.hints else None
            )
    return finished(identity, draft, paths)


def finished(identity: str, draft: Draft, paths: Sequence[tuple[str, ...]]) -> Persona:
    """The record of a draft, with some keys left unstated and a summary of the others."""
    settled = draft.skeleton.facts()
    values = {key: _thinned(draft.values[key], key in settled, draft.rng) for key in ontology().keys}
    return Persona(
        id=identity,
        attributes=tuple(row for row in draft.attributes if row.key.startswith("free:") or values[row.key]),
        unseen=draft.unseen,
        skeleton=draft.skeleton,
        paths=tuple(map(tuple, paths)),
        values=values,
        summary=summary_of(identity, values),
    )


def summary_of(identity: str, values: Mapping[str, Stated | None]) -> str:
    """The scripted summary of a persona's values."""
    return write_summary(ontology(), values, sampled_keys(identity, values, SENSITIVE))


def _thinned(stated: Stated | None, settled: bool, rng: Random) -> Stated | None:
    fixed = settled or (stated and stated.path is not None)
    return stated if fixed or rng.random() >= UNSTATED else None


def _life(life: Skeleton) -> Life:
    """What the background implies, and all that it rules out."""
    held = {
        "minor": life.minor, "adult": not life.minor, "young": life.age < 30, "grown": life.age >= 30, "old": life.age >= 63,
        "pupil": life.employment_status == "a pupil", "student": life.employment_status == "a student", "working": life.working,
        "retired": life.employment_status == "retired", "jobless": life.employment_status == "looking for work",
        "parent": bool(life.family), "childless": not life.family, "partnered": life.relationship_status in PARTNERED,
        "single": life.relationship_status not in (*PARTNERED, None), "driver": life.drives is not False,
    }  # fmt: skip
    bars = {name for name in _STAGES if not held[name]} | ({"alcohol"} if life.minor else set())
    return Life(tuple(name for name in _STAGES if held[name] and name != "driver"), tuple(bars))


def _background(draft: Draft) -> None:
    for key, way in voices_of_family(draft.skeleton):
        draft.say(key, way)
    for key, stated in list(draft.values.items()):
        if stated:
            draft.say(key, voice(key, stated, draft.rng))


def _ground(draft: Draft, place: int, found: Anchor) -> None:
    """Give a path its value: a liking, now and then a dislike; nobody below 18 likes what is for adults."""
    against = draft.rng.random() < DISLIKED or (found.adult and draft.skeleton.minor)
    polarity: Polarity = "negative" if against else "positive"
    key = found.free(draft.values)
    if key is None:
        raise ValueError(f"no key is left for the path to '{found.text}'; a persona holds at most about 12 paths")
    draft.values[key] = Stated(value=found.text, polarity=polarity, intensity=draft.intensity(), path=place)
    if not against:
        draft.life.tags |= found.value.tags
    draft.life.words[polarity] |= found.value.words
    draft.life.taken.add(found.text)
    trait = book().traits["path_not" if against else found.trait]
    attribute = attribute_of(trait, {"v": found.value}, draft.rng)
    draft.attributes.append(attribute.model_copy(update={"key": key, "category": ontology().by_key[key].category}))


@cache
def _habits() -> Tables:
    return Tables(yaml.safe_load((files("kithe.personas") / "habits.yaml").read_text("utf-8"))["tables"])


def _choose(draft: Draft, entity: Entity) -> Stated | None:
    """A value of an enumeration that fits what is settled; null where none of a few does."""
    known = {
        **{key: stated.value if stated else None for key, stated in draft.values.items()},
        "drives": draft.skeleton.drives,
    }
    for _ in range(6):
        tabled = entity.key in _habits().rows
        value = _habits().draw(entity.key, known, draft.rng) if tabled else pick(dict.fromkeys(entity.values, 1), draft.rng)
        stated = Stated(value=str(value), intensity=draft.intensity())
        if draft.say(entity.key, voice(entity.key, stated, draft.rng)):
            return stated
    return None


def _traits(draft: Draft) -> None:
    """Open keys from the trait files, in an order of weighted chance; a few attributes beyond the ontology too."""
    free = 0
    for trait in order(draft.rng):
        beyond = trait.key.startswith("free:") and free < FREE
        if not beyond and not (trait.key not in draft.values and fit(trait)):
            continue
        attribute = _taken(draft, trait)
        if attribute and not beyond:
            draft.values[trait.key] = Stated(value=value_of(attribute), polarity=trait.polarity, intensity=draft.intensity())
        free += bool(attribute and beyond)


def _taken(draft: Draft, trait: Trait) -> Attribute | None:
    values = {slot: book().lexicons[lexicon].pick(draft.rng, draft.unseen) for slot, lexicon in trait.slots.items()}
    if not draft.life.take(trait, values):
        return None
    attribute = attribute_of(trait, values, draft.rng)
    draft.attributes.append(attribute)
    return attribute


def offers(key: str, rng: Random, unseen: bool) -> Iterator[tuple[Stated, Attribute | None]]:
    """Values that a key could have instead, in random order, each with the attribute that says it, if any does."""
    entity = ontology().by_key[key]
    for trait in rng.sample(_of_key(key), len(_of_key(key))):
        attribute = attribute_of(
            trait, {slot: book().lexicons[name].pick(rng, unseen) for slot, name in trait.slots.items()}, rng
        )
        yield Stated(value=value_of(attribute), polarity=trait.polarity), attribute
    for text in rng.sample(entity.values or entity.hints, len(entity.values or entity.hints)):
        stated = Stated(value=text)
        way = voice(key, stated, rng) if entity.values else None
        yield stated, spoken(key, way, rng) if way else None


@cache
def _of_key(key: str) -> tuple[Trait, ...]:
    open_kind = ontology().by_key[key].kind in ("open", "list", "date")
    return tuple(trait for trait in book().traits.values() if open_kind and trait.key == key and fit(trait))
