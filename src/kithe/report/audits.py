"""What is known about the judges: the audit files of a store, whatever figures they hold, as tables."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kithe.report.estimates import read_estimate
from kithe.report.text import NONE, quantity, shorten, with_interval
from kithe.report.writers import Table

LINES = 60
LENGTH = 300


@dataclass(frozen=True)
class Audit:
    """One judge's audit: its name, what it says in words, and its tables, each with a heading."""

    name: str
    facts: Mapping[str, str]
    tables: tuple[tuple[str, Table], ...]


def audits(store: Path) -> list[Audit]:
    """Every audit below `audits` in a store, by name; a file that cannot be read says so on its page."""
    folder = store / "audits"
    return [audit(path, path.relative_to(folder).with_suffix("").as_posix()) for path in sorted(folder.rglob("*.json"))]


def audit(path: Path, name: str) -> Audit:
    """The audit in a file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return Audit(name, {"cannot be read": str(error)}, ())
    content = found if isinstance(found, dict) else {"audit": found}
    return Audit(name, dict(plain(content)), tuple(tables(content)))


def plain(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """What stands in a mapping as a single value, by its path."""
    for key, value in content.items():
        if not isinstance(value, dict | list):
            yield f"{path}{words(key)}", text(value)


def tables(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Table]]:
    """A table for every list of records and every mapping that holds values, wherever they are."""
    for key, value in content.items():
        name = f"{path}{words(key)}"
        if isinstance(value, list) and value:
            yield name, records(value) if all(isinstance(each, dict) for each in value) else column(name, value)
        elif isinstance(value, dict) and value:
            held = {words(inner): text(own) for inner, own in value.items() if is_value(own)}
            if held:
                yield name, Table(("figure", "value"), (False, False), tuple(held.items()))
            yield from tables({inner: own for inner, own in value.items() if not is_value(own)}, f"{name} · ")


def records(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Records as a table, at most `LINES` of them; what is nested deeper is written as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    body = tuple(tuple(text(row.get(name)) for name in names) for row in rows[:LINES])
    return Table(tuple(map(words, names)), (False,) * len(names), body, left_out(len(rows)))


def column(name: str, values: Sequence[Any]) -> Table:
    """Plain values below one another."""
    return Table((name,), (False,), tuple((text(value),) for value in values[:LINES]), left_out(len(values)))


def left_out(rows: int) -> str:
    """How many lines of a table are not shown."""
    return f"{rows - LINES} more lines are in the file." if rows > LINES else ""


def is_value(value: Any) -> bool:
    """Whether something is shown as one value: plain, or a metric with its interval."""
    return not isinstance(value, dict | list) or (isinstance(value, dict) and "value" in value)


def text(value: Any) -> str:
    """One value in words: numbers short, metrics with their interval and n, the rest as it is."""
    if isinstance(value, dict) and "value" in value:
        found = read_estimate(value)
        return NONE if found is None else with_interval(found) + (f" (n {found.n})" if found.n is not None else "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return quantity(value)
    return NONE if value is None else shorten(str(value) if isinstance(value, int | str) else json.dumps(value), LENGTH)


def words(key: object) -> str:
    """A key as words."""
    return str(key).replace("_", " ")
