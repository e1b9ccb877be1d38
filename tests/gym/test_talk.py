"""The preference process: what is violated comes up, turns hold, satisfaction ends talks, the assistant knows words only."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithe.errors import ConfigError
from kithe.gym import scripted
from kithe.gym.bank import bank
from kithe.gym.coherence import coherence
from kithe.gym.corpus import Atlas
from kithe.gym.figures import pairs, reveal
from kithe.gym.noise.distractor import Distractor
from kithe.gym.queries import queries
from kithe.gym.records import Trajectory
from kithe.gym.sampling import GymPersona, Sampler
from kithe.gym.scripted import played
from kithe.gym.style import SHOWN, write
from kithe.gym.stylist import Styling
from kithe.gym.talk import Call, Discarded, Opening, Rules, Steps, converse
from kithe.gym.user import CURIOSITY, Moment, ScriptedUser, Turns, drifted, moves, stage, statuses
from kithe.llm.client import Ask
from kithe.records.chat import Message

PLAIN = {"length_pref": "brief", "format_pref_primary": "plain paragraphs", "tone_pref": "neutral", "citation_pref": "never",
         "example_pref": "no examples", "explanation_depth": "left out", "formality_level": "neutral"}  # fmt: skip
ANSWER = write(PLAIN, ["Lisbon"], Random(0))


@pytest.fixture(scope="module")
def talks() -> list[Trajectory]:
    atlas = Atlas(personas=120)
    return [talk for index in range(120) for talk in atlas.trajectories(index)]


def person(**values: str) -> GymPersona:
    return GymPersona(id="p", values={"follow_up_tendency": "until all is clear", "domain": "travel", **values})


def test_statuses() -> None:
    found = statuses(
        person(length_pref="detailed", tone_pref="neutral", deliverable_type="a plan", role="a cook or baker"), ANSWER
    )
    assert found == {"length_pref": "violated", "tone_pref": "satisfied", "deliverable_type": "unrevealed"}


def test_the_tolerant_overlook_one_step() -> None:
    strict, calm = (statuses(person(length_pref="medium", error_tolerance=own), ANSWER) for own in ("badly", "calmly"))
    assert (strict["length_pref"], calm["length_pref"]) == ("violated", "satisfied")
    assert statuses(person(length_pref="exhaustive", error_tolerance="lightly"), ANSWER)["length_pref"] == "violated"
    assert statuses(person(tone_pref="warm", error_tolerance="lightly"), ANSWER)["tone_pref"] == "violated"


@pytest.mark.parametrize(
    ("turn", "target", "wanted"), [(1, 3, "explore"), (2, 3, "last"), (3, 3, "over"), (1, 2, "last"), (4, 3, "over")]
)
def test_stages(turn: int, target: int, wanted: str) -> None:
    assert stage(Moment(turn, target, 2, "travel")) == wanted


STOPS = [
    # wishes against the answer, turn, target -> satisfied, served
    ({}, 1, 3, False, CURIOSITY),  # below the least turns there is always a follow-up
    ({}, 2, 4, True, ""),
    ({"length_pref": "exhaustive"}, 1, 3, False, "length_pref"),
    ({"length_pref": "exhaustive"}, 2, 4, False, "length_pref"),
    ({"length_pref": "exhaustive"}, 2, 3, False, "length_pref"),  # the last message, for something important
    ({"tone_pref": "warm"}, 2, 3, True, ""),  # the last message is not spent on this
    ({"length_pref": "exhaustive"}, 3, 3, True, ""),  # patience is over
]


@pytest.mark.parametrize(("values", "turn", "target", "satisfied", "served"), STOPS)
def test_stop_rules(values: dict[str, str], turn: int, target: int, satisfied: bool, served: str) -> None:
    found = ScriptedUser(stray=0).feedback(person(**values), ANSWER, Moment(turn, target, 2, "travel"), [], Random(1))
    assert found.satisfied == satisfied
    assert found.serves == ((served,) if served else ())
    assert bool(found.text) != satisfied


def test_follow_ups_say_what_is_wanted() -> None:
    from kithe.gym.assistant import heard

    wanted = person(format_pref_primary="a table", multi_intent_rate="often", citation_pref="for everything")
    found = ScriptedUser(stray=0).feedback(wanted, ANSWER, Moment(1, 4, 2, "travel"), [], Random(2))
    assert set(found.serves) == set(found.reveals) == {"format_pref_primary", "citation_pref"}
    assert heard(found.text) == {"format_pref_primary": "a table", "citation_pref": "for everything"}


def test_turns_follow_their_law() -> None:
    rng = Random(0)
    found = [Turns().target(rng) for _ in range(4000)]
    assert set(found) <= {2, 3, 4, 5}
    for value, law in ((3, 0.6827), (4, 0.1573), (2, 0.1587)):
        assert abs(found.count(value) / 4000 - law) < 3 * (law * (1 - law) / 4000) ** 0.5
    assert {Turns(least=4).target(rng) for _ in range(50)} <= {4, 5}
    with pytest.raises(ConfigError, match="least=6"):
        Turns(least=6)
    with pytest.raises(ConfigError, match=r"turns\.sd=-1"):
        Turns(sd=-1)


def test_turns_are_enforced(talks: list[Trajectory]) -> None:
    for talk in talks:
        assert 2 <= talk.turns <= talk.target <= 5
        assert [message.role for message in talk.messages] == ["user", "assistant"] * talk.turns
        if talk.satisfied:
            assert not talk.messages[-1].violated
        elif talk.turns < talk.target - 1:
            assert talk.persona.get("follow_up_tendency") != "until all is clear"


def test_follow_ups_serve_a_named_dimension(talks: list[Trajectory]) -> None:
    for talk in talks:
        for before, message in zip(talk.messages, talk.messages[1:], strict=False):
            if message.role == "user":
                assert message.serves
                assert message.serves[0] in before.violated or message.serves == (CURIOSITY,)
                assert set(message.reveals) <= set(before.violated) | set(before.fulfilled)


def test_preferences_come_up_where_they_are_violated(talks: list[Trajectory]) -> None:
    found = reveal(talks)
    assert found.low > 3
    assert found.low < found.odds_ratio < found.high
    (a, b), (c, d) = found.table
    assert a + b + c + d == sum(len(list(pairs(talk))) for talk in talks)
    assert a / (a + b) > 0.3 > 2 * c / (c + d)
    assert found.curves["violated"][-1] > 5 * found.curves["never violated"][-1]
    assert list(found.curves["violated"]) == sorted(found.curves["violated"])


def test_a_blind_user_would_have_no_odds(talks: list[Trajectory]) -> None:
    """The figure can fail: where mentions do not depend on what was violated, the interval holds 1."""
    rng = Random(0)

    def blind(talk: Trajectory) -> Trajectory:
        messages = list(talk.messages)
        for n, message in enumerate(messages):
            if message.role == "user" and n:
                every = (*messages[n - 1].violated, *messages[n - 1].fulfilled)
                messages[n] = message.model_copy(update={"reveals": tuple(rng.sample(every, min(1, len(every))))})
        return talk.model_copy(update={"messages": tuple(messages)})

    found = reveal([blind(talk) for talk in talks])
    assert found.low < 1.2
    assert found.odds_ratio < 1.5


def test_clean_and_noised_are_kept_together(talks: list[Trajectory]) -> None:
    said = [message for talk in talks for message in talk.said]
    assert all(message.was_noised == (message.noise is not None) for message in said)
    assert all(message.noise.original_text == message.clean and message.noise.noisy_text == message.content
               for message in said if message.noise)  # fmt: skip
    share = sum(message.was_noised for message in said) / len(said)
    assert abs(share - 0.25) < 3 * (0.25 * 0.75 / len(said)) ** 0.5


def test_one_assistant_for_a_conversation(talks: list[Trajectory]) -> None:
    models = [{message.model for message in talk.messages if message.role == "assistant"} for talk in talks]
    assert {len(own) for own in models} == {1}
    assert len(set.union(*models)) == 8


def test_the_query_sets_domain_and_scenario(talks: list[Trajectory]) -> None:
    by_id = {query.id: query for query in queries()}
    assert all(talk.persona["domain"] == by_id[talk.query_id].domain and "scenario" in talk.persona for talk in talks)


class Listening:
    """Keeps all that an assistant is handed."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def answer(self, model: str, transcript: Sequence[Message], rng: Random) -> Steps[str]:
        self.heard += [model, *(message.content for message in transcript)]
        return ANSWER
        yield


@pytest.mark.parametrize("seed", range(12))
def test_the_assistant_never_sees_the_persona(seed: int, talks: list[Trajectory]) -> None:
    """Every value of the persona and its id are sentinels, where that leaves it a persona; none reaches the assistant."""
    source = Atlas(personas=12).users[seed]
    sentinels = {name: f"ZQX{n}sentinel" for n, name in enumerate(source.values) if name not in (*SHOWN, "feedback_style")}
    values = {**source.values, **sentinels, "role": "others"}
    persona = GymPersona(id="ZQXidsentinel", values=values, texts={"role": "ZQXtextsentinel"})
    ears = Listening()
    cast = replace(scripted.cast(Distractor(rate=0.5)), assistant=ears)
    rules = Rules(styling=Styling(rate=1.0, full=0.5))
    for query in queries()[seed : seed + 60 : 12]:
        played(converse(Opening(f"t-{query.id}", persona, 1, query), cast, rules, seed))
    assert len(ears.heard) > 10
    everything = "\n".join(ears.heard)
    assert "ZQX" not in everything
    assert not any(name in everything for name in persona.values if "_" in name)


def test_an_instruction_says_how_answers_are_to_be_and_nothing_of_who_asks() -> None:
    from kithe.gym.user import instruction, script

    text = instruction(person(tone_pref="warm", length_pref="terse", learning_style="by doing", role="a lawyer"), Random(0))
    assert any(clause in text.lower() for clause in script().cues["length_pref"]["terse"])
    assert any(clause in text.lower() for clause in script().cues["tone_pref"]["warm"])
    assert "Teach by doing." in text
    assert "lawyer" not in text
    first, second = list(Atlas(personas=1, sessions=2).talks())
    assert first.instruction.startswith("Answer the way")
    assert second.instruction == ""


def test_an_empty_answer_discards_the_conversation() -> None:
    class Mute:
        def answer(self, model: str, transcript: Sequence[Message], rng: Random) -> Steps[str]:
            return " \n"
            yield

    opening = Opening("x", person(), 1, queries()[0])
    with pytest.raises(Discarded, match="empty answer"):
        played(converse(opening, replace(scripted.cast(), assistant=Mute()), Rules(), 0))


def test_a_scripted_cast_asks_nobody() -> None:
    class Asks:
        def answer(self, model: str, transcript: Sequence[Message], rng: Random) -> Steps[str]:
            return (yield Call("assistant", Ask("1", ()))).text

    with pytest.raises(Discarded, match="no model"):
        played(converse(Opening("x", person(), 1, queries()[0]), replace(scripted.cast(), assistant=Asks()), Rules(), 0))


def test_preferences_drift() -> None:
    start = {**PLAIN, "role": "a lawyer"}
    rng, changes, n = Random(0), 0, 3000
    for _ in range(n):
        now, changed = drifted(start, 0.05, rng)
        changes += len(changed)
        assert {name for name in start if now[name] != start[name]} == set(changed) <= set(SHOWN)
        for name in changed:
            dimension = bank().by_name[name]
            assert not dimension.ordered or abs(dimension.step(now[name]) - dimension.step(start[name])) == 1
    law, chances = 0.05, n * len(SHOWN)
    assert abs(changes / chances - law) < 3 * (law * (1 - law) / chances) ** 0.5
    assert drifted(start, 0.0, rng) == (start, ())


@pytest.fixture(scope="module")
def people() -> list[GymPersona]:
    return list(Sampler().personas(400, 3))


@settings(max_examples=150, deadline=None)
@given(index=st.integers(0, 399), rate=st.sampled_from([0.05, 0.3, 1.0]), seed=st.integers(0, 10**9))
def test_drift_breaks_no_hard_rule(people: list[GymPersona], index: int, rate: float, seed: int) -> None:
    values, rng = people[index].values, Random(seed)
    for _ in range(6):
        values, changed = drifted(values, rate, rng)
        assert coherence().broken(values) == 0
        assert rate < 1 or set(changed) == {name for name in SHOWN if name in values}


def test_no_session_of_a_corpus_goes_against_a_hard_rule(talks: list[Trajectory]) -> None:
    atlas = Atlas(personas=100, drift=0.5)
    openings = [opening for index in range(100) for opening in atlas.openings(index)]
    assert sum(bool(opening.drifted) for opening in openings) > 250
    assert not any(coherence().broken(opening.persona.values) for opening in openings)
    assert not any(coherence().broken(talk.persona) for talk in talks)  # with the domain and scenario of the session


def test_drift_keeps_its_rate_among_coherent_personas(people: list[GymPersona]) -> None:
    rng, changes, chances = Random(5), 0, 0
    for person in people:
        values: dict[str, str] = person.values
        for _ in range(10):
            chances += sum(name in values for name in SHOWN)
            values, changed = drifted(values, 0.05, rng)
            changes += len(changed)
    assert abs(changes / chances - 0.05) < 3 * (0.05 * 0.95 / chances) ** 0.5


@pytest.mark.parametrize(
    "names", [("length_pref", "explanation_depth", "example_pref", "detail_orientation"), ("tone_pref", "formality_level")]
)
def test_every_wish_of_a_coherent_persona_can_change(names: tuple[str, ...]) -> None:
    """Of all combinations that hard rules tie together; so the rate of changes is the one that is set."""
    tied = {name for rule in coherence().hard for name in (*rule.given, *rule.then) if {*rule.given, *rule.then} & set(SHOWN)}
    assert tied == {"length_pref", "explanation_depth", "example_pref", "detail_orientation", "tone_pref", "formality_level"}
    seen = 0
    for chosen in product(*((None, *bank().by_name[name].values) for name in names)):
        values = {name: value for name, value in zip(names, chosen, strict=True) if value}
        if not coherence().broken(values):
            seen += 1
            assert all(moves(name, values) for name in values if name in SHOWN)
    assert seen > 50


def test_a_change_that_would_break_a_rule_is_not_made() -> None:
    values = {"length_pref": "medium", "explanation_depth": "in depth"}
    assert moves("length_pref", values) == ["detailed"]
    assert moves("length_pref", {"length_pref": "medium"}) == ["brief", "detailed"]
    stiff = moves("tone_pref", {"tone_pref": "warm", "formality_level": "very formal"})
    assert {"playful", "humorous", "warm"} == {*bank().by_name["tone_pref"].values} - {*stiff}
    against = {"length_pref": "terse", "explanation_depth": "in depth"}  # as independent draws give it
    assert coherence().broken(against) == 1
    assert moves("length_pref", against) == ["brief"]
