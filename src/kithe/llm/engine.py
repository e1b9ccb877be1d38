"""Calls to one server from an event loop in a thread of its own: how many at once, again after failures, within the budget.

A job is one ask of one `complete` call (its lane). It goes round: pending, under way, and done or, after a pause, pending again.
Nothing here blocks but the ledger's short writes.
"""

import asyncio
import json
import logging
import os
import random
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from kithe.errors import ConfigError
from kithe.llm.budget import Amount, Ledger, Prices, bound, prompt_bound
from kithe.llm.client import Ask, Keep, Reason, Reply, failed
from kithe.llm.pace import Pace, delay
from kithe.llm.wire import MODES, Heard, Structured, Trouble, request, trouble, understood
from kithe.records.chat import Message

Connection = tuple[Callable[..., Awaitable[Any]], Callable[[], Coroutine[Any, Any, None]]]
"""A client's `chat.completions.create`, and what closes the client."""

_LOG = logging.getLogger(__name__)

# No model writes this by chance when it is asked for prose: a server that answers so has enforced the schema.
_SIGN: Final = {"kithe": "zq7"}
_PROBE: Final = Ask(
    "probe",
    (Message(role="user", content="Greet me in one short sentence of plain prose, without JSON."),),
    schema={
        "type": "object",
        "properties": {"kithe": {"type": "string", "enum": ["zq7"]}},
        "required": ["kithe"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True)
class Rules:
    """How a server is called; see `Endpoint` for what the fields mean."""

    name: str
    model: str
    prices: Prices
    most: int
    timeout: float
    deadline: float
    attempts: int
    structured: Structured | None
    limit_key: str
    omit: tuple[str, ...]
    extra: dict[str, Any]
    key_hint: str
    secret: str


class Lane:
    """The replies of one `complete` call on their way to whoever called it."""

    def __init__(self, keep: Keep | None) -> None:
        self.keep = keep
        self.error: Exception | None = None
        self.closed = False
        self.tasks: set[asyncio.Task[None]] = set()
        self._done: deque[Reply | None] = deque()
        self._ready = threading.Event()
        self._waking = False

    @property
    def over(self) -> bool:
        """Whether nothing more may be asked for it."""
        return self.closed or self.error is not None

    def put(self, reply: Reply | None) -> None:
        """A reply, or None for an ask that gets none; in the loop's thread. The caller is woken once a turn of the loop."""
        self._done.append(reply)
        if not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_soon(self._wake)

    def take(self) -> list[Reply | None]:
        """All that is there, waiting for the first; in the caller's thread."""
        while not self._done:
            self._ready.wait()
            self._ready.clear()
        return [self._done.popleft() for _ in range(len(self._done))]

    def _wake(self) -> None:
        self._waking = False
        self._ready.set()


@dataclass(slots=True, eq=False)
class Job:
    """One ask and what became of it so far; `done` is called with the reply."""

    ask: Ask
    lane: Lane
    done: Callable[["Job", Reply], None]
    structured: Structured | None = None
    attempt: int = 0
    began: float = 0.0
    prompt_tokens: int = 0
    new_tokens: int = 0
    cost: float = 0.0
    reserved: Amount = field(default_factory=Amount)


class Engine:
    """The event loop, the client in it, and the jobs.

    Args:
        rules: how the server is called.
        ledger: what may be spent.
        connect: called in the loop's thread.
    """

    def __init__(self, rules: Rules, ledger: Ledger, connect: Callable[[], Connection]) -> None:
        self.process = os.getpid()
        self.structured = rules.structured
        self._rules = rules
        self._ledger = ledger
        self._pace = Pace(rules.most, rules.timeout)
        self._pending: deque[Job] = deque()
        self._parked: list[Job] = []
        self._probing: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._draw = random.Random()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        threading.Thread(target=self._run, args=(connect,), name=f"kithe {rules.name}", daemon=True).start()
        self._started.wait()

    def submit(self, asks: list[Ask], lane: Lane) -> None:
        """Ask; the replies come through the lane."""
        self._loop.call_soon_threadsafe(self._enter, [Job(ask, lane, _deliver) for ask in asks])

    def drop(self, lane: Lane) -> None:
        """Give up what is under way for a lane."""
        lane.closed = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in lane.tasks])

    def stop(self) -> None:
        """End the thread."""
        if not self._loop.is_closed() and self.process == os.getpid():
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, connect: Callable[[], Connection]) -> None:
        asyncio.set_event_loop(self._loop)
        self._create, close = connect()
        self._loop.call_soon(self._started.set)
        try:
            self._loop.run_forever()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(close())
        finally:
            self._loop.close()

    def _enter(self, jobs: list[Job]) -> None:
        self._pending.extend(jobs)
        self._pump()

    def _again(self, job: Job) -> None:
        self._pending.appendleft(job)
        self._pump()

    def _pump(self) -> None:
        """Start what may start."""
        try:
            while self._pending and self._pace.free(self._loop.time()) and self._start(self._pending[0]):
                self._pending.popleft()
        except Exception as error:  # a ledger that cannot be written: whoever waits must hear of it
            for job in self._pending:
                _lose(job, error)
            self._pending.clear()
        if self._pending and self._alarm is None and self._pace.held_until > self._loop.time():
            self._alarm = self._loop.call_at(self._pace.held_until, self._rouse)

    def _rouse(self) -> None:
        self._alarm = None
        self._pump()

    def _start(self, job: Job) -> bool:
        """Take the first pending job on its way; False if it must wait."""
        if job.lane.over:
            job.lane.put(None)
            return True
        if job.ask.schema is not None and job.structured is None:
            if self.structured is None:
                self._park(job)
                return True
            job.structured = self.structured
        if job.began and self._loop.time() >= job.began + self._rules.deadline:
            self._fail(job, "timeout", "no time left for another attempt")
            return True
        job.reserved = bound(job.ask, self._rules.prices)
        if not self._ledger.reserve(job.reserved):
            if self._pace.active:
                return False  # what is under way may come out cheaper than was reserved for it
            self._fail(job, "budget", "the budget is spent")
            return True
        job.began = job.began or self._loop.time()
        task = self._loop.create_task(self._attempt(job, self._pace.start()))
        job.lane.tasks.add(task)
        task.add_done_callback(lambda task: self._ended(job, task))
        return True

    def _ended(self, job: Job, task: "asyncio.Task[None]") -> None:
        job.lane.tasks.discard(task)
        self._pace.end()
        if task.cancelled() or task.exception() is not None:
            _lose(job, None if task.cancelled() else task.exception())
        self._pump()

    async def _attempt(self, job: Job, era: int) -> None:
        rules, started = self._rules, self._loop.time()
        left = max(0.001, min(rules.timeout, job.began + rules.deadline - started))
        body = request(job.ask, rules.model, job.structured or "prompt", rules.limit_key, rules.omit)
        try:
            async with asyncio.timeout(left):
                completion = await self._create(**body, extra_body=rules.extra or None)
        except asyncio.CancelledError:
            raise  # its reservation stays spent: the server may have done the work
        except Exception as error:
            self._troubled(job, era, trouble(error, rules.model, rules.key_hint))
        else:
            self._heard(job, era, started, understood(completion))

    def _heard(self, job: Job, era: int, started: float, heard: Heard) -> None:
        prompt, new = heard.prompt_tokens, heard.new_tokens
        if prompt is None or new is None:  # a server that does not count is charged the upper bound
            prompt, new = prompt_bound(job.ask), min(job.ask.max_tokens, len(heard.text.encode()))
        cost = self._rules.prices.cost(prompt, new)
        self._ledger.settle(job.reserved, Amount(1, prompt + new, cost))
        job.prompt_tokens, job.new_tokens, job.cost = job.prompt_tokens + prompt, job.new_tokens + new, job.cost + cost
        self._pace.answered(era, self._loop.time() - started)
        text = self._clean(heard.text)
        if heard.reason == "garbage":
            self._retry(job, Trouble("garbage", heard.message, retry=True), text)
        elif heard.reason is not None:
            self._fail(job, heard.reason, heard.message, text, heard.model)
        else:
            job.done(job, Reply(job.ask.id, text, heard.finish, model=heard.model, **self._figures(job)))

    def _troubled(self, job: Job, era: int, found: Trouble) -> None:
        self._ledger.settle(job.reserved, job.reserved if found.paid else Amount(calls=1))
        if found.busy:
            self._pace.busy(era, self._loop.time() + (found.after or 0.0))
        elif found.reason == "timeout":
            self._pace.late(era)
        if found.fatal:
            _lose(job, ConfigError(f"{self._rules.name}: {self._clean(found.message)}"))
        elif found.about_format and job.done is _deliver and job.structured not in (None, "prompt"):
            job.structured = MODES[MODES.index(job.structured) + 1]
            self._loop.call_soon(self._again, job)
        else:
            self._retry(job, found, "")

    def _retry(self, job: Job, found: Trouble, text: str) -> None:
        pause = delay(job.attempt, found.after, self._draw)
        job.attempt += 1
        if found.retry and job.attempt < self._rules.attempts and self._loop.time() + pause < job.began + self._rules.deadline:
            self._loop.call_later(pause, self._again, job)
        else:
            tried = f" (attempt {job.attempt} of {self._rules.attempts})" if found.retry else ""
            self._fail(job, found.reason, found.message + tried, text)

    def _fail(self, job: Job, reason: Reason, message: str, text: str = "", model: str = "") -> None:
        job.done(job, failed(job.ask, reason, self._clean(message), text=text, model=model, **self._figures(job)))

    def _figures(self, job: Job) -> dict[str, Any]:
        seconds = round(self._loop.time() - job.began, 4) if job.began else 0.0
        return {"prompt_tokens": job.prompt_tokens, "new_tokens": job.new_tokens, "cost": job.cost, "seconds": seconds}

    def _clean(self, text: str) -> str:
        """Without the key, should a server repeat it."""
        return text.replace(self._rules.secret, "[key]") if self._rules.secret else text

    def _park(self, job: Job) -> None:
        """Keep a job until it is known how the server takes schemas."""
        self._parked.append(job)
        if self._probing is None:
            self._probing = self._loop.create_task(self._probe())

    async def _probe(self) -> None:
        """Find the strictest way to ask for JSON that the server takes and keeps to; one or two short calls, once."""
        problem: Reply | ConfigError | None = None
        for mode in ("json_schema", "json_object"):
            answer = await self._inside(_PROBE, mode)
            if isinstance(answer, ConfigError) or (answer.failure and answer.failure.reason != "invalid"):
                problem = answer
                break
            if answer.ok and _enforced(mode, answer.text):
                self.structured = mode
                break
        else:
            self.structured = "prompt"
        if self.structured:
            _LOG.info("%s: JSON is asked for by %s", self._rules.name, self.structured)
        self._probing = None
        self._unpark(problem)

    def _unpark(self, problem: Reply | Exception | None) -> None:
        parked, self._parked = self._parked, []
        for job in parked:
            if isinstance(problem, Reply) and problem.failure:
                self._fail(job, problem.failure.reason, problem.failure.message)
            elif isinstance(problem, Exception):
                _lose(job, problem)
            else:
                self._pending.append(job)
        self._pump()

    async def _inside(self, ask: Ask, structured: Structured) -> Reply | ConfigError:
        """The reply to a call of the engine's own."""
        lane, future = Lane(None), self._loop.create_future()
        self._again(Job(ask, lane, lambda job, reply: future.set_result(reply), structured))
        while not future.done() and lane.error is None:
            await asyncio.sleep(0.01)
        return ConfigError(str(lane.error)) if lane.error else future.result()


def _deliver(job: Job, reply: Reply) -> None:
    try:
        if job.lane.keep is not None:
            job.lane.keep(job.ask, reply)
    except Exception as error:
        job.lane.error = error
    job.lane.put(reply)


def _lose(job: Job, error: BaseException | None) -> None:
    """An ask that gets no reply; `error` is raised to whoever asked."""
    if isinstance(error, Exception) and job.lane.error is None:
        job.lane.error = error
    job.lane.put(None)


def _enforced(structured: Structured, text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return value == _SIGN if structured == "json_schema" else isinstance(value, dict)
