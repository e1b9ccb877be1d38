"""Does a config node fit the thing it names? Checked without building anything, every problem at once."""

import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

META = {"_target_", "_convert_", "_partial_", "_recursive_", "_args_"}


def nodes(config: object, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping with a `_target_`, outermost first, with its dotted path."""
    if isinstance(config, Mapping):
        if "_target_" in config:
            yield path, config
        for key, value in config.items():
            yield from nodes(value, f"{path}.{key}" if path else str(key))
    elif isinstance(config, list):
        for index, value in enumerate(config):
            yield from nodes(value, f"{path}[{index}]")


def problems(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with the `_target_` nodes of a config; empty when all fit."""
    return [text for path, node in nodes(config) for text in node_problems(path, node)]


def node_problems(path: str, node: Mapping[str, Any]) -> list[str]:
    """What is wrong with one node: its target, its argument names, its plain values."""
    try:
        target = locate(str(node["_target_"]))
    except (ImportError, AttributeError, ValueError):
        return [f"{path}._target_: there is no '{node['_target_']}'"]
    given = {key: value for key, value in node.items() if key not in META}
    parameters = inspect.signature(target).parameters
    found = [
        f"{path}.{name}: {node['_target_']} takes no such argument{nearest(name, parameters)}"
        for name in given
        if name not in parameters
    ]
    found += [f"{path}.{name}: is missing" for name in missing(parameters, given) if not node.get("_partial_")]
    hints = annotations(target)
    return found + [
        text for name, value in given.items() if name in hints for text in value_problems(f"{path}.{name}", value, hints[name])
    ]


def locate(name: str) -> Callable[..., Any]:
    """The class or function of a dotted name."""
    module, _, attribute = name.rpartition(".")
    value: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return value


def nearest(name: str, allowed: Mapping[str, object]) -> str:
    """A did-you-mean clause."""
    close = get_close_matches(name, list(allowed), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f" (it takes {', '.join(allowed)})"


def missing(parameters: Mapping[str, inspect.Parameter], given: Mapping[str, Any]) -> list[str]:
    """Parameters without a default that were not given."""
    required = (p for p in parameters.values() if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    return [p.name for p in required if p.name not in given]


@cache
def annotations(target: Callable[..., Any]) -> dict[str, Any]:
    """The resolved type of each parameter."""
    return typing.get_type_hints(vars(target)["__init__"] if isinstance(target, type) and "__init__" in vars(target) else target)


def value_problems(path: str, value: Any, hint: Any) -> list[str]:
    """What is wrong with a plain value; a value that holds further nodes is checked where those are."""
    if isinstance(value, Mapping) and "_target_" not in value and (wanted := built(hint)):
        return [f"{path}: is a mapping without _target_; it takes {wanted}"]
    if any(nodes(value)) or not plain(hint):
        return []
    try:
        TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value)
    except PydanticUserError:
        TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        return [f"{path}: {expected(item, value)} (is {value!r})" for item in error.errors()[:1]]
    return []


def built(hint: Any) -> str:
    """The classes of this project that a type stands for, where nothing else will do; empty otherwise."""
    parts = [part for part in typing.get_args(hint) or (hint,) if part is not types.NoneType]
    made = all(isinstance(part, type) and part.__module__.startswith("kithe.") for part in parts)
    return " or ".join(f"_target_: {part.__module__}.{part.__name__}" for part in parts) if made else ""


def expected(item: "ErrorDetails", value: Any) -> str:
    """What was wanted, in the words of a config file."""
    lists = item["type"] in ("list_type", "tuple_type", "sequence_str")
    if lists or (item["type"] == "is_instance_of" and item["ctx"]["class"] == "Sequence"):
        return f"should be a list, such as [{value}]" if isinstance(value, (str, int, float)) else "should be a list"
    return item["msg"]


def plain(hint: Any) -> bool:
    """Whether a type is made of plain values only, so that it can be checked before anything is built."""
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return True
    if parts:
        return all(plain(part) for part in parts if part is not Ellipsis)
    return hint in (str, int, float, bool, types.NoneType, None, list, dict, tuple)
