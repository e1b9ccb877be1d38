"""Words that tell of a fact (`signs.yaml`) as rules against every fact that it rules out, by itself or by what goes with it."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from kithe.personas.ontology import ontology
from kithe.personas.opposed import Row, is_one_of, own, says, signs
from kithe.personas.support import ruled_out

TELLING: Final = frozenset({"favorite_local_place", "fashion_style", "preferred_workout", "sport_played", "outdoor_sport"})


@cache
def told() -> tuple[str, ...]:
    """The free keys whose words tell how somebody lives; what merely interests somebody tells nothing."""
    return tuple(key for key in own() if key in TELLING or ontology().by_key[key].tier != "Interest")


def signs_against() -> Iterator[Row]:
    """For each sign and each key that it says something of: the values that it rules out, and the words."""
    for name, body in signs().items():
        keys = [key for key in told() if key not in body.get("not_in", ())]
        words = says([f"signs/{name}/words"], f"signs/{name}/unless")
        means = "; ".join(f"{key} is {' or '.join(values)}" for key, values in body["means"].items())
        for key, values in ruled_out(body["means"]).items():
            yield f"sign_{name}", f"these words tell that {means}", (key,), is_one_of(values), keys, words
