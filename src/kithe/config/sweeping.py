"""Words of a command line beside options that vary: `-m adapt=grpo,gdpo adapt.steps.steps=50`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from kithe.config.compose import ROOT

MULTIRUN = {"-m", "--multirun", "hydra.mode=MULTIRUN"}


def within_sweeps(words: Sequence[str]) -> list[str]:
    """The words, those about a group that a multirun varies as sweeps of one value.

    Hydra composes all words that vary nothing first, with the default option of each group, which may not have the key.
    """
    swept = {group.replace("/", ".") for group in varied(words)}
    return [as_sweep(word) if any(word.lstrip("+").startswith(f"{group}.") for group in swept) else word for word in words]


def varied(words: Sequence[str]) -> Iterator[str]:
    """The keys that vary in a multirun, by the command line or by a sweep file that it names; one option said settles a key."""
    said = {word.partition("=")[0].lstrip("+"): word for word in words if "=" in word}
    if said.get("hydra.mode") == "hydra.mode=RUN" or not ("sweeps" in said or MULTIRUN & set(words)):
        return
    yield from (key for key, word in said.items() if varies(word))
    path = ROOT / "sweeps" / f"{Path(said.get('sweeps', '').partition('=')[2]).name}.yaml"
    if path.is_file():
        held = OmegaConf.select(OmegaConf.load(path), "hydra.sweeper.params") or {}
        yield from (key for key in held if key not in said)


def varies(word: str) -> bool:
    """Whether a word has several values."""
    try:
        return not word.startswith("-") and OverridesParser.create().parse_override(word).is_sweep_override()
    except HydraException:
        return False  # what is wrong with it is said when it is composed


def as_sweep(word: str) -> str:
    """A word as a sweep of one value; as it is where it has none, several, or null, which Hydra cannot vary."""
    key, _, value = word.partition("=")
    made = f"{key}=choice({value})"
    return made if value and not varies(word) and varies(made) else word
