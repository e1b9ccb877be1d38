"""Reasoning traces: five patterns, verbatim quotes, a bounded length, and a gate that catches what is wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talks import LAB, talk

from kithe.errors import ConfigError
from kithe.knowledge.parse import Answer, parse
from kithe.knowledge.target import answer, faults
from kithe.knowledge.task import PKI
from kithe.knowledge.text import estimated_tokens
from kithe.knowledge.traces import CLOSE, MAX_TRACE, OPEN, PATTERNS, Pattern, flaws, trace
from kithe.knowledge.units import Cut, Unit, units
from kithe.records.history import Evidence, History, KnowledgeItem

TURNS = (
    "set a timer", "Done.", "order more cat litter, like every month", "Ordered.", "my sister loves opera", "I see.",
    "I used to play chess", "Oh.", "I am a nurse", "Noted.",
)  # fmt: skip
CATS = KnowledgeItem(statement="I have a cat.", inference="implicit", evidence=(Evidence(turn=2, quote="order more cat litter"),))
NURSE = KnowledgeItem(statement="I am a nurse.", inference="explicit", evidence=(Evidence(turn=8, quote="I am a nurse"),))
MIXED = talk(list(TURNS)).model_copy(update={"items": (CATS, NURSE)})


def whole(history: History) -> Unit:
    return units(history, Cut("history", 4, 0, 10**6))[0]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_quotes_the_cues_drops_the_doubtful_and_ends_in_the_list(pattern: Pattern) -> None:
    text = trace(MIXED, range(len(TURNS)), MIXED.items, pattern)
    assert text.startswith(f"{OPEN}\n")
    assert text.endswith(f"I have a cat. | I am a nurse.\n{CLOSE}")
    assert '"order more cat litter"' in text
    assert '"I am a nurse"' in text
    assert "it is about someone else" in text
    assert "it is over" in text
    assert flaws(text, MIXED, ["I have a cat.", "I am a nurse."]) == ()


def test_patterns_differ() -> None:
    assert len({trace(MIXED, range(len(TURNS)), MIXED.items, pattern) for pattern in PATTERNS}) == 5


def test_a_decomposition_names_its_five_steps() -> None:
    lines = trace(MIXED, range(len(TURNS)), MIXED.items, "decomposition").splitlines()
    assert [line.partition(":")[0] for line in lines[1:-1]] == ["Segment", "Cues", "Hypothesise", "Verify", "Commit"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("facts", [0, 1, 10, 40, 300])
def test_traces_stay_short_and_pass_the_gate(facts: int, pattern: Pattern) -> None:
    history = talk(
        [f"turn {index}: I do like thing number {index} a lot, more than anything else" for index in range(2 * facts or 1)]
    )
    found = tuple(KnowledgeItem(statement=f"I like thing {n}.", evidence=(Evidence(turn=2 * n),)) for n in range(facts))
    text = trace(history, range(len(history.turns)), found, pattern)
    assert estimated_tokens(text) <= MAX_TRACE
    assert flaws(text, history, [item.statement for item in found]) == ()


@given(
    said=st.lists(st.text(min_size=1, max_size=60).filter(str.strip), min_size=1, max_size=5),
    pattern=st.sampled_from(PATTERNS),
)
def test_whatever_is_said_quotes_are_verbatim_and_the_answer_can_be_read(said: list[str], pattern: Pattern) -> None:
    history = talk(said)
    spoken = [place for place, turn in enumerate(history.turns) if turn.speaker == history.user]
    found = tuple(KnowledgeItem(statement=f"I said {place}.", evidence=(Evidence(turn=place),)) for place in spoken)
    unit = whole(history.model_copy(update={"items": found}))
    assert faults(history, unit, pattern) == ()
    for style in ("trace_then_answer", "answer_then_trace"):
        parsed = parse(answer(history, unit, ("statement",), style, pattern), ("statement",))
        assert isinstance(parsed, Answer)
        assert [one.item.statement for one in parsed.items] == [item.statement for item in found]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("cat litter", "dog litter"), "quote not in the history"),
        (lambda text: text.replace("I have a cat. |", "I have a dog. |"), "last step is not the list"),
        (lambda text: text.replace("Verify:", "Verify: " + "and so on " * 200), "more than 400 tokens"),
        (lambda text: text.removesuffix(CLOSE), "not one trace"),
    ],
)
def test_the_gate_names_what_is_wrong(change, reason: str) -> None:  # type: ignore[no-untyped-def]
    good = trace(MIXED, range(len(TURNS)), MIXED.items, "decomposition")
    assert reason in flaws(change(good), MIXED, ["I have a cat.", "I am a nurse."])


def test_faulty_units_are_dropped_and_counted() -> None:
    wrong = CATS.model_copy(update={"evidence": (Evidence(turn=2, quote="order dog food"),)})
    history = MIXED.model_copy(update={"items": (wrong, NURSE)})
    plain, thinking = PKI(unit="history"), PKI(unit="history", style="trace_then_answer")
    assert len(plain.examples([history])) == 1
    assert thinking.examples([history, MIXED.model_copy(update={"id": "other"})])[0].id == "other#0"
    assert thinking.dropped([history, MIXED]) == {"quote not in the history": 1}
    assert plain.dropped([history]) == {}


def test_the_task_takes_every_pattern_and_style() -> None:
    for pattern in PATTERNS:
        task = PKI(unit="history", style="answer_then_trace", thinking_pattern=pattern)  # type: ignore[arg-type]
        (example,) = task.examples([LAB])
        assert json.loads(example.answer.split("\n")[0]) == ["I have two cats.", "I am a nurse.", "I love hiking."]
        assert "After the list" in example.prompt[0].content
        assert pattern in task.version
    assert PKI().version == PKI(thinking_pattern="monologue").version
    with pytest.raises(ConfigError, match="decomposition"):
        PKI(thinking_pattern="daydream")  # type: ignore[arg-type]
