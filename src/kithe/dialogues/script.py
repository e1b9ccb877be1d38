"""The lines between the facts: greetings, small talk, routine requests, advice flows; read from `script/*.yaml`."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from kithe.personas.grammar import Forms
from kithe.personas.traits import words_of


@cache
def page(name: str) -> Mapping[str, Any]:
    """The YAML file of this name."""
    return dict(yaml.safe_load((files("kithe.dialogues") / "script" / f"{name}.yaml").read_text("utf-8")))


@cache
def lines(text: str) -> tuple[str, ...]:
    """The lines of a block that are not empty."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def line(text: str, rng: Random, slots: Mapping[str, Forms] | None = None) -> str:
    """One line of a block, read with the shared word lists and the forms of a value."""
    return words_of(rng.choice(lines(text)), rng, slots)


def exchange(text: str, rng: Random) -> tuple[str, str]:
    """One line "first >> second" of a block as its two halves."""
    first, _, second = line(text, rng).partition(" >> ")
    return first, second
