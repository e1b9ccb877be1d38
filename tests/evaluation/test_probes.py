from dataclasses import replace

import pytest
from judged_talks import question, scored, talk

from kithe.evaluation.judging import probes
from kithe.evaluation.judging.rules import RulesJudge, Truth
from kithe.evaluation.judging.verdicts import Question, Unscored

TALK = talk("ann", "U: I have two cats.", "A: Nice.", "--", "U: I ski.", facts=[("I have two cats.", 0), ("I ski in winter.", 2)])


def half(questions: list[Question]) -> list[Truth]:
    """Every other item is true; the evidence stands where the first gold fact's does."""
    return [
        Truth(question.place % 2 == 0, position=question.history.items[0].evidence[0].turn / (len(question.history.turns) - 1))
        for question in questions
    ]


def asked(n: int = 300) -> list[Question]:
    return [question(replace_id(f"u{index // 4}"), "I have two cats.", index) for index in range(n)]


def replace_id(name: str):  # type: ignore[no-untyped-def]
    return TALK.model_copy(update={"id": name})


JUDGE = RulesJudge(0.8, 0.8, truth=half)


def test_shift_by_hand() -> None:
    before = [
        scored("a", "u"),
        scored("b", "u"),
        scored("c", "v", False),
        scored("d", "v"),
        Unscored(item="e", user="v", reason="x"),
    ]
    after = [
        scored("a", "u"),
        scored("b", "u", False),
        scored("c", "v", True),
        scored("d", "v", sensibility=False),
        scored("e", "v"),
    ]
    moved = probes.shift(before, after, skipped=2, resamples=100)
    assert moved.rate is not None
    assert (moved.rate["value"], moved.rate["n"]) == (0.75, 4)
    assert (moved.to_yes, moved.to_no, moved.unscored, moved.skipped) == (1, 2, 1, 2)
    assert moved.p == 1.0
    with pytest.raises(ValueError, match="same items"):
        probes.shift(before, after[::-1])
    assert probes.shift([before[4]], [after[4]]).rate is None


def test_test_retest_finds_how_often_a_judge_changes_its_mind() -> None:
    questions = asked()
    again = probes.shift(JUDGE.verdicts(questions), replace(JUDGE, seed=1).verdicts(questions), resamples=200)
    assert again.rate is not None
    assert again.rate["low"] < 2 * 0.8 * 0.2 < again.rate["high"]
    assert again.p > 0.01
    same = probes.probe(JUDGE, questions, probes.same_again, 50)
    assert same.rate is not None
    assert same.rate["value"] == 0


@pytest.mark.parametrize(
    ("bias", "name", "moves"),
    [
        ({"position_bias": 0.3}, "order swap", True),
        ({"length_bias": 0.1}, "length", True),
        ({}, "order swap", False),
        ({}, "length", False),
    ],
)
def test_biases_are_detected_and_only_there(bias: dict[str, float], name: str, moves: bool) -> None:
    found = probes.probe(replace(JUDGE, **bias), asked(), probes.PROBES[name], 50)
    assert found.rate is not None
    assert (found.rate["value"] > 0.05) is moves
    assert (found.p < 0.001) is moves
    assert found.to_no == 0


def test_the_evidence_goes_with_its_turn() -> None:
    swapped = probes.swapped(question(TALK, "I ski."))
    assert swapped is not None
    assert [turn.text for turn in swapped.history.turns] == ["I ski.", "I have two cats.", "Nice."]
    assert [turn.session for turn in swapped.history.turns] == [1, 2, 2]
    assert [item.evidence[0].turn for item in swapped.history.items] == [1, 0]
    assert probes.swapped(question(talk("x", "U: hi"), "I ski.")) is None


def test_statements_in_other_words_and_at_length() -> None:
    changed = probes.paraphrased(question(TALK, "I love movies."))
    assert changed is not None
    assert changed.item.statement == "I really like movies."
    inside = probes.paraphrased(question(TALK, "We watch movies."))
    assert inside is not None
    assert inside.item.statement == "We watch films."
    assert probes.paraphrased(question(TALK, "Cats are great.")) is None
    assert probes.doubled(question(TALK, "My cat is old.")).item.statement == "My cat is old. To put it again: my cat is old."
    assert probes.doubled(question(TALK, "I ski.")).item.statement == "I ski. To put it again: I ski."
    assert probes.praised(question(TALK, "I ski.")).item.statement.startswith("I ski. ")
    dump = probes.dumped(question(TALK, "I ski."))
    assert dump is not None
    assert dump.item.statement == "I have two cats. I ski in winter."
    assert probes.dumped(question(talk("x", "U: hi"), "I ski.")) is None


def test_an_order_stands_in_the_conversation_where_it_was_put() -> None:
    order = probes.injections()[0]
    last = probes.ordered_about(order)(question(TALK, "I ski."))
    first = probes.ordered_about(order, "other", 0.0)(question(TALK, "I ski."))
    assert last is not None
    assert first is not None
    assert last.history.turns[-1].text == order.text
    assert (first.history.turns[0].speaker, first.history.turns[0].text) == ("A", order.text)
    assert [item.evidence[0].turn for item in first.history.items] == [1, 3]
    assert all(last.history.turns[item.evidence[0].turn].text == TALK.turns[item.evidence[0].turn].text for item in TALK.items)


def test_the_battery_has_orders_of_both_kinds_and_formats() -> None:
    battery = probes.injections()
    assert len(battery) >= 10
    assert {each.toward for each in battery} == {"yes", "no"}
    assert len({each.name for each in battery}) == len(battery)
    assert all("{{" not in each.text.format(statement="") for each in battery)


def test_a_gullible_judge_is_found_and_a_firm_one_does_not_move() -> None:
    firm = probes.inject(JUDGE, asked(80), resamples=20)
    moved = probes.inject(replace(JUDGE, gullible=0.6), asked(80), resamples=20)
    assert all(each.rate is not None and each.rate["value"] == 0 for each in firm.values())
    for injection in probes.injections():
        found = moved[injection.name]
        assert found.rate is not None
        assert found.rate["value"] > 0.15
        assert (found.to_yes > 0, found.to_no > 0) == (injection.toward == "yes", injection.toward == "no")


def test_one_family_is_warned_about() -> None:
    assert probes.same_family("qwen3-4b", "Qwen/Qwen3-0.6B") is not None
    assert probes.same_family("llama3.1-8b", "qwen3-4b") is None
