"""Embedding measures, two-sample tests, retrieval: cases whose answer is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kithe.quality import embedding, fidelity, twosample
from kithe.quality.texts import Passage
from tests.quality.worlds import Hashed, healthy, history

Vectors = NDArray[np.float32]


def cloud(n: int, shift: float = 0.0, seed: int = 0, d: int = 16) -> Vectors:
    points = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    points[:, 0] += shift
    unit: Vectors = points / np.linalg.norm(points, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("kinds", [1, 4, 9])
def test_vendi_counts_what_is_different(kinds: int) -> None:
    vectors = np.repeat(np.eye(16, dtype=np.float32)[:kinds], 5, axis=0)
    assert embedding.vendi(vectors) == pytest.approx(kinds)


def test_vendi_is_the_same_from_either_matrix() -> None:
    wide, tall = cloud(10), cloud(40)
    for points in (wide, tall):
        values = np.linalg.eigvalsh((points @ points.T).astype(np.float64) / len(points))
        kept = values[values > 1e-12]
        assert embedding.vendi(points) == pytest.approx(float(np.exp(-(kept * np.log(kept)).sum())), rel=1e-4)


def test_mauve_of_itself_is_one_and_of_strangers_near_zero() -> None:
    histogram = np.array([0.2, 0.5, 0.3])
    assert embedding.frontier_area(histogram, histogram) == pytest.approx(1.0)
    # Without overlap the frontier is ((1-w)^5, w^5), and the area below it 5 B(6, 5) = 1/252.
    apart = embedding.frontier_area(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert apart == pytest.approx(1 / 252, rel=0.05)
    points = cloud(200)
    assert embedding.mauve(points, points) == pytest.approx(1.0)
    assert embedding.mauve(cloud(200), cloud(200, seed=1)) > 0.8
    assert embedding.mauve(cloud(200), cloud(200, shift=8, seed=1)) < 0.1
    assert embedding.mauve(points[:1].repeat(50, axis=0), points[:1].repeat(50, axis=0)) == 1.0


def test_mauve_falls_with_distance() -> None:
    found = [embedding.mauve(cloud(300), cloud(300, shift, 1)) for shift in (0.0, 1.0, 2.0, 4.0)]
    assert found == sorted(found, reverse=True)


def test_precision_falls_for_strange_text_and_recall_for_missing_text() -> None:
    real = np.concatenate([cloud(100, 4), cloud(100, -4, 1)])
    same = embedding.manifold(np.concatenate([cloud(100, 4, 2), cloud(100, -4, 3)]), real)
    half = embedding.manifold(np.concatenate([cloud(100, 4, 2), cloud(100, 4, 3)]), real)
    assert same.precision > 0.6
    assert same.recall > 0.6
    assert half.recall < 0.6 < half.precision
    assert half.coverage <= 0.5 < same.coverage
    itself = embedding.manifold(real, real)
    assert (itself.precision, itself.recall, itself.coverage) == (1.0, 1.0, 1.0)


def test_figures_of_halves_state_their_size() -> None:
    found = embedding.of_halves(embedding.mauve, cloud(60), cloud(80, seed=1), draws=2)
    assert found.n == 30
    assert embedding.of_halves(embedding.mauve, cloud(4), cloud(4)).n == 2
    assert embedding.vendi_figure(cloud(50), 20).n == 20
    assert embedding.vendi_figure(np.empty((0, 4), dtype=np.float32), 20).n == 0


def test_the_map_keeps_the_longest_axis() -> None:
    line = np.outer(np.linspace(-1, 1, 9), np.eye(5)[2]).astype(np.float32)
    plane = embedding.flat(line)
    assert np.allclose(np.abs(plane[:, 0]), np.abs(line[:, 2]), atol=1e-5)
    assert np.allclose(plane[:, 1], 0, atol=1e-5)


def test_a_classifier_cannot_tell_the_same_from_the_same() -> None:
    groups = [str(row) for row in range(400)]
    told = twosample.on_vectors(cloud(200), cloud(200, seed=1), groups)
    assert told.figure.low is not None
    assert told.figure.high is not None
    assert told.figure.low < 0.5 < told.figure.high
    assert told.p > 0.05


def test_a_classifier_tells_what_is_shifted() -> None:
    told = twosample.on_vectors(cloud(200), cloud(200, 3, seed=1), [str(row) for row in range(400)])
    assert told.figure.value > 0.9
    assert told.p < 0.01


def test_the_p_value_is_honest_where_nothing_differs() -> None:
    """Rows of one history are alike: a test that took them for independent would see differences that are not there."""
    small = 0
    for seed in range(15):
        centres = np.repeat(cloud(60, seed=seed), 5, axis=0)
        points = centres + 0.1 * cloud(300, seed=seed + 100)
        told = twosample.on_vectors(points[:150], points[150:], [str(row // 5) for row in range(300)], seed)
        small += told.p < 0.05
    assert small <= 3


def test_words_tell_generators_apart() -> None:
    first = [Passage(f"a{i}", f"really nice weather today number {i % 7}") for i in range(40)]
    second = [Passage(f"b{i}", f"terrible weather today number {i % 7}") for i in range(40)]
    assert twosample.on_words(first, second).figure.value > 0.99
    mixed = [Passage(f"c{i}", first[i].text if i % 2 else second[i].text) for i in range(40)]
    other = [Passage(f"d{i}", second[i].text if i % 2 else first[i].text) for i in range(40)]
    told = twosample.on_words(mixed, other)
    assert told.figure.value < 0.7
    assert told.p > 0.05


def test_personas_are_found_by_what_they_say() -> None:
    things = ["jazz records", "tennis rackets", "sushi rolls", "chess openings"]
    people = [history(f"h{i}", [f"I talked about {thing}"], [f"I like {thing}."]) for i, thing in enumerate(things)]
    texts = [Passage(each.id, each.turns[0].text) for each in people]
    encoder = Hashed()
    facts = encoder.encode([item.statement for each in people for item in each.items])
    found = fidelity.persona_retrieval(texts, encoder.encode([each.text for each in texts]), people, facts)
    assert (found.top1.value, found.mrr.value, found.candidates) == (1.0, 1.0, 4)
    assert found.chance == 0.25
    assert found.chance_mrr == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_retrieval_by_chance_is_at_chance() -> None:
    similar = np.random.default_rng(0).normal(size=(400, 50))
    found = fidelity.retrieval(similar, [row % 50 for row in range(400)])
    assert found.top1.low is not None
    assert found.top1.high is not None
    assert found.top1.low < 1 / 50 < found.top1.high
    assert found.mrr.value == pytest.approx(found.chance_mrr, abs=0.03)
    flat = fidelity.retrieval(np.zeros((3, 5)), [0, 1, 2])
    assert flat.mrr.value == pytest.approx(1 / 3)  # five alike: the middle place


def test_seeds_are_recovered_from_the_nearest_passage() -> None:
    paths = np.eye(4, dtype=np.float32)
    texts = [Passage("a", ""), Passage("a", ""), Passage("b", ""), Passage("c", "")]
    vectors = np.stack([(paths[0] + paths[1]) / 2, paths[2], paths[3], paths[0]])
    found = fidelity.seed_recovery(texts, vectors, paths, {"a": frozenset({2}), "b": frozenset({0, 1})})
    assert (found.hit.value, found.hit.n) == (0.5, 2)
    assert found.chance == (1 + 2) / (4 * 2)
    assert fidelity.seed_recovery([], vectors[:0], paths, {}).hit.n == 0


def test_persona_retrieval_works_on_the_scripted_generator() -> None:
    made = healthy(60)
    encoder = Hashed()
    people = [each for each in made.histories if each.items]
    facts = encoder.encode([item.statement for each in people for item in each.items])
    found = fidelity.persona_retrieval(made.passages, encoder.encode([p.text for p in made.passages]), people, facts)
    assert found.top1.value > 5 * found.chance
