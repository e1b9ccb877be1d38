"""Rewards by truth tables, and every defect of the published code that they must not have."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from people import QUERY, WISHES, answer, said, user

from kithe.config.compose import ROOT
from kithe.errors import ConfigError
from kithe.gym.assistant import scripted_pool
from kithe.llm.cache import Cached
from kithe.llm.client import Ask, Failure
from kithe.llm.scripted import ScriptedClient
from kithe.ppopt.answers import Deployed, ScriptedHouse
from kithe.ppopt.rewards import (
    FormatReward,
    IntentGate,
    JudgedProfile,
    LeakPenalty,
    LengthPenalty,
    ProfileReward,
    TaskReward,
    f1,
    task_reward,
)
from kithe.ppopt.teacher import ColdStart, Filters, Target
from kithe.ppopt.verdicts import Model, Scripted, Verdict, scored, things_kept, verdict
from kithe.training.grpo.objective import standing
from kithe.training.grpo.rewarding import table
from kithe.training.grpo.settings import Advantage, Loss, Steps

WISHFUL = answer(
    "\n".join(f"{name} = {value}" for name, value in WISHES.items()), f"{QUERY} Keep it to one or two lines. Put it in a table."
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("win", "win"),
        ("WIN.", "win"),
        ("lose", "lose"),
        ("I think it's a tie", "tie"),
        ('{"verdict": "win"}', "win"),
        ('Sure: {"verdict": "lose"}', "lose"),
        ("win or lose", None),
        ("winter", None),
        ("0.5", None),
        ("", None),
        ('{"verdict": 1}', None),
        ("B does not win", None),
        ("It isn't a win", None),
        ("It doesn’t win", None),
        ("not a tie but a win", None),
        ("A wins because B has no list", "win"),
    ],
)
def test_verdicts_are_words_and_never_numbers(text: str, meant: str | None) -> None:
    # U1: the published code sent the word through a parser of numbers, and every reward was 0.
    assert verdict(text) == meant


@pytest.mark.parametrize(
    ("text", "high", "value"),
    [
        ('{"score": 4}', 5, 4),
        ("Score: 3", 5, 3),
        ("3/5", 5, 3),
        ("5/10", 5, None),
        ("8/10", 10, 8),
        ('{"score": "8/10"}', 10, 8),
        ('{"score": 7.0}', 10, 7),
        ('{"score": 7.5}', 10, None),
        ('{"score": "5"}', 5, 5),
        ('{"score": 6}', 5, None),
        ('{"score": 0}', 10, None),
        ('{"score": true}', 5, None),
        ("great", 10, None),
        ("between 3 and 4 of 10", 10, None),
    ],
)
def test_scores_are_read_or_missing_and_never_five_by_default(text: str, high: int, value: int | None) -> None:
    assert scored(text, high) == value


@given(st.text(max_size=60))
def test_readers_never_fail(text: str) -> None:
    assert verdict(text) in ("win", "tie", "lose", None)
    assert scored(text, 10) in (*range(1, 11), None)


VERDICTS: tuple[Verdict | None, ...] = ("win", "tie", "lose", None)


def test_the_task_reward_by_its_table() -> None:
    # U6: one order favours a position, and a tie is no loss.
    both = {pair: task_reward(*pair, "both_orders") for pair in itertools.product(VERDICTS, VERDICTS)}
    assert both[("win", "win")] == 1
    assert both[("lose", "lose")] == 0
    assert all(value is None for pair, value in both.items() if None in pair)
    assert all(
        value == 0.5 for pair, value in both.items() if None not in pair and pair not in (("win", "win"), ("lose", "lose"))
    )
    assert [task_reward(first, None, "paper") for first in VERDICTS] == [1, 0, 0, None]


def test_a_judge_that_always_likes_the_first_or_the_second_teaches_nothing() -> None:
    for bias in ("win", "lose"):
        judge = Model(ScriptedClient(lambda ask, bias=bias: bias))
        assert TaskReward(ScriptedHouse("amber"), judge)([(user(), said(WISHFUL))]) == [0.5]


def test_answers_are_judged_against_the_message_of_the_user() -> None:
    # U3: the published evaluation showed the judge the rewritten prompt as the question.
    shown: list[str] = []

    def play(ask: Ask) -> str:
        shown.append(ask.messages[0].content)
        return '{"score": 5}' if "1 to" in ask.messages[0].content else "win"

    judge, prediction = Model(ScriptedClient(play)), said(answer("", "SOMETHING ELSE ENTIRELY"))
    TaskReward(ScriptedHouse("amber"), judge)([(user(), prediction)])
    judge.personalisation([(user(), "an answer")])
    judge.completion([(user(), "an answer")])
    assert len(shown) == 4
    assert all(QUERY in text and "SOMETHING ELSE" not in text for text in shown)


def test_a_user_who_gets_what_they_want_prefers_it() -> None:
    cases = [
        (user(), said(WISHFUL)),
        (user(), said(answer("", QUERY))),
        (user(), said(answer("", f"{QUERY} Leave nothing out at all."))),
    ]
    won, same, lost = TaskReward(ScriptedHouse("heron"), Scripted())(cases)
    assert (won, same) == (1.0, 0.5)
    assert lost is not None
    assert lost <= 0.5


def test_calls_that_fail_give_no_reward_instead_of_zero() -> None:
    down = ScriptedClient(lambda ask: Failure("timeout", "too slow"))
    nonsense = ScriptedClient(lambda ask: "purple monkey")
    cases = [(user(), said(WISHFUL))]
    assert TaskReward(Deployed(down), Scripted())(cases) == [None]
    assert TaskReward(ScriptedHouse("amber"), Model(nonsense))(cases) == [None]
    assert JudgedProfile(Model(nonsense))(cases) == [None]
    assert IntentGate(judge=Model(nonsense))(cases) == [None]


def test_with_the_shipped_weights_an_outage_leaves_nothing_to_learn_from() -> None:
    weights: dict[str, float] = yaml.safe_load((ROOT / "conf" / "adapt" / "grpo.yaml").read_text("utf-8"))["weights"]
    down = ScriptedClient(lambda ask: Failure("timeout", "too slow"))
    watched: dict[str, Any] = {"format": FormatReward(), "length": LengthPenalty(), "leak": LeakPenalty()}
    cases = [(user(), said(WISHFUL)), (user(), said("no tags"))]
    for profile in (JudgedProfile(Model(down)), ProfileReward()):
        rewards = {"profile": profile, "task": TaskReward(Deployed(down), Model(down)), **watched}
        found = table(rewards, weights, {"intent": IntentGate(kept=0)}, cases)
        figures = found.figures()
        assert (figures["scored"], figures["scored.task"], figures["scored.format"]) == (0, 0, 1)
        assert "reward" not in figures
        place = standing(found.values[None], found.weights, Advantage())
        assert not place.scored.any()
        assert place.advantages.tolist() == [[0.0, 0.0]]


def test_behind_a_shut_gate_nothing_is_gained_and_penalties_stay() -> None:
    rewards: dict[str, Any] = {"format": FormatReward(), "length": LengthPenalty(80)}
    lost = said(answer("length_pref = terse", "What is a bike?" + " word" * 240))
    found = table(rewards, {"format": 1.0, "length": 1.0}, {"intent": IntentGate()}, [(user(), lost), (user(), said(WISHFUL))])
    assert found.values.tolist() == [[0, -1], [1, 0]]
    assert found.shut.tolist() == [True, False]


def test_profiles_by_pairs_and_by_a_judge() -> None:
    full, part, none = (said(answer(text, "x")) for text in (WISHFUL, "length_pref = terse", "tone_pref = direct"))
    cases: Any = [(user(), one) for one in (full, part, none)]
    assert ProfileReward()(cases) == [1.0, 0.5, 0.0]
    assert ProfileReward("evidence")(cases)[1] == pytest.approx(2 / 3)
    scores = iter(["5", "1", '{"score": 3}'])
    assert JudgedProfile(Model(ScriptedClient(lambda ask: next(scores))))(cases) == [1.0, 0.0, 0.5]


@given(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy")), st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"))
)
def test_f1_is_a_share_the_same_both_ways(first: dict[str, str], second: dict[str, str]) -> None:
    assert 0 <= f1(first, second) <= 1
    assert f1(first, second) == f1(second, first)
    assert f1(first, first) == 1


def test_the_small_terms() -> None:
    long = said(answer("", QUERY + " word" * 240))
    leaky, own = said(answer("", f"{QUERY} I am a software developer.")), user()
    assert FormatReward()([(own, said(WISHFUL)), (own, said("no tags"))]) == [1, 0]
    assert LengthPenalty(80)([(own, said(WISHFUL)), (own, long)]) == [0, -1]
    assert LeakPenalty()([(own, said(WISHFUL)), (own, leaky)]) == [0, -1]
    told = user(turns=(own.turns[0].model_copy(update={"text": "I work as a software developer."}),))
    assert LeakPenalty()([(told, leaky)]) == [0]


def test_the_gate_wants_every_name_and_number() -> None:
    gate, own = IntentGate(), user()
    texts = {QUERY: True, f"{QUERY} Briefly.": True, "How do I choose a bike?": False, QUERY.replace("12", "20"): False}
    assert gate([(own, said(answer("", text))) for text in texts]) == list(texts.values())
    assert IntentGate(judge=Model(ScriptedClient(lambda ask: '{"kept": false}')))([(own, said(WISHFUL))]) == [False]
    assert things_kept("no names here", "anything") == 1
    assert things_kept("Plan 2 days in Rome", "plan 2 days in ROME, please") == 1
    assert things_kept("Plan 2 days in Rome", "plan 12 days in Romeo") == 0
    assert things_kept("Which one should I choose for Rome?", "Which should I choose for Rome?") == 1
    assert things_kept("Use version 3.11 now", "With version 3.11, please") == 1


def test_judges_are_never_handed_a_format_string_of_a_user() -> None:
    odd = user().model_copy(update={"question": user().question.model_copy(update={"text": "What is {verdict} {0} {{x}}?"})})  # type: ignore[union-attr]
    assert Model(ScriptedClient(lambda ask: "win")).compare([(odd, "{a}", "{b}")]) == ["win"]


def test_every_reward_of_the_shipped_configs_has_a_weight_that_counts() -> None:
    # U2: the published defaults switched the profile reward off, and U1 had switched the other off.
    import yaml

    text = (Path(__file__).parents[2] / "conf" / "adapt" / "grpo.yaml").read_text(encoding="utf-8")
    weights = yaml.safe_load(text)["weights"]
    assert (weights["profile"], weights["task"]) == (0.3, 0.7)


def test_every_sample_of_a_target_is_a_draw_of_its_own(tmp_path: Path) -> None:
    drawn: list[int] = []

    def draw(ask: Ask) -> str:
        drawn.append(ask.seed)
        return f"answer {len(drawn)}"

    def longer(ask: Ask) -> Failure:
        return Failure("timeout", "too slow")

    deployed = Deployed(Cached(ScriptedClient(draw), str(tmp_path / "cache.sqlite")))
    case = (user(), Target("length_pref = terse", f"{QUERY} Briefly."))
    Filters(deployed, Scripted(), samples=3).gains([case])
    assert sorted(drawn) == [0, 0, 1, 1, 2, 2]  # the message and its target, three times each
    silent = Filters(Deployed(ScriptedClient(longer)), Model(ScriptedClient(lambda ask: "win")), samples=3)
    assert silent.gains([case]) == [0.5]  # who does not answer neither wins nor loses


def test_a_target_that_changes_the_message_cannot_be_said_by_adding_to_it() -> None:
    people = [user("a"), user("b")]
    asked = "Keep it to one or two lines. Put it in a table."
    targets = [Target("length_pref = terse", text) for text in (f"{QUERY} {asked}", f"{asked} {QUERY}")]
    for edit, kept in (("whole", 2), ("append", 1)):
        lost = Counter[str]()
        passed = Filters(ScriptedHouse(), Scripted(), edit=edit).passed(people, targets, lost)  # type: ignore[arg-type]
        assert sum(own is not None for own in passed) == kept, lost
    assert lost == {"changes the message instead of adding to it": 1}


def test_a_target_is_judged_with_the_house_that_its_state_is_locked_to() -> None:
    own = ScriptedHouse()
    alone = {name: own.answers([(name, QUERY)])[0] for name in ("u1", "u2", "u3", "u4", "u5")}
    for name, text in alone.items():
        house = scripted_pool().locked(name, 0)
        assert ScriptedHouse(house).answers([(name, QUERY)]) == [text]
        assert ScriptedHouse(house).answers([(f"{name}/1", QUERY)]) == own.answers([(f"{name}/1", QUERY)])


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: ColdStart(share=3), "data.cold.share"),
        (lambda: Filters(ScriptedHouse(), Scripted(), samples=0), "samples"),
        (lambda: ScriptedHouse("ambr"), "did you mean 'amber'"),
        (lambda: IntentGate(kept=7), "gates.intent.kept"),
        *(
            (lambda betas=betas: Steps(1e-4, betas=betas), "betas")
            for betas in ((2, 3), (-0.5, 0.9), (0.9,), (), (float("nan"), 0.9))
        ),
        (lambda: Steps(1e-4, warmup=5), "warmup"),
        (lambda: Advantage(epsilon=-1), "epsilon"),
        (lambda: Advantage("normalise_then_sum", scale="none"), "advantage.scale"),
        (lambda: Loss(clip_low=2), "clip_low"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_runs(make: Any, key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        make()
