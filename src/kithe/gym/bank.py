"""The persona bank: the dimensions a simulated user is made of, as `bank.yaml` beside this module lists them (spec B, 3.3)."""

from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from kithe.errors import ConfigError, unknown
from kithe.records.base import Record

Kind = Literal["basic_info", "behavioral", "constraint"]
OTHERS = "others"  # stands for a text of the dimension's own list


class Dimension(Record):
    """One categorical dimension; see the head of `bank.yaml` for the fields."""

    name: str
    kind: Kind
    says: str
    values: tuple[str, ...] = Field(min_length=2)
    constraint: bool = False
    ordered: bool = False
    required: bool = False
    others: tuple[str, ...] = ()

    @field_validator("says")
    @classmethod
    def _place(cls, says: str) -> str:
        if says.count("_") != 1:
            raise ValueError("it marks the value's place with one '_'")
        return says

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if len(set(self.values)) < len(self.values):
            raise ValueError("the values are distinct")
        if self.kind == "constraint" and not self.constraint:
            raise ValueError("what is of kind constraint has `constraint: true`")
        if self.ordered and OTHERS in self.values:
            raise ValueError(f"'{OTHERS}' has no place on a scale")
        if (OTHERS in self.values) != bool(self.others):
            raise ValueError(f"texts for '{OTHERS}' (`others: [...]`) go with that value")
        return self

    def phrase(self, value: str) -> str:
        """The value in the third person, without its subject."""
        return self.says.replace("_", value)

    def step(self, value: str) -> int:
        """The place of a value among the values.

        Raises:
            ConfigError: it is none of them.
        """
        if value not in self.values:
            raise unknown(f"value of {self.name}", value, self.values)
        return self.values.index(value)


class Bank(Record):
    """All dimensions, in the order of the file."""

    dimensions: tuple[Dimension, ...] = Field(min_length=1)

    @cached_property
    def by_name(self) -> Mapping[str, Dimension]:
        """The dimensions by their names."""
        return {dimension.name: dimension for dimension in self.dimensions}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(self.by_name)

    @cached_property
    def constraints(self) -> tuple[str, ...]:
        """The names of the dimensions drawn only to fill the minimum of constraints."""
        return tuple(dimension.name for dimension in self.dimensions if dimension.constraint)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The names of the dimensions that every persona has."""
        return tuple(dimension.name for dimension in self.dimensions if dimension.required)

    def dimension(self, name: str) -> Dimension:
        """The dimension of a name.

        Raises:
            ConfigError: there is none.
        """
        if name not in self.by_name:
            raise unknown("dimension of the persona bank", name, self.names)
        return self.by_name[name]

    def check(self, values: Mapping[str, str], where: str) -> None:
        """See to it that dimensions and values are those of the bank.

        Raises:
            ConfigError: the first that is not.
        """
        for name, value in values.items():
            if name not in self.by_name:
                raise ConfigError(f"{where}: {unknown('dimension of the persona bank', name, self.names)}")
            if value not in self.by_name[name].values:
                raise ConfigError(f"{where}: {unknown(f'value of {name}', value, self.by_name[name].values)}")


def read_bank(text: str, where: str = "bank.yaml") -> Bank:
    """The bank of a YAML text.

    Raises:
        ConfigError: what is wrong with which dimension.
    """
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: this is no YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(tree, dict) or not tree:
        raise ConfigError(f"{where}: it maps names of dimensions to their fields (kind, says, values, …)")
    return Bank(dimensions=tuple(_dimension(where, name, body) for name, body in tree.items()))


def _dimension(where: str, name: str, body: Any) -> Dimension:
    try:
        return Dimension(**{"name": name, **body})
    except TypeError:
        raise ConfigError(f"{where}: {name}: its fields are a mapping (kind, says, values, …)") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (name, *first["loc"])))
        raise ConfigError(f"{where}: {place}: {first['msg'].removeprefix('Value error, ')}") from None


@cache
def bank() -> Bank:
    """The bank of the package."""
    return read_bank((files("kithe.gym") / "bank.yaml").read_text("utf-8"))
