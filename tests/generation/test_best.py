"""Best of n: critics keep the better candidate, whoever answers; every candidate is asked for once, also after a stop."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from actor import ROUTINE, Actor, conversation, play

from kithe.errors import ConfigError
from kithe.generation.asking import Problem
from kithe.generation.best import EXPERTS, STRIDE, BestOf, read_verdict, rule_scores
from kithe.generation.log import Rejected
from kithe.generation.profiles import Profiles
from kithe.generation.stages import Outcome, Row, Unanswered, Written
from kithe.generation.teacher import Model, stand_in
from kithe.generation.writing import Writing
from kithe.llm.cache import Cached
from kithe.llm.client import Ask, Failure, Reply
from kithe.records.history import History

PERSONA = stand_in("7", 0)
ROWS = [Row("7-0", {"personas": PERSONA})]


def dialogue(actor: Actor, best: BestOf) -> Outcome:
    ((_, outcome),) = Model(actor.client, best=best).dialogues(ROWS, 0)
    return outcome


def forgetful(spared: int) -> Callable[[Ask, str], str]:
    """A model that shows only its first fact, but for one candidate."""
    count = 0

    def fault(ask: Ask, text: str) -> str:
        nonlocal count
        count += 1
        if count - 1 == spared:
            return text
        turns = conversation(ask.messages[0].content)
        for turn in [turn for turn in turns if turn["shows"]][1:]:
            turn.update(text=ROUTINE[0], shows=[], words=[])
        return json.dumps({"turns": turns})

    return fault


@pytest.mark.parametrize("good", [0, 1, 2])
def test_the_critics_keep_the_candidate_that_shows_what_was_planned(good: int) -> None:
    alone = dialogue(Actor(forgetful(-1)), BestOf())
    actor = Actor(forgetful(good))
    chosen = dialogue(actor, BestOf(3))
    assert isinstance(alone, Written)
    assert isinstance(chosen, Written)
    assert rule_scores(chosen)["facts shown"] == 1.0 > rule_scores(alone)["facts shown"]
    assert len(actor.asked) == 3
    assert [part.reason for part in chosen.dropped] == ["candidate: kept", "candidate: not the best", "candidate: not the best"]
    assert "facts shown 1.00" in chosen.dropped[0].raw


def test_candidates_differ_in_the_seed_of_the_draw_only_and_the_first_is_the_plain_answer() -> None:
    plain, several = Actor(), Actor()
    dialogue(plain, BestOf())
    dialogue(several, BestOf(3))
    (ask,) = plain.asked
    assert [one.seed for one in several.asked] == [(ask.seed + STRIDE * place) % 2**31 for place in range(3)]
    assert {one.messages for one in several.asked} == {ask.messages}


def test_a_persona_that_misses_its_interests_loses() -> None:
    def bare(ask: Ask, text: str) -> str:
        return json.dumps(dict.fromkeys(json.loads(text), None)) if '"Interest"' in ask.messages[0].content else text

    ((_, alone),) = Model(Actor(bare, times=8).client, Profiles(tiers=["Interest"])).personas(["3"], 0)
    ((_, best),) = Model(Actor(bare, times=2).client, Profiles(tiers=["Interest"]), best=BestOf(2)).personas(["3"], 0)
    assert isinstance(alone, Written)
    assert isinstance(best, Written)
    assert rule_scores(alone)["faithfulness"] < rule_scores(best)["faithfulness"]


def test_a_candidate_that_cannot_be_used_is_out_and_with_all_of_them_the_row_is_rejected() -> None:
    outcome = dialogue(Actor(lambda ask, text: "no JSON here", times=2), BestOf(2))
    assert isinstance(outcome, Written)
    assert outcome.dropped[-1].reason == "candidate: malformed"
    nothing = dialogue(Actor(lambda ask, text: "no JSON here"), BestOf(2))
    assert isinstance(nothing, Rejected)
    assert nothing.reason == "malformed"


def judged(scores: list[int]) -> Callable[[Ask, str], str]:
    """A model whose verdicts are these, one after the other."""
    left = list(scores)

    def fault(ask: Ask, text: str) -> str:
        if "panel of expert critics" not in ask.messages[0].content:
            return text
        return json.dumps(dict.fromkeys(EXPERTS, left.pop(0)))

    return fault


def test_the_judge_chooses_among_equals_and_reads_the_text_and_the_plan() -> None:
    actor = Actor(judged([3, 9]))
    outcome = dialogue(actor, BestOf(2, judge=True))
    assert isinstance(outcome, Written)
    assert isinstance(outcome.record, History)
    assert "judge: quality 0.90" in outcome.dropped[0].raw
    assert "judge: quality 0.30" in outcome.dropped[1].raw
    verdicts = [ask for ask in actor.asked if "panel" in ask.messages[0].content]
    assert len(verdicts) == 2
    assert all(item.statement in verdicts[0].messages[0].content for item in outcome.record.items)
    assert all(turn.text in verdicts[0].messages[0].content for turn in outcome.record.turns)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"quality": 3}', json.dumps(dict.fromkeys(EXPERTS, 11)), json.dumps(dict.fromkeys(EXPERTS, True))]
)
def test_a_verdict_that_cannot_be_read_says_so(text: str) -> None:
    assert isinstance(read_verdict(Reply("x", text)), Problem)


def test_an_unreadable_verdict_decides_nothing() -> None:
    outcome = dialogue(Actor(lambda ask, text: "hm" if "panel" in ask.messages[0].content else text), BestOf(2, judge=True))
    assert isinstance(outcome, Written)
    assert "judge: quality 0.50" in outcome.dropped[0].raw


def test_an_estimate_counts_every_candidate_and_verdict() -> None:
    once = Model(Actor().client).asks("dialogues", "7-0", 0)
    assert len(Model(Actor().client, best=BestOf(3)).asks("dialogues", "7-0", 0)) == 3 * len(once)
    assert len(Model(Actor().client, best=BestOf(3, judge=True)).asks("personas", "7", 0)) == 3 * 9


@dataclass
class Broke:
    """A client that is out of money after so many answers, and plays the model before."""

    left: int
    asked: list[Ask] = field(default_factory=list)

    def answer(self, ask: Ask) -> str | Failure:
        if self.left == 0:
            return Failure("budget", "spent")
        self.left -= 1
        self.asked.append(ask)
        return play(ask)


def test_a_row_that_stops_between_candidates_goes_on_without_paying_twice(tmp_path: Path) -> None:
    def run(money: int) -> tuple[Outcome, int]:
        payer: Any = Broke(money)
        actor = Actor()
        actor.answer = payer.answer  # type: ignore[method-assign]
        ((_, outcome),) = Model(
            Cached(actor.client, str(tmp_path / "cache.sqlite")), writing=Writing(), best=BestOf(3)
        ).dialogues(ROWS, 0)
        return outcome, len(payer.asked)

    assert run(2) == (Unanswered("budget"), 2)
    outcome, paid = run(100)
    assert isinstance(outcome, Written)
    assert paid == 1
    assert run(0) == (outcome, 0)


def test_the_number_of_candidates_is_checked() -> None:
    with pytest.raises(ConfigError, match=r"teacher\.best\.n=0"):
        BestOf(0)
