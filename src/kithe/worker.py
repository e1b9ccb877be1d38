"""The stages of a cell that need a model: adapt, predict, score. `python -m kithe.worker <run folder>`, alone or under torchrun.

Every rank runs the same stages; files are written by rank 0, or by each rank under its own name. A stage whose folder is done
is not run again, so a killed worker started anew goes on where it stopped.
"""

import json
import os
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kithe.cell import Cell
from kithe.corpora.contamination import report as contamination
from kithe.errors import Stopped
from kithe.evaluation.judges import GoldJudge, Scores
from kithe.evaluation.judging.audit import families
from kithe.evaluation.judging.kept import kept
from kithe.evaluation.scores import UserScore
from kithe.evaluation.task import Chained, Format
from kithe.launch.processes import end_with_parent
from kithe.launch.signals import AGAIN, StopFlag
from kithe.llm.client import Client
from kithe.metrics import MetricsLog
from kithe.records.base import write_json, write_lines
from kithe.records.chat import ChatExample, ChatRequest, Generation, Prediction
from kithe.records.history import History
from kithe.store import Folder
from kithe.training.adapters import Lesson, Prompt
from kithe.training.baselines import Infers
from kithe.training.predict import Answered, predict
from kithe.training.score import score
from kithe.training.server import from_server
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
            self.stage(self.weights, self.adapt)
        self.stage(self.predictions, self.predict)
        if rank() == 0:
            self.score()

    def stage(self, folder: Folder, work: Any) -> None:
        """Run a stage in its folder unless it is done; rank 0 keeps its state."""
        if folder.read("state.json").get("state") == "done":
            return
        folder.path.mkdir(parents=True, exist_ok=True)
        meter = Meter()
        report = work(folder.path)
        if rank() == 0:
            write_json(folder.path / "report.json", {**meter.read(), **report})
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

    def asker(self) -> "Asker":
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

    def try_prompt(self, asker: "Asker", prompt: Prompt, folder: Path) -> dict[str, Any]:
        """One way of asking and its F1 over the validation sets, by gold facts."""
        users: list[UserScore] = []
        for name, source in self.task.validation.items():
            histories = list(source.histories("validation", 0))
            asked = asker.ask(histories, prompt, folder / f"{prompt.shots}-{prompt.decode}" / name)
            users += GoldJudge().users(histories, asked.made)
        hits, predicted, gold = (sum(getattr(user, key) for user in users) for key in ("tp", "predicted", "gold"))
        return {**asdict(prompt), "f1": 2 * hits / max(1, predicted + gold)}

    def score(self) -> None:
        """Judge the predictions of every test set."""
        meter = Meter()
        judge, enquirer, folder = self.cell.build("judge"), self.cell.recall, self.cell.folder.path
        found: dict[str, tuple[Scores, dict[str, Any]]] = {}
        metrics: dict[str, Any] = {}
        settings: dict[str, Any] = {}
        training = self.training("train")
        for name, source in self.task.test.items():
            histories = list(source.histories("test", 0))
            predictions = read_predictions(self.predictions.path / name)
            if self.task.verify is not None:
                predictions = self.task.verify.kept(histories, predictions)
            scores = score(kept(judge, folder / "verdicts" / f"{name}.jsonl"), histories, predictions)
            answers = enquirer.score(histories, predictions) if enquirer else Scores({})
            for kind, rows in (("scores", scores.rows), ("recall", answers.rows)):
                if rows or kind == "scores":
                    write_lines(folder / kind / f"{name}.jsonl", (json.dumps(row, sort_keys=True) for row in rows))
            metrics |= {f"{name}/{key}": value for key, value in (scores.metrics | answers.metrics).items()}
            settings |= {"recall": answers.settings} if enquirer else {}
            settings |= {"warnings": alike} if (alike := families(judge, self.model.name)) else {}
            found[name] = (scores, contamination(training, histories) if training else {})
        write_json(
            folder / "scores.json",
            {
                "metrics": metrics,
                "judge": {key: value for scores, _ in found.values() for key, value in scores.settings.items()} | settings,
                "unscored": {name: scores.unscored for name, (scores, _) in found.items()},
                "contamination": {name: overlap for name, (_, overlap) in found.items()},
                "cost": meter.read(),
            },
        )


@dataclass
class Asker:
    """A loaded model that is asked about histories, in one way or another."""

    format: Format
    batch_tokens: int
    model: Any
    tokenizer: Any
    hardware: Hardware
    training: Sequence[History]
    seed: int
    progress: bool
    stop: Callable[[], bool]

    def shots(self, count: int) -> list[ChatExample]:
        """So many worked examples from the training corpus, two in three with an answer that is not empty."""
        pool = self.format.examples(self.training) if count else []
        random.Random(f"{self.seed}/shots").shuffle(pool)
        full, empty = [item for item in pool if not item.empty], [item for item in pool if item.empty]
        wanted = min(len(empty), count // 3)
        return [*full[: count - wanted], *empty[:wanted]]

    def ask(self, people: Sequence[History], prompt: Prompt, folder: Path) -> "Asked":
        """Predictions about these histories, on every rank; rank 0 writes them to the folder."""
        shots = self.shots(prompt.shots)
        requests = [self.format.requests(person, shots) for person in people]
        answers: list[list[Generation]] = [[] for _ in people]
        seconds, tokens, number = 0.0, 0, 0
        while any(requests):
            answered = self.answer(requests, prompt, folder / f"round{number}" if number else folder)
            texts = {item.id: item for item in answered.generations}
            for known, some in zip(answers, requests, strict=True):
                known += [texts[request.id] for request in some]
            seconds, tokens, number = seconds + answered.seconds, tokens + answered.tokens, number + 1
            requests = self.further(people, requests, answers)
        made = [self.format.prediction(one, known) for one, known in zip(people, answers, strict=True)]
        if rank() == 0:
            keep_predictions(folder, people, made)
        return Asked(made, seconds, tokens)

    def further(
        self, people: Sequence[History], asked: Sequence[Sequence[ChatRequest]], answers: Sequence[Sequence[Generation]]
    ) -> list[list[ChatRequest]]:
        """What a format that asks in several rounds asks next about each history that it asked about in the last round."""
        if not isinstance(self.format, Chained):
            return []
        chained = self.format
        return [chained.follow_up(one, known) if some else [] for one, some, known in zip(people, asked, answers, strict=True)]

    def answer(self, requests: Sequence[Sequence[ChatRequest]], prompt: Prompt, folder: Path) -> Answered:
        """The model's answers to one round of requests."""
        if isinstance(self.model, Client):
            return from_server(
                self.model,
                [request for some in requests for request in some],
                schema=self.format.schema() if prompt.decode == "schema" else None,
                max_new_tokens=self.format.max_new_tokens,
                folder=folder,
                progress=self.progress and rank() == 0,
                stop=self.stop,
            )
        return predict(
            self.model,
            self.tokenizer,
            [request for some in requests for request in some],
            decode=prompt.decode,
            schema=self.format.schema(),
            max_new_tokens=self.format.max_new_tokens,
            batch_tokens=self.batch_tokens,
            folder=folder,
            hardware=self.hardware,
            progress=self.progress,
            stop=self.stop,
        )


@dataclass(frozen=True)
class Asked:
    """Predictions, one per history, with the seconds and tokens they took."""

    made: list[Prediction]
    seconds: float
    tokens: int


def keep_predictions(folder: Path, people: Sequence[History], made: Sequence[Prediction]) -> None:
    """Write histories and what was inferred about them."""
    write_lines(folder / "histories.jsonl", (person.line() for person in people))
    write_lines(folder / "predictions.jsonl", (item.line() for item in made))


def read_predictions(folder: Path) -> list[Prediction]:
    """The predictions in a folder."""
    return list(Prediction.read(folder / "predictions.jsonl"))


def main() -> None:
    """Run the worker; what goes wrong is written to `error.<rank>.txt` of the run folder."""
    end_with_parent()
    # Libraries announce their own future to their callers' users.
    warnings.filterwarnings("ignore", category=FutureWarning)
    folder = Path(sys.argv[1])
    note = folder / f"error.{rank()}.txt"
    note.unlink(missing_ok=True)
    try:
        Worker(Cell.load(folder), StopFlag().listen()).run()
    except Stopped:
        sys.exit(AGAIN)
    except Exception:
        note.write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(1)  # the cell says what happened, once, whatever the number of ranks


if __name__ == "__main__":
    main()
