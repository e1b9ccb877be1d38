"""The read-out on top of the network: its regression, its features, and that no pair is read by what it was fitted on."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from judged_talks import talk
from words_encoder import WordsEncoder

from kithe.evaluation.judging.verdicts import Question
from kithe.evaluation.verifier import checkpoint
from kithe.evaluation.verifier.looking import look
from kithe.evaluation.verifier.readout import FEATURES, Readout, apart, features, fit, sentences_of
from kithe.knowledge.text import stems
from kithe.records.history import KnowledgeItem


def drawn(pairs: int = 400, seed: int = 0) -> tuple[np.ndarray, list[bool]]:
    """Pairs whose label depends on the first feature, in a unit of its own; the others are noise."""
    draw = np.random.default_rng(seed)
    known = draw.normal(size=(pairs, len(FEATURES)))
    known[:, 0] = 40 + 10 * known[:, 0]
    labels = draw.random(pairs) < 1 / (1 + np.exp(-(known[:, 0] - 40) / 3))
    return known, [bool(label) for label in labels]


def test_it_finds_what_decides_in_the_units_of_the_features() -> None:
    known, labels = drawn()
    found = fit(known, labels, penalty=0.1)
    assert found.weights[0] == pytest.approx(1 / 3, rel=0.35)
    assert np.abs(np.array(found.weights[1:])).max() < 0.6
    assert found.bias == pytest.approx(-40 * found.weights[0], abs=2)


def test_at_the_optimum_no_small_step_is_better() -> None:
    known, labels = drawn(120)
    found, penalty = fit(known, labels, 20.0), 20.0

    def loss(weights: np.ndarray, bias: float) -> float:
        said = np.array(Readout(tuple(weights), bias)(known))
        return float(-np.log(np.where(labels, said, 1 - said)).sum() + penalty / 2 * ((weights * known.std(axis=0)) ** 2).sum())

    weights = np.array(found.weights)
    best = loss(weights, found.bias)
    for at in range(len(weights)):
        for step in (-0.05, 0.05):
            other = weights.copy()
            other[at] += step / known[:, at].std()
            assert loss(other, found.bias - step * known[:, at].mean() / known[:, at].std()) > best


def test_a_feature_that_never_changes_does_no_harm() -> None:
    known, labels = drawn(60)
    known[:, 3] = 0.0
    assert np.isfinite(fit(known, labels)(known)).all()


def test_pairs_are_read_without_their_group() -> None:
    known, labels = drawn(100)
    groups = [f"dialogue {at // 5}" for at in range(100)]
    before = apart(known, labels, groups)
    turned = [not label if at < 5 else label for at, label in enumerate(labels)]
    assert apart(known, turned, groups)[:5] == before[:5]
    assert apart(known, turned, groups)[5:] != before[5:]


def test_a_card_keeps_everything() -> None:
    found = fit(*drawn(80))
    assert Readout.of(json.loads(json.dumps(found.card()))) == found


def test_features_are_those_of_their_names() -> None:
    asked = [
        ("You keep bees, right?", "No, I sail. My sister has two cats.", "I keep bees."),
        ("Hi.", "I have two cats.", "I have three cats."),
        ("", "I like tea.", "I always like tea."),
        ("", "", "I like tea."),
    ]
    rows = features(asked, [0.5, 0.5, 1.0, 0.0], WordsEncoder())
    named = [dict(zip(FEATURES, row.tolist(), strict=True)) for row in rows]
    assert rows.shape == (4, len(FEATURES))
    assert np.isfinite(rows).all()
    assert [row["network"] for row in named[:2]] == [0.0, 0.0]
    assert (named[0]["shared words"], named[0]["in context only"], named[0]["in context only, refused"]) == (0.0, 1.0, 1.0)
    assert (named[1]["number"], named[1]["number of its own"], named[2]["number of its own"]) == (1.0, 1.0, 0.0)
    assert (named[2]["too strong"], named[1]["too strong"]) == (1.0, 0.0)
    assert named[2]["cosine with nearest sentence"] > named[0]["cosine with nearest sentence"]
    assert features([], [], WordsEncoder()).shape == (0, len(FEATURES))


def test_a_sentence_is_never_missing() -> None:
    assert sentences_of("I sail. Really!") == ["I sail.", "Really!"]
    assert sentences_of("") == [""]


def test_a_search_is_marked_where_passages_were_chosen() -> None:
    history = talk("h", "U: I sail.", "A: Nice.", "U: I keep bees.", "U: I bake bread.")
    asked = [Question("q", history, KnowledgeItem(statement="I keep bees."))]
    few, all_ = (
        look(asked, count, WordsEncoder(), lambda some: [float("bees" in said) for _, said, _ in some]) for count in (2, 3)
    )
    assert (few[0].searched, len(few[0].read), few[0].highest) == (True, 2, 1.0)
    assert (all_[0].searched, len(all_[0].read)) == (False, 3)


class Lenient:
    """A scripted reader: shared words, and never less than 0.5."""

    threshold = 0.4

    def probabilities(self, asked: Sequence[tuple[str, str, str]]) -> list[float]:
        return [0.5 + 0.4 * len(stems(said) & stems(stated)) / max(1, len(stems(stated))) for _, said, stated in asked]


def test_the_threshold_of_a_search_is_chosen_on_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "default_encoder", WordsEncoder)
    history = talk("h", *(f"U: I sell {thing}." for thing in ("tea", "boats", "roses", "lamps", "bread", "bees")))
    asked = [
        (Question(thing, history, KnowledgeItem(statement=f"I sell {thing}.")), own)
        for thing, own in (("tea", True), ("boats", True), ("roses", True), ("cars", False), ("sofas", False), ("maps", False))
    ]
    assert 0.7 < checkpoint.searched_threshold(asked, Lenient()) <= 0.9  # type: ignore[arg-type]
    assert checkpoint.searched_threshold([], Lenient()) == 0.4  # type: ignore[arg-type]
