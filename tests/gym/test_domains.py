"""Domains on the map: clusters that are apart, labels that are mixed, and what the scripted users' talk is ruled by."""

from collections.abc import Sequence
from random import Random
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from kithe.errors import ConfigError
from kithe.gym.bank import bank
from kithe.gym.corpus import Atlas
from kithe.gym.domains import (
    DOMAIN,
    FIRST,
    FOLLOW_UPS,
    NEIGHBOURS,
    OPENINGS,
    SEEDS,
    WHOLE,
    WISH,
    domains,
    interleaving,
    near,
    one_each,
)
from kithe.gym.queries import queries
from kithe.gym.records import Trajectory
from kithe.gym.user import CURIOSITY
from kithe.quality.embedding import Vectors, neighbourhoods


def unit(points: NDArray[np.float64]) -> Vectors:
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def clusters(number: int, size: int, noise: float, seed: int = 0) -> tuple[Vectors, list[str]]:
    rng = np.random.default_rng(seed)
    centres = np.repeat(np.eye(number, 24), size, axis=0)
    return unit(centres + noise * rng.normal(size=centres.shape)), [f"c{n // size}" for n in range(number * size)]


def alone(labels: Sequence[str]) -> list[str]:
    return [f"u{n}" for n in range(len(labels))]


def test_separate_clusters_are_apart() -> None:
    vectors, labels = clusters(6, 20, 0.05)
    found = interleaving(vectors, labels, alone(labels))
    assert found.purity.value == 1.0
    assert found.chance == pytest.approx(19 / 119, abs=0.02)
    assert found.apart == pytest.approx(1.0)
    assert found.p == pytest.approx(1 / 501)


def test_mixed_labels_are_interleaved() -> None:
    vectors, labels = clusters(6, 20, 0.05)
    Random(3).shuffle(labels)
    found = interleaving(vectors, labels, alone(labels))
    assert found.purity.low is not None
    assert found.purity.high is not None
    assert found.purity.low < found.chance < found.purity.high
    assert abs(found.apart) < 0.05
    assert found.p > 0.05


def test_half_mixed_lies_between() -> None:
    vectors, labels = clusters(6, 20, 0.05)
    mixed = [label if n % 2 else f"c{n // 2 % 6}" for n, label in enumerate(labels)]
    assert 0.2 < interleaving(vectors, mixed, alone(mixed)).apart < 0.8


def test_purity_by_hand() -> None:
    angles = np.radians([0, 10, 25, 90, 95])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert near(vectors, list("abcde"), 1).ravel().tolist() == [1, 0, 1, 4, 3]
    assert interleaving(vectors, list("xxyyy"), list("abcde"), 1).purity.value == pytest.approx(4 / 5)
    assert near(vectors, list("aabcd"), 1).ravel().tolist() == [2, 2, 1, 4, 3]  # one's own texts are no neighbours


def test_too_few_texts_are_refused() -> None:
    vectors, labels = clusters(2, 4, 0.1)
    with pytest.raises(ConfigError, match="10 texts of other users"):
        interleaving(vectors, labels, alone(labels))
    with pytest.raises(ConfigError, match="there are 0"):
        near(vectors, ["one"] * 8, 3)


def test_the_plane_keeps_neighbours_together() -> None:
    vectors, labels = clusters(4, 15, 0.05)
    plane = neighbourhoods(vectors)
    gaps = np.linalg.norm(plane[:, None] - plane[None], axis=2) + np.diag(np.full(60, np.inf))
    assert all(labels[n] == labels[other] for n, other in enumerate(gaps.argmin(axis=1)))
    assert neighbourhoods(vectors[:3]).shape == (3, 2)


class Silent:
    """Must not be asked."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        raise AssertionError(texts)


@pytest.mark.parametrize(("personas", "sessions"), [(1, 1), (1, 3), (4, 2)])
def test_a_corpus_too_small_for_neighbours_says_so(personas: int, sessions: int) -> None:
    talks = list(Atlas(personas=personas, sessions=sessions).talks())
    found = domains(talks, Silent())
    assert (found.rows, found.closer, found.places) == ({}, None, {})
    assert set(found.short) == {(name, DOMAIN) for name in (SEEDS, OPENINGS, FOLLOW_UPS, WHOLE, FIRST)} | {(FIRST, WISH)}
    assert found.short[SEEDS, DOMAIN] == found.short[WHOLE, DOMAIN] == len(talks) == personas * sessions
    assert found.short[FIRST, WISH] == sum(talk.said[1].serves[0] != CURIOSITY for talk in talks)


def test_what_is_too_few_is_named_beside_what_is_not() -> None:
    talks = list(Atlas(personas=15, sessions=1).talks())
    found = domains(talks, Topical())
    assert set(found.rows) == {(name, DOMAIN) for name in (SEEDS, OPENINGS, FOLLOW_UPS, WHOLE)}
    served = sum(talk.said[1].serves[0] != CURIOSITY for talk in talks)
    assert found.short == {(FIRST, DOMAIN): served, (FIRST, WISH): served}
    assert 0 < served < 15


@pytest.fixture(scope="module")
def talks() -> list[Trajectory]:
    return list(Atlas(personas=45).talks())


class Topical:
    """Seed queries where their domain is, anything else at random."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        place, names = {query.text: query.domain for query in queries()}, bank().by_name["domain"].values
        rows = np.stack([np.random.default_rng(crc32(text.encode())).normal(size=40) for text in texts])
        for row, text in zip(rows, texts, strict=True):
            if text in place:
                row *= 0.01
                row[names.index(place[text])] += 1
        return unit(rows)


def test_one_conversation_of_each_query(talks: list[Trajectory]) -> None:
    chosen = one_each([*talks, *talks])
    assert len(chosen) == len({talk.query_id for talk in chosen}) == len({talk.query_id for talk in talks})
    assert all(len(talk.said) > 1 for talk in chosen)


def test_figures_of_a_corpus(talks: list[Trajectory]) -> None:
    found = domains(talks, Topical())
    assert set(found.rows) == {(name, DOMAIN) for name in (SEEDS, OPENINGS, FOLLOW_UPS, WHOLE, FIRST)} | {(FIRST, WISH)}
    seeds, said = found.rows[SEEDS, DOMAIN], found.rows[FOLLOW_UPS, DOMAIN]
    assert seeds.apart > 0.7
    assert seeds.p < 0.01
    assert abs(said.apart) < 0.03
    assert seeds.purity.n == len(one_each(talks)) == len(found.places[SEEDS])
    whole = found.rows[WHOLE, DOMAIN]
    assert found.closer.value == pytest.approx(seeds.purity.value - whole.purity.value)
    assert found.closer.low is not None
    assert found.closer.low > 0.5
    assert seeds.neighbours == NEIGHBOURS
    assert found.short == {}
    assert {name for *_, name in found.places[WHOLE]} <= set(bank().by_name["domain"].values)
