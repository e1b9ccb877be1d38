"""Calls a second of the judging stage, as a share of what a bare asynchronous loop over the same client reaches.

    python -m benchmarks.judging [--items 64] [--repeats 15] [--report-cells 18]

Both ask the same stub (a process of its own that answers every request with the same vote after 50 ms) with 64 calls at once and
the same prompts. The stage does all it does in a cell: it renders prompts, reads votes, looks quotes up, decides, and writes
verdicts to its file. The two take short turns, and the figure is the median of the ratios of neighbouring turns. Then the report
of a finished grid is written again from its files, once with all that importing takes and once more.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import write
from benchmarks.endpoint_client import CONCURRENCY, LATENCY, Answering, compared, processor_time, ratio, timed
from kithe.evaluation.judging.kept import Kept
from kithe.evaluation.judging.model import ModelJudge
from kithe.evaluation.judging.rubric import SCHEMA, prompt
from kithe.evaluation.judging.verdicts import Question, Scored
from kithe.llm.endpoint import Endpoint
from kithe.records.base import write_json, write_lines
from kithe.records.history import History, KnowledgeItem, Turn
from kithe.report.build import build

TURNS = [f"I went hiking in the hills on day {day}, and my two dogs came along." for day in range(12)]
YES = {"relevance": "yes", "relevance_reason": "said", "sensibility": "yes", "sensibility_reason": "lasting"}
VOTE = {"quote": "my two dogs", **YES}
TOKENS = 400


class Voting(Answering):
    """Answers every request with the same vote."""

    BODY = json.dumps(
        {
            "id": "x", "object": "chat.completion", "created": 0, "model": "stub",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps(VOTE)}}],
            "usage": {"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940},
        }
    ).encode()  # fmt: skip
    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


async def serve() -> None:
    """The stub; prints its port and serves until it is killed."""
    server = await asyncio.get_running_loop().create_server(Voting, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def stub() -> Iterator[str]:
    """The address of a running stub."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.judging", "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.kill()
        process.wait()


def question(number: int) -> Question:
    """An item about a history of twelve turns in three sessions."""
    turns = tuple(Turn(speaker="U", text=text, session=1 + place // 4) for place, text in enumerate(TURNS))
    history = History(id=f"h{number}", source="bench", user="U", turns=turns)
    return Question(f"h{number}#0", history, KnowledgeItem(statement=f"I have two dogs and {number} hobbies."))


def bare(url: str, judge: ModelJudge) -> Callable[[int], float]:
    """Seconds that the client of the `openai` package takes for so many of the judge's requests, in 64 tasks and nothing else."""
    import openai

    loop = asyncio.new_event_loop()
    client: Any = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
    shown = [{"role": message.role, "content": message.content} for message in prompt(question(0), judge.rules)]

    async def ask(numbers: Iterator[int]) -> None:
        for _ in numbers:
            said = await client.chat.completions.create(
                model="stub", messages=shown, max_tokens=TOKENS, temperature=0.7, seed=1, response_format=form
            )
            assert said.choices[0].message.content

    async def all_of(count: int) -> None:
        numbers = iter(range(count))
        await asyncio.gather(*(ask(numbers) for _ in range(CONCURRENCY)))

    return lambda count: timed(lambda: loop.run_until_complete(all_of(count)))


def stage(judge: ModelJudge, folder: Path) -> Callable[[int], float]:
    """Seconds that the judging stage takes for so many requests, into a new file each time."""
    numbers = iter(range(10**9))

    def run(count: int) -> None:
        asked = [question(number) for number in range(count // len(judge.variants))]
        verdicts = Kept(judge, folder / f"{next(numbers)}.jsonl").verdicts(asked)
        assert all(isinstance(verdict, Scored) and verdict.correct for verdict in verdicts)

    return lambda count: timed(lambda: run(count))


def grid(store: Path, cells: int) -> list[str]:
    """A finished grid of so many cells with two test sets of 150 and 100 users; returns its runs."""
    draw, names = random.Random(0), []
    for data, adapt, seed in list(product(("real", "spc", "synthetic"), ("lora", "sft"), range(3)))[:cells]:
        name = f"{data}-{adapt}-{seed}"
        folder, metrics = store / "runs" / name, {}
        for test_set, users in (("personachat", 150), ("laps", 100)):
            rows = [{"id": f"{test_set}{user}", "tp": draw.randint(0, 4), "predicted": 6, "gold": 5} for user in range(users)]
            write_lines(folder / "scores" / f"{test_set}.jsonl", map(json.dumps, rows))
            share = sum(int(str(row["tp"])) for row in rows) / (6 * users)
            figure = {"value": share, "low": share - 0.03, "high": share + 0.03, "n": 6 * users}
            metrics |= {f"{test_set}/{key}": figure for key in ("precision", "recall", "f1")}
        cell = {"task": "pki", "data": data, "adapt": adapt, "model": "smollm2-135m", "judge": "gold", "seed": seed}
        write_json(folder / "result.json", {"run_id": name, "cell": cell, "metrics": metrics, "config": {}, "unscored": {}})
        write_json(folder / "state.json", {"state": "done"})
        names.append(name)
    write_json(store / "sweeps" / "grid" / "sweep.json", {"sweep_id": "grid", "runs": names, "tables": ["table1", "table2"]})
    return names


def rereport(cells: int) -> dict[str, float]:
    """Seconds to write the report of a done grid again."""
    with tempfile.TemporaryDirectory() as folder:
        grid(Path(folder), cells)
        first, again = (timed(lambda: build(Path(folder), "grid")) for _ in range(2))
        return {"rereport_s": again, "rereport_first_s": first}


def measure(items: int, repeats: int, cells: int) -> None:
    """All turns, and the file."""
    with stub() as url, tempfile.TemporaryDirectory() as folder:
        client = Endpoint(url, "stub", concurrency=CONCURRENCY, structured="json_schema")
        judge = ModelJudge(client, max_tokens=TOKENS)
        runs = {"bare": bare(url, judge), "judging": stage(judge, Path(folder))}
        begun = time.perf_counter()
        rows = compared(runs, items * len(judge.variants), repeats)
        took = time.perf_counter() - begun
        client.close()
    shares = ratio(rows, "judging")
    summary: dict[str, Any] = {
        "share_of_ceiling": median(shares),
        "share_of_ceiling_low": min(shares),
        "share_of_ceiling_high": max(shares),
        "calls_per_s": median(row["requests_per_s"] for row in rows if row["client"] == "judging"),
        "calls_per_s_bare": median(row["requests_per_s"] for row in rows if row["client"] == "bare"),
        **{f"cpu_ms_per_call, {name}": processor_time(rows, name) for name in runs},
        **rereport(cells),
    }
    settings: dict[str, Any] = {"concurrency": CONCURRENCY, "latency_s": LATENCY, "openai": version("openai"), "seconds": took}
    settings["report_cells"] = cells
    write("judging", "python -m benchmarks.judging", rows, summary, settings=settings)
    print(json.dumps(summary, indent=1))


def main() -> None:
    """Measure and write, or be the stub."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=64, help="judged a turn, each by four calls")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--report-cells", type=int, default=18)
    parser.add_argument("--serve", action="store_true", help="be the stub")
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
    else:
        measure(given.items, given.repeats, given.report_cells)


if __name__ == "__main__":
    main()
