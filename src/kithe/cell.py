"""One cell of a results table: a config, the options chosen for it, and where its files lie."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from kithe.config import compose as configuration
from kithe.errors import ConfigError
from kithe.identity import Identity, identify
from kithe.launch.runtime import Placement
from kithe.records.base import write_json, write_lines
from kithe.store import Folder, Store


@dataclass(frozen=True)
class Cell:
    """A resolved, checked config with the option each group was set to."""

    config: dict[str, Any]
    choices: dict[str, str]

    @classmethod
    def of(cls, composed: DictConfig) -> "Cell":
        """The cell Hydra composed.

        Raises:
            ConfigError: the config does not fit what it names, or `+from` names no finished run.
        """
        config, chosen = configuration.plain(composed), configuration.choices(composed)
        if config["from"] is not None:
            start = cls.load(Store(Path(config["paths"]["store"])).run(config["from"]).path)
            config, chosen = configuration.restart(composed, chosen, start.config, start.choices)
        cell = cls(config, chosen)
        cell.check_fields()
        return cell

    @classmethod
    def load(cls, folder: Path) -> "Cell":
        """The cell whose run folder this is.

        Raises:
            ConfigError: it is no run folder.
        """
        if not (folder / "cell.json").exists():
            known = ", ".join(sorted(path.name for path in folder.parent.glob("*"))[:8]) or "none"
            raise ConfigError(f"no run '{folder.name}' in {folder.parent}; there: {known}")
        value = json.loads((folder / "cell.json").read_text(encoding="utf-8"))
        return cls(value["config"], value["choices"])

    def check_fields(self) -> None:
        """Refuse a target with a field that the training data does not carry.

        Raises:
            ConfigError: naming the fields and what the data has.
        """
        if self.identity.corpus is None:
            return
        # The corpus stage finds evidence for every fact it keeps.
        has = self.build("data").fields | {"evidence"}
        lacks = self.build("task").format.needs() - has
        if lacks:
            raise ConfigError(
                f"data={self.choices['data']} does not carry {', '.join(sorted(lacks))}, which task.format.fields asks for; "
                f"it has {', '.join(sorted(has))}. A field that one source lacks is in no arm's target"
            )

    @cached_property
    def adapter(self) -> Any:
        """How the model is adapted; see `kithe.training.adapters`."""
        return self.build("adapt")

    @cached_property
    def identity(self) -> Identity:
        """The ids of the cell's stages."""
        shows = any(prompt.shots > 0 for prompt in self.adapter.prompts())
        return identify(self.config, self.choices, trains=self.adapter.trains, reads=self.adapter.trains or shows)

    @cached_property
    def placement(self) -> Placement:
        """Where the cell runs."""
        placement: Placement = self.build("runtime").place(self.adapter.trains)
        return placement

    @property
    def store(self) -> Store:
        """All folders."""
        return Store(Path(self.config["paths"]["store"]))

    @property
    def folder(self) -> Folder:
        """The run folder."""
        return self.store.run(self.identity.run)

    def build(self, group: str) -> Any:
        """The object a group's option describes."""
        return configuration.instantiate(self.config[group])

    def prepare(self) -> Path:
        """Write what a process of its own needs to run this cell; returns the run folder."""
        path = self.folder.path
        write_lines(path / "config.yaml", configuration.dump(self.config).splitlines())
        write_json(path / "cell.json", {"config": self.config, "choices": self.choices, "identity": asdict(self.identity)})
        return path

    def line(self) -> str:
        """One line for `plan=true`: id, state, choices, where it would run."""
        chosen = " ".join(f"{group}={option}" for group, option in self.choices.items())
        place = self.placement
        where = f"{place.processes}x{place.accelerator} {place.strategy}"
        return f"{self.identity.run}  {self.folder.state}  {chosen} seed={self.config['seed']}  {where}"
