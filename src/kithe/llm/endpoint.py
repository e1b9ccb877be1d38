"""Any OpenAI-compatible server (vLLM, llama.cpp, Ollama, hosted) as a client.

The key is read from the environment variable that the config names, when the first ask is made; it is in no object's
representation, message, log or file.
"""

import logging
import os
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from kithe.errors import ConfigError
from kithe.identity import digest
from kithe.llm.budget import Amount, Budget, Ledger, Prices
from kithe.llm.client import Ask, Keep, Reply
from kithe.llm.engine import Connection, Engine, Lane, Rules

_AHEAD: Final = 2  # asks taken from the iterable for each call that may be under way
_OWN: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NO_KEY: Final = "none"  # servers without keys ignore it; the client insists on one


class _State:
    """What an endpoint has running."""

    def __init__(self, budget: Budget) -> None:
        self.lock = threading.Lock()
        self.ledger = Ledger(budget)
        self.engine: Engine | None = None


@dataclass(frozen=True, eq=False)
class Endpoint:
    """A model behind an OpenAI-compatible HTTP interface.

    Attributes:
        base_url: up to and with `/v1`; without user, password or query, because it is written into configs and cards.
        model: as the server knows it.
        key_env: the NAME of the environment variable that holds the key; None: the server wants none.
        prices: for `Reply.cost` and the budget.
        budget: see `Budget`; when it is spent, what is left to ask comes back as `budget` failures.
        concurrency: the most calls at once; how many there are adapts to the server.
        timeout: seconds one attempt may take.
        deadline: seconds an ask may take from its first attempt, pauses and further attempts included.
        attempts: the most for one ask.
        structured: how JSON is asked for; `auto` finds out with one or two short calls before the first ask with a schema.
        limit_key: the name under which the server wants the longest answer (some want `max_completion_tokens`).
        omit: sampling parameters the server does not take, such as `seed`.
        extra: further fields of the request body, such as `chat_template_kwargs`.
        trust_env: whether proxies and certificates named by the environment are used (never for this host itself).
    """

    base_url: str
    model: str
    key_env: str | None = None
    prices: Prices = field(default_factory=Prices)
    budget: Budget = field(default_factory=Budget)
    concurrency: int = 64
    timeout: float = 120.0
    deadline: float = 900.0
    attempts: int = 6
    structured: Literal["auto", "json_schema", "json_object", "prompt"] = "auto"
    limit_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    omit: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    trust_env: bool = True
    _state: _State = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_url(self.base_url)
        if self.key_env is not None and not self.key_env.isidentifier():
            raise ConfigError("key_env is the NAME of an environment variable, such as OPENAI_API_KEY, not the key itself")
        for key in ("concurrency", "timeout", "deadline", "attempts"):
            if getattr(self, key) <= 0:
                raise ConfigError(f"{key}={getattr(self, key)}: must be more than 0")
        object.__setattr__(self, "_state", _State(self.budget))

    @property
    def name(self) -> str:
        """`<model>@<host>`."""
        return f"{self.model}@{urlsplit(self.base_url).netloc}"

    @property
    def identity(self) -> str:
        """Model, address, and what else goes into every request."""
        more = digest([self.structured, self.limit_key, list(self.omit), self.extra])
        return f"{self.base_url.rstrip('/')} {self.model} {more}"

    def spent(self) -> Amount:
        """What the budget's ledger says was spent, reservations included."""
        return self._state.ledger.spent()

    def complete(self, asks: Iterable[Ask], keep: Keep | None = None) -> Iterator[Reply]:
        """See `Client.complete`."""
        source, lane, waiting, window = iter(asks), Lane(keep), 0, _AHEAD * self.concurrency
        engine: Engine | None = None
        try:
            while True:
                if lane.error is None and (more := list(islice(source, window - waiting))):
                    engine = engine or self._engine()
                    engine.submit(more, lane)
                    waiting += len(more)
                if not waiting:
                    break
                replies = lane.take()
                waiting -= len(replies)
                yield from (reply for reply in replies if reply is not None)
            if lane.error is not None:
                raise lane.error
        finally:
            if engine is not None and waiting:
                engine.drop(lane)

    def close(self) -> None:
        """End the connections; another ask opens them again."""
        with self._state.lock:
            if self._state.engine is not None:
                self._state.engine.stop()
            self._state.engine = None
            self._state.ledger.close()

    def _engine(self) -> Engine:
        with self._state.lock:
            engine = self._state.engine
            if engine is None or engine.process != os.getpid():
                key = _key(self.key_env)
                connect = partial(_connect, self.base_url, key, self.timeout, self.trust_env)
                engine = Engine(self._rules(key), self._state.ledger, connect)
                weakref.finalize(self._state, engine.stop).atexit = False
                self._state.engine = engine
            return engine

    def _rules(self, key: str | None) -> Rules:
        where = f"the value of {self.key_env}" if self.key_env else "set key_env to the name of a variable that holds one"
        return Rules(
            name=self.name,
            model=self.model,
            prices=self.prices,
            most=self.concurrency,
            timeout=self.timeout,
            deadline=self.deadline,
            attempts=self.attempts,
            structured=None if self.structured == "auto" else self.structured,
            limit_key=self.limit_key,
            omit=tuple(self.omit),
            extra=self.extra,
            key_hint=where,
            secret=key or "",
        )


def _connect(base_url: str, key: str | None, timeout: float, trust_env: bool) -> Connection:
    openai = _openai()
    host = urlsplit(base_url).hostname or ""
    http = openai.DefaultAsyncHttpxClient(trust_env=trust_env and host not in _OWN)
    client = openai.AsyncOpenAI(base_url=base_url, api_key=key or _NO_KEY, max_retries=0, timeout=timeout, http_client=http)
    if host != "api.openai.com":
        client.organization = client.project = None  # taken from the environment, and nobody else's business
    for name in ("httpx", "httpx2"):  # a line for every call
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger(name).level))
    return client.chat.completions.create, client.close


def _openai() -> Any:
    try:
        import openai
    except ImportError:
        raise ConfigError("an endpoint needs the package 'openai'; fix: pip install 'kithe[llm]'") from None
    return openai


def _key(variable: str | None) -> str | None:
    _openai()  # imported here, where the one who asks can be told, and not in the loop's thread
    if variable is None:
        return None
    if not (key := os.environ.get(variable, "").strip()):
        raise ConfigError(
            f"the environment variable {variable} holds no key; fix: export {variable}=…, or name another in key_env"
        )
    return key


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("base_url must be an http(s) address such as http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise ConfigError("base_url holds a user, a password or a query; keys belong into the variable that key_env names")
