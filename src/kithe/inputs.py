"""What the stages of a cell have read from outside the repository, held against what is there now.

Ids say nothing of such files: they lie elsewhere on every machine. Each stage notes what it has read, and a stage that read
something else than what is there now is neither reused nor mixed with what would be made from it.
"""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kithe.cell import Cell
from kithe.corpora.files import Stamps, changes, files_of, stamps
from kithe.errors import ConfigError
from kithe.store import Folder


def corpus_files(cell: Cell) -> dict[str, Path]:
    """The files that the training corpus is drawn from."""
    return files_of([cell.build("data")], "train", "validation") if cell.identity.corpus else {}


def asked_files(cell: Cell) -> dict[str, Path]:
    """The files of the people a model is asked about: test sets, and validation where that chooses the prompt.

    A file that the corpus is drawn from too is left out; another one of its name has its place in the config before the name.
    """
    task = cell.build("task")
    files = {f"task.test.{name}": files_of([source], "test") for name, source in task.test.items()}
    if len(cell.adapter.prompts()) > 1:
        files |= {f"task.validation.{name}": files_of([source], "validation") for name, source in task.validation.items()}
    return apart(corpus_files(cell), files)


def apart(known: Mapping[str, Path], files: Mapping[str, Mapping[str, Path]]) -> dict[str, Path]:
    """The files of several places that are not known, by a name of their own: two folders may hold files of one name."""
    found = dict(known)
    for place, own in files.items():
        for name, path in own.items():
            found[name if found.get(name, path) == path else f"{place}/{name}"] = path
    return {name: path for name, path in found.items() if name not in known}


def read_for_corpus(cell: Cell) -> Stamps:
    """What the cell's corpus was drawn from, as its card has it."""
    folder = cell.identity.corpus and cell.store.corpus(cell.identity.corpus)
    found: Stamps = folder.read("card.json").get("files", {}) if folder else {}
    return found


def check(cell: Cell) -> None:
    """Refuse stages that were made from other files than those that are here now; a file that is not here is no reason.

    Raises:
        ConfigError: which files changed, and what has to go for the new ones to be used.
    """
    stages, present = list(recorded(cell)), stamps(corpus_files(cell) | asked_files(cell))
    for place, (_, read) in enumerate(stages):
        if changed := changes(read, present):
            # What comes later was made from it, also where it has not noted so, being unfinished.
            made = shlex.join(str(folder.path) for folder, _ in stages[place:] if folder.path.exists())
            raise ConfigError(
                f"data files changed since they were read: {', '.join(changed)}; put the old content back, or make anew what was "
                f"made from it: rm -r {made}"
            )


def recorded(cell: Cell) -> Iterator[tuple[Folder, Stamps]]:
    """The folders of the cell's stages, in order, with what each has noted; nothing where it is not there, or older."""
    store, identity = cell.store, cell.identity
    if identity.corpus:
        yield store.corpus(identity.corpus), read_for_corpus(cell)
    if identity.weights:
        yield store.weights(identity.weights), noted(store.weights(identity.weights))
    yield store.predictions(identity.predictions), noted(store.predictions(identity.predictions))


def noted(stage: Folder) -> dict[str, Any]:
    """What a stage's report says that it read."""
    found: dict[str, Any] = stage.read("report.json").get("files", {})
    return found
