"""One process of a training run, for tests that need real processes: `python job.py <settings as JSON>`."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pytorch_lightning.strategies import Strategy
from tiny import examples

from kithe.errors import Stopped
from kithe.llm.models import Folder
from kithe.records.chat import ChatExample
from kithe.training.adapters import FullSFT, Lora, Recipe
from kithe.training.fit import fit
from kithe.training.trainer import Hardware


def strategy(name: str) -> str | Strategy:
    if not name.startswith("zero"):
        return name
    from cpu_deepspeed import CPUDeepSpeedStrategy

    return CPUDeepSpeedStrategy(stage=int(name[-1]), zero_allow_untested_optimizer=True)


def main(settings: dict[str, Any]) -> None:
    recipe = Recipe(learning_rate=1e-2, epochs=2, effective_batch=8, micro_batch=settings["micro_batch"], max_length=200)
    adapter = {"lora": Lora(recipe, rank=4, alpha=8, dropout=settings.get("dropout", 0.0)), "sft": FullSFT(recipe)}[
        settings["adapt"]
    ]
    folder = Path(settings["folder"])
    folder.mkdir(parents=True, exist_ok=True)

    def sink(row: dict[str, Any]) -> None:
        with open(folder / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if row["stage"] == "train" and row["step"] == settings.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)

    steps = iter(range(1, 100))
    rows: list[ChatExample] = examples(21)
    try:
        fit(
            adapter,
            Folder("bytes", settings["model"]),
            rows,
            rows[:5],
            precision=settings.get("precision", "fp32"),
            seed=settings.get("seed", 0),
            folder=folder,
            sink=sink,
            hardware=Hardware(strategy=strategy(settings.get("strategy", "single"))),
            checkpoint_every=2,
            stop=lambda: next(steps) == settings.get("stop"),
        )
    except Stopped:
        sys.exit(85)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
