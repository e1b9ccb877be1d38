"""Prediction by a model behind a server: answers are appended as they come, and none is asked for twice."""

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from kithe.errors import ConfigError, Stopped
from kithe.identity import digest
from kithe.llm.client import PASSING, Ask, Client, Reply
from kithe.records.appended import append, cut, whole_lines
from kithe.records.chat import ChatRequest, Generation
from kithe.training.predict import Answered, same_prompts
from kithe.training.shown import shown

ANSWERS = "generations.rank0.jsonl"
SECONDS = "seconds.rank0.jsonl"


def from_server(
    client: Client,
    requests: Sequence[ChatRequest],
    *,
    folder: Path,
    schema: dict[str, Any] | None = None,
    max_new_tokens: int = 128,
    progress: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Answered:
    """Answer requests; repeating the call in the same folder asks for what misses.

    An answer that is refused, or that is too long for the model, is an empty text, which no format can read. Seconds are those
    that passed from each answer to the next, not the sum over calls under way together.

    Args:
        client: who answers.
        requests: with different ids.
        folder: for the answers and the seconds.
        schema: what an answer should fit; None for free text.
        max_new_tokens: of an answer.
        progress: show how far it is.
        stop: asked after every answer.

    Raises:
        Stopped: see `stop`; the answers so far are on the disk.
        ConfigError: some got no answer, in a way that may pass, or the folder holds answers to other prompts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asked = {request.id: digest([message.model_dump() for message in request.prompt]) for request in requests}
    for name in (ANSWERS, SECONDS):
        cut(folder / name)
    done = same_prompts(folder, _read(folder), asked)
    missing = [request for request in requests if request.id not in done]
    silent: Counter[str] = Counter()
    before = time.perf_counter()
    bar = shown("predict", "request", len(requests), len(requests) - len(missing)) if progress and missing else None
    try:
        with closing(_replies(client, missing, schema, max_new_tokens)) as said:
            for reply in said:
                now = time.perf_counter()
                append(folder / SECONDS, [json.dumps({"seconds": now - before})])
                before = now
                if bar is not None:
                    bar.update()
                if reply.failure is not None and reply.failure.reason in PASSING:
                    silent[reply.failure.reason] += 1
                    continue
                append(folder / ANSWERS, [_generation(reply, asked[reply.id]).line()])
                if stop():
                    raise Stopped("stopped after an answer; the same command goes on from there")
    finally:
        if bar is not None:
            bar.close()
    if silent:
        reasons = ", ".join(f"{count} {reason}" for reason, count in silent.most_common())
        raise ConfigError(
            f"{sum(silent.values())} of {len(requests)} requests got no answer ({reasons}); the others are kept. "
            "Repeat the command to ask for these alone"
        )
    return _assembled(folder, requests, asked)


def _replies(
    client: Client, requests: Iterable[ChatRequest], schema: dict[str, Any] | None, most: int
) -> Generator[Reply, None, None]:
    yield from client.complete(Ask(request.id, request.prompt, schema=schema, max_tokens=most) for request in requests)


def _generation(reply: Reply, asked: str) -> Generation:
    return Generation(
        id=reply.id,
        text=reply.text if reply.ok else "",
        finish="length" if reply.finish == "length" else "stop",
        prompt_tokens=reply.prompt_tokens,
        new_tokens=reply.new_tokens,
        asked=asked,
    )


def _read(folder: Path) -> list[Generation]:
    return [Generation.model_validate_json(line) for line in whole_lines(folder / ANSWERS)]


def _assembled(folder: Path, requests: Sequence[ChatRequest], asked: Mapping[str, str]) -> Answered:
    found = same_prompts(folder, _read(folder), asked)
    generations = [found[request.id] for request in requests]
    seconds = sum(json.loads(line)["seconds"] for line in whole_lines(folder / SECONDS))
    return Answered(generations, seconds, sum(item.prompt_tokens + item.new_tokens for item in generations))
