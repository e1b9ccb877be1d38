"""General contradictions (`opposed.yaml`) as rules: scales, things avoided and liked, ages, professions, ways to work."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from kithe.personas.ontology import ontology
from kithe.personas.pages import page
from kithe.personas.skeleton import BANDS, SETTLED
from kithe.personas.summary import stems
from kithe.personas.wording import Phrases, phrases
from kithe.records.history import Polarity

AVOIDED: Final = (
    "disliked_food",
    "food_restriction",
    "topic_to_avoid",
)  # what is named here is not wanted, whatever the polarity
DONE_ONLY: Final = ("sport_played", "preferred_workout", "outdoor_sport")  # not to do something oneself is not to avoid it
DAILY: Final = ("weekend_routine", "recurring_purchase", "reminder_habit", "caregiving", "time_constraint", "chore_style")
NAMED: Final = frozenset({
    "favorite_musician", "favorite_movie", "favorite_tv_show", "favorite_screen_artist", "favorite_performer", "favorite_team",
    "favorite_athlete", "favorite_author", "favorite_video_game", "favorite_tabletop_game", "favorite_podcast",
    "favorite_visual_art_form", "favorite_movie_genre", "favorite_book_genre", "favorite_music_genre", "favorite_destination",
})  # fmt: skip  # names and genres: words of a title say nothing of whom it pleases
CHOSEN: Final = ("primary_device", "travel_style", "transport_preference")  # enumerated keys that are likings too
HOUSEHOLD: Final = ("children", "pets_owned", "friend_circle")  # what somebody may say not to have
KNOWN: Final = 65_536
SCALED: Final = ("scales/", "things/")  # what is denied of these is the other end, or a thing that is not liked
TAKEN_BACK: Final = "/unless"
_PLAIN: Final = stems("films movies music food foods sports shows songs books talk topics pets things games kinds")
Holds = Callable[[str, Polarity], bool]


@dataclass(frozen=True)
class Condition:
    """When a value is at one side of a rule, and the lists of the page of which it must hold a phrase (None: it depends)."""

    holds: Holds
    needs: frozenset[str] | None = None


Row = tuple[str, str, Sequence[str], Condition, Sequence[str], Condition]  # name, reason, and keys and condition of both sides


@cache
def opposed() -> tuple[Row, ...]:
    """All rules of the page."""
    return (*_scales(), *_things(), *_diets(), *_stages(), *_professions(), *_ways())


@cache
def free() -> tuple[str, ...]:
    """The keys with free text that says what somebody is, has, does or likes."""
    kinds = ("open", "list", "date")
    rows = (entity.key for entity in ontology().entities if entity.kind in kinds)
    return tuple(key for key in rows if key not in SETTLED and key not in AVOIDED)


@cache
def own() -> tuple[str, ...]:
    """The free keys that say something of the person and not of a work, a star or a team."""
    return tuple(key for key in free() if key not in NAMED)


@cache
def _page() -> Mapping[str, Any]:
    return page("opposed.yaml")


@cache
def signs() -> Mapping[str, Mapping[str, Any]]:
    """What `signs.yaml` lists, by name."""
    found: Mapping[str, Mapping[str, Any]] = page("signs.yaml")["signs"]
    return found


@lru_cache(maxsize=KNOWN)
def heard(text: str) -> frozenset[str]:
    """The lists of which a text holds a phrase, such as "scales/cooking/less"; "not:scales/cooking/more" where all are denied."""
    signed = _table().signed(text)
    asserted = frozenset(name for name, holds in signed if holds)
    denied = frozenset(name for name, holds in signed if not holds) - asserted
    kept = frozenset(name for name in denied if not name.startswith(SCALED) or name.endswith(TAKEN_BACK))
    return asserted | kept | {f"not:{name}" for name in denied - kept}


@cache
def _table() -> Phrases:
    book = _page()
    groups = {f"{part}/{name}/{field}": words
              for part in ("scales", "things") for name, body in book[part].items()
              for field in ("about", "more", "less", "heads", "members", "unless") if (words := body.get(field))}  # fmt: skip
    groups |= {f"stages/{place}/{field}": row[field] for place, row in enumerate(book["stages"]) for field in ("words", "unless")
               if row.get(field)}  # fmt: skip
    groups |= {f"professions/{name}": words for name, words in book["professions"].items()}
    ways = book["ways"]
    groups |= {"spurning": book["spurning"], "ways/there": ways["there"], "ways/unless": ways["unless"]}
    for name, row in signs().items():
        groups |= {f"signs/{name}/{field}": row[field] for field in ("words", "unless") if field in row}
    return phrases(groups | {f"ways/{place}": mode["words"] for place, mode in enumerate(ways["modes"])})


def says(lists: Iterable[str], unless: str = "", polarity: str = "positive") -> Condition:
    """A condition: of this polarity, with a phrase of one of the lists and none of another."""
    wanted = frozenset(lists)

    def holds(text: str, signed: Polarity) -> bool:
        return polarity in (signed, "any") and not wanted.isdisjoint(heard(text)) and unless not in heard(text)

    return Condition(holds, wanted)


def is_one_of(values: Iterable[str]) -> Condition:
    """A condition: exactly one of these values."""
    exact = frozenset(values)
    return Condition(lambda text, _: text in exact)


def _scales() -> Iterator[Row]:
    for name, body in _page()["scales"].items():
        keys = [key for key in own() if key not in body.get("not_in", ())]
        at, reason = f"scales/{name}", f"this is the other end of {name.replace('_', ' ')}"
        for end, own_end, other in (("high", "more", "less"), ("low", "less", "more")):
            denied = [f"not:{at}/{own_end}", *([f"not:{at}/about"] if end == "high" else ())]
            against = says([f"{at}/{other}", *denied], f"{at}/unless")
            refused = says([f"{at}/about"], f"{at}/unless", "negative")
            for key, values in body[end].items():
                yield f"{name}_{end}", reason, (key,), is_one_of(values), keys, against
                if end == "high":
                    yield f"{name}_refused", reason, (key,), is_one_of(values), keys, refused
                    yield f"{name}_avoided", reason, (key,), is_one_of(values), AVOIDED, says([f"{at}/about"], polarity="any")


def _things() -> Iterator[Row]:
    refusing = (*(key for key in _interests() if key not in DONE_ONLY), *HOUSEHOLD)
    for name, body in _page()["things"].items():
        reason = f"who avoids {body['heads'][0]} does not like it elsewhere"
        liked, spurned = _liked(name), _spurns(name)
        refused, named = _names(body["heads"], "negative"), _names(body["heads"], "any")
        keys = (*free(), *CHOSEN)
        yield f"{name}_refused", reason, refusing, refused, keys, liked
        yield f"{name}_avoided", reason, AVOIDED[:2], named, keys, liked
        yield f"{name}_spurned", reason, free(), spurned, keys, liked
        yield f"{name}_unspoken", reason, AVOIDED[2:], named, [key for key in keys if key not in DAILY], liked


def _diets() -> Iterator[Row]:
    for diet, ruled_out in _page()["diets"].items():
        for name in ruled_out:
            yield f"{name}_in_diet", f"{diet} rules it out", ("diet_type",), is_one_of([diet]), own(), _liked(name)


def _liked(name: str) -> Condition:
    """A condition: a thing is liked."""
    named = says([f"things/{name}/heads", f"things/{name}/members"], f"things/{name}/unless")
    return Condition(lambda text, signed: "spurning" not in heard(text) and named.holds(text, signed), named.needs)


def _spurns(name: str) -> Condition:
    """A condition: a positive value that speaks against a thing, such as "an end to all flights"."""
    named = says([f"things/{name}/heads"], f"things/{name}/unless")
    denied = says([f"not:things/{name}/heads"], f"things/{name}/unless")
    return Condition(
        lambda text, signed: ("spurning" in heard(text) and named.holds(text, signed)) or denied.holds(text, signed),
        (named.needs or frozenset()) | (denied.needs or frozenset()),
    )


@cache
def _interests() -> tuple[str, ...]:
    return tuple(key for key in free() if ontology().by_key[key].tier == "Interest")


def _names(heads: Sequence[str], polarity: str) -> Condition:
    """A condition: the text names one of these things and nothing more particular."""
    wanted = [stems(head) for head in heads]

    def holds(text: str, signed: Polarity) -> bool:
        there = stems(text) if polarity in (signed, "any") else frozenset()
        return bool(there) and any(head and head <= there <= head | _PLAIN for head in wanted)

    return Condition(holds)


def _stages() -> Iterator[Row]:
    for place, body in enumerate(_page()["stages"]):
        low, high = body["ages"]
        outside = [band for band, (least, most) in BANDS.items() if most < low or least > high]
        reason = f"this fits an age from {low} to {high}" if high < 200 else f"this fits an age from {low}"
        yield (
            f"stage_{place}",
            reason,
            ("age_band",),
            is_one_of(outside),
            own(),
            says([f"stages/{place}/words"], f"stages/{place}/unless"),
        )


def _professions() -> Iterator[Row]:
    names = tuple(_page()["professions"])
    for industry in ontology().by_key["industry"].values:

        def elsewhere(text: str, signed: Polarity, here: str = f"professions/{industry}") -> bool:
            found = {f"professions/{name}" for name in names} & heard(text)
            return signed == "positive" and bool(found) and here not in found

        if industry in names:
            yield (
                f"not_in_{industry}",
                "this is work of another industry",
                ("industry",),
                is_one_of([industry]),
                ("occupation",),
                Condition(elsewhere),
            )


def _ways() -> Iterator[Row]:
    modes = _page()["ways"]["modes"]
    for place, mode in enumerate(modes):

        def otherwise(text: str, signed: Polarity, own: str = f"ways/{place}") -> bool:
            found = heard(text)
            named = {f"ways/{number}" for number in range(len(modes))} & found
            return (
                signed == "positive" and "ways/there" in found and "ways/unless" not in found and bool(named) and own not in named
            )

        yield (
            f"way_{place}",
            "this is another way to work",
            ("commute_mode",),
            is_one_of(mode["with"]),
            own(),
            Condition(otherwise, frozenset({"ways/there"})),
        )
