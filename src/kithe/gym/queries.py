"""Seed queries: hand-written, over the 26 domains of the bank, with slots that checks hold on to (`queries/*.yaml`)."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random

import yaml
from pydantic import Field, ValidationError

from kithe.errors import ConfigError
from kithe.gym.bank import bank
from kithe.records.base import Record

_SLOT = re.compile(r"\[([^\[\]]+)\]")


class Query(Record):
    """One source query.

    Attributes:
        intent: the verb of what is wanted.
        ask: the rest of the request, without a full stop.
        context: a sentence that goes with it.
        slots: the numbers and named things in both, in order.
    """

    id: str
    domain: str
    intent: str = Field(pattern=r"^[a-z]+$")
    ask: str = Field(min_length=10)
    context: str = Field(pattern=r"[.!?]$")
    slots: tuple[str, ...] = Field(min_length=1)

    @property
    def text(self) -> str:
        """The query in plain words."""
        return f"{self.intent.capitalize()} {self.ask}{'' if self.ask.endswith('.') else '.'} {self.context}"

    @property
    def ask_slots(self) -> tuple[str, ...]:
        """The slots that the request itself holds."""
        return tuple(slot for slot in self.slots if re.search(rf"(?<!\w){re.escape(slot)}(?!\w)", self.ask))


class Page(Record):
    """The queries of a domain, and what else somebody may want to know there (imperative clauses)."""

    domain: str
    aspects: tuple[str, ...] = Field(min_length=3)
    queries: str


def read_page(text: str, where: str) -> tuple[Page, tuple[Query, ...]]:
    """The queries of a YAML text.

    Raises:
        ConfigError: what is wrong with which line.
    """
    try:
        page = Page.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    bank().check({"domain": page.domain}, where)
    lines = [line.strip() for line in page.queries.splitlines() if line.strip()]
    return page, tuple(_query(page.domain, number, line, f"{where}: query {number}") for number, line in enumerate(lines, 1))


def _query(domain: str, number: int, line: str, where: str) -> Query:
    parts = [part.strip() for part in line.split(" | ")]
    if len(parts) != 3:
        raise ConfigError(f"{where}: '{line[:50]}' has {len(parts)} parts; write 'verb | what is asked | context.'")
    plain = [_SLOT.sub(r"\1", part) for part in parts]
    if any("[" in part or "]" in part for part in plain):
        raise ConfigError(f"{where}: '{line[:50]}' has brackets that do not match; slots are [like this], one level deep")
    slots = tuple(dict.fromkeys(_SLOT.findall(f"{parts[1]} | {parts[2]}")))
    try:
        name = f"{domain.replace(' ', '-')}-{number:02d}"
        return Query(id=name, domain=domain, intent=plain[0], ask=plain[1], context=plain[2], slots=slots)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


@cache
def _pages() -> tuple[tuple[Page, tuple[Query, ...]], ...]:
    folder = files("kithe.gym") / "queries"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return tuple(read_page(file.read_text("utf-8"), file.name) for file in found)


@cache
def queries() -> tuple[Query, ...]:
    """All seed queries."""
    return tuple(query for _, own in _pages() for query in own)


@cache
def aspects() -> Mapping[str, tuple[str, ...]]:
    """What else one may want to know, by domain."""
    return {page.domain: page.aspects for page, _ in _pages()}


@cache
def _order(lap: int, seed: int) -> tuple[Query, ...]:
    found = list(queries())
    Random(f"{seed}/queries/{lap}").shuffle(found)
    return tuple(found)


def query_at(place: int, seed: int) -> Query:
    """The query of the `place`th session of all: each is used once before any is used again, in an order drawn from the seed."""
    lap, rest = divmod(place, len(queries()))
    return _order(lap, seed)[rest]
