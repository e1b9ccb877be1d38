"""Styles of answers are written and read alike; assistants hear wishes and keep to their house; one is locked."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.gym import style
from kithe.gym.assistant import Pool, ScriptedAssistant, heard, houses, read_houses, scripted_pool
from kithe.gym.bank import bank
from kithe.gym.coherence import coherence
from kithe.gym.user import script
from kithe.records.chat import Message

STYLES = st.fixed_dictionaries({name: st.sampled_from(bank().by_name[name].values) for name in style.SHOWN})


@settings(max_examples=150, deadline=None)
@given(STYLES, st.integers(0, 99))
def test_what_is_written_is_read(wanted: dict[str, str], seed: int) -> None:
    if coherence().broken(wanted):
        return
    found = style.read(style.write(wanted, ["Lisbon", "14 May"], Random(seed)))
    rest = [name for name in style.SHOWN if name != "length_pref"]
    assert {name: found[name] for name in rest} == {name: wanted[name] for name in rest}
    off = bank().by_name["length_pref"].step(found["length_pref"]) - bank().by_name["length_pref"].step(wanted["length_pref"])
    assert 0 <= off <= 1  # reasons and examples can make an answer longer than its points alone


def test_lengths_are_nearly_always_as_wanted() -> None:
    rng, right, n = Random(0), 0, 0
    for _ in range(300):
        wanted = {name: rng.choice(bank().by_name[name].values) for name in style.SHOWN}
        if not coherence().broken(wanted):
            n += 1
            right += style.read(style.write(wanted, ["Lisbon"], rng))["length_pref"] == wanted["length_pref"]
    assert right / n > 0.95


def test_reading_a_models_markdown() -> None:
    text = "In depth it depends.\n\n1. Heat the pan, because cold oil soaks in.\n2. For example, use ghee [1]."
    found = style.read(text)
    assert found["format_pref_primary"] == "numbered steps"
    assert (found["citation_pref"], found["example_pref"]) == ("where it matters", "one example")
    assert (found["length_pref"], found["explanation_depth"]) == ("terse", "in half a line")
    assert style.read("")["tone_pref"] == "neutral"


def test_every_cue_is_heard_as_what_it_says() -> None:
    cues = [(name, value, clause) for name, values in script().cues.items() for value, own in values.items() for clause in own]
    assert {(name, value) for name, value, _ in cues} == {
        (name, value) for name in style.SHOWN for value in bank().by_name[name].values
    }
    wrong = [(name, value, clause) for name, value, clause in cues if heard(f"Could you {clause}, please?").get(name) != value]
    assert wrong == []
    stray = sum(len(heard(f"Please {clause}.")) - 1 for _, _, clause in cues)
    assert stray / len(cues) < 0.05


def test_nothing_is_heard_in_ordinary_questions() -> None:
    from kithe.gym.queries import queries

    assert sum(bool(heard(query.text)) for query in queries()) < 0.02 * len(queries())


def test_an_assistant_follows_its_house_until_it_is_told() -> None:
    asked = Message(role="user", content="Plan a trip to Lisbon.")
    for name, house in houses().items():
        plain = style.read(ScriptedAssistant(name).answer([asked], Random(1)))
        assert {own: plain[own] for own in style.SHOWN if own != "length_pref"} == {
            own: house.style[own] for own in style.SHOWN if own != "length_pref"}  # fmt: skip
    told = [asked, Message(role="assistant", content="x"), Message(role="user", content="Please put it in a table.")]
    tables = sum(
        "table" in style.read(ScriptedAssistant("amber").answer(told, Random(n)))["format_pref_primary"] for n in range(200)
    )
    assert abs(tables / 200 - 0.95) < 3 * (0.95 * 0.05 / 200) ** 0.5
    assert "Lisbon" in ScriptedAssistant("amber").answer(told, Random(0))


def test_the_lock_and_the_weights() -> None:
    pool, n = scripted_pool(), 6000
    assert len(pool.weights) == 8
    counts = Counter(pool.locked(f"c{index}", 0) for index in range(n))
    for name, weight in pool.weights.items():
        assert abs(counts[name] / n - weight) < 3 * (weight * (1 - weight) / n) ** 0.5
    assert all(pool.locked(f"c{index}", 0) == pool.locked(f"c{index}", 0) for index in range(50))
    assert any(pool.locked(f"c{index}", 0) != pool.locked(f"c{index}", 1) for index in range(50))


def test_faulty_assistants() -> None:
    with pytest.raises(ConfigError, match="no such scripted assistant"):
        ScriptedAssistant("ambr")
    with pytest.raises(ConfigError, match="above 0"):
        Pool({"a": 0.0})
    with pytest.raises(ConfigError, match="each of"):
        read_houses("a: {weight: 1, obeys: 1, style: {length_pref: terse}}")
