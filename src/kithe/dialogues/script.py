"""The lines between the facts: greetings, small talk, routine requests, advice flows; read from `script/*.yaml`."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def page(name: str) -> Mapping[str, Any]:
    """The YAML file of this name."""
    return dict(yaml.safe_load((files("kithe.dialogues") / "script" / f"{name}.yaml").read_text("utf-8")))
