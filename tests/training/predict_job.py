"""One process of a prediction, for tests that need real processes: `python predict_job.py <settings as JSON>`."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from kithe.llm.models import Folder
from kithe.records.chat import ChatRequest, Message
from kithe.training import predict as module
from kithe.training.predict import Answered, predict
from kithe.training.trainer import Hardware


def requests(count: int = 23) -> list[ChatRequest]:
    """Prompts with a common beginning and different lengths."""
    system = Message(role="system", content="What do they like?")
    said = ["I like cats. " * (1 + number % 5) + str(number) for number in range(count)]
    return [ChatRequest(id=f"h{n}#0", prompt=(system, Message(role="user", content=text))) for n, text in enumerate(said)]


def die_after(batches: int, torn: bool) -> None:
    """Kill this process once so many batches are written, half way through writing the next one if `torn`."""
    append, written = module.append, [0]

    def appending(path: Path, lines: list[str]) -> None:
        written[0] += path.name.startswith("generations")
        if torn and written[0] > batches:
            with open(path, "ab") as file:
                file.write("\n".join(lines).encode()[: len(lines[0]) + len(lines[1]) // 2])
                file.flush()
        elif written[0] <= batches:
            append(path, lines)
        if written[0] >= batches + torn:
            os.kill(os.getpid(), signal.SIGKILL)

    module.append = appending


def main(settings: dict[str, Any]) -> Answered:
    if "die" in settings:
        die_after(settings["die"], settings.get("torn", False))
    spec = Folder("bytes", settings["model"])
    answered = predict(
        spec.load("fp32"),
        spec.tokenizer(),
        requests(),
        folder=Path(settings["folder"]),
        max_new_tokens=12,
        batch_tokens=500,
        hardware=Hardware(strategy=settings.get("strategy", "single")),
        progress=settings.get("progress", False),
    )
    if "result" in settings:
        file = Path(f"{settings['result']}.{os.environ.get('RANK', '0')}")
        file.write_text("\n".join(generation.line() for generation in answered.generations))
    return answered


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
