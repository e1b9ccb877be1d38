"""A task of a few bytes: answer with as many vowels as you can; and one process that learns it, for tests that kill it."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kithe.errors import Stopped
from kithe.llm.models import Folder
from kithe.records.chat import ChatExample, ChatRequest, Generation, Message, Prediction
from kithe.records.history import History, Turn
from kithe.training.adapters import FullSFT, Lesson, Lora, Recipe
from kithe.training.grpo.adapter import GRPO
from kithe.training.grpo.settings import Loss, Rollouts, Steps
from kithe.training.trainer import Hardware


@dataclass(frozen=True)
class Echo:
    """Prompts are what somebody said last; targets, for histories with `taught` in their id, are one vowel."""

    max_new_tokens: int = 6
    version: str = "echo"

    def fitted(self, context: int) -> "Echo":
        return self

    def needs(self) -> frozenset[str]:
        return frozenset()

    def examples(self, histories: Iterable[History]) -> list[ChatExample]:
        return [ChatExample(id=own.id, prompt=self._prompt(own), answer="a") for own in histories if "taught" in own.id]

    def requests(self, history: History, shots: Sequence[ChatExample] = ()) -> list[ChatRequest]:
        return [ChatRequest(id=f"{history.id}#0", prompt=self._prompt(history))]

    def prediction(self, history: History, generations: Sequence[Generation]) -> Prediction:
        return Prediction(id=history.id, units=1, raw=(generations[0].text,))

    def schema(self) -> dict[str, Any]:
        return {}

    def _prompt(self, history: History) -> tuple[Message, ...]:
        return (Message(role="user", content=history.turns[-1].text),)


def people(count: int, kind: str = "plain") -> list[History]:
    return [
        History(id=f"{kind}-{number}", source="toy", user="A", turns=(Turn(speaker="A", text=f"say {number}"),))
        for number in range(count)
    ]


def vowels(cases: Sequence[tuple[History, Prediction]]) -> list[float | None]:
    texts = [prediction.raw[0] for _, prediction in cases]
    return [sum(letter in "aeiou" for letter in text) / 6 for text in texts]


def rules(**changes: Any) -> GRPO:
    steps = {"learning_rate": 5e-3, "steps": 6, **changes.pop("steps", {})}
    recipe = Recipe(1e-3, 1, 4, 4, 100)
    return GRPO(
        **{
            "start": Lora(recipe, rank=4, alpha=8) if changes.pop("lora", False) else FullSFT(recipe),
            "steps": Steps(**steps),
            "rewards": {"vowels": vowels},
            "weights": {"vowels": 1.0},
            "cold_start": False,
            "rollouts": Rollouts(8, 2, 1.0, 1.0, 8, 16),
            "loss": Loss(kl=0.01),
            **changes,
        }
    )


def lesson(folder: Path, model: str, sink: Callable[[dict[str, Any]], None], **changes: Any) -> Lesson:
    values: dict[str, Any] = {
        "model": Folder("bytes", model),
        "format": Echo(),
        "train": people(4),
        "validation": people(3, "held-out"),
        "precision": "fp32",
        "seed": 0,
        "folder": folder,
        "sink": sink,
        "hardware": Hardware(),
        "checkpoint_every": 2,
        "progress": False,
        "stop": lambda: False,
    }
    return Lesson(**{**values, **changes})


def main(settings: dict[str, Any]) -> None:
    folder = Path(settings["folder"])
    folder.mkdir(parents=True, exist_ok=True)

    def sink(row: dict[str, Any]) -> None:
        with open(folder / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if row["stage"] == "train" and row["step"] == settings.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)

    seen = iter(range(1, 100))
    try:
        own = rules(lora=settings["lora"], cold_start=True, steps={"epochs": 2, "warmup": 0.5})
        train = [*people(4), *people(4, "taught")]
        own.learn(lesson(folder, settings["model"], sink, train=train, stop=lambda: next(seen) == settings.get("stop")))
    except Stopped:
        sys.exit(85)
