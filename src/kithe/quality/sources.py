"""Corpora by name: an id in the store, a folder or file of histories, or a real set."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from kithe.corpora.real import RealSet
from kithe.corpora.sets import SETS
from kithe.errors import ConfigError, unknown
from kithe.quality.texts import Corpus, corpus
from kithe.records.base import open_text
from kithe.records.history import History

SUFFIXES: Final = (".jsonl", ".gz")
KINDS: Final = ("corpus", "generated")  # folders of the store that hold corpora


@dataclass(frozen=True)
class Reference:
    """A real set: what a generator may have seen, and people it cannot have seen."""

    train: Corpus
    holdout: Corpus


def read(what: str, store: Path, most: int | None = None) -> Corpus:
    """The corpus of that name.

    Args:
        what: an id below `store`/corpus or `store`/generated, a folder with a train.jsonl, a .jsonl or .jsonl.gz file of
            histories, or a real set.
        store: the root of all results.
        most: at most so many histories, drawn by a fixed seed.

    Raises:
        ConfigError: there is no such corpus, or a line of it is no history.
    """
    if what in SETS:
        return corpus(what, RealSet(what).histories("train", 0), most)
    file = next(filter(None, (_file(place) for place in (Path(what), *(store / kind / what for kind in KINDS)))), None)
    if file is None:
        there = sorted(path.parent.name for kind in KINDS for path in (store / kind).glob("*/train.jsonl"))
        raise unknown(f"corpus in {store}/{' or '.join(KINDS)}, folder, file or real set", what, [*there, *SETS])
    found = corpus(Path(what).name.split(".")[0] or what, histories(file), most)
    if not found.histories:
        raise ConfigError(f"{file}: no histories in it; a report needs at least one")
    if not found.utterances:
        raise ConfigError(f"{file}: no turn is by its history's `user`; a report is about what users say")
    return replace(found, seeds=seeds(found.histories, file.parent / "personas" / file.name))


def seeds(found: Sequence[History], personas: Path) -> dict[str, tuple[tuple[str, ...], ...]]:
    """History id -> the interest paths of its persona, from the personas that lie beside a generated corpus; empty without any.

    A history's id is that of its persona with a number behind it.
    """
    if not personas.is_file():
        return {}
    with open_text(personas) as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    paths = {str(row["id"]): tuple(map(tuple, row.get("paths", ()))) for row in rows}
    named = {history.id: paths.get(history.id) or paths.get(history.id.rpartition("-")[0]) for history in found}
    return {name: own for name, own in named.items() if own}


def _file(path: Path) -> Path | None:
    """The file of histories that a path names, if there is one."""
    if path.is_file() and path.suffix in SUFFIXES:
        return path
    inside = path / "train.jsonl"
    return inside if inside.is_file() else None


def histories(file: Path) -> list[History]:
    """The histories of a file.

    Raises:
        ConfigError: a line is no history (says which, and the first thing that is wrong with it), or two have the same id.
    """
    found: list[History] = []
    try:
        found.extend(History.read(file))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the line"
        raise ConfigError(f"{file}: record {len(found) + 1} is no history: {where}: {problem['msg']}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {' '.join(str(error).split())}") from None
    twice = [name for name, count in Counter(history.id for history in found).items() if count > 1]
    if twice:
        raise ConfigError(
            f"{file}: {len(twice)} ids stand there more than once, such as {twice[0]!r}; a history's id must be its own"
        )
    return found


def known(name: str) -> None:
    """Refuse a name that is no real set's.

    Raises:
        ConfigError: with the names there are.
    """
    if name not in SETS:
        raise unknown("real set to compare with", name, SETS)


def reference(name: str, most: int | None = None) -> Reference:
    """A real set's training people, and its test people as the holdout.

    Raises:
        ConfigError: there is no such set, or it is neither here nor reachable.
    """
    known(name)
    source = RealSet(name)
    held = corpus(f"{name} test", source.histories("test", 0), most)
    return Reference(corpus(name, source.histories("train", 0), most), held)
