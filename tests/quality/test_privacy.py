"""Leaks: a generator that copies is caught by each measure, one that does not is near chance."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from kithe.quality import canaries, privacy
from kithe.quality.texts import Corpus, tokens
from kithe.records.history import History
from tests.quality.worlds import Hashed, healthy, history


def split(seed: int = 0) -> tuple[list[str], list[str], list[str]]:
    """Training, holdout and further texts of one distribution."""
    said = sorted({passage.text for passage in healthy(400).passages})
    Random(seed).shuffle(said)
    third = len(said) // 3
    return said[:third], said[third : 2 * third], said[2 * third :]


def test_copies_are_nearer_to_what_was_copied() -> None:
    train, holdout, fresh = split()
    encoder = Hashed()
    vectors = [encoder.encode(texts) for texts in (train, holdout)]
    groups = [str(row) for row in range(60)]
    clean = privacy.closest_record(encoder.encode(fresh[:60]), groups, *vectors)
    leaky = privacy.closest_record(encoder.encode([*train[:30], *fresh[:30]]), groups, *vectors)
    assert clean.nearer_train.low is not None
    assert clean.nearer_train.high is not None
    assert clean.nearer_train.low < 0.5 < clean.nearer_train.high
    assert clean.p > 0.05
    assert clean.copies.value == 0.0
    assert leaky.copies.value == 0.5
    assert leaky.nearer_train.low is not None
    assert leaky.nearer_train.low > 0.5
    assert leaky.p < 0.01
    assert leaky.train.value < leaky.holdout.value


def test_the_test_of_nearness_is_honest() -> None:
    """Which texts are the holdout is chance: over many deals few are called a leak."""
    encoder, called = Hashed(), 0
    for seed in range(20):
        train, holdout, fresh = split(seed)
        found = privacy.closest_record(
            encoder.encode(fresh[:80]), [str(row) for row in range(80)], encoder.encode(train), encoder.encode(holdout), seed
        )
        called += found.p < 0.05
    assert called <= 4


def test_members_are_told_from_others_only_where_they_leak() -> None:
    train, holdout, fresh = ([tokens(text) for text in part] for part in split())
    clean = privacy.likelihood_attack(fresh, train, holdout)
    leaky = privacy.likelihood_attack([*fresh, *train], train, holdout)
    assert clean.auc.low is not None
    assert clean.auc.high is not None
    assert clean.auc.low < 0.5 < clean.auc.high
    assert leaky.auc.value > 0.9
    assert leaky.tpr_at_1 > 10 * max(clean.tpr_at_1, 0.01)


def test_the_embedding_attack_sees_copies() -> None:
    train, holdout, fresh = (Hashed().encode(part) for part in split())
    assert privacy.embedding_attack(np.concatenate([fresh, train]), train, holdout).auc.value > 0.8
    assert abs(privacy.embedding_attack(fresh, train, holdout).auc.value - 0.5) < 0.15


def test_an_ngram_model_backs_off() -> None:
    model = privacy.NgramModel([["a", "b", "c"], ["a", "b", "d"]])
    assert model.score(["a", "b"]) == pytest.approx((np.log(2 / 6) + np.log(2 / 2)) / 2)
    assert model.score(["b", "a"]) == pytest.approx((np.log(2 / 6) + np.log(0.4 * 2 / 6)) / 2)
    assert model.score(["zz"]) < model.score(["c"])
    assert model.score([]) == 0.0


TIMES = ("breakfast", "lunchtime", "midnight", "dinner", "tomorrow", "sunrise")
EXEMPLARS = [f"Could you play something by the band number {i} for me tonight after {TIMES[i % 6]}" for i in range(30)]


def copies(shown: Sequence[str]) -> list[History]:
    """A generator that repeats its exemplars."""
    return [history(f"copy{i}", [text]) for i, text in enumerate(shown)]


def ignores(shown: Sequence[str]) -> list[History]:
    """A generator that does not look at them."""
    return [history(f"own{i}", [f"What is the weather like in town {i} today?"]) for i in range(len(shown))]


def test_canaries_surface_in_a_generator_that_copies() -> None:
    leaky, clean = canaries.audit_generator(copies, EXEMPLARS), canaries.audit_generator(ignores, EXEMPLARS)
    assert leaky.surfaced == 20
    assert leaky.membership.auc.low is not None
    assert leaky.membership.auc.low > 0.9
    assert clean.surfaced == 0
    assert clean.membership.auc.low is not None
    assert clean.membership.auc.high is not None
    assert clean.membership.auc.low <= 0.5 <= clean.membership.auc.high


def test_canaries_begin_like_anything_and_are_all_different() -> None:
    made = canaries.make(EXEMPLARS, 10, 0)
    assert made == canaries.make(EXEMPLARS, 10, 0)
    assert len({*made.planted, *made.kept}) == 20
    assert all(text.startswith("Could you play something by the") for text in made.planted)
    with pytest.raises(ValueError, match="at least 6 words"):
        canaries.make(["too short"], 3, 0)


def test_echoes_of_exemplars_are_counted() -> None:
    said = Corpus("made", (history("a", ["Well, could you play something by the band number 7 please", "Hello you"]),))
    assert canaries.echo(said, EXEMPLARS).value == 0.5
    assert canaries.echo(said, ["hello you"]).value == 0.0  # too short to be anybody's
    assert canaries.echo(said, ["by the band number"]).value == 0.5
