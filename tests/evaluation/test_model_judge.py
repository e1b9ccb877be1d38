"""A judge that is a language model, played by scripts and by a server on loopback that misbehaves."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_talks import question, talk

from kithe.errors import ConfigError, Stopped
from kithe.evaluation.judges import Judge
from kithe.evaluation.judging.items import ItemJudge
from kithe.evaluation.judging.kept import Kept, kept, read
from kithe.evaluation.judging.model import ModelJudge
from kithe.evaluation.judging.panel import Panel
from kithe.evaluation.judging.probes import injections, ordered_about, reordered
from kithe.evaluation.judging.rubric import rubric
from kithe.evaluation.judging.rules import RulesJudge, Truth
from kithe.evaluation.judging.verdicts import NO_QUOTE, Question, Scored, Unscored, Vote
from kithe.llm import pace
from kithe.llm.client import Ask, Failure
from kithe.llm.endpoint import Endpoint
from kithe.llm.scripted import ScriptedClient
from kithe.records.chat import Prediction
from tests.llm.stub_server import Say, completion, error, running

TALK = talk("ann", "U: I have two cats.", "A: Nice.", "--", "U: I ski every winter.", "--", "U: Good night.")
CATS = question(TALK, "I have two cats.")
DOGS = question(TALK, "I have nine dogs.", 1)


def answer(relevance: str = "yes", sensibility: str = "yes", quote: str = "two cats") -> str:
    return json.dumps(
        {"quote": quote, "relevance": relevance, "relevance_reason": "r", "sensibility": sensibility, "sensibility_reason": "s"}
    )


def asked_about(ask: Ask) -> str:
    """The statement in a prompt."""
    return str(json.loads(ask.messages[1].content.rsplit("Statement about the user: ", 1)[1]))


def by_script(reply: Callable[[Ask], str | Failure], **more: Any) -> ModelJudge:
    return ModelJudge(ScriptedClient(reply, "judge"), **more)


def honest(ask: Ask) -> str:
    return answer() if "cats" in asked_about(ask) else answer("no", "yes", "NONE")


def test_it_is_a_judge_and_a_judge_of_items() -> None:
    judge: Judge = by_script(honest)
    items: ItemJudge = by_script(honest)
    history = TALK.model_copy(update={"items": ()})
    scores = judge.score([history], [Prediction(id="ann", items=(CATS.item, DOGS.item), units=1)])
    assert scores.metrics["precision"]["value"] == 0.5
    assert scores.metrics["sensibility"]["value"] == 1.0
    assert {"precision_worst", "precision_best", "precision_per_user", "relevance"} <= scores.metrics.keys()
    assert scores.settings == {"model": "scripted:judge", "rubric": rubric().version, "votes": 4}
    assert [verdict.item for verdict in items.verdicts([DOGS, CATS])] == ["ann#1", "ann#0"]


def test_every_vote_is_asked_in_its_own_way() -> None:
    asks: list[Ask] = []

    def keep(ask: Ask) -> str:
        asks.append(ask)
        return answer()

    (verdict,) = by_script(keep).verdicts([CATS])
    assert [vote.variant for vote in verdict.votes if isinstance(vote, Vote)] == ["greedy", "plain", "shuffled", "paraphrased"]
    greedy, plain, shuffled, other_words = asks
    assert (greedy.temperature, plain.temperature) == (0.0, 0.7)
    assert len({ask.seed for ask in asks}) == 4
    assert plain.messages == greedy.messages
    assert sorted(shuffled.messages[1].content) == sorted(greedy.messages[1].content) != shuffled.messages[1].content
    assert asked_about(other_words) != "I have two cats."
    assert all(ask.schema is not None for ask in asks)


def test_a_single_session_cannot_be_shuffled_and_is_asked_as_it_is() -> None:
    alone = question(talk("bob", "U: I have two cats."), "I have two cats.")
    (verdict,) = by_script(lambda _: answer()).verdicts([alone])
    assert [vote.variant for vote in verdict.votes] == ["greedy", "plain", "plain", "paraphrased"]


def test_the_majority_decides_and_the_greedy_vote_a_tie() -> None:
    lone = by_script(lambda ask: answer("no", quote="NONE") if ask.temperature == 0 else answer())
    assert isinstance(found := lone.verdicts([CATS])[0], Scored)
    assert found.relevance
    tied = by_script(lambda ask: answer("no", quote="NONE") if ask.temperature == 0 else answer(), samples=1)
    assert isinstance(found := tied.verdicts([CATS])[0], Scored)
    assert not found.relevance


def test_an_invented_quote_takes_relevance_back() -> None:
    (verdict,) = by_script(lambda _: answer(quote="nine dogs")).verdicts([DOGS])
    assert isinstance(verdict, Scored)
    assert not verdict.relevance
    assert verdict.relevance_reason.startswith(NO_QUOTE)


BAD = {
    "It is well supported by the text.": "no JSON in the answer",
    "": "empty answer",
    "Die Aussage stimmt, der Nutzer hat Katzen.": "no JSON in the answer",
    "I'm sorry, but I can't help with that.": "refusal",
    '{"quote": "two cats", "relevance": "yes"': "no JSON in the answer",
    f"{answer()} or rather {answer('no', quote='NONE')}": "several answers that contradict each other",
    answer("ja"): "a verdict on relevance that is neither yes nor no",
    answer("yes and no"): "a verdict on relevance that is neither yes nor no",
}


@pytest.mark.parametrize(("text", "reason"), BAD.items())
def test_an_answer_that_cannot_be_read_is_asked_again_and_then_unscored(text: str, reason: str) -> None:
    asks: list[Ask] = []

    def bad(ask: Ask) -> str:
        asks.append(ask)
        return text

    (verdict,) = by_script(bad, samples=0).verdicts([CATS])
    assert isinstance(verdict, Unscored)
    assert (verdict.reason, verdict.again) == (reason, False)
    assert verdict.votes[0].raw == text.strip() or verdict.votes[0].raw == text  # type: ignore[union-attr]
    assert len(asks) == 2
    assert reason in asks[1].messages[-1].content
    by_script(bad, samples=0, reask=False).verdicts([CATS])
    assert len(asks) == 3


def test_a_slip_that_leaves_no_doubt_is_mended() -> None:
    (verdict,) = by_script(lambda _: answer()[:-1] + ",}", samples=0, reask=False).verdicts([CATS])
    assert isinstance(verdict, Scored)


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_no_answer_breaks_it(text: str) -> None:
    (verdict,) = by_script(lambda _: text, samples=1).verdicts([CATS])
    assert isinstance(verdict, Scored | Unscored)


def test_some_unreadable_votes_leave_a_verdict() -> None:
    (verdict,) = by_script(lambda ask: "hm" if ask.seed % 2 else answer()).verdicts([CATS])
    assert isinstance(verdict, Scored)
    assert len([vote for vote in verdict.votes if not isinstance(vote, Vote)]) == 2


def test_orders_in_the_conversation_stay_inside_their_fence() -> None:
    judge = by_script(lambda ask: json.dumps(ask.messages[1].content.count("</conversation>")))
    for injection in injections():
        asked = ordered_about(injection)(CATS)
        assert asked is not None
        (verdict,) = judge.verdicts([asked])
        assert all(vote.raw == "1" for vote in verdict.votes)  # type: ignore[union-attr]


def test_nobody_answering_is_no_verdict_and_asked_again(tmp_path: Path) -> None:
    calls: Counter[str] = Counter()

    def down(ask: Ask) -> str | Failure:
        calls[asked_about(ask)] += 1
        return Failure("server", "500") if "dogs" in asked_about(ask) and calls["I have nine dogs."] == 1 else honest(ask)

    judge, file = by_script(down, samples=0), tmp_path / "verdicts" / "sample.jsonl"
    with pytest.raises(ConfigError, match=r"1 of 2 items got no verdict \(1 no answer: server\).*Repeat the command"):
        Kept(judge, file).verdicts([CATS, DOGS])
    assert len(read(file)) == 1
    first, second = Kept(judge, file).verdicts([CATS, DOGS])
    assert isinstance(first, Scored)
    assert isinstance(second, Scored)
    assert calls == {"I have two cats.": 1, "I have nine dogs.": 2}


def test_judging_that_is_stopped_keeps_its_verdicts_and_asks_for_the_others_alone(tmp_path: Path) -> None:
    asked: list[str] = []

    def answered(ask: Ask) -> str | Failure:
        asked.append(asked_about(ask))
        return honest(ask)

    judge, file = by_script(answered, samples=0), tmp_path / "v.jsonl"
    with pytest.raises(Stopped):
        kept(judge, file, lambda: True).verdicts([CATS, DOGS])  # type: ignore[attr-defined]
    assert len(read(file)) == 1
    begun = set(asked)
    asked.clear()
    assert len(Kept(judge, file).verdicts([CATS, DOGS])) == 2
    assert asked == ["I have nine dogs."]
    assert "I have two cats." in begun


def test_a_share_of_silence_can_be_tolerated(tmp_path: Path) -> None:
    def down(ask: Ask) -> str | Failure:
        return Failure("timeout", "slow") if "dogs" in asked_about(ask) else honest(ask)

    verdicts = Kept(by_script(down, tolerance=0.5), tmp_path / "v.jsonl").verdicts([CATS, DOGS])
    assert isinstance(verdicts[1], Unscored)
    assert verdicts[1].reason == "no answer: timeout"
    scores = by_script(down).score([TALK], [Prediction(id="ann", items=(CATS.item, DOGS.item), units=1)])
    assert scores.unscored == 1
    assert (scores.metrics["precision_worst"]["value"], scores.metrics["precision_best"]["value"]) == (0.5, 1.0)


def test_what_is_in_the_file_is_not_asked_again_whatever_the_item_is_called(tmp_path: Path) -> None:
    file = tmp_path / "v.jsonl"
    Kept(by_script(honest), file).verdicts([CATS, DOGS])
    mute = by_script(lambda _: pytest.fail("it was asked"))
    renamed = Question("other#7", TALK, CATS.item, 7)
    (verdict,) = Kept(mute, file).verdicts([renamed])
    assert (verdict.item, isinstance(verdict, Scored) and verdict.correct) == ("other#7", True)


def test_rubric_judge_parameters_item_and_conversation_are_the_key(tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text("name: mine\ntask: t\nsteps: [a]\nrelevance: []\nsensibility: []\n", encoding="utf-8")
    base = by_script(honest)
    longer = talk("ann", "U: I have two cats.", "A: Nice.", "--", "U: I ski every winter.", "--", "U: Good night.", "U: Bye.")
    others = [
        (by_script(honest, rubric=str(own)), CATS),
        (ModelJudge(ScriptedClient(honest, "another")), CATS),
        (by_script(honest, samples=1), CATS),
        (by_script(honest, temperature=0.2), CATS),
        (base.anew(), CATS),
        (base, DOGS),
        (base, question(longer, "I have two cats.")),
    ]
    keys = [Kept(judge, own).key(item) for judge, item in [(base, CATS), *others]]
    assert len(set(keys)) == len(keys)
    assert Kept(by_script(honest, resamples=47, tolerance=1.0), own).key(CATS) == keys[0]


def test_a_torn_line_does_not_count_and_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "v.jsonl"
    Kept(by_script(honest), file).verdicts([CATS])
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"key": "ab')
    assert len(Kept(by_script(honest), file).verdicts([CATS, DOGS])) == 2
    lines = file.read_bytes().splitlines()
    assert len(lines) == 2
    assert all(json.loads(line) for line in lines)


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"samples": -1}, "judge.samples=-1"),
        ({"samples": 0, "greedy": False}, "nobody votes"),
        ({"tolerance": 2.0}, "judge.tolerance=2.0"),
        ({"rubric": "v9"}, "no such rubric: 'v9'"),
        ({"rubric": "/nowhere/mine.yaml"}, "rubric /nowhere/mine.yaml"),
    ],
)
def test_impossible_values_are_refused(more: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        by_script(honest, **more)


def test_a_file_that_is_no_rubric_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "mine.yaml"
    own.write_text("- just\n- a list\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="it needs"):
        by_script(honest, rubric=str(own))


def test_reordered_sessions_are_never_in_their_own_order() -> None:
    from random import Random

    for seed in range(20):
        changed = reordered(CATS, Random(seed))
        assert changed is not None
        assert [turn.text for turn in changed.history.turns] != [turn.text for turn in TALK.turns]
        assert sorted(turn.text for turn in changed.history.turns) == sorted(turn.text for turn in TALK.turns)


class Steady:
    """A judge of items that always says the same."""

    def __init__(self, *said: bool | None) -> None:
        self.said = said

    def verdicts(self, questions: list[Question]) -> list[Scored | Unscored]:
        return [
            Unscored(item=each.id, user=each.history.id, reason="mute")
            if (verdict := self.said[each.place]) is None
            else Scored(item=each.id, user=each.history.id, relevance=verdict, sensibility=True)
            for each in questions
        ]


def test_a_panel_votes_and_a_tie_or_too_few_is_no_verdict() -> None:
    panel = Panel({"a": Steady(True, True), "b": Steady(True, False), "c": Steady(False, None)}, resamples=50)
    one, other = panel.verdicts([CATS, DOGS])
    assert isinstance(one, Scored)
    assert one.correct
    assert isinstance(other, Unscored)
    alone = Panel({"a": Steady(True, True), "b": Steady(None, None), "c": Steady(None, None)})
    assert [verdict.reason for verdict in alone.verdicts([CATS, DOGS]) if isinstance(verdict, Unscored)] == [
        "1 of 3 judges have a verdict"
    ] * 2
    assert isinstance(Panel(alone.members, quorum=1).verdicts([CATS])[0], Scored)


def test_a_panel_of_three_errs_less_than_one() -> None:
    def odd(questions: Any) -> list[Truth]:
        return [Truth(each.place % 2 == 1) for each in questions]

    asked = [question(TALK, f"I like thing {place}.", place) for place in range(1500)]
    members = {str(seed): RulesJudge(0.8, 0.8, seed=seed, truth=odd) for seed in range(3)}

    def right(judge: ItemJudge) -> float:
        return sum(verdict.correct == (place % 2 == 1) for place, verdict in enumerate(judge.verdicts(asked))) / len(asked)  # type: ignore[union-attr]

    # 0.8^3 + 3 * 0.8^2 * 0.2 = 0.896
    assert right(members["0"]) == pytest.approx(0.8, abs=0.03)
    assert right(Panel(members)) == pytest.approx(0.896, abs=0.03)


def test_a_panel_keeps_its_members_verdicts(tmp_path: Path) -> None:
    panel = Panel({"a": by_script(honest), "b": by_script(honest, samples=1), "c": Steady(True, False)})
    said = panel.keeping(tmp_path / "v.jsonl").verdicts([CATS, DOGS])  # type: ignore[attr-defined]
    assert said == panel.verdicts([CATS, DOGS])
    assert len(read(tmp_path / "v.jsonl")) == 4
    assert panel.settings["panel"]["a"]["rubric"] == rubric().version


@pytest.mark.parametrize(("members", "quorum"), [({"a": Steady(True)}, None), ({"a": Steady(True), "b": 3}, None)])
def test_what_is_no_panel_is_refused(members: dict[str, Any], quorum: int | None) -> None:
    with pytest.raises(ConfigError, match=r"judge\.members"):
        Panel(members, quorum)


def test_a_quorum_beyond_the_members_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"judge\.quorum=3"):
        Panel({"a": Steady(True), "b": Steady(True)}, 3)


def misbehaving(body: dict[str, Any], number: int) -> Say:
    """429, 500, half an answer, a hang, and then proper answers."""
    if number < 4:
        return [error(429, "slow down"), error(500, "oops"), Say(completion(answer()).body, cut=40), Say(b"", hang=True)][number]
    return completion(
        answer() if "cats" in str(body["messages"][-1]["content"].rsplit("user:")[-1]) else answer("no", quote="NONE")
    )


def test_a_server_that_stumbles_costs_time_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pace, "_BASE", 0.01)
    with running(misbehaving) as stub:
        client = Endpoint(stub.url, "stub", concurrency=4, timeout=1.0, deadline=30.0, attempts=8, structured="prompt")
        verdicts = Kept(ModelJudge(client, samples=2), tmp_path / "v.jsonl").verdicts([CATS, DOGS])
        client.close()
    assert [isinstance(verdict, Scored) and verdict.correct for verdict in verdicts] == [True, False]
    assert len(stub.bodies) == 2 * 3 + 4


def test_a_server_that_stays_down_loses_nothing_that_was_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pace, "_BASE", 0.01)
    up = [True]

    def server(body: dict[str, Any], number: int) -> Say:
        dogs = "dogs" in str(body["messages"][-1]["content"])
        return error(500, "down") if dogs and not up[0] else completion(answer("no", quote="NONE"))

    with running(server) as stub:
        client = Endpoint(stub.url, "stub", concurrency=4, timeout=5.0, deadline=5.0, attempts=2, structured="prompt")
        judge = Kept(ModelJudge(client, samples=0), tmp_path / "v.jsonl")
        up[0] = False
        with pytest.raises(ConfigError, match="1 of 2 items got no verdict"):
            judge.verdicts([CATS, DOGS])
        up[0] = True
        before = len(stub.bodies)
        assert all(isinstance(verdict, Scored) for verdict in judge.verdicts([CATS, DOGS]))
        assert len(stub.bodies) == before + 1
        client.close()
