"""The real sets: what their facts carry, where they live in public, and how they become histories."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kithe.corpora import convert, rows
from kithe.corpora.source import Split
from kithe.records.history import KnowledgeItem

# Part of the name of every converted file: raise it when a converter changes what it writes.
CONVERTER: Final = 1


@dataclass(frozen=True)
class Home:
    """The public home of a set.

    Attributes:
        base: URL that the file names are appended to; commits are pinned where the file's bytes depend on them.
        files: file names of each split.
        convert: from those files to rows of the record form.
    """

    base: str
    files: Mapping[str, tuple[str, ...]]
    convert: Callable[[Sequence[Path], Split], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class PublicSet:
    """One set.

    Attributes:
        fields: optional item fields that each of its facts carries.
        say: from a gold fact to an item.
    """

    fields: frozenset[str]
    say: Callable[[rows.Row, rows.Gold], KnowledgeItem]
    home: Home


_HF: Final = "https://huggingface.co/datasets"
_RAW: Final = "https://raw.githubusercontent.com"
_LAPS: Final = "3bf62b4674b448cfeecb8ee40e1a7036a4beebfa"
_CASINO: Final = "0d62bdb2fcda02681313eb443168225f5cc9b5a5"
_SPC: Final = "Synthetic-Persona-Chat"

SETS: Final[Mapping[str, PublicSet]] = {
    "laps": PublicSet(
        frozenset({"category", "value"}),
        rows.preference,
        Home(
            f"{_RAW}/informagi/laps/{_LAPS}/dataset/",
            {
                split: (f"recipe_dataset_{name}.json", f"movie_dataset_{name}.json")
                for split, name in (("train", "train"), ("validation", "val"), ("test", "test"))
            },
            convert.laps,
        ),
    ),
    "msc": PublicSet(
        frozenset({"evidence"}),
        rows.sentence,
        Home(
            f"{_HF}/nayohan/multi_session_chat/resolve/main/data/",
            {
                "train": ("train-00000-of-00001-537fda2f9aae8ae7.parquet",),
                "validation": ("validation-00000-of-00001-5e685f0241d31faf.parquet",),
                "test": ("test-00000-of-00001-af129ca1e7829daf.parquet",),
            },
            convert.msc,
        ),
    ),
    "personachat": PublicSet(
        frozenset(),
        rows.sentence,
        Home(
            f"{_HF}/bavard/personachat_truecased/resolve/main/",
            {
                "train": ("personachat_truecased_full_train.json",),
                "validation": ("personachat_truecased_full_valid.json",),
                "test": ("personachat_truecased_full_valid.json",),
            },
            convert.personachat,
        ),
    ),
    "spc_synthetic": PublicSet(
        frozenset(),
        rows.sentence,
        Home(
            f"{_HF}/google/{_SPC}/resolve/main/data/",
            {"train": (f"{_SPC}_train.csv",), "validation": (f"{_SPC}_valid.csv",), "test": (f"{_SPC}_test.csv",)},
            convert.spc,
        ),
    ),
    "casino": PublicSet(
        frozenset({"value", "polarity", "intensity"}),
        rows.need,
        Home(
            f"{_RAW}/kushalchawla/CaSiNo/{_CASINO}/data/split/",
            {"train": ("casino_train.json",), "validation": ("casino_valid.json",), "test": ("casino_test.json",)},
            convert.casino,
        ),
    ),
}
