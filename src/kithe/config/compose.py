"""From words on the command line to a checked, plain config, and from there to objects.

Only this package, `run.py` and the launchers see Hydra or OmegaConf; everything below takes ordinary typed arguments.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from hydra.utils import instantiate as hydra_instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from kithe.config.messages import explain
from kithe.config.schema import GROUPS, Plain, Schema
from kithe.config.signatures import locate, node_problems, problems
from kithe.errors import ConfigError, unknown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ROOT = Path(__file__).resolve().parents[3]
CONF = ROOT / "conf"


def set_environment() -> None:
    """Tell the config files where they are, and Hydra to raise its errors so that they can be said in one line."""
    os.environ["KITHE_ROOT"] = str(ROOT)
    os.environ["HYDRA_FULL_ERROR"] = "1"


@contextmanager
def explained(overrides: Sequence[str]) -> Iterator[None]:
    """Say Hydra's and OmegaConf's errors about `overrides` as a ConfigError."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        if type(error) is ValueError and not str(error).startswith("Config group override"):
            raise
        raise explain(error, overrides, options=options, keys=default_keys, groups=groups) from None


def options(group: str) -> list[str]:
    """The options of a config group; empty for what is no group."""
    folders = (CONF / group, ROOT / group)
    return sorted({file.stem for folder in folders if folder.is_dir() for file in folder.glob("*.yaml")})


def nodes_of(group: str) -> Iterator[tuple[str, Any]]:
    """The options of a group with the class or function that each names."""
    for name in options(group):
        held = yaml.safe_load((CONF / group / f"{name}.yaml").read_text(encoding="utf-8"))
        if isinstance(held, dict) and "_target_" in held:
            yield name, locate(held["_target_"])


def groups() -> list[str]:
    """Every config group, such as `task/test`."""
    return sorted({str(file.parent.relative_to(CONF)) for file in CONF.glob("*/**/*.yaml")} | {"experiments", "sweeps"})


@contextmanager
def hydra_config() -> Iterator[None]:
    """Hydra ready to compose from this project's config files."""
    set_environment()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def compose(overrides: Sequence[str] = ()) -> DictConfig:
    """The composed config with its `hydra` node.

    Raises:
        ConfigError: an override names what does not exist or does not parse.
    """
    with explained(overrides), hydra_config():
        return hydra_compose("config", list(overrides), return_hydra_config=True)


def default_keys(parent: str, overrides: Sequence[str]) -> list[str]:
    """The keys that exist below a dotted path, given those overrides that choose a group's option; of several options, in all."""
    words = [item.lstrip("+~") for item in overrides if item.lstrip("+~").split("=")[0] in (*GROUPS, *groups())]
    chosen = [item for item in words if "," not in item]
    several = [
        item.split("=") for item in words if "," in item and f"{parent}.".startswith(item.split("=")[0].replace("/", ".") + ".")
    ]
    each = [[f"{several[0][0]}={option}"] for option in several[0][1].split(",")] if several else [[]]
    found = [keys_below(parent, [*chosen, *more]) for more in each]
    return [key for key in found[0] if all(key in own for own in found)]


def keys_below(parent: str, chosen: Sequence[str]) -> list[str]:
    """The keys below a dotted path of the config with these options; of the default one where they do not compose."""
    with hydra_config():
        try:
            config = hydra_compose("config", list(chosen))
        except (HydraException, OmegaConfBaseException):
            config = hydra_compose("config")
    node = OmegaConf.select(config, parent) if parent else config
    return [str(key) for key in node if not str(key).startswith("_")] if isinstance(node, DictConfig) else []


def plain(config: DictConfig) -> Plain:
    """The resolved config as plain values, without Hydra's own node, checked.

    Raises:
        ConfigError: every problem at once: wrong types, and nodes that do not fit what they name.
    """
    with explained(()):
        public = {key: value for key, value in OmegaConf.to_container(config, resolve=False).items() if key != "hydra"}  # type: ignore[union-attr]
        value = OmegaConf.to_container(OmegaConf.create(public), resolve=True, throw_on_missing=True)
    assert isinstance(value, dict)
    found: Plain = {str(key): item for key, item in value.items()}
    check(found)
    return found


def check(config: Mapping[str, Any]) -> None:
    """Refuse a plain config that does not fit the schema or the signatures of what it names."""
    found = problems(config)
    try:
        Schema.model_validate(config)
    except ValidationError as error:
        found += map(said, error.errors())
    if found:
        raise ConfigError("; ".join(found))


def said(error: "ErrorDetails") -> str:
    """A problem of the schema in one line."""
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return str(unknown("key", place, [field.alias or name for name, field in Schema.model_fields.items()]))
    if error["type"] == "missing":
        return f"{place}: it is needed and not there"
    return f"{place}: {error['msg']} (is {error['input']!r})"


def hydra_node(config: DictConfig) -> DictConfig:
    """Hydra's own node: inside the config, or kept aside where Hydra called the program."""
    holder = config if "hydra" in config else DictConfig({"hydra": HydraConfig.get()})
    node: DictConfig = holder.hydra
    return node


def choices(config: DictConfig) -> dict[str, str]:
    """Config group -> chosen option; what verifies items is named where something does."""
    chosen = hydra_node(config).runtime.choices
    verify = chosen.get("task/verify")
    return {group: str(chosen[group]) for group in GROUPS} | ({"verify": str(verify)} if verify else {})


def instantiate(node: Plain) -> Any:
    """The object a `_target_` node describes, built from plain lists and dicts all the way down.

    Raises:
        ConfigError: an object refuses what it was given, in its own words.
    """
    try:
        return hydra_instantiate(node, _convert_="all")
    except InstantiationException as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ConfigError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise ConfigError(str(cause)) from None


def built(place: str, node: Plain) -> Any:
    """The object of a node that stands outside the config's groups, checked against its signature first.

    Raises:
        ConfigError: what does not fit, or what the object refuses.
    """
    value = OmegaConf.to_container(OmegaConf.create(node), resolve=True)
    assert isinstance(value, dict)
    if found := node_problems(place, {str(key): item for key, item in value.items()}):
        raise ConfigError("; ".join(found))
    return instantiate({str(key): item for key, item in value.items()})


def overrides(config: DictConfig) -> list[str]:
    """The words on the command line that this config was composed with."""
    return [str(item) for item in hydra_node(config).overrides.task]


def restart(
    config: DictConfig, new: Sequence[str], stored: Plain, stored_choices: dict[str, str]
) -> tuple[Plain, dict[str, str]]:
    """A finished run's config with new overrides on top (`+from=<run_id>`): config and choices.

    Args:
        config: composed from the run's own overrides and the new ones; the new ones' values are taken from it.
        new: the new overrides.
        stored: the run's resolved config.
        stored_choices: its choices.
    """
    merged, chosen = OmegaConf.create(stored), choices(config)
    kept = dict(stored_choices)
    for override in new:
        key = override.lstrip("+~").split("=")[0].replace("/", ".")
        if key in GROUPS:
            kept[key] = chosen[key]
        OmegaConf.update(merged, key, OmegaConf.select(config, key), merge=False, force_add=True)
    value = OmegaConf.to_container(merged, resolve=True)
    assert isinstance(value, dict)
    result = {str(key): item for key, item in value.items()}
    check(result)
    return result, kept


def dump(config: Plain) -> str:
    """A plain config as YAML."""
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
