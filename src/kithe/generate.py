"""One generation run: `python run.py task=generate`, the counterpart of a cell for `kithe.generation`.

    rows/<stage>-<id>/<block>.jsonl     what each stage wrote, shared by every run with the same stage
    generated/<id>/                     the corpus and nothing else but
    generated/<id>/shards/              whether it is published; <i>-of-<n>/ holds what the process of a shard needs and says

Whoever finishes last writes the corpus: a shard that finds all blocks complete when it ends.
"""

import json
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from omegaconf import DictConfig

from kithe.config import compose as configuration
from kithe.config.signatures import locate
from kithe.errors import ConfigError
from kithe.generation.estimate import estimated
from kithe.generation.pipeline import Pipeline
from kithe.generation.plan import Origin, Work
from kithe.generation.stages import Stage
from kithe.identity import digest
from kithe.launch.signals import release
from kithe.llm.client import Client
from kithe.records.base import write_lines
from kithe.store import Folder, Store


@dataclass(frozen=True)
class Generation:
    """A resolved, checked config that describes a corpus, and which shard of it to write."""

    config: dict[str, Any]
    choices: dict[str, str]
    module: ClassVar[str] = "kithe.generate"
    processes: ClassVar[int] = 1

    @classmethod
    def of(cls, composed: DictConfig) -> "Generation":
        """The run Hydra composed."""
        return cls(configuration.plain(composed), configuration.choices(composed))

    @classmethod
    def load(cls, folder: Path) -> "Generation":
        """The run whose shard folder this is."""
        value = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        return cls(value["config"], value["choices"])

    @cached_property
    def plan(self) -> Work:
        """What is to be written."""
        plan: Work = configuration.instantiate(self.config["task"])
        return plan

    @cached_property
    def stage_ids(self) -> dict[str, str]:
        """Stage -> id: a hash of its settings, the version of its code, the texts it draws from, and the stage before it."""
        task, found, upstream = self.config["task"], dict[str, str](), ""
        for name, node in task["stages"].items():
            version = locate(node["_target_"]).version  # type: ignore[attr-defined]  # a stage, as the signatures say
            settings = {"stage": counted(node), "version": version, "upstream": upstream}
            common = {"seed": self.config["seed"], "rows_per_file": task["rows_per_file"], "texts": texts(self.plan.texts)}
            upstream = found[name] = f"{name}-{digest({**settings, **common})}"
        return found

    @cached_property
    def id(self) -> str:
        """The corpus id."""
        task = self.config["task"]
        what = {"stages": self.stage_ids, "personas": task["personas"], "export": task["export"]}
        return f"{self.plan.slug(self.choices['teacher'])}-s{self.config['seed']}-{digest(what)}"

    @property
    def name(self) -> str:
        """The run: the corpus and the shard."""
        return f"{self.id}/{self.plan.shard}-of-{self.plan.shards}"

    @property
    def corpus(self) -> Folder:
        """Where the corpus is published."""
        return Folder(self.root / "generated" / self.id)

    @property
    def publishing(self) -> Folder:
        """Whether the corpus is published; below its folder, for `datasets` refuses one with a `state.json`."""
        return Folder(self.corpus.path / "shards")

    @property
    def folder(self) -> Folder:
        """What the process of this shard needs and says."""
        return Folder(self.publishing.path / f"{self.plan.shard}-of-{self.plan.shards}")

    @property
    def root(self) -> Path:
        """The root of all folders."""
        return Store(Path(self.config["paths"]["store"])).root

    @cached_property
    def pipeline(self) -> Pipeline:
        """The stages with their folders."""
        folders = {name: self.root / "rows" / identity for name, identity in self.stage_ids.items()}
        stages: dict[str, Stage] = self.plan.stages  # type: ignore[attr-defined]  # every kind of work has some, of its own kind
        return Pipeline(stages, folders, self.config["seed"], self.plan.together)

    def prepare(self) -> Path:
        """Write what a process of its own needs to run this shard, unless one is at it; returns its folder."""
        self.folder.begin(self.write)
        return self.folder.path

    def write(self) -> None:
        """Write what its process reads."""
        write_lines(self.folder.path / "config.yaml", configuration.dump(self.config).splitlines())
        # Not sorted by key: stages come in the order in which the config names them.
        write_lines(self.folder.path / "job.json", [json.dumps({"config": self.config, "choices": self.choices})])

    def line(self) -> str:
        """One line for `plan=true`."""
        state = "done" if self.publishing.done else self.folder.state
        return f"{self.name}  {state}  by {self.plan.author.name} personas={self.plan.personas} seed={self.config['seed']}"

    def summary(self) -> str:
        """What there is, for the terminal."""
        if not self.publishing.done:
            return f"{self.name}: {self.folder.state}; the corpus is published once every shard is done\n"
        return f"{self.corpus.path}: {self.plan.summary(self.corpus.read('card.json'))}\n"


def counted(node: Any) -> Any:
    """Settings without what cannot change the rows: of a client it counts who answers, not how it is reached, held and paid."""
    if isinstance(node, Mapping):
        return {key: client(value) if key == "client" else counted(value) for key, value in node.items()}
    return [counted(part) for part in node] if isinstance(node, list) else node


def client(node: Mapping[str, Any]) -> str:
    """Who answers."""
    found: Client = configuration.instantiate(dict(node))
    return found.identity


def texts(patterns: Sequence[str]) -> str:
    """A hash of the texts in the package that generation draws from."""
    package = Path(__file__).parent
    files = sorted(file for pattern in patterns for file in package.glob(pattern))
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:10]


def execute(run: Generation) -> None:
    """Write what is missing of a prepared shard, and the corpus if that was the last of it.

    Raises:
        SystemExit: it failed, or somebody did not answer; what is written stays, and the same command goes on from there.
    """
    with run.folder.lock():
        run.folder.mark("running")
        start = time.perf_counter()
        try:
            unanswered = run.pipeline.run(run.plan.own())
            if unanswered:
                why = ", ".join(f"{count} {reason}" for reason, count in unanswered.items())
                raise ConfigError(
                    f"{unanswered.total()} rows are not written because nobody answered ({why}); repeat the command"
                )
            publish(run)
        except Exception as error:
            run.folder.mark("failed", error="".join(traceback.format_exception(error)))
            raise SystemExit(f"kithe: {run.name} failed: {error}") from None
        run.folder.mark("done", wall_s=time.perf_counter() - start)


def estimate(run: Generation) -> str:
    """What the missing rows of a shard would take; nothing is asked and nothing written."""
    return estimated(run.pipeline, run.plan.own())


def publish(run: Generation) -> None:
    """Write the corpus if every block is complete and nobody has."""
    if not all(run.pipeline.complete(block) for block in run.plan.blocks()):
        return
    with run.publishing.lock():
        if run.publishing.read("state.json").get("state") == "done":
            return
        run.publishing.mark("running")
        config = {"task": described(run.config["task"]), "seed": run.config["seed"]}
        run.plan.publish(run.corpus.path, run.pipeline, Origin(run.id, config, account(run)))
        run.publishing.mark("done")


def described(task: Mapping[str, Any]) -> dict[str, Any]:
    """A task's settings without those that cannot change the corpus."""
    return {key: value for key, value in counted(task).items() if key not in ("together", "shard", "shards", "estimate")}


def account(run: Generation) -> dict[str, Any]:
    """Who wrote the corpus, for its card."""
    return {
        "source": "synthetic",
        "teacher": run.plan.author.name,
        "scripted": run.plan.author.scripted,
        "writers": {name: who.name for name, stage in run.pipeline.stages.items() if (who := writer(stage))},
        "stages": run.stage_ids,
        "versions": {"texts": texts(run.plan.texts)},
    }


def writer(stage: Stage) -> Any:
    """Who writes a stage's rows; None for what is computed."""
    return getattr(stage, "teacher", None) or getattr(stage, "extractor", None)


def main() -> None:
    """`python -m kithe.generate <shard folder>`: a shard in a process of its own."""
    # Rows are appended one by one, so a shard that a scheduler ends loses nothing and needs no time to save.
    release()
    execute(Generation.load(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
