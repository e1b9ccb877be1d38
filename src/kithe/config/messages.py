"""Hydra's and OmegaConf's errors, said so that a user can fix them."""

import re
from collections.abc import Callable, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException

from kithe.errors import ConfigError, unknown

Options = Callable[[str], Sequence[str]]
Keys = Callable[[str, Sequence[str]], Sequence[str]]
Groups = Callable[[], Sequence[str]]


def explain(error: Exception, overrides: Sequence[str], options: Options, keys: Keys, groups: Groups) -> ConfigError:
    """One line for an error of composition: what, where, what is allowed.

    Args:
        error: what Hydra or OmegaConf raised.
        overrides: the command line's overrides.
        options: the options of a config group.
        keys: the keys below a dotted path, given the overrides.
        groups: every config group.
    """
    text = str(error)
    if isinstance(error, OverrideParseException) and "=" not in error.override and not error.override.startswith("~"):
        return ConfigError(f"cannot read '{error.override}': write key=value")
    if isinstance(error, OverrideParseException):
        return ConfigError(f"cannot read '{error.override}': {text.splitlines()[0]}; quote it, or close its brackets")
    if "Missing mandatory value" in text and (found := re.search(r"full_key: (\S+)", text)):
        return ConfigError(f"{found[1]} has no default: give it on the command line, as in {found[1]}=…")
    if text.startswith("Config group override must be"):
        empty = " or ".join(word for word in overrides if word.endswith("=null")) or "a config group"
        return ConfigError(f"{empty}: this group cannot be left out; give one of its options")
    if text.startswith("Ambiguous value for argument"):
        word = re.search(r"'([^']+)'", text)
        return ConfigError(f"{word[1] if word else 'a list of values'}: several values are a sweep; add -m before them")
    if found := re.search(r"Could not find '([^']+)/([^'/]*)'", text):
        return unknown(f"option of the config group '{found[1]}'", found[2], options(found[1]))
    if found := re.search(r"full_key: (\S+)", text) or re.search(r"Could not override '([^'@]+)", text):
        if "/" in found[1]:
            return unknown("config group", found[1], groups())
        parent, _, name = found[1].rpartition(".")
        known = keys(parent, overrides)
        while parent and not known:  # the first part of the path that is not there
            parent, _, name = parent.rpartition(".")
            known = keys(parent, overrides)
        if name not in known:
            return unknown(f"key in '{parent}'" if parent else "key", name, known)
        for inside in mapping(found[1], overrides):
            if inside not in (below := keys(found[1], overrides)):
                return unknown(f"key in '{found[1]}'", inside, below)
    return ConfigError(" ".join(text.split()))


def mapping(key: str, overrides: Sequence[str]) -> list[str]:
    """The keys of the mapping that an override gives to a dotted path, as in `teacher.mix={high: 0.2}`; mostly none."""
    words = [word for word in overrides if "=" in word and not word.startswith("-")]
    given = [item.value() for item in OverridesParser.create().parse_overrides(words) if item.key_or_group == key]
    return [str(name) for value in given if isinstance(value, dict) for name in value]
