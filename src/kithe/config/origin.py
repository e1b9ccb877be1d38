"""Which file, or which word on the command line, set a value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
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
    given = [Origin(f"command line: {item.input_line}", item.value()) for item in parsed if item.key_or_group == key]
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


def in_file(path: str, package: str, key: str) -> list[tuple[str, Any]]:
    """The value of a dotted key in one config file, if it sets it."""
    file = next((folder / f"{path}.yaml" for folder in (CONF, ROOT) if (folder / f"{path}.yaml").exists()), None)
    inside = key if not package else key.removeprefix(f"{package}.") if key.startswith(f"{package}.") else None
    if file is None or inside is None:
        return []
    held = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    for part in inside.split("."):
        if not isinstance(held, dict) or part not in held:
            return []
        held = held[part]
    return [(str(file.relative_to(ROOT)), held)]
