"""`kithe show taxonomy`, as a user types it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from kithe import cli


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    cli.main(["show", "taxonomy", *words])
    return capsys.readouterr().out


def test_the_tree_is_indented_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys).splitlines()
    assert lines[0].startswith("Interests: 2,099 nodes (32 at depth 1,")
    assert len(lines) == 2100
    assert lines[1] == "  Academic Interests & Careers (92)"
    assert {len(line) - len(line.lstrip()) for line in lines} == {0, 2, 4, 6, 8, 10}


def test_depth_cuts_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shown(capsys, "--depth", "1").splitlines()) == 33
    assert shown(capsys, "--depth", "0").splitlines()[0].startswith("Interests")


def test_json_is_a_list_of_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    nodes = json.loads(shown(capsys, "--json"))
    assert {tuple(node) for node in nodes} == {("id", "name", "parent", "depth")}
    assert nodes[0] == {"id": "interests", "name": "Interests", "parent": None, "depth": 0}
    depths = {node["id"]: node["depth"] for node in nodes}
    assert len(depths) == len(nodes) == 2100
    assert all(node["depth"] == depths[node["parent"]] + 1 for node in nodes[1:])


def test_words_find_paths(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "green", "TEA").splitlines() == ["Beverages > Tea > Green Tea (4)"]
    assert [node["name"] for node in json.loads(shown(capsys, "matcha", "lattes", "--json"))] == ["Matcha Lattes"]
    assert shown(capsys, "matcha", "--depth", "3") == ""


def test_nothing_found_suggests_what_is_near(refused: Callable[..., str]) -> None:
    assert re.search(r"similar: .*Matcha", refused("show", "taxonomy", "mathca"))
    assert "kithe show taxonomy" in refused("show", "taxonomy", "qqqqqqq")
    assert "--depth -1" in refused("show", "taxonomy", "--depth=-1")


def test_a_reader_may_stop_early() -> None:
    command = f"{sys.executable} -m kithe.cli show taxonomy --json | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[\n", "")
