"""What changes an id and what does not."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.identity import TABLE, Identity, digest, identify, view, without

CHOICES = {"task": "pki", "data": "synthetic", "adapt": "lora", "model": "tiny"}
CONFIG: dict[str, Any] = {
    "recall": {},
    "task": {"format": {"unit": "window", "max_new_tokens": 8}, "test": {"a": 1}, "validation": {}, "batch_tokens": 9},
    "data": {"personas": 3, "teacher": {"seed": 1}},
    "adapt": {"rank": 4, "shots": [0], "decode": ["free"]},
    "model": {"layers": 2},
    "teacher": {"seed": 1},
    "versions": {"generator": 1, "corpora": 1, "rubric": 1, "format": 1, "test": 1, "matcher": 1},
    "judge": {"threshold": 0.7},
    "runtime": {"processes": 1},
    "logger": {},
    "corpus": {"facts": 9},
    "paths": {"store": "x"},
    "sweep": {"name": None},
    "seed": 0,
    "precision": "fp32",
    "checkpoint_every": 20,
    "progress": True,
    "plan": False,
    "from": None,
}


def ids(path: str = "", value: Any = None, *, trains: bool = True, reads: bool = True) -> Identity:
    config = copy.deepcopy(CONFIG)
    if path:
        *parents, leaf = path.split(".")
        node = config
        for parent in parents:
            node = node[parent]
        node[leaf] = value
    return identify(config, CHOICES, trains=trains, reads=reads)


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("runtime.processes", set()),
        ("paths.store", set()),
        ("teacher.seed", set()),
        ("logger.project", set()),
        ("sweep.name", set()),
        ("judge.threshold", {"run"}),
        ("versions.matcher", {"predictions", "run"}),
        ("versions.generator", {"corpus", "weights", "predictions", "run"}),
        ("versions.rubric", {"run"}),
        ("versions.corpora", {"corpus", "weights", "predictions", "run"}),
        ("data.folder", set()),
        ("versions.format", {"weights", "predictions", "run"}),
        ("task.test.a", {"predictions", "run"}),
        ("task.format.max_new_tokens", {"predictions", "run"}),
        ("adapt.decode", {"predictions", "run"}),
        ("task.format.unit", {"weights", "predictions", "run"}),
        ("adapt.rank", {"weights", "predictions", "run"}),
        ("model.layers", {"weights", "predictions", "run"}),
        ("precision", {"weights", "predictions", "run"}),
        ("data.teacher.seed", {"corpus", "weights", "predictions", "run"}),
        ("corpus.facts", {"corpus", "weights", "predictions", "run"}),
        ("seed", {"corpus", "weights", "predictions", "run"}),
    ],
)
def test_a_key_changes_its_stage_and_those_after_it(path: str, changed: set[str]) -> None:
    before, after = ids(), ids(path, 77)
    assert {
        stage for stage in ("corpus", "weights", "predictions", "run") if getattr(before, stage) != getattr(after, stage)
    } == changed


@pytest.mark.parametrize("path", ["data.personas", "corpus.facts", "seed"])
def test_training_data_falls_out_of_a_cell_that_reads_none(path: str) -> None:
    assert ids(trains=False, reads=False) == ids(path, 77, trains=False, reads=False)
    assert ids(trains=False, reads=True) != ids(path, 77, trains=False, reads=True)
    assert ids(trains=False, reads=False).corpus is None


def test_an_unknown_key_always_counts() -> None:
    assert digest(view({**CONFIG, "new": 1}, "corpus", True)) != digest(view({**CONFIG, "new": 2}, "corpus", True))


HERE = {"_target_": "kithe.corpora.real.RealSet", "name": "laps", "folder": "/here", "home": None}
THERE = {**HERE, "folder": "/there", "home": "http://mirror"}


@pytest.mark.parametrize("path", ["data", "task.test.a", "task.validation", "judge.members", "adapt.rewards"])
@pytest.mark.parametrize("around", [lambda node: node, lambda node: {"of": node}, lambda node: [{"deep": node}]])
def test_where_an_object_reads_is_in_no_id_wherever_it_stands(path: str, around: Callable[[Any], Any]) -> None:
    assert ids(path, around(HERE)) == ids(path, around(THERE))
    assert ids(path, around(HERE)) != ids(path, around({**HERE, "name": "msc"}))


def test_every_row_of_the_table_names_a_key_and_a_reason() -> None:
    assert all(row.path.split(".")[0] in CONFIG and row.reason for row in TABLE)
    assert len({row.path for row in TABLE}) == len(TABLE)


def test_ids_hold_nothing_a_path_or_hydra_could_trip_over() -> None:
    assert not set("=,/ ") & set("".join(filter(None, vars(ids()).values())))


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans()), max_size=6))
def test_digest_does_not_depend_on_the_order_of_keys(value: dict[str, Any]) -> None:
    assert digest(value) == digest(dict(reversed(list(value.items()))))


def test_without_leaves_the_original_alone() -> None:
    config = {"a": {"b": 1, "c": 2}, "d": 3}
    assert without(config, "a.b") == {"a": {"c": 2}, "d": 3}
    assert without(config, "x.y") == config
    assert config == {"a": {"b": 1, "c": 2}, "d": 3}
