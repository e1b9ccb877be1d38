"""Figures: counts of a corpus against their laws, and comparisons with human talk that can come out either way."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from kithe.corpora.real import RealSet
from kithe.gym import evidence
from kithe.gym.assistant import scripted_pool
from kithe.gym.bank import bank
from kithe.gym.corpus import Atlas
from kithe.gym.evidence import SLIPS, Side
from kithe.gym.figures import Statistics, persona_laws, rate, strategy_law
from kithe.gym.noise.distractor import LAYERS, Distractor
from kithe.gym.records import Trajectory
from kithe.gym.sampling import Sampler
from kithe.gym.style import SHOWN
from kithe.gym.stylist import LENGTHS, Styling
from kithe.gym.user import Turns


@pytest.fixture(scope="module")
def talks() -> list[Trajectory]:
    atlas = Atlas(personas=150)
    return [talk for index in range(150) for talk in atlas.trajectories(index)]


@pytest.fixture(scope="module")
def counted(talks: list[Trajectory]) -> Statistics:
    found = Statistics()
    for talk in talks:
        found.add(talk)
    return found


def test_every_law_within_three_sigma(counted: Statistics) -> None:
    report = counted.report(drift=0.05, pool=scripted_pool())
    noise, styling = report["noise"], report["styling"]
    assert rate_of(noise["rate"]) <= 3
    assert all(rate_of(noise["layers"][layer]) <= 3 for layer in LAYERS)
    assert rate_of(styling["adapted"]) <= 3
    assert rate_of(styling["full"]) <= 3
    assert all(rate_of(own) <= 3 for own in noise["strategies"].values())
    for laws in (styling["lengths"], report["targets"], report["assistants"]):
        assert all(rate_of(own) <= 3 for own in laws.values())
        assert sum(own["wanted"] for own in laws.values()) == pytest.approx(1)
    assert rate_of(report["drift"]) <= 3


def rate_of(own: dict[str, float]) -> float:
    return rate(round(own["value"] * own["n"]), int(own["n"]), own["wanted"]).sigmas


def test_counts_by_hand(talks: list[Trajectory], counted: Statistics) -> None:
    report = counted.report()
    assert report["conversations"] == len(talks) == 750
    assert report["personas"] == 150
    assert report["turns"]["mean"] == pytest.approx(np.mean([talk.turns for talk in talks]), abs=1e-3)
    assert 17.5 < report["features_per_persona"] < 19
    assert 2.0 <= report["turns"]["mean"] < 3
    chances = sum(name in talk.persona for talk in talks if talk.session > 1 for name in SHOWN)
    assert report["drift"]["n"] == chances
    assert report["drift"]["low"] <= 0.05 <= report["drift"]["high"]


def test_the_law_of_a_layer() -> None:
    law = strategy_law("semantic ambiguity")
    none = 0.4 * 0.5 * 0.3 * 0.6
    assert law["mind changing"] == pytest.approx(0.4 + none * 0.4 / 2.2)
    assert sum(strategy_law("surface").values()) > 1
    assert strategy_law("semantic ambiguity", {"mind changing": 0.5})["mind changing"] == 1.0
    assert set(strategy_law("semantic ambiguity", {}).values()) == {0.25}


def test_laws_of_lengths_and_targets_by_hand() -> None:
    assert Styling().law()["very short"] == pytest.approx(0.1587, abs=1e-4)  # below -1 standard deviation
    assert sum(Styling(mean=4, sd=2).law().values()) == pytest.approx(1)
    assert Styling(mean=3, sd=0).law() == {name: float(name == "long") for name in LENGTHS}
    assert Turns().law()[3] == pytest.approx(0.6827, abs=1e-4)
    assert Turns(least=4).law() == pytest.approx({4: 0.9987, 5: 0.0013}, abs=1e-4)


def test_the_laws_of_personas() -> None:
    sampler = Sampler()
    found = persona_laws(sampler, list(sampler.personas(150, 0)))
    assert rate_of(found["mask"]) <= 3
    assert found["mask"]["n"] == 150 * 17
    assert found["enough_constraints"]["value"] == found["required"]["value"] == 1
    assert 15 <= found["size"]["low"] <= found["size"]["mean"] <= found["size"]["high"] <= 21
    assert found["values"]["worst_sigmas"] < 5
    other = Sampler(availability=0.2)
    assert rate_of({**persona_laws(other, list(other.personas(40, 0)))["mask"], "wanted": 0.7}) > 10


def test_what_is_wanted_is_what_is_set() -> None:
    atlas = Atlas(personas=60, sessions=2, distractor=Distractor(rate=0.5, layers={"surface": 0.25, "semantic ambiguity": 0.75}))
    counted = Statistics()
    for index in range(60):
        for talk in atlas.trajectories(index):
            counted.add(talk)
    report = counted.report(atlas.distractor)["noise"]
    assert report["rate"]["wanted"] == 0.5
    assert report["layers"]["semantic ambiguity"]["wanted"] == 0.75
    assert report["layers"]["incomplete information"]["value"] == report["layers"]["incomplete information"]["wanted"] == 0
    assert rate_of(report["rate"]) <= 3
    assert rate_of(report["layers"]["surface"]) <= 3


def test_a_rate_far_off_shows() -> None:
    assert rate(25, 100, 0.25).sigmas == 0
    assert rate(45, 100, 0.25).sigmas > 4
    assert rate(0, 0).n == 0


def test_distance_of_distributions() -> None:
    assert evidence.ks(np.arange(10.0), np.arange(10.0)) == 0
    assert evidence.ks(np.zeros(5), np.ones(5)) == 1
    assert evidence.ks(np.array([0.0, 1.0]), np.array([1.0, 2.0])) == 0.5


def side(lengths: list[int], name: str) -> Side:
    return Side(tuple(" ".join(["word"] * n) for n in lengths), tuple(f"{name}{n // 3}" for n in range(len(lengths))))


def test_equal_and_unequal_lengths_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    one, two, longer = (side(rng.integers(low, low + 20, 90).tolist(), name) for low, name in ((5, "a"), (5, "b"), (15, "c")))
    assert evidence.compare_lengths(one, two).p > 0.05
    found = evidence.compare_lengths(one, longer)
    assert found.p < 0.01
    assert found.human - found.simulated == pytest.approx(10, abs=3)


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("no closing mark", "plan it", "Plan it."),
        ("small first letter", "plan it", "Plan it."),
        ("repeated mark", "What??", "What?"),
        ("slang", "u know it", "You know it."),
        ("contraction", "I'm in", "I am in"),
        ("missing or doubled space", "one,two", "one, two"),
    ],
)
def test_slips(name: str, yes: str, no: str) -> None:
    assert SLIPS[name](yes)
    assert not SLIPS[name](no)


def test_diversity_sees_repetition() -> None:
    varied = Side(tuple(f"word{n} other{n}" for n in range(200)), tuple(map(str, range(200))))
    dull = Side(("same words again",) * 200, tuple(map(str, range(200))))
    assert evidence.diversity(varied)["distinct_2"] > 0.9 > 0.1 > evidence.diversity(dull)["distinct_2"]
    assert evidence.diversity(dull)["repeated_messages"] > 0.9


def test_wishes_show_in_talk_and_not_in_opening_messages(talks: list[Trajectory]) -> None:
    train, test = talks[:500], talks[500:]
    told = evidence.separability(train, test, "format_pref_primary")
    opening = evidence.separability(train, test, "format_pref_primary", opening=True)
    assert told["accuracy"] > told["majority"] + 0.08
    assert opening["low"] < 1 / len(bank().dimension("format_pref_primary").values)
    assert opening["n"] == told["n"] > 30
    assert told["low"] < told["accuracy"] < told["high"]


def test_turns_and_language_are_told_apart() -> None:
    chat = Side(
        tuple(f"please plan {n}" for n in range(60)),
        tuple(f"a{n // 6}" for n in range(60)),
        tuple(f"a{n // 2}" for n in range(60)),
    )
    rude = Side(
        tuple(f"gimme stuff {n}" for n in range(60)),
        tuple(f"b{n // 6}" for n in range(60)),
        tuple(f"b{n // 6}" for n in range(60)),
    )
    turns = evidence.compare_turns(chat, rude)
    assert (turns.simulated, turns.human, turns.distance) == (2, 6, 1)
    assert turns.p < 0.01
    assert evidence.compare_turns(chat, chat).p == 1
    assert evidence.compare_language(chat, rude).figure.value > 0.95
    assert evidence.compare_language(chat, rude).p < 0.05


def test_against_people(talks: list[Trajectory], real_data: Path) -> None:
    """LAPS: people who talked to an assistant. The sides differ, and the figures say so."""
    other = evidence.human(islice(RealSet("laps", folder=str(real_data)).histories("train", 0), 40))
    own = evidence.simulated(talks[:200])
    found = evidence.compare_lengths(own, other)
    assert found.simulated > found.human > 0
    assert found.p < 0.01
    assert set(evidence.compare_slips(own, other)) == set(SLIPS)
    assert evidence.diversity(other)["distinct_2"] > 0.3
