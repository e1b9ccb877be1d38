"""The YAML pages beside the modules of this room, read by the fast loader where there is one."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml


def page(name: str) -> Mapping[str, Any]:
    """What a page holds, by its file's name; still to be validated by whoever reads it."""
    text = (files("kithe.personas") / name).read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found
