"""Answers that were paid for once: a content-addressed file around any client.

The key is everything that decides an answer: the client's identity, messages, schema, sampling, seed. Prompts are not stored.
A reply is in the file before anybody sees it, so that a process killed at any moment pays for nothing twice that had arrived.
"""

import json
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from kithe.llm.budget import Amount
from kithe.llm.client import Ask, Client, Failure, Keep, Reply
from kithe.llm.database import Database

VERSION: Final = 1
"""Of the key and of what is stored; another version finds nothing of the old one."""

_HELD: Final = 512  # replies that may wait while further asks are looked at
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS replies (key BLOB PRIMARY KEY, reply TEXT NOT NULL, tokens INTEGER NOT NULL, cost REAL NOT NULL)
WITHOUT ROWID;
"""
_SUMS: Final = "SELECT COUNT(*), IFNULL(SUM(tokens), 0), IFNULL(SUM(cost), 0.0) FROM replies"
# Asking again brings the same, and costs the same.
_FINAL_REASONS: Final = frozenset({"refused"})


@dataclass(frozen=True, eq=False)
class Cached:
    """A client that remembers.

    Attributes:
        client: asked for what is not in the file.
        path: a file on a disk of this host; any number of processes may share it.
    """

    client: Client
    path: str
    _database: Database = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_database", Database(Path(self.path).expanduser(), _TABLE))

    @property
    def name(self) -> str:
        """The client's."""
        return self.client.name

    @property
    def identity(self) -> str:
        """The client's."""
        return self.client.identity

    def complete(self, asks: Iterable[Ask], keep: Keep | None = None) -> Iterator[Reply]:
        """See `Client.complete`; asks that are equal but for the id are asked once."""
        stream = _Stream(self, asks, keep)
        while not stream.over:
            replies = self.client.complete(stream.misses(), stream.landed)
            try:
                for reply in replies:
                    yield from stream.known()
                    yield from stream.answered(reply)
            finally:
                if isinstance(replies, Generator):
                    replies.close()  # what is under way for somebody who has gone
            yield from stream.known()

    def missing(self, asks: Iterable[Ask]) -> Iterator[Ask]:
        """The asks that would have to be paid for, for an estimate."""
        seen: set[bytes] = set()
        for ask in asks:
            key = self.key(ask)
            if key not in seen and self.find(key) is None:
                seen.add(key)
                yield ask

    def paid(self) -> Amount:
        """What the stored replies took when they were asked for."""
        with self._database.connection() as connection:
            return Amount(*connection.execute(_SUMS).fetchone())

    def key(self, ask: Ask) -> bytes:
        """32 bytes that change with everything that decides the answer, and not with the id."""
        chat = [(message.role, message.content) for message in ask.messages]
        sampling = (ask.max_tokens, ask.temperature, ask.top_p, ask.seed, ask.stop)
        text = json.dumps([VERSION, self.identity, chat, ask.schema, sampling])  # order of keys matters to constrained decoding
        return sha256(text.encode()).digest()

    def find(self, key: bytes) -> Reply | None:
        """The stored reply, if there is one."""
        with self._database.connection() as connection:
            row = connection.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return None if row is None else _reply(json.loads(row[0]))

    def store(self, key: bytes, reply: Reply) -> None:
        """Write a reply down, unless it may come out better next time or is there already."""
        if not reply.ok and (reply.failure is None or reply.failure.reason not in _FINAL_REASONS):
            return
        values = {name: value for name, value in asdict(reply).items() if name not in ("id", "cached")}
        row = (key, json.dumps(values), reply.prompt_tokens + reply.new_tokens, reply.cost)
        with self._database.connection() as connection:
            connection.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the file; using it again opens it again."""
        self._database.close()


class _Stream:
    """One `complete` call: which asks are known, which are under way, and which wait for their equals."""

    def __init__(self, cache: Cached, asks: Iterable[Ask], keep: Keep | None) -> None:
        self.over = False
        self._cache, self._source, self._keep = cache, iter(asks), keep
        self._hits: deque[Reply] = deque()
        self._open: dict[str, tuple[Ask, bytes]] = {}
        self._equals: dict[bytes, list[Ask]] = {}
        self._waiting = self._count = 0

    def misses(self) -> Iterator[Ask]:
        """Asks for the client, numbered; ends early where too much has been held back, which is then fetched with `known`."""
        for ask in self._source:
            key = self._cache.key(ask)
            if key in self._equals:
                self._equals[key].append(ask)
                self._waiting += 1
            elif (found := self._cache.find(key)) is not None:
                self._hits.append(self._handed(ask, _again(found, ask)))
            else:
                self._count += 1
                self._open[str(self._count)], self._equals[key] = (ask, key), []
                yield replace(ask, id=str(self._count))
            if len(self._hits) + self._waiting >= _HELD:
                return
        self.over = True

    def landed(self, numbered: Ask, reply: Reply) -> None:
        """A reply of the client has arrived; in any thread."""
        ask, key = self._open[numbered.id]
        self._cache.store(key, reply)
        self._handed(ask, replace(reply, id=ask.id))

    def answered(self, reply: Reply) -> Iterator[Reply]:
        """A reply of the client, and those to the equals of its ask."""
        ask, key = self._open.pop(reply.id)
        yield replace(reply, id=ask.id)
        for other in self._equals.pop(key):
            self._waiting -= 1
            yield self._handed(other, _again(reply, other))

    def known(self) -> Iterator[Reply]:
        """The replies that were in the file."""
        while self._hits:
            yield self._hits.popleft()

    def _handed(self, ask: Ask, reply: Reply) -> Reply:
        if self._keep is not None:
            self._keep(ask, reply)
        return reply


def _again(reply: Reply, ask: Ask) -> Reply:
    return replace(reply, id=ask.id, cached=True, cost=0.0, seconds=0.0)


def _reply(values: dict[str, Any]) -> Reply:
    failure = values.pop("failure")
    return Reply(id="", failure=Failure(**failure) if failure else None, **values)
