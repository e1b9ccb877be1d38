"""Every leaf of a config file says beside itself what it is, and which values it takes where those can be listed."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml

from kithe.config.compose import CONF, options
from kithe.config.schema import Schema
from kithe.config.signatures import annotations, locate
from kithe.corpora.sets import SETS
from kithe.gym.assistant import houses
from kithe.ip_dialog.schema import tasks
from kithe.knowledge.fields import NAMES

FILES = sorted(CONF.rglob("*.yaml"))
CONTENT = ("extra",)  # mappings that hold texts of their own and are no options
# Where a comment sends the reader to another file that lists them.
ELSEWHERE = re.compile(r"\bas in (\S+\.yaml)|(task/pki\.yaml) names all")


def leaves(file: Path) -> Iterator[tuple[str, str, str, str | None]]:
    """Key, value, comment and `_target_` of every scalar or list in a file; defaults lists are no leaves."""
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()

    def walk(node: yaml.Node | None) -> Iterator[tuple[str, str, str, str | None]]:
        if not isinstance(node, yaml.MappingNode):
            return
        named = {key.value: value.value for key, value in node.value}
        for key, value in node.value:
            if key.value.startswith("_") or key.value in ("defaults", "hydra"):
                continue
            said = lines[key.start_mark.line].partition(" # ")[2]
            if isinstance(value, yaml.MappingNode) and key.value not in CONTENT:
                yield from walk(value)
            else:
                yield key.value, str(value.value), said, named.get("_target_")

    yield from walk(yaml.compose(text))


def literals(hint: Any) -> set[str]:
    """The values that a type lists."""
    if get_origin(hint) is Literal:
        return set(map(str, get_args(hint)))
    return set().union(*map(literals, get_args(hint)))


def names(said: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", said) is not None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CONF)))
def test_every_leaf_says_what_it_is_and_what_it_may_be(file: Path) -> None:
    for key, value, said, target in leaves(file):
        assert said, f"{key} has no comment"
        if found := ELSEWHERE.search(said):
            assert (CONF / (found[1] or found[2])).exists()
            continue
        hint = annotations(locate(target)).get(key) if target else None
        hint = hint or (Schema.model_fields[key].annotation if key in Schema.model_fields else None)
        assert [word for word in sorted(literals(hint)) if not names(said, word)] == [], key
        if value == "null" and NoneType in get_args(hint) and file.name != "config.yaml":
            assert names(said, "null"), f"{key} does not say what null is"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("task/pki.yaml", NAMES),
        ("task/pki.yaml", ("real", "sample", "casino", "msc", "held_out")),
        ("task/ppopt.yaml", tuple(name for name in options("task/test") if name.startswith("ppopt"))),
        ("task/test/msc.yaml", tuple(SETS)),
        ("data/spc.yaml", tuple(SETS)),
        ("data/ip_dialog.yaml", tuple(tasks())),
        ("judge/ppopt.yaml", tuple(houses())),
        ("config.yaml", tuple(options("hydra/launcher"))),
        ("teacher/endpoint.yaml", tuple(options("teacher/exemplars"))),
        ("task/atlas.yaml", tuple(options("task/players"))),
        ("task/generate.yaml", tuple(options("task/extractor"))),
        ("adapt/grpo.yaml", tuple(options("adapt/rewards"))),
    ],
)
def test_lists_that_no_type_knows_are_whole(place: str, words: tuple[str, ...]) -> None:
    comments = " ".join(line.partition("# ")[2] for line in (CONF / place).read_text(encoding="utf-8").splitlines())
    assert words
    assert [word for word in words if not names(comments, word)] == []
