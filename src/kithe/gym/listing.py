"""The persona bank as `kithe show bank` prints it."""

import json
from collections.abc import Sequence
from typing import get_args

from kithe.errors import unknown
from kithe.gym.bank import Dimension, Kind, bank


def listed(which: str = "") -> tuple[Dimension, ...]:
    """All dimensions, those of a kind, or one by its name.

    Raises:
        ConfigError: there is no such kind or dimension.
    """
    own = tuple(dimension for dimension in bank().dimensions if which in ("", dimension.kind, dimension.name))
    if not own:
        raise unknown("kind or dimension of the persona bank", which, [*get_args(Kind), *bank().names])
    return own


def as_json(dimensions: Sequence[Dimension]) -> str:
    """A JSON list of dimensions, with the fields of `bank.yaml`."""
    return json.dumps([dimension.model_dump() for dimension in dimensions], indent=1, ensure_ascii=False)


def as_text(dimensions: Sequence[Dimension]) -> str:
    """Dimensions under their kinds, with their flags and values."""
    lines: list[str] = []
    kind = ""
    for dimension in dimensions:
        if dimension.kind != kind:
            kind = dimension.kind
            lines.append(kind)
        flags = [name for name in ("constraint", "ordered", "required") if getattr(dimension, name)]
        mark = f" ({', '.join(flags)})" if flags else ""
        lines.append(f"  {dimension.name}  {len(dimension.values)}{mark}  {', '.join(dimension.values)}")
    return "\n".join(lines)
