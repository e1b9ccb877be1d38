"""One process of a training run, for tests that need real processes: `python job.py <settings as JSON>`."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tiny import examples

from kithe.errors import Stopped
from kithe.launch.signals import StopFlag
from kithe.llm.models import Folder
from kithe.records.chat import ChatExample
from kithe.training.adapters import FullSFT, Lora, Recipe
from kithe.training.fit import fit
from kithe.training.trainer import Hardware


def main(settings: dict[str, Any], ranks: dict[str, str] | None = None) -> None:
    """The settings say what to learn, and at which step to `stop`, get SIGTERM (`term`) or `die`; rank 1 may `die_1` or `hang_1`.

    Args:
        ranks: what torchrun would say, where it is not there.
    """
    os.environ.update(ranks or {})
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

    steps, flag = iter(range(1, 100)), StopFlag().listen()

    def stop() -> bool:
        """Asked after every step, by every rank."""
        step = next(steps)
        if step == settings.get("term"):
            os.kill(os.getpid(), signal.SIGTERM)
        if os.environ.get("RANK") == "1" and step == settings.get("die_1"):
            os.kill(os.getpid(), signal.SIGKILL)
        while os.environ.get("RANK") == "1" and step == settings.get("hang_1"):
            signal.pause()
        return flag() or step == settings.get("stop")

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
            hardware=Hardware(
                strategy=settings.get("strategy", "single"),
                offload=settings.get("offload", False),
                timeout_s=settings.get("timeout_s", 300),
            ),
            checkpoint_every=2,
            stop=stop,
        )
    except Stopped:
        sys.exit(85)
    except Exception as error:
        (folder / "error.txt").write_text(str(error), encoding="utf-8")
        raise


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
