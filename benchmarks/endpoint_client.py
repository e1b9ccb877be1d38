"""Requests a second of the endpoint client, as a share of what the bare asynchronous client reaches.

    python -m benchmarks.endpoint_client [--requests 256] [--repeats 25] [--peer PYTHON]

Both ask the same stub (a process of its own that answers every request after 50 ms) with 64 calls at once; they take short turns,
and the figure is the median of the ratios of neighbouring turns, so that what else the machine does hits both. Processor time a
request is given too: it decides the speed wherever the server is fast enough, and a busy machine hardly changes it.

`--peer` is a Python with distilabel[openai] and requests, which it imports and does not name (not among our dependencies);
it is measured as its users run it,
in a pipeline, and also its client class alone, on batches of 64. Its pipeline's start-up is taken out by the difference of two
sizes.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import write
from kithe.llm.cache import Cached
from kithe.llm.client import Ask, Client
from kithe.llm.endpoint import Endpoint
from kithe.records.chat import Message

CONCURRENCY = 64
LATENCY = 0.05
TEXT = "Write one sentence about a person who has a dog and likes to ski in the Alps."
PEER = Path(__file__).with_name("endpoint_client_peer.py")


class Answering(asyncio.Protocol):
    """Answers every request on a connection after the latency."""

    BODY = json.dumps(
        {
            "id": "x", "object": "chat.completion", "created": 0, "model": "stub",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Ada skis. " * 20}}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 60, "total_tokens": 80},
        }
    ).encode()  # fmt: skip
    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A new connection."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        """Part of a request, or more than one."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            asyncio.get_running_loop().call_later(LATENCY, self.transport.write, self.ANSWER)


async def serve() -> None:
    """The stub; prints its port and serves until it is killed."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def stub() -> Iterator[str]:
    """The address of a running stub."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.endpoint_client", "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.kill()
        process.wait()


def bare(url: str) -> Callable[[int], float]:
    """Seconds that the client of the `openai` package takes for so many requests, in a loop of 64 tasks and nothing else."""
    import openai

    loop = asyncio.new_event_loop()
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)

    async def ask(numbers: Iterator[int]) -> None:
        for _ in numbers:
            said = await client.chat.completions.create(
                model="stub", messages=[{"role": "user", "content": TEXT}], max_tokens=64, temperature=0.0
            )
            assert said.choices[0].message.content

    async def all_of(count: int) -> None:
        numbers = iter(range(count))
        await asyncio.gather(*(ask(numbers) for _ in range(CONCURRENCY)))

    return lambda count: timed(lambda: loop.run_until_complete(all_of(count)))


def ours(client: Client, salt: str = "") -> Callable[[int], float]:
    """Seconds that one of our clients takes; `salt` makes every ask new to a cache."""
    numbers = iter(range(10**9))

    def run(count: int) -> None:
        asks = (
            Ask(str(n), (Message(role="user", content=TEXT + (f"{salt}{n}" if salt else "")),), max_tokens=64) for n in numbers
        )
        assert sum(reply.ok for reply in client.complete(islice(asks, count))) == count

    return lambda count: timed(lambda: run(count))


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compared(runs: dict[str, Callable[[int], float]], requests: int, repeats: int) -> list[dict[str, Any]]:
    """Everybody's turn, as often as asked for, in alternating order, after a warm-up."""
    rows = []
    for repeat in range(-1, repeats):
        for name in list(runs)[:: 1 if repeat % 2 else -1]:
            processor = time.process_time()
            seconds = runs[name](requests)
            processor = time.process_time() - processor
            if repeat >= 0:
                figures = {"requests_per_s": requests / seconds, "cpu_ms_per_request": 1000 * processor / requests}
                rows.append({"client": name, "repeat": repeat, "requests": requests, **figures})
    return rows


def ratio(rows: list[dict[str, Any]], name: str, other: str = "bare") -> list[float]:
    """Requests a second of one by those of another, repeat by repeat."""
    speed = {(row["client"], row["repeat"]): row["requests_per_s"] for row in rows}
    return [speed[name, repeat] / speed[other, repeat] for repeat in sorted({row["repeat"] for row in rows})]


def processor_time(rows: list[dict[str, Any]], name: str) -> float:
    """Median milliseconds of processor time a request."""
    return median(row["cpu_ms_per_request"] for row in rows if row["client"] == name)


def peer(python: str, url: str, requests: int, endpoint: Callable[[int], float], repeats: int) -> list[dict[str, Any]]:
    """distilabel on the same stub, each time beside our endpoint."""
    rows = []
    for repeat in range(repeats):
        done = subprocess.run(
            [python, str(PEER), url, str(requests), str(CONCURRENCY)], capture_output=True, text=True, timeout=900, check=False
        )
        if done.returncode:
            return [{"client": "distilabel", "error": done.stderr.strip().splitlines()[-1:]}]
        rows.append({"client": "endpoint beside it", "repeat": repeat, "requests_per_s": requests / endpoint(requests)})
        rows += [{**row, "repeat": repeat} for row in json.loads(done.stdout.splitlines()[-1])]
    return rows


def measure(requests: int, repeats: int, python: str | None) -> None:
    """All turns, and the file."""
    with stub() as url, tempfile.TemporaryDirectory() as folder:
        client = Endpoint(url, "stub", concurrency=CONCURRENCY)
        cached = Cached(client, f"{folder}/cache.sqlite")
        runs = {"bare": bare(url), "endpoint": ours(client), "endpoint with cache": ours(cached, "n")}
        rows = compared(runs, requests, repeats)
        peers = (
            peer(python, url, 4 * requests, runs["endpoint"], 3)
            if python
            else [{"client": "distilabel", "error": "not asked for"}]
        )
        client.close()
    shares = ratio(rows, "endpoint")
    summary: dict[str, Any] = {
        "share_of_ceiling": median(shares),
        "share_of_ceiling_low": min(shares),
        "share_of_ceiling_high": max(shares),
        "share_of_ceiling_with_cache": median(ratio(rows, "endpoint with cache")),
        "requests_per_s": median(row["requests_per_s"] for row in rows if row["client"] == "endpoint"),
        "requests_per_s_bare": median(row["requests_per_s"] for row in rows if row["client"] == "bare"),
    }
    summary |= {f"cpu_ms_per_request, {name}": processor_time(rows, name) for name in runs}
    for name, figure in (("distilabel pipeline", "times_distilabel"), ("distilabel client alone", "times_distilabel_client")):
        if any(row["client"] == name for row in peers):
            summary[figure] = median(1 / share for share in ratio(peers, name, "endpoint beside it"))
    settings = {"concurrency": CONCURRENCY, "latency_s": LATENCY, "openai": version("openai")}
    write("endpoint_client", "python -m benchmarks.endpoint_client", [*rows, *peers], summary, settings=settings)
    print(json.dumps(summary, indent=1))


def main() -> None:
    """Measure and write, or be the stub."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--peer", default=None, help="a Python that has distilabel")
    parser.add_argument("--serve", action="store_true", help="be the stub")
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
    else:
        measure(given.requests, given.repeats, given.peer)


if __name__ == "__main__":
    main()
