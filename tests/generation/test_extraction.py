"""The second labelling, and figures of agreement that say what is known to be true."""

import json
from collections import Counter
from typing import Any

import pytest
from actor import Actor

from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError
from kithe.generation.agreement import Account, Agreement, Agreements, compared, kappa
from kithe.generation.extraction import Extraction, ModelExtractor, Noisy, patterns
from kithe.generation.stages import Row, Unanswered, Written
from kithe.generation.teacher import Model, stand_in
from kithe.llm.client import Ask, Failure
from kithe.records.chat import Prediction
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

TURNS = (
    Turn(speaker="A", text="you know what, I love jazz, so there it is"),
    Turn(speaker="B", text="I love opera"),
    Turn(speaker="A", text="set a timer"),
    Turn(speaker="A", text="you know what, I keep bees, so there it is"),
)
JAZZ = KnowledgeItem(
    statement="I love jazz.", polarity="positive", intensity="high", evidence=(Evidence(turn=0, quote="I love jazz"),)
)
BEES = KnowledgeItem(
    statement="I keep bees.", polarity="positive", intensity="low", evidence=(Evidence(turn=3, quote="I keep bees"),)
)
HISTORY = History(id="h", source="x", user="A", turns=TURNS, items=(JAZZ, BEES))
ROWS = [Row("0-0", {"dialogues": HISTORY})]


def labelled(actor: Actor, **more: Any) -> Written | Unanswered:
    ((key, outcome),) = Extraction(ModelExtractor(actor.client, **more)).write(ROWS, 0)
    assert key == "0-0"
    assert isinstance(outcome, Written | Unanswered)
    return outcome


def test_a_model_labels_without_seeing_the_labels_of_construction() -> None:
    actor = Actor()
    outcome = labelled(actor)
    assert isinstance(outcome, Written)
    found = outcome.record
    assert isinstance(found, Prediction)
    assert [item.evidence for item in found.items] == [JAZZ.evidence, BEES.evidence]
    (ask,) = actor.asked
    prompt = ask.messages[0].content
    assert "[1] Partner: I love opera" in prompt
    assert "high" not in prompt.replace('"high"', "")
    assert found.raw


@pytest.mark.parametrize("pattern", list(patterns()))
def test_every_thinking_pattern_has_its_steps_in_prompt_and_schema(pattern: str) -> None:
    actor = Actor()
    labelled(actor, pattern=pattern)
    (ask,) = actor.asked
    steps = list(patterns()[pattern])
    assert ask.schema is not None
    assert ask.schema["properties"]["thinking"]["required"] == steps
    assert all(f"{number}. {step}: " in ask.messages[0].content for number, step in enumerate(steps, 1))
    assert f'{{"thinking": {{"{steps[0]}": ...' in ask.messages[0].content


def test_an_unknown_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="self_ask"):
        ModelExtractor(Actor().client, pattern="self-ask")


def test_five_patterns() -> None:
    assert set(patterns()) == {"decomposition", "monologue", "self_ask", "self_debate", "self_critic"}


def test_items_without_words_of_the_user_are_left_out_and_named() -> None:
    def fault(ask: Ask, text: str) -> str:
        base = json.loads(text)["items"][0]
        wrong = [{**base, "quote": "I love opera", "turn": 1}, {**base, "polarity": "mixed"}, "nothing", {**base, "quote": ""}]
        moved = {**base, "turn": 2, "quote": "i LOVE  jazz"}
        return json.dumps({"thinking": {}, "items": [*wrong, moved]})

    outcome = labelled(Actor(fault))
    assert isinstance(outcome, Written)
    assert isinstance(outcome.record, Prediction)
    assert [item.evidence for item in outcome.record.items] == [JAZZ.evidence]
    assert Counter(part.reason for part in outcome.dropped) == {"item: quote not in a user turn": 2, "item: wrong schema": 2}


def test_a_labelling_that_cannot_be_read_is_kept_as_unread_and_keeps_the_dialogue() -> None:
    outcome = labelled(Actor(lambda ask, text: "no idea"))
    assert isinstance(outcome, Written)
    assert isinstance(outcome.record, Prediction)
    assert (outcome.record.unparsed, outcome.record.items) == (1, ())
    assert [part.reason for part in outcome.dropped] == ["malformed"]
    account = Account()
    account.add(compared(HISTORY, outcome.record, []).line().encode())
    assert account.report()["unread"] == 1
    assert account.report()["recall"] is None


def test_nobody_answers() -> None:
    assert labelled(Actor(lambda ask, text: Failure("budget", "spent"))) == Unanswered("budget")


def test_one_dialogue_by_hand() -> None:
    other = JAZZ.model_copy(update={"polarity": "negative", "evidence": (Evidence(turn=2),)})
    found = compared(HISTORY, Prediction(id="h", items=(other,), units=1), [(JAZZ, other)])
    assert (found.planted, found.found, found.matched) == (2, 1, 1)
    assert found.turns == (("yes", "no"), ("no", "yes"), ("yes", "no"))
    assert found.polarity == (("positive", "negative"),)
    assert Agreement.model_validate_json(found.line()) == found


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ({("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15}, 0.4),
        ({("y", "y"): 3, ("n", "n"): 4}, 1.0),
        ({("y", "n"): 5, ("n", "y"): 5}, -1.0),
        ({("y", "y"): 9}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_kappa_as_in_textbooks(table: dict[tuple[str, str], int], value: float | None) -> None:
    assert kappa(Counter(table)) == value


def test_agreement_with_a_noisy_copy_says_its_rates() -> None:
    teacher = Scripted()
    histories = [teacher.dialogue(teacher.persona(0, index), 0, 0) for index in range(40)]
    rows = [Row(f"{index}-0", {"dialogues": history}) for index, history in enumerate(histories)]
    noisy = Noisy(miss=0.2, invent=0.1, flip=0.1)
    copies = dict(Extraction(noisy).write(rows, 0))
    known = [Row(row.key, {**row.known, "extraction": copies[row.key].record}) for row in rows]  # type: ignore[union-attr]
    account = Account()
    for _, outcome in Agreements().write(known, 0):
        assert isinstance(outcome, Written)
        account.add(outcome.record.line().encode())
    found = account.report()
    n = found["planted"]
    assert n > 100
    # An item with the wrong polarity is the same statement here, and so is matched.
    assert found["recall"] == pytest.approx(0.8, abs=0.08)
    assert found["precision"] == pytest.approx(0.8 / 0.9, abs=0.08)
    flipped = [count for (one, other), count in account.pairs["polarity"].items() if one != other]
    assert sum(flipped) / account.pairs["polarity"].total() == pytest.approx(0.1, abs=0.08)
    assert 0.5 < found["kappa"]["turns"] < 0.95
    assert found["kappa"]["intensity"] == pytest.approx(1.0, abs=0.08)


def test_agreement_with_itself_is_whole() -> None:
    known = [Row("0-0", {"dialogues": HISTORY, "extraction": Prediction(id="h", items=HISTORY.items, units=1)})]
    ((_, outcome),) = Agreements().write(known, 0)
    assert isinstance(outcome, Written)
    account = Account()
    account.add(outcome.record.line().encode())
    assert (account.report()["f1"], account.report()["kappa"]["turns"]) == (1.0, 1.0)


def test_rates_are_rates() -> None:
    with pytest.raises(ConfigError, match=r"extractor\.miss=1\.5"):
        Noisy(miss=1.5)


def test_what_the_actor_writes_the_actor_reads() -> None:
    actor = Actor()
    rows = [Row("1-0", {"personas": stand_in("1", 0)})]
    ((_, written),) = Model(actor.client).dialogues(rows, 0)
    assert isinstance(written, Written)
    ((_, read),) = Extraction(ModelExtractor(actor.client)).write([Row("1-0", {"dialogues": written.record})], 0)
    assert isinstance(read, Written)
    assert isinstance(read.record, Prediction)
    assert isinstance(written.record, History)
    assert len(read.record.items) == len(written.record.items)
