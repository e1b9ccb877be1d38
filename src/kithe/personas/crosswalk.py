"""One persona for all systems: its values as IP-Dialog's 12 attributes and as PersonaGym's 33 dimensions (`crosswalks.yaml`)."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from kithe.personas.ontology import ontology
from kithe.personas.persona import Stated
from kithe.records.base import Record

System = Literal["ip_dialog", "personagym"]


class Dimension(Record):
    """A dimension of another system: where it comes from, or what it is drawn from given another dimension."""

    values: tuple[str, ...]
    source: str = Field(default="", alias="from")
    map: dict[str, str | tuple[str, ...]] | Literal["same"] = Field(default_factory=dict)
    given: str = ""
    likely: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound(self) -> "Dimension":
        maps = self.map if isinstance(self.map, dict) else {}
        wanted = [
            value for found in (*maps.values(), *self.likely.values()) for value in ([found] if isinstance(found, str) else found)
        ]
        if wrong := sorted(set(wanted) - set(self.values)):
            raise ValueError(f"{', '.join(wrong)}: not among the dimension's values")
        if self.source and self.source not in ontology().by_key:
            raise ValueError(f"there is no key '{self.source}'")
        if maps and (wrong := sorted(set(maps) - set(ontology().by_key[self.source].allowed))):
            raise ValueError(f"{', '.join(wrong)}: not among the values of '{self.source}'")
        return self

    def counterparts(self, value: str) -> tuple[str, ...]:
        """What a persona's value can be here; empty where it has no counterpart."""
        if self.map == "same":
            return (value,) if value in self.values else ()
        found = self.map.get(value, ()) if isinstance(self.map, dict) else ()
        if found:
            return (found,) if isinstance(found, str) else found
        return tuple(name for name in self.values if name in value.lower())[:1] if not self.map else ()


@cache
def _page() -> Mapping[str, Any]:
    page: Mapping[str, Any] = yaml.safe_load((files("kithe.personas") / "crosswalks.yaml").read_text("utf-8"))
    return page


@cache
def dimensions(system: System) -> Mapping[str, Dimension]:
    """The dimensions of a system, in an order in which each can be drawn after what it depends on."""
    return {name: Dimension.model_validate(body) for name, body in _page()[system].items()}


def unmapped(system: System) -> tuple[str, ...]:
    """The dimensions that have no counterpart in a persona."""
    return tuple(name for name, dimension in dimensions(system).items() if not dimension.source)


def seen_by(system: System, values: Mapping[str, Stated | None], rng: Random) -> dict[str, str]:
    """A persona as the other system describes people: what maps is mapped, the rest is drawn given what does.

    Args:
        system: which one.
        values: the persona's.
        rng: for what is drawn.
    """
    plain = {key: value.value for key, value in values.items() if value}
    found: dict[str, str] = {}
    for name, dimension in dimensions(system).items():
        choices = dimension.counterparts(plain[dimension.source]) if dimension.source in plain else ()
        choices = choices or dimension.likely.get(found.get(dimension.given, ""), ()) or dimension.values
        found[name] = rng.choice(choices)
    for rule in _page()["rules"] if system == "ip_dialog" else ():
        if all({**plain, **found}.get(key) in wanted for key, wanted in rule["when"].items()):
            found |= rule["then"]
    return found


def keys_for(system: System, name: str, value: str) -> tuple[str, ...]:
    """The way back: the persona's values that can stand for a value of a dimension."""
    dimension = dimensions(system)[name]
    allowed = ontology().by_key[dimension.source].values if dimension.source else ()
    return tuple(mine for mine in allowed if value in dimension.counterparts(mine))
