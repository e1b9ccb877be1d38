"""A chat server on loopback that misbehaves on demand."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Say:
    """One answer: `hang` never ends, `cut` sends so many bytes of it and closes the line."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    hang: bool = False
    cut: int | None = None


def completion(text: str | None, finish: str = "stop", tokens: tuple[int, int] | None = (7, 3), **message: Any) -> Say:
    """A proper answer."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    body: dict[str, Any] = {"id": "x", "object": "chat.completion", "created": 0, "model": "stub-1", "choices": [choice]}
    if tokens:
        body["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return Say(json.dumps(body).encode())


def error(status: int, message: str, code: str = "", **headers: str) -> Say:
    """An error as such servers say it."""
    body = {"error": {"message": message, "type": code, "code": code}}
    return Say(json.dumps(body).encode(), status, {name.replace("_", "-"): value for name, value in headers.items()})


Behaviour = Callable[[dict[str, Any], int], Say]


@dataclass
class Stub:
    """The running server: what it was asked, and how many calls were under way at once at most."""

    behave: Behaviour
    port: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    active: int = 0
    most: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.bodies.append(body)
        self.headers.append(headers)
        say = self.behave(body, len(self.bodies) - 1)
        self.active += 1
        self.most = max(self.most, self.active)
        try:
            await asyncio.sleep(3600 if say.hang else say.seconds)
        finally:
            self.active -= 1
        lines = {"Content-Type": "application/json", "Content-Length": str(len(say.body)), **say.headers}
        writer.write(f"HTTP/1.1 {say.status} Said\r\n".encode() + b"".join(f"{k}: {v}\r\n".encode() for k, v in lines.items()))
        writer.write(b"\r\n" + say.body[: say.cut])
        await writer.drain()
        return say.cut is None


@contextmanager
def running(behave: Behaviour) -> Iterator[Stub]:
    """The server, in a thread."""
    stub, loop, ready = Stub(behave), asyncio.new_event_loop(), threading.Event()

    async def start() -> asyncio.Server:
        server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
        stub.port = server.sockets[0].getsockname()[1]
        return server

    def run() -> None:
        server = loop.run_until_complete(start())
        loop.call_soon(ready.set)
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
