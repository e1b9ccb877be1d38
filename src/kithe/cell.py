"""One cell of a results table: a config, the options chosen for it, and where its files lie."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from omegaconf import DictConfig

from kithe.config import compose as configuration
from kithe.corpora.build import Corpus, build
from kithe.corpora.source import Checked
from kithe.errors import ConfigError, absent
from kithe.identity import Identity, digest, identify, without
from kithe.launch.runtime import Placement
from kithe.records.base import write_json, write_lines
from kithe.store import Folder, Store
from kithe.training.memory import States, states

if TYPE_CHECKING:
    from kithe.quality.gates import Gates


@dataclass(frozen=True)
class Cell:
    """A resolved, checked config with the option each group was set to, and the words it was asked for with."""

    config: dict[str, Any]
    choices: dict[str, str]
    words: tuple[str, ...] = ()
    module: ClassVar[str] = "kithe.experiment"

    @classmethod
    def of(cls, composed: DictConfig) -> "Cell":
        """The cell Hydra composed.

        Raises:
            ConfigError: the config does not fit what it names.
        """
        config, words = configuration.plain(composed), own_words(configuration.overrides(composed))
        cell = cls(config, configuration.choices(composed), words)
        if config["from"] is not None:
            cell = cell.started_from(cls.load(cell.store.run(config["from"]).path), composed)
        cell.check()
        return cell

    def started_from(self, start: "Cell", composed: DictConfig) -> "Cell":
        """This cell on top of a finished run's config.

        Where the config files still give what the run had, composing the run's words with the new ones says it all: a new value
        reaches the keys that refer to it. Where they have changed since, the run's values stand, and only the new ones change.
        """
        if configuration.plain(configuration.compose(start.words)) == start.config:
            return self
        new = self.words[len(start.words) :]
        return Cell(*configuration.restart(composed, new, start.config, start.choices), self.words)

    @classmethod
    def load(cls, folder: Path) -> "Cell":
        """The cell whose run folder this is.

        Raises:
            ConfigError: it is no run folder.
        """
        if not (folder / "cell.json").exists():
            raise absent("run", folder.name, folder.parent, (path.parent.name for path in folder.parent.glob("*/cell.json")))
        value = json.loads((folder / "cell.json").read_text(encoding="utf-8"))
        return cls(value["config"], value["choices"], tuple(value["words"]))

    def check(self) -> None:
        """Refuse what would fail only after the start: values no object takes, data that is not there, fields it lacks.

        Raises:
            ConfigError: what is wrong, what is allowed or there, and how to mend it.
        """
        for group in ("model", "runtime", "judge", "logger"):
            self.build(group)
        self.check_judge()
        _ = self.recall
        if self.adapter.trains and getattr(self.build("model"), "remote", False):
            raise ConfigError(
                f"adapt={self.choices['adapt']}: model={self.choices['model']} is behind a server and cannot be trained here; "
                "use adapt=zero-shot or adapt=best-prompt, or another model"
            )
        if self.modelless and getattr(self.build("task").format, "subject", "items") != "items":
            raise ConfigError(
                f"adapt={self.choices['adapt']} infers facts about users, which task={self.choices['task']} does not ask for"
            )
        if not self.build("task").test:
            raise ConfigError("task.test is empty: name at least one test set, such as task/test=sample")
        for source in self.build("task").test.values():
            if isinstance(source, Checked):
                source.check("test")
        if self.identity.corpus is not None:
            made = self.store.corpus(self.identity.corpus).done  # its source may be out of reach
            if isinstance(data := self.build("data"), Checked) and not made:
                data.check("train")
            self.check_fields()

    def check_judge(self) -> None:
        """Refuse a judge that scores something else than what the task's answers hold.

        Raises:
            ConfigError: naming the judges that fit.
        """
        given, scored = (getattr(found, "subject", "items") for found in (self.build("task").format, self.build("judge")))
        if given != scored:
            fit = [name for name, node in configuration.nodes_of("judge") if getattr(node, "subject", "items") == given]
            raise ConfigError(
                f"judge={self.choices['judge']} scores {scored}, and what task={self.choices['task']} gives is {given}; "
                f"use judge={' or judge='.join(fit)}"
            )

    def check_fields(self) -> None:
        """Refuse a target with a field that the training data does not carry.

        Raises:
            ConfigError: naming the fields and what the data has.
        """
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

    @property
    def modelless(self) -> bool:
        """Whether items are inferred from the training corpus alone, and no model is asked."""
        return bool(getattr(self.adapter, "reads", False))

    @cached_property
    def identity(self) -> Identity:
        """The ids of the cell's stages."""
        shows = any(prompt.shots > 0 for prompt in self.adapter.prompts())
        reads = self.adapter.trains or shows or self.modelless
        read = getattr(self.build("data"), "content", None) if reads else None
        written = {"data": read} if read else {}
        # What a judge, a filter or a questionnaire goes by is in files; the config names only its options.
        parts = (("judge", self.build("judge")), ("verify", getattr(self.build("task"), "verify", None)), ("recall", self.recall))
        for name, part in parts:
            if content := getattr(part, "content", None):
                written[name] = content
        asked = [self.config["task"].get(sets) for sets in ("test", "validation")]
        versions = {"format": self.build("task").format.version, **content_versions(self.config["data"], asked), **written}
        unasked = ("model", "precision") if self.modelless else ()
        # An option without content changes nothing.
        said = {key: value for key, value in self.config.items() if value != {} and key not in unasked}
        if read:  # what a model wrote before counts by its content
            said = without(said, "data.teacher.client")
        chosen = {**self.choices, "model": "none"} if self.modelless else self.choices
        return identify({**said, "versions": versions}, chosen, trains=self.adapter.trains, reads=reads)

    @cached_property
    def placement(self) -> Placement:
        """Where the cell runs, by what it trains and how large the model is."""
        if self.modelless or getattr(self.build("model"), "remote", False):
            return Placement("cpu", 1, "single")
        model, adapter, bf16 = self.build("model"), self.adapter, self.config["precision"] == "bf16"
        shape, rank = getattr(model, "shape", None), None if adapter.trains_base else getattr(adapter, "rank", 0)
        # A folder's shape is not known; all of it counts as learning or none.
        whole = model.parameters()
        plain = States(whole if rank is not None else 0, whole if rank is None else 0, bf16=bf16)
        needed = states(shape, bf16=bf16, rank=rank) if shape else plain
        runtime = self.build("runtime")
        placement: Placement = runtime.place(adapter.trains, needed.whole(), adapter.parts, partial(needed.device, 3))
        return placement

    @property
    def name(self) -> str:
        """The run id."""
        return self.identity.run

    @property
    def processes(self) -> int:
        """How many processes its model stages take."""
        return self.placement.processes

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

    @property
    def recall(self) -> Any:
        """Who asks and answers questions about the users; None where nobody does."""
        return self.build("recall") if self.config.get("recall") else None

    @property
    def gates(self) -> "Gates | None":
        """What the training corpus must not exceed or fall below; None: nothing."""
        node = self.config["corpus"].get("quality")
        found: Gates | None = configuration.instantiate(node) if node else None
        return found

    def build_corpus(self) -> Corpus:
        """The training corpus, drawn anew."""
        rules = self.config["corpus"]
        return build(self.build("data"), rules["facts"], self.config["seed"], rules["expressed"])

    def prepare(self) -> Path:
        """Write what a process of its own needs to run this cell, unless one is at it; returns the run folder."""
        self.folder.begin(self.write)
        return self.folder.path

    def write(self) -> None:
        """Write what its processes read; the same cell may have been asked for with another runtime."""
        path = self.folder.path
        write_lines(path / "config.yaml", configuration.dump(self.config).splitlines())
        held = {"config": self.config, "choices": self.choices, "words": self.words, "identity": asdict(self.identity)}
        write_json(path / "cell.json", {**held, "counted": self.counted})

    @property
    def counted(self) -> dict[str, Any]:
        """What was chosen, with None for what falls out: no training data are read, nobody writes them, no model is asked."""
        reads = self.identity.corpus is not None
        fallen = {"data": self.choices["data"] if reads else None, "seed": self.config["seed"] if reads else None}
        fallen |= {} if reads and "teacher" in self.config["data"] else {"teacher": None}
        return {**self.choices, **fallen, **({"model": None} if self.modelless else {})}

    def line(self) -> str:
        """One line for `plan=true`: id, state, choices (a dash for what falls out), where it would run."""
        chosen = " ".join(f"{group}={'-' if option is None else option}" for group, option in self.counted.items())
        place = self.placement
        where = f"{place.processes}x{place.accelerator} {place.strategy}"
        return f"{self.identity.run}  {self.folder.state}  {chosen}  {where}"


# What a source of the room, or of the module, writes with or holds.
TEXTS = {
    "corpora.sample": ("corpora/sample/*.yaml",),
    "dialogues": ("personas/**/*.yaml", "dialogues/**/*.yaml"),
    "generation": ("generation/prompts/*",),
    "gym": ("gym/**/*.yaml",),
    "ip_dialog": ("ip_dialog/*.yaml",),
    "ppopt": ("ppopt/*.yaml", "gym/**/*.yaml"),
}


# Raised where code, and not a text, changes what a room writes or holds.
CODE = {"gym": 2, "ppopt": 2}


def written_with(node: Any) -> tuple[str, ...]:
    """The keys of `TEXTS` whose objects a config node describes, at any depth."""
    if isinstance(node, dict):
        own = [place for place in TEXTS if str(node.get("_target_", "")).startswith(f"kithe.{place}.")]
        return tuple(sorted({*own, *written_with(list(node.values()))}))
    return tuple(sorted({place for part in node for place in written_with(part)})) if isinstance(node, list) else ()


@cache
def content(*patterns: str) -> str:
    """A hash of texts and word lists in the package that numbers depend on."""
    package = Path(__file__).parent
    files = sorted(file for pattern in patterns for file in package.glob(pattern))
    return digest([file.read_text(encoding="utf-8") for file in files])


def written(node: Any) -> str:
    """A hash of the texts that a config node's sources write with, and the versions of their code."""
    places = written_with(node)
    texts = content(*(pattern for place in places for pattern in TEXTS[place]))
    return "-".join([texts, *(f"{place}{CODE[place]}" for place in places if place in CODE)])


def content_versions(data: Any, asked: Any) -> dict[str, str]:
    """Hashes of the package's texts that count for a cell; `data`, `asked`: config nodes of training data and test sets."""
    return {
        "generator": written(data),
        "corpora": content("corpora/*.yaml"),
        "test": written(asked),
        "rubric": content("evaluation/rubric/*.yaml"),
        "matcher": content("evaluation/lexicon.yaml", "evaluation/kinds.yaml", "evaluation/threshold.json"),
    }


def replayed(arguments: Sequence[str]) -> list[str]:
    """A command line with `+from=<run_id>` preceded by that run's own words, so that new ones may refer to what they chose.

    Raises:
        ConfigError: there is no such run.
    """
    names = [word.split("=", 1)[1] for word in arguments if word.lstrip("+").startswith("from=")]
    if not names:
        return list(arguments)
    stores = [word.split("=", 1)[1] for word in arguments if word.startswith("paths.store=")]
    start = Cell.load(Store(Path(stores[-1] if stores else os.environ.get("KITHE_STORE", "outputs"))).run(names[-1]).path)
    # The run may have been a cell of a sweep file, which would make this command a sweep again.
    mode = [] if {"-m", "--multirun"} & set(arguments) else ["hydra.mode=RUN"]
    return [*start.words, *arguments, *mode]


def own_words(words: Sequence[str]) -> tuple[str, ...]:
    """The overrides of a cell but for where it started from."""
    return tuple(word for word in words if not word.lstrip("+").startswith("from="))
