"""Asking a loaded model about histories, round by round, and keeping what it infers about them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kithe.evaluation.task import Chained, Format
from kithe.llm.client import Client
from kithe.records.base import write_lines
from kithe.records.chat import ChatExample, ChatRequest, Generation, Prediction
from kithe.records.history import History
from kithe.training.adapters import Prompt
from kithe.training.predict import Answered, predict
from kithe.training.server import from_server
from kithe.training.trainer import Hardware, Ranks


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
        if Ranks.of_this_process().rank == 0:
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
                progress=self.progress and Ranks.of_this_process().rank == 0,
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
