"""Synonyms from WordNet's own database files, where they are installed (Debian: `apt install wordnet-base`)."""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from kithe.records.base import open_text

PLACES: Final = ("/usr/share/wordnet", "/usr/local/share/wordnet", "/usr/share/wordnet/dict")
# The detachment rules of WordNet's manual page morphy(7).
ENDINGS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "noun": (
        *(("s", ""), ("ses", "s"), ("ves", "f"), ("xes", "x"), ("zes", "z")),
        *(("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y")),
    ),
    "verb": (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    "adj": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "adv": (),
}
_MARKER: Final = re.compile(r"\(.*\)$")


def folder() -> Path | None:
    """Where WordNet's files lie: the environment's KITHE_WORDNET, or the places distributions use; None if nowhere."""
    places = [os.environ["KITHE_WORDNET"]] if os.environ.get("KITHE_WORDNET") else PLACES
    return next((Path(place) for place in places if (Path(place) / "data.noun").is_file()), None)


class WordNet:
    """The one-word members of all synsets a word can belong to."""

    def __init__(self, place: Path) -> None:
        self._parts = [_Part(place, part) for part in ENDINGS]

    @lru_cache(maxsize=1 << 16)  # noqa: B019  # there is one WordNet a process
    def synonyms(self, word: str) -> frozenset[str]:
        """What can be said instead of a word, as WordNet writes it; the word itself only where WordNet has it."""
        return frozenset(name for part in self._parts for name in part.synonyms(word.lower()))


class _Part:
    """One part of speech: exceptions, an index from words to places in the data, and the data."""

    def __init__(self, place: Path, name: str) -> None:
        self.endings = ENDINGS[name]
        self.exceptions = {line[0]: line[1:] for line in _rows(place / f"{name}.exc")}
        self.offsets = {line[0]: [int(offset) for offset in line[-int(line[2]) :]] for line in _rows(place / f"index.{name}")}
        self.data = (place / f"data.{name}").read_bytes()

    def synonyms(self, word: str) -> Iterator[str]:
        for form in self.forms(word):
            for offset in self.offsets[form]:
                yield from self.members(offset)

    def forms(self, word: str) -> list[str]:
        """The dictionary forms a word can be an inflection of: by exception, else by detaching an ending once."""
        detached = [word.removesuffix(old) + new for old, new in self.endings if word.endswith(old)]
        return [form for form in dict.fromkeys([word, *self.exceptions.get(word, detached)]) if form in self.offsets]

    def members(self, offset: int) -> Iterator[str]:
        """The names in a synset: its line is offset, file, type, count (hexadecimal), then name and sense number in turn."""
        fields = self.data[offset : self.data.index(b"\n", offset)].decode("utf-8").split(" ")
        names = (_MARKER.sub("", name) for name in fields[4 : 4 + 2 * int(fields[3], 16) : 2])
        return (name for name in names if "_" not in name)


def _rows(path: Path) -> Iterator[list[str]]:
    """The words of each line that is not part of the licence, which WordNet indents."""
    with open_text(path) as lines:
        for line in lines:
            if line.strip() and not line.startswith(" "):
                yield line.split()
