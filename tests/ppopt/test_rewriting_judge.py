"""Evaluation in the scripted world: controls in their order, probes that gain nothing, and profiles that are scored."""

from dataclasses import replace

import pytest
from people import WISHES, answer, said, user

from kithe.gym.corpus import Atlas
from kithe.gym.noise.distractor import Distractor
from kithe.ppopt import baselines
from kithe.ppopt.answers import ScriptedHouse
from kithe.ppopt.judge import PPOptJudge
from kithe.ppopt.source import PPOptStates
from kithe.ppopt.states import question, state
from kithe.ppopt.task import PPOpt
from kithe.records.chat import Prediction
from kithe.records.history import History

SOURCE = PPOptStates(Atlas(personas=40, distractor=Distractor(rate=0.0)))
JUDGE = PPOptJudge(resamples=200)


def by(rewriter: baselines.Rewriter, people: list[History]) -> list[Prediction]:
    return [PPOpt().predicted(one, answer("", rewriter(one, state(one)))) for one in people]


@pytest.fixture(scope="module")
def people() -> list[History]:
    return list(SOURCE.histories("train", 0))


def test_controls_come_in_the_expected_order(people: list[History]) -> None:
    found = JUDGE.score(people, by(baselines.rules, people)).metrics
    others = {one.id: one for one in replace(SOURCE, swapped=True).histories("train", 0)}
    wrong = [others[one.id] for one in people]
    swapped = replace(JUDGE, baselines=False).score(wrong, by(baselines.rules, wrong)).metrics
    own, oracle, noop = (
        found[name]["value"] for name in ("personalisation", "personalisation.oracle", "personalisation.original")
    )
    assert oracle >= own > swapped["personalisation"]["value"] + 1
    assert abs(swapped["personalisation"]["value"] - noop) < 1.5
    assert found["win_rate"]["low"] > 0.5
    for probe in baselines.PROBES:
        assert found[f"personalisation.{probe}"]["value"] < own - 1
    assert abs(found["personalisation.generic"]["value"] - noop) < 1
    assert found["delta.length_matched"]["low"] > 0


def test_copying_gains_exactly_nothing(people: list[History]) -> None:
    found = replace(JUDGE, baselines=False).score(people, by(baselines.original, people)).metrics
    for name in ("delta.personalisation", "delta.completion", "delta.total"):
        assert (found[name]["value"], found[name]["low"], found[name]["high"]) == (0, 0, 0)
    assert found["win_rate"]["value"] == 0.5
    assert found["length_ratio"]["value"] == 1


def test_more_sessions_help(people: list[History]) -> None:
    scores = []
    for sessions in (0, 1, 2, 4):
        made = [PPOpt().predicted(one, answer("", baselines.rules(one, state(one, sessions)))) for one in people]
        scores.append(replace(JUDGE, baselines=False).score(people, made).metrics["personalisation"]["value"])
    assert scores == sorted(scores)
    assert scores[-1] > scores[0] + 1


def test_profiles_and_dimensions_are_scored() -> None:
    text = answer("\n".join(f"{name} = {value}" for name, value in WISHES.items()), question(user()).text)
    scores = PPOptJudge(ScriptedHouse("amber"), {"ember": ScriptedHouse("ember")}, resamples=50, baselines=False).score(
        [user("a"), user("b")], [said(text, user("a")), said("no tags", user("b"))]
    )
    found = scores.metrics
    assert found["profile_f1"]["value"] == 0.5
    assert 0 < found["profile_macro_f1"]["value"] < 1
    assert found["parse_rate"]["value"] == 0.5
    assert found["intent_kept"]["value"] == 0.5
    assert {"met.length_pref", "personalisation@ember", "win_rate@ember"} <= set(found)
    assert scores.settings["assistant"] == "scripted:amber"
    assert [row["id"] for row in scores.rows] == ["a", "b"]
    assert all("answer" not in row for row in scores.rows)


class Silent:
    """A deployed model that never answers."""

    name = "silent"

    def answers(self, prompts: object) -> list[str | None]:
        return [None] * len(prompts)  # type: ignore[arg-type]


def test_answers_that_failed_are_unscored() -> None:
    scores = PPOptJudge(Silent(), resamples=50, baselines=False).score([user()], [said("x")])
    assert scores.unscored == 1
    assert "personalisation" not in scores.metrics
    assert "profile_f1" in scores.metrics


def test_every_baseline_keeps_the_message(people: list[History]) -> None:
    for rewriter in (*baselines.BASELINES.values(), *baselines.PROBES.values()):
        for one in people[:5]:
            assert question(one).text in rewriter(one, state(one))
