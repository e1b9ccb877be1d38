"""The path sampler: its law where it has a closed form, its rules everywhere, and the same paths for the same seed."""

import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from random import Random
from time import process_time

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, chisquare, entropy

from kithe.errors import ConfigError
from kithe.personas.paths import BLOCK, PathSampler, Sampling, depth_weights, laws
from kithe.personas.taxonomy import Taxonomy, taxonomy

PINNED = [[0, 39, 44, 32], [50, 18, 36, 43], [34, 42, 46, 33], [46, 48, 38, 33]]
SINGLE = {"n": 1, "categories": 1}  # one draw, which no cap can bend


def singles(tree: Taxonomy, many: int, seed: int = 0, **options: object) -> NDArray[np.int64]:
    """`many` independent draws of one leaf."""
    return PathSampler(Sampling(**{**SINGLE, **options}), seed, tree).draw(0, many).leaves[:, 0]  # type: ignore[arg-type]


def depths(tree: Taxonomy) -> NDArray[np.int64]:
    return np.array([leaf.depth for leaf in tree.leaves])


def categories(tree: Taxonomy) -> NDArray[np.int64]:
    tops = [top.id for top in tree.categories]
    return np.array([tops.index(tree.above(leaf.id, 1).id) for leaf in tree.leaves])


def law(tree: Taxonomy, **options: object) -> NDArray[np.float64]:
    """p(l) = (1 - beta) p_U(l) + beta p_S(l), from its parts."""
    sampling = Sampling(**{**SINGLE, **options})  # type: ignore[arg-type]
    uniform, stratified = laws(tree, sampling)
    return (1 - sampling.beta) * uniform + sampling.beta * stratified


# ---- the law of a single draw ----


def test_without_strata_every_leaf_is_as_likely() -> None:
    found = np.bincount(singles(taxonomy(), 100_000, beta=0.0), minlength=len(taxonomy().leaves))
    assert chisquare(found).pvalue > 0.01
    other = np.bincount(singles(taxonomy(), 100_000, beta=1.0), minlength=len(taxonomy().leaves))
    assert chisquare(other).pvalue < 1e-6


@pytest.mark.parametrize("preset", ["uniform_depth", "sqrt", "specific"])
def test_with_strata_only_depths_have_their_weights_and_categories_are_even(preset: str) -> None:
    tree = taxonomy()
    found = singles(tree, 100_000, beta=1.0, depths=preset)
    has = np.bincount(depths(tree))
    weights = depth_weights(has, preset)  # type: ignore[arg-type]
    wanted = {"uniform_depth": [1, 1, 1], "sqrt": np.sqrt(has[3:]), "specific": [3, 4, 5]}[preset]
    assert weights[3:] == pytest.approx(np.array(wanted) / np.sum(wanted))
    assert chisquare(np.bincount(depths(tree)[found])[3:], 100_000 * weights[3:]).pvalue > 0.01
    for depth in (3, 4, 5):
        assert chisquare(np.bincount(categories(tree)[found[depths(tree)[found] == depth]], minlength=32)).pvalue > 0.01


@pytest.mark.parametrize("beta", [0.25, 0.5, 0.75])
def test_a_blend_follows_its_closed_form_and_reports_it(skewed: Taxonomy, beta: float) -> None:
    draws = PathSampler(Sampling(**SINGLE, beta=beta), 1, skewed).draw(0, 50_000)  # type: ignore[arg-type]
    wanted = law(skewed, beta=beta)
    assert wanted.sum() == pytest.approx(1)
    assert chisquare(np.bincount(draws.leaves[:, 0], minlength=51), 50_000 * wanted).pvalue > 0.01
    assert draws.probs[:, 0] == pytest.approx(wanted[draws.leaves[:, 0]])
    assert draws.stratified.mean() == pytest.approx(beta, abs=0.01)


def test_the_walk_follows_its_closed_form_and_favours_shallow_leaves_of_small_categories(skewed: Taxonomy) -> None:
    wanted = law(skewed, law="walk")
    by_id = dict(zip([leaf.id for leaf in skewed.leaves], wanted, strict=True))
    assert by_id["tiny/tiny-one/j0"] == pytest.approx(1 / 4 / 1 / 2)
    assert by_id["big/big-two/b-deep/c-deep/d0"] == pytest.approx(1 / 4 / 2 / 9 / 4 / 2)
    assert chisquare(np.bincount(singles(skewed, 50_000, law="walk"), minlength=51), 50_000 * wanted).pvalue > 0.01
    assert {pick.sampler for pick in PathSampler(Sampling(law="walk"), 0).picks(3)} == {"walk"}


def test_categories_even_out_with_beta(skewed: Taxonomy) -> None:
    for tree in (skewed, taxonomy()):
        betas = (0.0, 0.25, 0.5, 0.75, 1.0)
        place = categories(tree)
        found = [entropy(np.bincount(place[singles(tree, 40_000, beta=beta)])) for beta in betas]
        assert found == sorted(found)
        exact = [entropy(np.bincount(place, weights=law(tree, beta=beta))) for beta in betas]
        assert found == pytest.approx(exact, abs=0.02)


def test_depth_grows_with_the_preset_where_shallow_leaves_dominate(skewed: Taxonomy) -> None:
    mean = {
        preset: depths(skewed)[singles(skewed, 40_000, beta=1.0, depths=preset)].mean()
        for preset in ("specific", "uniform_depth")
    }
    by_count = depths(skewed)[singles(skewed, 40_000, beta=0.0)].mean()
    assert mean["specific"] > mean["uniform_depth"] + 0.1 > by_count + 0.2


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_as_many_leaves_are_seen_as_independent_draws_would_see(beta: float) -> None:
    for many in (500, 2_000, 8_000):
        expected = (1 - (1 - law(taxonomy(), beta=beta)) ** many).sum()
        assert len(set(singles(taxonomy(), many, seed=5, beta=beta))) == pytest.approx(expected, rel=0.03)


# ---- several draws for a persona ----

options = st.builds(
    lambda n, cap, categories, beta, depths, law: Sampling(
        n=n, cap=cap, categories=min(categories, n), beta=beta, depths=depths, law=law
    ),
    n=st.integers(4, 12),
    cap=st.integers(1, 3),
    categories=st.integers(1, 12),
    beta=st.sampled_from((0.0, 0.5, 1.0)),
    depths=st.sampled_from(("uniform_depth", "sqrt", "specific")),
    law=st.sampled_from(("hybrid", "walk")),
)


@settings(max_examples=25, deadline=None)
@given(sampling=options, seed=st.integers(0, 2**40))
def test_no_leaf_twice_no_category_above_the_cap_and_enough_categories(sampling: Sampling, seed: int) -> None:
    leaves = PathSampler(sampling, seed).draw(0, 300).leaves
    place = categories(taxonomy())[leaves]
    for row, where in zip(leaves, place, strict=True):
        assert len(set(row)) == sampling.n
        counts = Counter(where)
        assert max(counts.values()) <= sampling.cap
        assert len(counts) >= sampling.fewest


def test_one_name_is_drawn_once_a_persona(skewed: Taxonomy) -> None:
    draws = PathSampler(Sampling(n=8, cap=4, categories=3), 0, skewed).draw(0, 3_000).leaves
    twins = [number for number, leaf in enumerate(skewed.leaves) if leaf.name == "Twin"]
    held = np.isin(draws, twins).sum(axis=1)
    assert len(twins) == 2
    assert set(held) == {0, 1}


def by_hand(tree: Taxonomy, sampling: Sampling, rng: Random) -> list[int]:
    """One persona's leaves, by the steps of docs/taxonomy.md written out one at a time."""
    parts = laws(tree, sampling)
    place = categories(tree)
    names = [leaf.name for leaf in tree.leaves]
    pool, chosen = set(range(len(names))), list[int]()

    def draw(stratified: bool, among: set[int]) -> int:
        order = sorted(among)
        return rng.choices(order, [parts[stratified][leaf] for leaf in order])[0]

    while len(chosen) < sampling.n:
        leaf = draw(rng.random() < sampling.beta, pool)
        if sum(place[other] == place[leaf] for other in chosen) >= sampling.cap:
            pool -= {other for other in pool if place[other] == place[leaf]}
            continue
        chosen.append(leaf)
        pool -= {other for other in pool if names[other] == names[leaf]}
    while len(counts := Counter(place[leaf] for leaf in chosen)) < sampling.fewest:
        most = max(counts.values())
        seat = max(seat for seat, leaf in enumerate(chosen) if counts[place[leaf]] == most)
        held = {names[leaf] for leaf in chosen}
        free = {leaf for leaf in range(len(names)) if place[leaf] not in counts and names[leaf] not in held}
        chosen[seat] = draw(True, free)
    return chosen


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(n=4, cap=2, categories=2),
        Sampling(n=4, cap=2, categories=4, beta=0.25, depths="specific"),
        Sampling(n=6, cap=3, categories=3, beta=0.8, depths="uniform_depth"),
        Sampling(n=5, cap=5, categories=1, beta=0.0),
    ],
)
def test_many_at_once_are_as_one_by_one(skewed: Taxonomy, sampling: Sampling) -> None:
    many = 8_000
    rng = Random(8)
    slow = np.array([by_hand(skewed, sampling, rng) for _ in range(many)])
    fast = PathSampler(sampling, 8, skewed).draw(0, many).leaves
    for seat in range(sampling.n):
        table = np.array([np.bincount(leaves[:, seat], minlength=51) for leaves in (slow, fast)])
        assert chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue > 0.001, seat
    place = categories(skewed)
    spread = [Counter(tuple(sorted(Counter(place[row]).values())) for row in leaves) for leaves in (slow, fast)]
    for kind in spread[0] | spread[1]:
        assert spread[0][kind] / many == pytest.approx(spread[1][kind] / many, abs=0.02)


def test_after_a_full_category_the_kind_of_draw_is_chosen_afresh(skewed: Taxonomy) -> None:
    sampling = Sampling(n=2, cap=1, categories=1)
    names, place = np.array([leaf.name for leaf in skewed.leaves]), categories(skewed)
    expected = 0.0
    for leaf, prob in enumerate(law(skewed)):
        left = names != names[leaf]
        uniform, stratified = (part[left & (place == place[leaf])].sum() / part[left].sum() for part in laws(skewed, sampling))
        expected += prob * 0.5 * (1 - stratified + 0.5 * (uniform + stratified))
    found = PathSampler(sampling, 3, skewed).draw(0, 50_000).stratified[:, 1].mean()
    assert expected > 0.53
    assert found == pytest.approx(expected, abs=0.008)


# ---- the same for the same seed ----


@settings(max_examples=20, deadline=None)
@given(start=st.integers(0, 3 * BLOCK), size=st.integers(1, BLOCK), seed=st.integers(0, 9), gamma=st.sampled_from((0.0, 1.0)))
def test_a_shard_holds_what_the_whole_holds(start: int, size: int, seed: int, gamma: float) -> None:
    sampling = Sampling(gamma=gamma)
    whole = PathSampler(sampling, seed).draw(0, start + size)
    part = PathSampler(sampling, seed).draw(start, start + size)
    assert (whole.leaves[start:] == part.leaves).all()
    assert (whole.stratified[start:] == part.stratified).all()
    assert (whole.probs[start:] == part.probs).all()


def test_picks_and_paths_are_those_of_the_draw_in_any_order() -> None:
    sampler = PathSampler(Sampling(), 4)
    draws = PathSampler(Sampling(), 4).draw(0, 2 * BLOCK)
    for persona in (700, 3, BLOCK, BLOCK - 1, 3):
        picks = sampler.picks(persona)
        assert [pick.leaf for pick in picks] == [taxonomy().leaves[leaf].id for leaf in draws.leaves[persona]]
        assert [pick.sampler == "stratified" for pick in picks] == draws.stratified[persona].tolist()
        assert [pick.prob for pick in picks] == draws.probs[persona].tolist()
        for pick, path in zip(picks, sampler.paths(persona), strict=True):
            assert taxonomy().node(pick.leaf).leaf
            assert path == taxonomy().path(pick.leaf)
            assert path[0] == "Interests"


def test_seeds_and_personas_differ() -> None:
    draws = [PathSampler(Sampling(), seed).draw(0, 2_000).leaves for seed in (0, 1)]
    assert (draws[0] == draws[1]).mean() < 0.01
    assert len({tuple(row) for leaves in draws for row in leaves}) == 4_000


def test_a_seed_means_the_same_tomorrow(skewed: Taxonomy) -> None:
    assert PathSampler(Sampling(n=4, categories=3), 7, skewed).draw(510, 514).leaves.tolist() == PINNED


def test_a_hundred_thousand_personas_take_seconds() -> None:
    start = process_time()
    assert PathSampler(Sampling(), 0).draw(0, 100_000).leaves.shape == (100_000, 8)
    assert process_time() - start < 20


# ---- balance over the corpus ----


def test_balancing_evens_out_the_categories() -> None:
    place = categories(taxonomy())
    found = [
        entropy(np.bincount(place[PathSampler(Sampling(gamma=gamma), 2).draw(0, 10_000).leaves.ravel()]))
        for gamma in (0.0, 0.5, 1.0)
    ]
    assert found[0] + 0.005 < found[1] < found[2] < np.log(32)


def test_balanced_probabilities_are_a_law() -> None:
    sampler = PathSampler(Sampling(gamma=1.0, **SINGLE), 2)  # type: ignore[arg-type]
    late = sampler.draw(20 * BLOCK, 21 * BLOCK)
    early = PathSampler(Sampling(**SINGLE), 2).draw(0, BLOCK)  # type: ignore[arg-type]
    assert 0 < late.probs.min() < late.probs.max() < 0.02
    assert set(late.probs.ravel()) != set(early.probs.ravel())


# ---- what cannot be drawn, and what a config says ----


def test_the_config_of_the_docs_is_the_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "taxonomy.md").read_text(encoding="utf-8")
    node = next(yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.S) if "_target_" in text)
    assert node.pop("_target_") == "kithe.personas.paths.Sampling"
    assert node == asdict(Sampling())


@pytest.mark.parametrize(
    "options",
    [
        {"n": 0},
        {"beta": 1.5},
        {"cap": 0},
        {"categories": 9},
        {"categories": 0},
        {"gamma": -1},
        {"depths": "deep"},
        {"law": "wolk"},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    (name,) = options
    with pytest.raises(ConfigError, match=f"path sampling: {name}="):
        Sampling(**options)  # type: ignore[arg-type]


def test_a_tree_that_is_too_small_is_refused(skewed: Taxonomy) -> None:
    with pytest.raises(ConfigError, match="4 categories with room for 8 paths"):
        PathSampler(Sampling(n=9, categories=3), 0, skewed)
    with pytest.raises(ConfigError, match="n=8 in 5 categories"):
        PathSampler(Sampling(), 0, skewed)
    with pytest.raises(ConfigError, match="a seed is not negative"):
        PathSampler(Sampling(), -1)
    with pytest.raises(ConfigError, match="no leaf is left"):
        PathSampler(Sampling(n=8, categories=4), 0, skewed).draw(0, 1)


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (5, 5), (6, 2)])
def test_an_empty_range_is_refused(start: int, stop: int) -> None:
    with pytest.raises(ConfigError, match="0 <= start < stop"):
        PathSampler(Sampling(), 0).draw(start, stop)
