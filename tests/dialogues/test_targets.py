"""Targets of a log: what is fitted, the noise, and whether the generator gets there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from kithe.corpora.real import RealSet
from kithe.dialogues.mix import Mix
from kithe.dialogues.scripted import Scripted
from kithe.dialogues.targets import MOST, FromLog, Targets, fit, laplace, measure, report
from kithe.errors import ConfigError
from kithe.records.history import Evidence, History, KnowledgeItem, Turn


def log(count: int) -> list[History]:
    """Histories of 6 or 8 user turns in two sessions, of which two or three reveal something, about one fact in four negative."""
    return [_history(index) for index in range(count)]


def _history(index: int) -> History:
    spoken = 8 if index % 2 else 6
    turns = [
        Turn(speaker=speaker, text=text, session=1 + (place >= spoken // 2))
        for place in range(spoken)
        for speaker, text in (("A", "one two three four five six seven"), ("B", "and so on"))
    ]
    items = tuple(
        KnowledgeItem(
            statement=f"I like {number}.",
            polarity="negative" if (index + number) % 4 == 0 else "positive",
            category="Food & Drink",
            evidence=(Evidence(turn=2 * number),),
        )
        for number in range(2 + index // 2 % 2)
    )
    return History(id=str(index), source="log", user="A", turns=tuple(turns), items=items)


@dataclass(frozen=True)
class _Log:
    """The hand-made log as a source."""

    def histories(self, split: str, seed: int) -> Iterator[History]:
        assert split == "train"
        return iter(log(60))


def write(teacher: Scripted, count: int) -> list[History]:
    return [teacher.dialogue(teacher.persona(5, index), 5, 0) for index in range(count)]


def test_what_is_measured() -> None:
    found = measure(log(8))
    assert found.turns == {"6": 4, "8": 4}
    assert found.words == {"7": pytest.approx(8)}
    assert found.facts == {"2": 4, "3": 4}
    assert found.sessions == {"2": 8}
    assert found.plain == {"6": 4, "5": 2, "7": 2}
    assert found.polarity["positive"] / found.histories == pytest.approx(0.75, abs=0.15)
    assert found.category == {"Food & Drink": pytest.approx(8)}


def test_one_history_changes_a_histogram_by_at_most_one() -> None:
    """The sensitivity that the noise is made for, also for histories with many turns and facts."""
    some = write(Scripted(), 12)
    for left_out in range(len(some)):
        whole, rest = measure(some), measure(some[:left_out] + some[left_out + 1 :])
        for name in ("turns", "words", "facts", "sessions", "plain", "polarity", "category"):
            one, other = getattr(whole, name), getattr(rest, name)
            assert sum(abs(one.get(key, 0) - other.get(key, 0)) for key in {*one, *other}) <= 1 + 1e-9


def test_the_noise_is_laplace() -> None:
    """Mean 0, mean absolute value = scale, variance = 2 scale², and the share within x of 0 is 1 - exp(-x / scale)."""
    rng, scale, count = Random(4), 3.0, 60_000
    draws = [laplace(scale, rng) for _ in range(count)]
    assert sum(draws) / count == pytest.approx(0, abs=0.07)
    assert sum(map(abs, draws)) / count == pytest.approx(scale, rel=0.02)
    assert sum(draw * draw for draw in draws) / count == pytest.approx(2 * scale * scale, rel=0.04)
    for bound, share in ((1.0, 0.2835), (3.0, 0.6321), (9.0, 0.9502)):
        assert sum(abs(draw) <= bound for draw in draws) / count == pytest.approx(share, abs=0.01)


def test_a_release_is_noisy_in_every_bin_and_says_so() -> None:
    exact, noisy = fit(log(50)).histograms, fit(log(50), epsilon=1.0, rng=Random(1)).histograms
    assert (exact.epsilon, noisy.epsilon) == (None, 1.0)
    assert set(noisy.turns) == set(map(str, range(MOST["turns"] + 1)))
    assert sum(count > 0 for count in noisy.turns.values()) > 10
    assert all(count >= 0 for count in noisy.turns.values())
    close = fit(log(50), epsilon=1e6, rng=Random(1)).histograms
    assert close.turns["8"] == pytest.approx(exact.turns["8"], abs=0.01)
    with pytest.raises(ConfigError, match="epsilon"):
        fit(log(2), epsilon=0)


def test_the_noise_has_the_scale_of_seven_histograms() -> None:
    """With empty data, a bin is the positive part of Laplace noise of scale 7 / epsilon: half of them 0, on average scale / 2."""
    bins = [count for seed in range(60) for count in fit([], epsilon=2.0, rng=Random(seed)).histograms.words.values()]
    assert sum(count == 0 for count in bins) / len(bins) == pytest.approx(0.5, abs=0.03)
    assert sum(bins) / len(bins) == pytest.approx(3.5 / 2, rel=0.06)


def test_a_hand_made_log_is_reproduced() -> None:
    targets = fit(log(40))
    before = report(write(Scripted(people=1.0), 150), targets)
    after = report(write(Scripted(people=1.0, targets=targets), 150), targets)
    for name in ("turns", "facts", "sessions", "polarity", "plain"):
        assert after[name]["tv"] < (0.3 if name == "plain" else 0.2), name
        assert after[name]["tv"] < before[name]["tv"] + 0.05, name
    assert after["category"]["tv"] < before["category"]["tv"] - 0.2


def test_the_mix_takes_what_the_log_tells() -> None:
    mixed = fit(log(40)).mixed(Mix(high=0.5))
    assert mixed.high == 0.5
    assert mixed.negative == pytest.approx(0.25, abs=0.1)
    silent = [history.model_copy(update={"items": ()}) for history in log(4)]
    assert fit(silent).mixed(Mix()).negative == Mix().negative
    assert fit(silent).categories is None


def test_targets_from_a_source_are_fitted_once_and_do_not_change() -> None:
    source = FromLog(_Log(), most=30)
    assert isinstance(source.fitted(), Targets)
    assert source.fitted() is source.fitted()
    assert source.fitted() == FromLog(_Log(), most=30).fitted()
    assert hash(Scripted(targets=source)) == hash(Scripted(targets=FromLog(_Log(), most=30)))
    assert FromLog(_Log(), epsilon=1.0, seed=3).fitted() == FromLog(_Log(), epsilon=1.0, seed=3).fitted()


@pytest.mark.skipif("KITHE_DATA" not in os.environ, reason="needs the real sets")
def test_a_real_log_is_reproduced() -> None:
    targets = FromLog(RealSet("laps"), most=300).fitted()
    before = report(write(Scripted(people=0.0), 100), targets)
    after = report(write(Scripted(people=0.0, targets=targets), 100), targets)
    for name in ("turns", "facts", "sessions"):
        assert after[name]["ks"] < 0.25 < before[name]["ks"], name
    assert after["plain"]["tv"] < before["plain"]["tv"]
    assert after["category"]["tv"] < before["category"]["tv"]
