"""A model as a teacher: what it should write, and everything that it may write instead."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from actor import ROUTINE, Actor, conversation

from kithe.dialogues.exemplars import HandWritten
from kithe.errors import ConfigError
from kithe.generation.log import Rejected
from kithe.generation.profiles import Profiles
from kithe.generation.stages import Outcome, Row, Unanswered, Written
from kithe.generation.teacher import Model, stand_in
from kithe.generation.writing import Writing
from kithe.llm.client import Ask, Failure, Reply
from kithe.personas.ontology import ontology
from kithe.personas.persona import Persona
from kithe.records.history import History

PERSONA = stand_in("7", 0)
ROWS = [Row("7-0", {"personas": PERSONA})]


def dialogue(actor: Actor) -> Outcome:
    ((key, outcome),) = Model(actor.client).dialogues(ROWS, 0)
    assert key == "7-0"
    return outcome


def persona(actor: Actor, **more: Any) -> Outcome:
    ((key, outcome),) = Model(actor.client, Profiles(**more)).personas(["3"], 0)
    assert key == "3"
    return outcome


def test_every_planted_fact_stands_in_its_turn_word_by_word() -> None:
    actor = Actor()
    rows = [Row(f"{index}-0", {"personas": stand_in(str(index), 0)}) for index in range(20)]
    routine = turns = 0
    for (key, outcome), row in zip(Model(actor.client).dialogues(rows, 0), rows, strict=True):
        assert isinstance(outcome, Written)
        history = outcome.record
        assert isinstance(history, History)
        assert (history.id, key) == (f"{row.known['personas'].id}-0", row.key)
        assert not outcome.dropped
        assert history.items
        for item in history.items:
            (evidence,) = item.evidence
            assert evidence.quote in history.turns[evidence.turn].text
            assert history.turns[evidence.turn].speaker == "A"
            assert item.key in ontology().by_key
            assert ontology().by_key[item.key].sensitivity < 2
            assert None not in (item.type, item.polarity, item.intensity, item.inference, item.value)
        routine += sum(turn.text in ROUTINE for turn in history.turns)
        turns += sum(turn.speaker == "A" for turn in history.turns)
    assert len(actor.asked) == 20
    assert 0.3 <= routine / turns <= 0.5


def test_a_prompt_names_plan_tone_and_interest_and_asks_for_a_schema() -> None:
    actor = Actor()
    dialogue(actor)
    (ask,) = actor.asked
    prompt = ask.messages[0].content
    assert PERSONA.summary in prompt
    assert any(line in prompt for line in HandWritten().lines())
    assert any(" > ".join(path) in prompt for path in PERSONA.paths)
    assert "shows nothing" in prompt
    assert ask.schema is not None
    assert "{" not in prompt.replace('{"turns": [...]}', "").replace('{"speaker"', "")
    assert ask.temperature == 0.8


GERMAN = "ich habe heute keine zeit und gehe morgen mit meinen freunden in die stadt um etwas zu kaufen und dann nach hause"


def turned(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Ask, str], str]:
    """A fault that changes the turns of an answer."""

    def fault(ask: Ask, text: str) -> str:
        turns = conversation(ask.messages[0].content)
        changed = change(turns)
        return json.dumps({"turns": turns if changed is None else changed})

    return fault


def all_texts(text: str) -> Callable[[list[dict[str, Any]]], None]:
    def change(turns: list[dict[str, Any]]) -> None:
        for turn in turns:
            turn["text"], turn["shows"], turn["words"] = text, [], []

    return change


FAULTS: dict[str, tuple[str, Callable[[Ask, str], str | Failure | Reply]]] = {
    "no text": ("empty", lambda ask, text: "  \n"),
    "a refusal": ("refusing", lambda ask, text: "I'm sorry, but I can't write about this person."),
    "a refusal by the server": ("refusing", lambda ask, text: Failure("refused", "content filter")),
    "half an answer": ("truncated", lambda ask, text: text[: len(text) // 2]),
    "cut off at the limit": ("truncated", lambda ask, text: Reply(ask.id, text[: len(text) // 2], "length")),
    "no JSON": ("malformed", lambda ask, text: "Sure! Here is the conversation you wanted. User: hi"),
    "a list": ("wrong schema", lambda ask, text: "[1, 2]"),
    "other keys": ("wrong schema", lambda ask, text: '{"dialogue": []}'),
    "turns that are texts": ("wrong schema", turned(lambda turns: ["user: hello"])),
    "an unknown speaker": ("wrong schema", turned(lambda turns: turns[0].update(speaker="narrator"))),
    "too few turns": ("wrong schema", turned(lambda turns: turns[:2])),
    "German": ("wrong language", turned(all_texts(GERMAN))),
    "Chinese": ("wrong language", turned(all_texts("我今天没有时间，明天和朋友一起去城里买东西"))),
    "40 kB": ("oversized", turned(all_texts("y" * 5_000))),
    "only routine": ("facts not shown", turned(all_texts("please set a timer for ten minutes"))),
    "the description": ("persona echo", turned(all_texts(PERSONA.summary))),
    "an answer that is no completion": ("garbage", lambda ask, text: Failure("garbage", "half a body")),
    "a prompt that does not fit": ("too long", lambda ask, text: Failure("too_long", "4096 tokens")),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_used_twice_is_quarantined_with_its_kind_and_text(name: str) -> None:
    kind, fault = FAULTS[name]
    actor = Actor(fault)
    outcome = dialogue(actor)
    assert isinstance(outcome, Rejected), outcome
    assert outcome.reason == kind
    assert outcome.raw
    failed = kind in ("garbage", "too long") or name == "a refusal by the server"
    assert len(actor.asked) == (1 if failed else 2)


@pytest.mark.parametrize(
    "name", [name for name in FAULTS if "server" not in name and FAULTS[name][0] not in ("garbage", "too long")]
)
def test_what_is_right_at_the_second_asking_is_used(name: str) -> None:
    actor = Actor(FAULTS[name][1], times=1)
    assert isinstance(dialogue(actor), Written)
    first, second = actor.asked
    assert second.messages[:1] == first.messages
    assert "cannot be used" in second.messages[-1].content
    assert len(second.messages[1].content) <= 4000


def test_the_tone_is_copied_and_not_the_words() -> None:
    def echo(ask: Ask, text: str) -> str:
        prompt = ask.messages[0].content
        (line,) = [line for line in HandWritten().lines() if f"- {line}" in prompt and len(line.split()) >= 5][:1]
        turns = conversation(prompt)
        turns[0]["text"] += f". {line}"
        return json.dumps({"turns": turns})

    outcome = dialogue(Actor(echo))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "exemplar echo"


def test_a_fact_that_is_not_in_its_turn_is_left_out_and_said_so() -> None:
    def forget(turns: list[dict[str, Any]]) -> None:
        first = next(turn for turn in turns if turn["shows"])
        first["text"], first["words"] = "what is the weather like today", ["I love something else entirely"]

    outcome = dialogue(Actor(turned(forget)))
    whole = dialogue(Actor())
    assert isinstance(outcome, Written)
    assert isinstance(whole, Written)
    assert isinstance(outcome.record, History)
    assert isinstance(whole.record, History)
    assert len(outcome.record.items) == len(whole.record.items) - 1
    assert [part.reason for part in outcome.dropped] == ["fact not in its turn"]
    assert "weather" in outcome.dropped[0].raw


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "Here it is:\n{}\nHope that helps!", "<think>hm</think>{}"])
def test_what_stands_around_an_answer_is_passed_over(fence: str) -> None:
    actor = Actor(lambda ask, text: fence.replace("{}", text))
    assert isinstance(dialogue(actor), Written)
    assert len(actor.asked) == 1


@pytest.mark.parametrize("reason", ["budget", "timeout", "connection", "rate_limited", "server", "invalid"])
def test_a_row_without_an_answer_stays_to_be_done(reason: Any) -> None:
    assert dialogue(Actor(lambda ask, text: Failure(reason, "no"))) == Unanswered(reason)


def test_a_persona_is_written_tier_by_tier_and_grounded_in_its_paths() -> None:
    actor = Actor()
    outcome = persona(actor)
    assert isinstance(outcome, Written)
    assert isinstance(outcome.record, Persona)
    found = outcome.record
    assert len(actor.asked) in (8, 9)
    assert set(found.values) == set(ontology().keys)
    linked = {value.path for value in found.values.values() if value and value.path is not None}
    assert linked == set(range(len(found.paths)))
    assert found.skeleton is not None
    assert all(found.skeleton.facts()[key] == found.values[key].value for key in found.skeleton.facts() if found.values.get(key))  # type: ignore[union-attr]
    assert 60 <= len(found.summary.split()) <= 120
    later = actor.asked[1].messages[0].content
    assert all(path[-1] in later for path in found.paths)


def test_the_same_row_asks_the_same_again_and_another_seed_does_not() -> None:
    one, same = Actor(), Actor()
    assert persona(one) == persona(same)
    assert one.asked == same.asked
    other = Actor()
    list(Model(other.client).personas(["3"], 1))
    assert other.asked[0].messages != one.asked[0].messages


def test_some_tiers_only() -> None:
    actor = Actor()
    assert isinstance(persona(actor, tiers=["Interest"]), Written)
    assert sum("Write the section" in ask.messages[0].content for ask in actor.asked) == 1
    with pytest.raises(ConfigError, match=r"did you mean|Interest"):
        Profiles(tiers=["Interests"])


def test_unusable_values_are_null_and_named_and_too_many_are_a_fault() -> None:
    def wrong(many: bool) -> Callable[[Ask, str], str]:
        def fault(ask: Ask, text: str) -> str:
            if "Write the section" not in ask.messages[0].content:
                return text
            found = json.loads(text)
            for key in list(found)[: len(found) if many else 1]:
                found[key] = {"value": "far " * 20, "polarity": "positive", "intensity": "low", "path": None}
            return json.dumps(found)

        return fault

    outcome = persona(Actor(wrong(many=False)))
    assert isinstance(outcome, Written)
    assert sum(part.reason == "value: length" for part in outcome.dropped) >= 5
    rejected = persona(Actor(wrong(many=True)))
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "wrong schema"


def test_what_contradicts_itself_is_taken_back() -> None:
    low = {"polarity": "positive", "intensity": "low", "path": None}
    said = {"diet_type": {"value": "a vegan diet", **low}, "favorite_dish": {"value": "rare beef steak", **low}}

    def fault(ask: Ask, text: str) -> str:
        if "Write the section" not in ask.messages[0].content:
            return text
        found = json.loads(text)
        return json.dumps({**found, **{key: value for key, value in said.items() if key in found}})

    outcome = persona(Actor(fault))
    assert isinstance(outcome, Written)
    assert isinstance(outcome.record, Persona)
    (part,) = [part for part in outcome.dropped if "contradiction" in part.reason]
    assert "rare beef steak" in part.raw
    assert outcome.record.values["favorite_dish"] is None
    assert outcome.record.values["diet_type"] is not None


@pytest.mark.parametrize("name", ["no text", "a refusal", "half an answer", "no JSON", "a list", "40 kB"])
def test_a_persona_that_cannot_be_read_is_quarantined(name: str) -> None:
    kind, fault = FAULTS[name]
    if name == "40 kB":
        kind, fault = "oversized", lambda ask, text: json.dumps({"x": "y" * 40_000})
    actor = Actor(fault)
    outcome = persona(actor)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == kind
    assert len(actor.asked) == 2


def test_rows_do_not_wait_for_each_other() -> None:
    actor = Actor(lambda ask, text: "nothing" if ask.id == "2-0" else text)
    rows = [Row(f"{index}-0", {"personas": stand_in(str(index), 0)}) for index in range(5)]
    found = dict(Model(actor.client, writing=Writing(temperature=0)).dialogues(rows, 0))
    assert {key: isinstance(outcome, Written) for key, outcome in found.items()} == {row.key: row.key != "2-0" for row in rows}
    assert len(actor.asked) == 6
    assert replace(actor.asked[-1], messages=()) == replace(actor.asked[2], messages=())
