"""Reading a taxonomy, finding one's way in it, and what a wrong file is answered with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.personas.taxonomy import Taxonomy, load, plain, slug, taxonomy

Plant = Callable[[dict[str, Any]], Path]
SMALL = {
    "Food & Drink": {
        "Sweets": ["Nougat", {"Crème Brûlée": ["Vanilla Custard", "Burnt Sugar"]}],
        "Tea": ["Green Tea", "Tea Pots"],
    },
    "Games": {"Board": ["Go", "Tea Party Games"], "Ball": ["Padel", "Pelota"]},
}


@pytest.fixture
def small(plant: Plant) -> Taxonomy:
    return load(plant(SMALL))


def test_nodes_come_before_what_is_below_them_and_know_their_place(small: Taxonomy) -> None:
    assert small.counts == (1, 2, 4, 8, 2)
    assert (small.root.id, small.root.parent, small.root.depth) == ("all", None, 0)
    assert [node.name for node in small.categories] == ["Food & Drink", "Games"]
    seen = set()
    for node in small.nodes.values():
        assert node.parent is None or (node.parent in seen and node.id in small.nodes[node.parent].children)
        seen.add(node.id)


def test_ids_are_paths_and_paths_are_names(small: Taxonomy) -> None:
    burnt = "food-drink/sweets/creme-brulee/burnt-sugar"
    assert small.path(burnt) == ("All", "Food & Drink", "Sweets", "Crème Brûlée", "Burnt Sugar")
    assert small.text(burnt) == "Food & Drink > Sweets > Crème Brûlée > Burnt Sugar"
    assert small.text("all") == "All"
    assert [small.above(burnt, depth).name for depth in (0, 1, 3, 4, 9)] == ["All", "Food & Drink", "Crème Brûlée"] + 2 * [
        "Burnt Sugar"
    ]


def test_leaves_of_a_category(small: Taxonomy) -> None:
    assert [node.name for node in small.leaves_of("games")] == ["Go", "Tea Party Games", "Padel", "Pelota"]
    assert len(small.leaves) == 9
    assert small.leaves_of("games/board/go") == (small.node("games/board/go"),)
    assert len(small.below("food-drink")) == 9


def test_search_wants_every_word_on_the_path_and_one_in_the_name(small: Taxonomy) -> None:
    assert [node.name for node in small.search("tea")] == ["Tea", "Green Tea", "Tea Pots", "Tea Party Games"]
    assert [node.name for node in small.search("games TEA")] == ["Tea Party Games"]
    assert next(node.name for node in small.search("creme bru")) == "Crème Brûlée"
    assert small.search("green games") == small.search("...") == ()


def test_what_is_spelt_alike_is_near(small: Taxonomy) -> None:
    assert small.near("nugat")[0] == "Nougat"
    assert "Padel" in small.near("a game of paddel")
    assert small.near("qqqq") == ()


def test_an_unknown_id_names_a_near_one(small: Taxonomy) -> None:
    with pytest.raises(ConfigError, match="did you mean 'games/ball/padel'"):
        small.node("games/ball/paddle")


@given(st.text())
def test_a_slug_can_stand_in_a_path(text: str) -> None:
    assert slug(text) == slug(plain(text))
    assert not set(slug(text)) & set(" /'&,")


def test_it_is_read_once() -> None:
    assert taxonomy() is taxonomy()


def changed(folder: Path, file: str, old: str, new: str) -> Path:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("games.yaml", "- Padel", "- Padel\n- Squash", "games.yaml has .2, 5, 0, 0. .* says .2, 4, 0, 0. for 'Games'"),
        ("games.yaml", "- Padel", "- pelota", "Ball: siblings of the same name: pelota, Pelota"),
        ("games.yaml", "- Padel", "- 1917", "1917 is not a name; .*quote"),
        ("games.yaml", "- Padel", "- '&'", "'&' is not a name"),
        ("games.yaml", "- Padel", "- {Padel: [A, B], Squash: [C, D]}", "is not a name"),
        ("games.yaml", "- Padel", "- Padel:", "Ball: Padel: a file maps .* found None"),
        ("games.yaml", "- Padel", "- Padel: [{A: [{B: [C, D]}]}]", "Ball: Padel: A: B: too deep"),
        ("games.yaml", "- Padel", "- [Padel", "games.yaml: no valid YAML"),
        ("games.yaml", "Board:", "Ball:", "games.yaml has .1, 2, 0, 0."),
        ("index.yaml", "root: All", "top: All", "must have 'root'"),
        ("index.yaml", "Games:", "Food Drink:", "siblings of the same name"),
        ("index.yaml", "Games:", "Sports:", "games.yaml: a file of no category"),
        ("index.yaml", "root: All", "root: Games", "two nodes would have the id 'games'"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(plant: Plant, file: str, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        load(changed(plant(SMALL), file, old, new))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(plant: Plant) -> None:
    folder = plant(SMALL)
    (folder / "games.yaml").unlink()
    with pytest.raises(ConfigError, match=r"no file games\.yaml"):
        load(folder)


def test_a_file_that_is_no_mapping_is_refused(plant: Plant) -> None:
    folder = plant(SMALL)
    (folder / "games.yaml").write_text(yaml.safe_dump(["Go"]), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"games\.yaml: a file maps"):
        load(folder)


def test_the_skewed_tree_is_what_the_sampler_tests_take_it_for(skewed: Taxonomy) -> None:
    depths = [leaf.depth for leaf in skewed.leaves]
    assert [depths.count(depth) for depth in (3, 4, 5)] == [41, 6, 4]
    assert [len(skewed.leaves_of(top.id)) for top in skewed.categories] == [37, 7, 5, 2]
