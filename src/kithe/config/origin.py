"""Which file, or which word on the command line, set a value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from kithe.config.compose import CONF, ROOT, compose, explained, hydra_config
from kithe.errors import ConfigError, unknown

REFERENCE: Final = re.compile(r"\$\{([\w.]+)\}")


@dataclass(frozen=True)
class Origin:
    """A place that sets a key; the last one wins."""

    place: str
    value: Any

    def __str__(self) -> str:
        """Place and value in one line, the value as a config file writes it."""
        plain = isinstance(self.value, str)
        said = self.value if plain else yaml.safe_dump(self.value, default_flow_style=True, width=inf).removesuffix("...\n")
        return f"{self.place}: {said.rstrip()}"


def value(key: str, overrides: Sequence[str] = ()) -> Any:
    """The resolved value at a dotted key (the whole config for an empty one).

    Raises:
        ConfigError: there is no such key.
    """
    config = compose(overrides)
    node = OmegaConf.create({name: item for name, item in OmegaConf.to_container(config).items() if name != "hydra"})  # type: ignore[union-attr]
    parent, _, name = key.rpartition(".")
    owner = OmegaConf.select(node, parent) if parent else node
    if key and (not isinstance(owner, DictConfig) or name not in owner):
        raise unknown(
            f"key in '{parent}'" if parent else "key",
            name,
            [str(item) for item in owner if not str(item).startswith("_")] if isinstance(owner, DictConfig) else [],
        )
    found = OmegaConf.select(node, key) if key else node
    return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found


def origins(key: str, overrides: Sequence[str] = ()) -> list[Origin]:
    """Every place that sets a dotted key, in the order in which they are applied."""
    with explained(overrides), hydra_config():
        loader = GlobalHydra.instance().config_loader()
        defaults = loader.compute_defaults_list("config", list(overrides), RunMode.RUN).defaults
        files = [(item.config_path, item.package or "") for item in defaults]
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    found = [Origin(place, held) for path, package in files for place, held in in_file(str(path), package, key)]
    given = [Origin(f"command line: {item.input_line}", held) for item in parsed for held in in_word(item, key)]
    if not found and not given and (shared := behind(key, overrides)):
        return shared
    if not found and not given:
        raise ConfigError(f"nothing sets '{key}' by itself; ask for the group or the mapping that holds it")
    return found + given


def behind(key: str, overrides: Sequence[str]) -> list[Origin]:
    """The origins of a key that lies behind a reference, as `data.teacher.mix` does where `data.teacher` is `${teacher}`."""
    outer, _, inner = key.rpartition(".")
    while outer:
        node = OmegaConf.to_container(compose(overrides), resolve=False)
        for part in outer.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        if isinstance(node, str) and (found := REFERENCE.fullmatch(node)):
            places = origins(outer, overrides)
            return [*places, *origins(f"{found[1]}.{inner}", overrides)]
        outer, _, part = outer.rpartition(".")
        inner = f"{part}.{inner}"
    return []


def in_word(word: Override, key: str) -> list[Any]:
    """The value of a dotted key in a word of the command line, also where that gives the mapping that holds it."""
    name = word.key_or_group.replace("/", ".")
    if name != key and not key.startswith(f"{name}."):
        return []
    return inside(word.value(), key.removeprefix(name).removeprefix("."))


def inside(held: Any, path: str) -> list[Any]:
    """What stands at a dotted path of nested mappings, as a list of one; empty where nothing does."""
    for part in path.split(".") if path else ():
        if not isinstance(held, dict) or part not in held:
            return []
        held = held[part]
    return [held]


def in_file(path: str, package: str, key: str) -> list[tuple[str, Any]]:
    """The value of a dotted key in one config file, if it sets it."""
    file = next((folder / f"{path}.yaml" for folder in (CONF, ROOT) if (folder / f"{path}.yaml").exists()), None)
    if file is None:
        return []
    name = str(file.relative_to(ROOT))
    if package == key:
        return [(name, "the whole file")]
    if package and not key.startswith(f"{package}."):
        return []
    held = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return [(name, found) for found in inside(held, key.removeprefix(f"{package}."))]
