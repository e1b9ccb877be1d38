"""The attributes a person has and the tasks they bring, as the YAML files beside this module list them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import TypeAdapter

from kithe.errors import unknown
from kithe.records.base import Record
from kithe.records.question import Form


class Attribute(Record):
    """An attribute: its values and how often each is drawn (None: equally often)."""

    values: tuple[str, ...]
    weights: tuple[float, ...] | None = None


class TaskInfo(Record):
    """A kind of request: what is asked for, in which form, about what."""

    scenario: str
    form: Form
    definition: str
    answer_as: str
    domains: tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """Attributes by name, in order."""

    attributes: Mapping[str, Attribute]

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes, in order."""
        return tuple(self.attributes)

    def check(self, person: Mapping[str, str]) -> None:
        """Refuse what the schema does not have.

        Raises:
            ConfigError: naming the attribute or value, and what there is.
        """
        for name, value in person.items():
            if name not in self.attributes:
                raise unknown("attribute", name, self.attributes)
            if value not in self.attributes[name].values:
                raise unknown(f"value of the attribute '{name}'", value, self.attributes[name].values)

    def extended(self, more: Mapping[str, Sequence[str]]) -> "Schema":
        """This schema with more attributes (name -> values) at its end."""
        return Schema({**self.attributes, **{name: Attribute(values=tuple(values)) for name, values in more.items()}})


def read(name: str) -> Any:
    """The content of a YAML file beside this module."""
    return yaml.safe_load(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def schema() -> Schema:
    """The twelve attributes."""
    return Schema(TypeAdapter(dict[str, Attribute]).validate_python(read("attributes.yaml")))


@cache
def tasks() -> Mapping[str, TaskInfo]:
    """The ten tasks by the names of the official files."""
    return TypeAdapter(dict[str, TaskInfo]).validate_python(read("tasks.yaml"))
