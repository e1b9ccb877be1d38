"""Small taxonomies, written as files and read as a user's would be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kithe.personas.taxonomy import Taxonomy, load, slug

Plant = Callable[[dict[str, Any]], Path]


def pairs(below: Any) -> list[tuple[str, Any]]:
    """Names with what is below them."""
    if isinstance(below, dict):
        return list(below.items())
    return [next(iter(row.items())) if isinstance(row, dict) else (row, []) for row in below]


def counts(below: Any, depth: int = 2) -> list[int]:
    """How many nodes there are at depths 2 to 5 below a category."""
    found = [0, 0, 0, 0]
    for _, rest in pairs(below):
        found[depth - 2] += 1
        found = [a + b for a, b in zip(found, counts(rest, depth + 1), strict=True)] if rest else found
    return found


def write(folder: Path, categories: dict[str, Any]) -> Path:
    """A taxonomy's files."""
    index = {"root": "All", "categories": {name: counts(below) for name, below in categories.items()}}
    for name, content in {**{slug(name): below for name, below in categories.items()}, "index": index}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Writes a taxonomy's files and returns their folder."""
    return lambda categories: write(tmp_path, categories)


@pytest.fixture(scope="session")
def skewed(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    """Four categories, one of them much the largest, and leaves of which most are shallow (41, 6, 4 at depths 3, 4, 5).

    "Twin" is a leaf of two categories.
    """

    def names(letter: str, many: int) -> list[str]:
        return [f"{letter}{number}" for number in range(many)]

    categories: dict[str, Any] = {
        "Big": {"Big One": names("A", 24), "Big Two": [*names("B", 8), {"B Deep": [*names("C", 3), {"C Deep": names("D", 2)}]}]},
        "Middle": {"Middle One": [*names("E", 4), "Twin", {"E Deep": names("F", 2)}]},
        "Small": {"Small One": [*names("G", 2), {"G Deep": ["H0", {"H Deep": names("I", 2)}]}]},
        "Tiny": {"Tiny One": ["J0", "Twin"]},
    }
    return load(write(tmp_path_factory.mktemp("skewed"), categories))
