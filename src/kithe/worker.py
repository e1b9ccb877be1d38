"""The stages of a cell that need a model: adapt, predict, score. `kithe.launch.rank` starts it, alone or under torchrun.

Every rank runs the same stages; files are written by rank 0, or by each rank under its own name. A stage whose folder is done
is not run again, so a killed worker started anew goes on where it stopped.
"""

import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kithe import inputs
from kithe.asking import Asker, keep_predictions
from kithe.cell import Cell
from kithe.corpora.contamination import report as contamination
from kithe.corpora.files import Stamps, stamps
from kithe.corpora.source import DataSource
from kithe.errors import Stopped, until
from kithe.evaluation.judges import GoldJudge, Scores
from kithe.evaluation.judging.audit import families
from kithe.evaluation.judging.kept import kept
from kithe.evaluation.scores import UserScore
from kithe.launch.signals import AGAIN, StopFlag
from kithe.metrics import MetricsLog
from kithe.records.base import write_json, write_lines
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.store import Folder
from kithe.training.adapters import Lesson, Prompt
from kithe.training.baselines import Infers
from kithe.training.score import score
from kithe.training.trainer import Hardware, Ranks


@dataclass
class Meter:
    """Wall time and peak resident memory of a stage, in seconds and MB."""

    start: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        """Forget the process's earlier peak, so that each stage reports its own."""
        if os.access("/proc/self/clear_refs", os.W_OK):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    def read(self) -> dict[str, float]:
        """What the stage took so far."""
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        return {"wall_s": time.perf_counter() - self.start, "peak_memory_mb": peak / 1024}


def ignore(row: dict[str, Any]) -> None:
    """What ranks other than the first do with metrics."""


def rank() -> int:
    """This process's number in its group."""
    return Ranks.of_this_process().rank


@dataclass
class Worker:
    """A cell with its objects, in one process."""

    cell: Cell
    stop: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        """Build the light objects; models are loaded by the stages."""
        self.task = self.cell.build("task")
        self.model = self.cell.build("model")
        self.format = self.task.format.fitted(self.model.context)
        self.adapter = self.cell.adapter
        self.precision = self.cell.config["precision"]
        place = self.cell.placement
        self.hardware = Hardware(place.accelerator, place.strategy, place.offload, place.recompute, place.timeout_s)

    def run(self) -> None:
        """All stages, each if it is missing."""
        if self.weights is not None:
            self.stage(self.weights, self.adapt, self.learnt_from)
        self.stage(self.predictions, self.predict, self.asked_about)
        if rank() == 0:
            self.score()

    def learnt_from(self) -> Stamps:
        """The files that the weights come from."""
        return inputs.read_for_corpus(self.cell)

    def asked_about(self) -> Stamps:
        """The files that the predictions come from; some may be downloaded only when they are read."""
        return {**self.learnt_from(), **stamps(inputs.asked_files(self.cell))}

    def stage(self, folder: Folder, work: Any, files: Callable[[], Stamps]) -> None:
        """Run a stage in its folder unless it is done; rank 0 keeps its state, and what `files` it has come from."""
        if folder.read("state.json").get("state") == "done":
            return
        folder.path.mkdir(parents=True, exist_ok=True)
        meter = Meter()
        report = work(folder.path)
        if rank() == 0:
            write_json(folder.path / "report.json", {**meter.read(), **report, "files": files()})
            folder.mark("done")

    @property
    def weights(self) -> Folder | None:
        """The folder of the adapted weights; None for a cell without any."""
        name = self.cell.identity.weights
        return self.cell.store.weights(name) if name else None

    @property
    def predictions(self) -> Folder:
        """The folder of the predictions."""
        return self.cell.store.predictions(self.cell.identity.predictions)

    def training(self, split: str) -> list[History]:
        """A split of the cell's corpus; empty where the cell reads none."""
        name = self.cell.identity.corpus
        return list(History.read(self.cell.store.corpus(name).path / f"{split}.jsonl")) if name else []

    def adapt(self, folder: Path) -> dict[str, Any]:
        """Train."""
        config = self.cell.config
        lesson = Lesson(
            model=self.model,
            format=self.format,
            train=self.training("train"),
            validation=self.training("validation"),
            precision=self.precision,
            seed=config["seed"],
            folder=folder,
            sink=MetricsLog(folder / "metrics.jsonl") if rank() == 0 else ignore,
            hardware=self.hardware,
            checkpoint_every=config["checkpoint_every"],
            progress=config["progress"],
            stop=self.stop,
        )
        learnt: dict[str, Any] = self.adapter.learn(lesson)
        return learnt

    def predict(self, folder: Path) -> dict[str, Any]:
        """Choose how to ask, on validation, where there is a choice; then ask about every test history."""
        if isinstance(self.adapter, Infers):
            return self.infer(self.adapter, folder)
        asker, prompts = self.asker(), self.adapter.prompts()
        tried = [self.try_prompt(asker, prompt, folder / "validation") for prompt in prompts] if len(prompts) > 1 else []
        best = max(range(len(tried)), key=lambda index: tried[index]["f1"]) if tried else 0
        asked = {
            name: asker.ask(list(source.histories("test", 0)), prompts[best], folder / name)
            for name, source in self.task.test.items()
        }
        return {
            "prompt": asdict(prompts[best]),
            "chosen_among": tried,
            "tokens": sum(item.tokens for item in asked.values()),
            "seconds_per_history": sum(item.seconds for item in asked.values()) / sum(len(item.made) for item in asked.values()),
        }

    def infer(self, baseline: Infers, folder: Path) -> dict[str, Any]:
        """What a baseline without a model infers about every test history."""
        begun, count = time.perf_counter(), 0
        for name, source in self.task.test.items():
            people = list(source.histories("test", 0))
            made = baseline.infer(self.training("train"), people, self.cell.config["seed"])
            keep_predictions(folder / name, people, made)
            count += len(people)
        seconds = (time.perf_counter() - begun) / max(1, count)
        return {"prompt": None, "chosen_among": [], "tokens": 0, "seconds_per_history": seconds}

    def asker(self) -> Asker:
        """The model to ask: the base, with the cell's adaptation on it where there is one."""
        model = self.adapter.load(self.model, self.weights.path / "weights" if self.weights else None, self.precision)
        config = self.cell.config
        return Asker(
            self.format,
            self.task.batch_tokens,
            model,
            self.model.tokenizer(),
            self.hardware,
            self.training("train"),
            config["seed"],
            config["progress"],
            self.stop,
        )

    def try_prompt(self, asker: Asker, prompt: Prompt, folder: Path) -> dict[str, Any]:
        """One way of asking and its F1 over the validation sets, by gold facts."""
        users: list[UserScore] = []
        for name, source in self.task.validation.items():
            histories = list(source.histories("validation", 0))
            asked = asker.ask(histories, prompt, folder / f"{prompt.shots}-{prompt.decode}" / name)
            users += GoldJudge().users(histories, asked.made)
        hits, predicted, gold = (sum(getattr(user, key) for user in users) for key in ("tp", "predicted", "gold"))
        return {**asdict(prompt), "f1": 2 * hits / max(1, predicted + gold)}

    def score(self) -> None:
        """Judge the predictions of every test set, and write all there is to say of them to `scores.json`.

        Raises:
            Stopped: `stop` said so; verdicts so far are kept.
        """
        meter, training = Meter(), self.training("train")
        judge, enquirer = self.cell.build("judge"), self.cell.recall
        sets = until(self.stop, self.task.test.items())
        found = {name: self.judged(name, source, judge, enquirer, training) for name, source in sets}
        summary = summed(found, families(judge, self.model.name))
        write_json(self.cell.folder.path / "scores.json", {**summary, "cost": meter.read()})

    def judged(self, name: str, source: DataSource, judge: Any, enquirer: Any, training: Sequence[History]) -> "Judged":
        """The scores of one test set, its rows written to the run folder."""
        histories, folder = list(source.histories("test", 0)), self.cell.folder.path
        predictions = self.filtered(name, histories)
        scores = score(kept(judge, folder / "verdicts" / f"{name}.jsonl", self.stop), histories, predictions)
        answers = enquirer.score(histories, predictions, self.stop) if enquirer else None
        keep_rows(folder / "scores" / f"{name}.jsonl", scores.rows)
        if answers and answers.rows:
            keep_rows(folder / "recall" / f"{name}.jsonl", answers.rows)
        return Judged(scores, answers, contamination(training, histories) if training else {})

    def filtered(self, name: str, histories: Sequence[History]) -> list[Prediction]:
        """The predictions of one test set, without the items that the task's filter takes out."""
        found = read_predictions(self.predictions.path / name)
        kept_ones: list[Prediction] = self.task.verify.kept(histories, found) if self.task.verify is not None else found
        return kept_ones


@dataclass(frozen=True)
class Judged:
    """What is said of one test set: by the judge, by questions about the users where there are any, and of its overlap."""

    scores: Scores
    answers: Scores | None
    overlap: dict[str, Any]

    @property
    def metrics(self) -> dict[str, Any]:
        """Of judge and questions together."""
        return {**self.scores.metrics, **(self.answers.metrics if self.answers else {})}

    @property
    def settings(self) -> dict[str, Any]:
        """Of judge and questions together."""
        return {**self.scores.settings, **({"recall": self.answers.settings} if self.answers else {})}


def summed(found: Mapping[str, Judged], warnings: Any) -> dict[str, Any]:
    """The scores of all test sets in the form of `scores.json`; `warnings`: about the judge."""
    settings = {key: value for judged in found.values() for key, value in judged.settings.items()}
    return {
        "metrics": {f"{name}/{key}": value for name, judged in found.items() for key, value in judged.metrics.items()},
        "judge": settings | ({"warnings": warnings} if warnings else {}),
        "unscored": {name: judged.scores.unscored for name, judged in found.items()},
        "contamination": {name: judged.overlap for name, judged in found.items()},
    }


def keep_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write what is said of each user."""
    write_lines(path, (json.dumps(row, sort_keys=True) for row in rows))


def read_predictions(folder: Path) -> list[Prediction]:
    """The predictions in a folder."""
    return list(Prediction.read(folder / "predictions.jsonl"))


def main() -> None:
    """Run the worker; why it ended early, even as asked, is written to `error.<rank>.txt` of the run folder."""
    # Libraries announce their own future to their callers' users.
    warnings.filterwarnings("ignore", category=FutureWarning)
    folder = Path(sys.argv[1])
    note = folder / f"error.{rank()}.txt"
    note.unlink(missing_ok=True)
    try:
        Worker(Cell.load(folder), StopFlag().listen()).run()
    except Exception as error:
        note.write_text(traceback.format_exc(), encoding="utf-8")
        # The cell says what happened, once, whatever the number of ranks.
        sys.exit(AGAIN if isinstance(error, Stopped) else 1)
