"""Every option, experiment and sweep composes, fits what it names, and builds."""

import inspect
import json
import pydoc
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from kithe.cell import Cell
from kithe.config import compose as configuration
from kithe.config.compose import CONF, ROOT, compose, instantiate, options, plain
from kithe.config.schema import GROUPS
from kithe.config.signatures import node_problems, nodes, problems
from kithe.identity import REACHED, view

MEMBERS = [f"judge.members.{name}.client.client.model=any" for name in ("first", "second", "third")]
EXTRA = {
    "model": {"folder": ["model.path=/nowhere"], "endpoint": ["model.client.client.model=any"]},
    "teacher": {"endpoint": ["teacher.client.client.model=any"]},
    "judge": {
        "endpoint": ["judge.client.client.model=any"],
        "panel": MEMBERS,
        "ip_dialog-points": ["judge.client.client.model=any"],
        "ppopt-endpoint": [f"judge.{who}.client.client.model=any" for who in ("assistant", "pairs", "ratings")],
    },
    "task/test": {
        "ip_dialog_family": [f"task.test.ip_dialog_family.teacher.{who}.client.model=any" for who in ("client", "examiner")]
    },
    "adapt/rewards": {
        "ppopt": ["adapt=grpo"],
        "ppopt-endpoint": [
            "adapt=grpo",
            *(f"adapt.rewards.{who}.client.client.model=any" for who in ("task.assistant", "task.judge", "profile.judge")),
        ],
    },
    "recall": {"endpoint": ["recall.answerer.client.client.model=any"]},
    "data": {
        "ip_dialog-endpoint": [f"data.teacher.{who}.client.model=any" for who in ("client", "examiner")],
        "ppopt-endpoint": [
            f"data.cold.{who}.client.client.model=any" for who in ("teacher", "filters.assistant", "filters.judge")
        ],
    },
}
OPTIONS = [
    (group, option)
    for group in (*GROUPS, "adapt/rewards", "task/test", "task/validation", "task/verify")
    for option in options(group)
]
SWEEPS = options("sweeps")


def overrides(group: str, option: str) -> list[str]:
    return [f"{group}={option}", *EXTRA.get(group, {}).get(option, [])]


STORE = "/nowhere/store"


@cache
def composed(group: str, option: str) -> dict[str, Any]:
    return plain(compose([*overrides(group, option), f"paths.store={STORE}"]))


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_fits_and_builds(group: str, option: str) -> None:
    config = composed(group, option)
    built = instantiate(config[group]) if "/" not in group else instantiate(config["task"])
    assert type(built).__name__


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_no_id_says_where_files_lie(group: str, option: str) -> None:
    assert STORE not in json.dumps(view(composed(group, option), "run", reads=True))


@pytest.mark.parametrize(("described", "hidden"), [(name, key) for name, keys in REACHED.items() for key in keys])
def test_what_no_id_says_of_an_object_is_a_value_it_takes(described: str, hidden: str) -> None:
    assert hidden in inspect.signature(pydoc.locate(described)).parameters  # type: ignore[arg-type]


@pytest.mark.parametrize("option", [option for option in options("model") if option not in ("folder", "endpoint")])
def test_every_model_is_known_by_its_shape(option: str) -> None:
    spec = instantiate(plain(compose([f"model={option}"]))["model"])
    meta = spec.meta()
    assert {parameter.device.type for parameter in meta.parameters()} == {"meta"}
    assert sum(parameter.numel() for parameter in meta.parameters()) == spec.parameters()


@pytest.mark.parametrize("option", options("experiments"))
def test_every_experiment_is_a_cell(option: str) -> None:
    cell = Cell.of(compose([f"experiments={option}"]))
    assert cell.identity.run.startswith(f"pki-{cell.choices['data']}-{cell.choices['adapt']}")


def planned(sweep: str, tmp_path: Path) -> list[list[str]]:
    command = [sys.executable, str(ROOT / "run.py"), f"sweeps={sweep}", "plan=true", f"paths.store={tmp_path}"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split() for line in lines if " combinations are " not in line]


GOLDEN = {
    "first": {("synthetic", "best-prompt"), ("synthetic", "lora-once")},
    "ppopt_small": {("ppopt", f"small-{adapt}") for adapt in ("sft", "grpo", "gdpo")},
    "smoke": {("-", "zero-shot"), ("synthetic", "lora"), ("synthetic", "sft")},
    "grid": {(data, adapt) for data in ("synthetic", "real", "spc") for adapt in ("lora", "sft")} | {("-", "zero-shot")},
    "table1": {(data, adapt) for data in ("real", "synthetic") for adapt in ("lora", "sft")} | {("-", "zero-shot")},
    "table2": {(data, adapt) for data in ("real", "synthetic") for adapt in ("lora", "sft")},
    "affect": {("synthetic", "best-prompt"), ("synthetic", "lora")},
    "ip_dialog": {("-", "zero-shot")},
    "ip_dialog_training": {
        *((data, "lora") for data in ("ip_dialog", "ip_dialog_no_recommend_filter_decision", "ip_dialog_no_binary")),
        ("-", "zero-shot"),
    },
    "ip_dialog_bias": {(data, "lora") for data in ("ip_dialog", "ip_dialog_stereotyped", "ip_dialog_balanced")},
    "ip_dialog_growth": {(data, "lora") for data in ("ip_dialog", "ip_dialog_diet", "ip_dialog_diet_neurodivergence")},
    "ip_dialog_transfer": {("-", "zero-shot"), ("ip_dialog", "lora")},
    "ip_dialog_steps": {("-", "zero-shot")},
    "ip_dialog_styles": {("ip_dialog", "lora")},
    "ip_dialog_causes": {("-", "zero-shot")},
    **{
        f"ppopt{more}": {("-", "zero-shot"), *(("ppopt", adapt) for adapt in ("lora", "grpo", "gdpo"))}
        for more in ("", "_noise", "_sparse")
    },
    "lr_lora": {("synthetic", "lora"), ("real", "lora")},
    "lr_sft": {("synthetic", "sft"), ("real", "sft")},
    "rank": {("synthetic", "lora")},
    "seeds": {(data, "lora") for data in ("synthetic", "real", "spc")},
}


@pytest.mark.parametrize("sweep", SWEEPS)
def test_every_sweep_expands_to_its_golden_cells(sweep: str, tmp_path: Path) -> None:
    lines = planned(sweep, tmp_path)
    chosen = {(line[3].removeprefix("data="), line[4].removeprefix("adapt=")) for line in map(by_group, lines)}
    assert chosen == GOLDEN[sweep]
    assert all(line[1] == "planned" for line in lines)
    assert not (tmp_path / "runs").exists()


def by_group(line: list[str]) -> list[str]:
    values = dict(item.split("=", 1) for item in line[2:] if "=" in item)
    return [line[0], line[1], f"task={values['task']}", f"data={values['data']}", f"adapt={values['adapt']}"]


def test_every_file_begins_by_saying_what_it_is() -> None:
    for file in CONF.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert text.startswith("#"), str(file)


def test_debug_order_a_sweep_wins_over_an_experiment_and_both_over_groups() -> None:
    assert plain(compose(["experiments=quick"]))["corpus"]["facts"] == 100
    defaults = yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    names = [next(iter(item)) if isinstance(item, dict) else item for item in defaults]
    assert names.index("experiments") > names.index("logger")
    assert names.index("sweeps") > names.index("experiments")


class Seen:
    """Remembers what its constructor got."""

    def __init__(self, **values: Any) -> None:
        self.values = values


def test_no_omegaconf_type_reaches_a_constructor() -> None:
    node = {
        "_target_": f"{__name__}.Seen",
        "a": {"b": [1, {"c": 2}]},
        "d": [[1]],
        "e": {"_target_": f"{__name__}.Seen", "f": {"g": 1}},
    }

    def check(value: Any) -> None:
        assert not OmegaConf.is_config(value)
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        for part in parts:
            check(part)
        if isinstance(value, Seen):
            check(value.values)

    check(instantiate(node))


def test_all_problems_are_reported_at_once() -> None:
    node = {
        "adapt": {"_target_": "kithe.training.adapters.Lora", "rnak": 3, "alpha": "x"},
        "judge": {"_target_": "kithe.nothing.At"},
    }
    text = "; ".join(problems(node))
    assert "did you mean 'rank'" in text
    assert "adapt.alpha" in text
    assert "adapt.recipe: is missing" in text
    assert "kithe.nothing.At" in text


def test_nodes_are_found_at_any_depth() -> None:
    found = dict(nodes({"a": [{"_target_": "x"}], "b": {"c": {"_target_": "y", "d": {"_target_": "z"}}}}))
    assert list(found) == ["a[0]", "b.c", "b.c.d"]


HEAVY = ("torch", "transformers", "pytorch_lightning", "sentence_transformers")


def loaded(code: str, modules: tuple[str, ...]) -> list[str]:
    """Which of these modules a fresh interpreter has after running some code."""
    script = f"import sys\n{code}\nprint(*[name for name in {modules!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_composing_and_checking_a_cell_needs_no_torch() -> None:
    code = "from kithe.cell import Cell\nfrom kithe.config.compose import compose\nCell.of(compose(['adapt=lora'])).identity"
    assert loaded(code, HEAVY) == []


def test_import_and_help_are_light() -> None:
    assert loaded("import kithe.cli; kithe.cli.parser()", (*HEAVY, "hydra", "pydantic", "yaml")) == []


def test_options_of_nothing_are_none() -> None:
    assert configuration.options("no such group") == []


def uncommented(text: str) -> list[str]:
    """Dotted keys of the leaves with no comment on their own lines."""
    lines = text.splitlines()

    def walk(node: Any, path: tuple[str, ...]) -> list[str]:
        found = []
        for key, value in node.value:
            if key.value in ("_target_", "defaults", "hydra"):
                continue
            if isinstance(value, yaml.MappingNode) and not value.flow_style:
                found += walk(value, (*path, key.value))
            else:
                last = min(value.end_mark.line, len(lines) - 1)
                if not any("#" in line for line in lines[key.start_mark.line : last + 1]):
                    found.append(".".join((*path, key.value)))
        return found

    tree = yaml.compose(text)
    return walk(tree, ()) if isinstance(tree, yaml.MappingNode) else []


def test_every_leaf_says_what_it_does() -> None:
    assert uncommented("a: 1 # one\nb:\n  c: 2\n  d: {e: 3} # three\n") == ["b.c"]
    bare = {str(file.relative_to(CONF)): uncommented(file.read_text(encoding="utf-8")) for file in CONF.rglob("*.yaml")}
    assert {file: keys for file, keys in bare.items() if keys} == {}


def test_a_mapping_that_says_not_what_it_is_is_refused() -> None:
    atlas = {"_target_": "kithe.gym.corpus.Atlas", "rules": {"turns": {"least": 9}}}
    assert node_problems("data.atlas", atlas) == [
        "data.atlas.rules: is a mapping without _target_; it takes _target_: kithe.gym.talk.Rules"
    ]
