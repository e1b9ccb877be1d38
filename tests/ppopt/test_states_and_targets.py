"""What a policy sees and writes: nothing hidden goes in, one form comes out, and targets pass three filters."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from people import QUERY, SECRET, WISHES, answer, said, user

from kithe.errors import ConfigError
from kithe.gym.corpus import Atlas
from kithe.gym.noise.distractor import Distractor
from kithe.llm.client import Ask, Failure
from kithe.llm.scripted import ScriptedClient
from kithe.ppopt.output import profile, read
from kithe.ppopt.source import PPOptStates
from kithe.ppopt.states import evidence, fitting, question, shown, state
from kithe.ppopt.task import PPOpt, inferred, rewritten
from kithe.ppopt.teacher import Asked, ColdStart, Filters, Scripted, Target, scripted_filters
from kithe.ppopt.verdicts import Verdict
from kithe.records.history import History


class Unmoved:
    """Likes every answer as much as the other."""

    def compare(self, asked: Sequence[tuple[History, str, str]]) -> list[Verdict | None]:
        return ["tie"] * len(asked)


TAUGHT = user().model_copy(
    update={
        "question": question(user()).model_copy(
            update={"analysis": "length_pref = terse (keep it to one or two lines)", "answer": (f"{QUERY} Keep it short.",)}
        )
    }
)


def prompts(own: PPOpt) -> str:
    told = TAUGHT.model_copy(update={"items": ()})
    asked = [*own.requests(told), *own.requests(told, own.examples([TAUGHT]))]
    return "\n".join(message.content for request in asked for message in request.prompt)


@pytest.mark.parametrize("edit", ["whole", "append"])
def test_nothing_hidden_reaches_a_policy(edit: str) -> None:
    text = prompts(PPOpt(edit=edit, menu=False))  # type: ignore[arg-type]
    assert QUERY in text
    assert "keep it to one or two lines" in text
    assert "HIDDEN-ANSWER" not in text
    assert SECRET not in text
    assert "calm" not in text


def test_training_and_asking_use_the_same_words_in_the_order_of_the_paper() -> None:
    own = PPOpt()
    (example,), (request,) = own.examples([TAUGHT]), own.requests(TAUGHT)
    assert example.prompt == request.prompt
    text = request.prompt[0].content
    places = [text.index(part) for part in ("Rewrite a new message", "Session 1", "Session 2", QUERY, "<REASONING>", "<PROMPT>")]
    assert places == sorted(places)


def test_a_target_is_read_back_as_it_was_meant() -> None:
    for edit in ("whole", "append"):
        own = PPOpt(edit=edit)  # type: ignore[arg-type]
        found = own.predicted(TAUGHT, own.examples([TAUGHT])[0].answer)
        assert found.unparsed == 0
        assert inferred(found) == {"length_pref": "terse"}
        assert rewritten(found) == f"{QUERY} Keep it short."
    assert "(keep it to one or two lines)" in PPOpt().target(TAUGHT)
    assert "(" not in PPOpt(evidence=False).target(TAUGHT)
    assert "Rewrite" not in PPOpt(instructed=False).requests(TAUGHT)[0].prompt[0].content
    assert "REASONING" not in PPOpt(reasoning=False).target(TAUGHT)


@pytest.mark.parametrize(
    ("text", "ok", "prompt"),
    [
        (answer("tone_pref = calm", "Do it."), True, "Do it."),
        ("just do it", False, "just do it"),
        ("<PROMPT>Do it.</PROMPT>", False, "Do it."),
        ("<REASONING>x</REASONING> Do it.", False, "Do it."),
        (answer("", ""), True, QUERY),
        ("", False, QUERY),
        ("<PROMPT>a</PROMPT><PROMPT>b</PROMPT>", False, "a"),
        ('{"reasoning": "tone_pref = calm", "prompt": "Do it."}', True, "Do it."),
    ],
)
def test_what_is_read_of_any_text(text: str, ok: bool, prompt: str) -> None:
    found = read(text, QUERY, "whole")
    assert (found.ok, found.prompt) == (ok, prompt)


def test_profiles_are_read_tolerantly_and_the_first_line_counts() -> None:
    text = "- Length Pref: TERSE (they said so)\ntone_pref = calm\nlength_pref = medium\nshoe size = 42\nnoise"
    assert profile(text) == {"length_pref": "terse", "tone_pref": "calm"}


def test_sessions_are_counted_from_the_last_and_dropped_from_the_first() -> None:
    assert [len(state(user(), sessions).sessions) for sessions in (0, 1, 2, 4)] == [0, 1, 2, 2]
    assert state(user(), 1).sessions == (("Compare two tents.", "Could you put it in a table, please?"),)
    assert state(user(), 4, 9).sessions[0][0] == "Plan a pi"
    short = fitting(state(user()), 60)
    assert short.sessions == ()
    assert short.query == QUERY
    own = PPOpt(max_new_tokens=10).fitted(4096)
    assert own.state(user()) == state(user())
    assert QUERY in PPOpt().fitted(64).requests(user())[0].prompt[0].content


def test_evidence_is_what_was_said_last() -> None:
    assert {name: value for name, (value, _) in evidence(state(user())).items()} == question(user()).related
    turned = user(turns=(*user().turns, user().turns[0].model_copy(update={"text": "Now go into more detail.", "session": 2})))
    assert evidence(state(turned))["length_pref"][0] == "detailed"
    assert "Session 2" in shown(state(user()))


def test_the_scripted_teacher_says_only_what_can_be_seen() -> None:
    (target,) = Scripted().write([user()])
    assert target is not None
    assert "calm" not in target.reasoning
    assert profile(target.reasoning) == question(user()).related
    assert target.prompt.startswith(QUERY)
    assert Scripted(sessions=0).write([user()]) == [None]


def test_a_teacher_that_overlooks_wishes_names_one_at_least_and_may_use_one_wording() -> None:
    people = [user(f"p{number}") for number in range(200)]
    shown_ones = len(question(user()).related)
    named = [len(profile(own.reasoning)) for own in Scripted(notices=0.5).write(people) if own]
    assert shown_ones == 2
    assert set(named) == {1, 2}
    assert 0.15 < named.count(2) / len(named) < 0.35
    assert {len(profile(own.reasoning)) for own in Scripted(notices=0.0).write(people) if own} == {1}
    assert len({own.prompt for own in Scripted().write(people) if own}) > 1
    assert len({own.prompt for own in Scripted(varied=False).write(people) if own}) == 1
    with pytest.raises(ConfigError, match=r"notices=1\.5: from 0"):
        Scripted(notices=1.5)


def test_the_three_filters_and_the_account_of_them() -> None:
    lost: Counter[str] = Counter()
    good = Scripted().write([user()])[0]
    targets = [
        good,
        Target("length_pref = terse", f"{QUERY} ok"),
        Target("length_pref = terse", "How do I choose a bike? Keep it to one or two lines, in a table if you can do that."),
        Target("length_pref = exhaustive", f"{QUERY} Cover absolutely everything. Pile on the examples. Sound more excited."),
        None,
    ]
    people = [user(str(number)) for number in range(5)]
    passed = scripted_filters().passed(people, targets, lost)
    assert [target is not None for target in passed] == [True, False, False, False, False]
    assert lost == {"copies the message": 1, "generalises the message": 1, "no measurable gain": 1, "no target": 1}


def test_a_model_as_teacher_is_asked_once_more_and_then_left_out() -> None:
    asked: list[Ask] = []

    def play(ask: Ask) -> str | Failure:
        asked.append(ask)
        if "picnic" not in ask.messages[0].content:
            return Failure("connection", "nobody there")
        if len(asked) == 1:
            return "I would rather not."
        return json.dumps({"profile": {"length_pref": "terse"}, "reasoning": "they like it short", "prompt": f"{QUERY} Briefly."})

    silent = user("silent", turns=())
    found = Asked(ScriptedClient(play)).write([user(), silent])
    assert found == [Target("length_pref = terse", f"{QUERY} Briefly."), None]
    assert len(asked) == 3
    assert "tone_pref = calm" in asked[0].messages[0].content


@pytest.fixture(scope="module")
def source() -> PPOptStates:
    return PPOptStates(Atlas(personas=24, sessions=3, distractor=Distractor(rate=0.0)), cold=ColdStart(share=0.5))


def test_states_of_the_atlas_keep_users_apart_and_hide_the_persona(source: PPOptStates) -> None:
    train, test = list(source.histories("train", 0)), list(source.histories("test", 0))
    assert {one.id for one in train} & {one.id for one in test} == set()
    assert all(len({turn.session for turn in one.turns}) == 2 for one in train)
    own = PPOpt(menu=False)
    for one in train:
        secret = one.model_copy(update={"question": question(one).model_copy(update={"persona": {"role": SECRET}})})
        assert own.requests(secret) == own.requests(one)
    taught = own.examples(train)
    assert 0 < len(taught) < len(train)
    assert not own.examples(test)
    assert [one.id for one in source.histories("train", 1)] != [one.id for one in train]


def test_who_was_to_get_a_target_and_got_none_is_in_no_part_of_training(source: PPOptStates) -> None:
    everyone = {split: {one.id for one in replace(source, cold=None).histories(split, 0)} for split in ("train", "validation")}
    none_passes = replace(source, cold=ColdStart(filters=replace(scripted_filters(), samples=1, judge=Unmoved()), share=0.5))
    left = {one.id for one in none_passes.histories("train", 0)}
    assert len(everyone["train"] - left) == sum(none_passes.losses("train").values()) > 0
    assert left < {one.id for one in source.histories("train", 0)} <= everyone["train"]
    assert {one.id for one in none_passes.histories("validation", 0)} == everyone["validation"]


def test_which_session_is_new_is_drawn_and_not_the_easiest(source: PPOptStates) -> None:
    fewest = list(replace(source, choose="fewest", cold=None).histories("train", 0))
    drawn = list(replace(source, cold=None).histories("train", 0))
    assert [question(one).text for one in fewest] != [question(one).text for one in drawn]
    turns = [sum(turn.speaker == "user" for turn in one.turns) for one in (*fewest, *drawn)]
    assert sum(turns[: len(fewest)]) > sum(turns[len(fewest) :])


def test_a_shorter_past_keeps_its_end(source: PPOptStates) -> None:
    whole = list(replace(source, cold=None).histories("train", 0))
    for past in (0, 1, 2, 9):
        found = list(replace(source, cold=None, past=past).histories("train", 0))
        assert [state(one).sessions for one in found] == [state(one, past).sessions for one in whole]


def test_swapped_states_have_the_past_of_another(source: PPOptStates) -> None:
    own = {one.id: one for one in replace(source, cold=None).histories("train", 0)}
    other = {one.id: one for one in replace(source, cold=None, swapped=True).histories("train", 0)}
    assert all(own[name].question == other[name].question and own[name].turns != other[name].turns for name in own)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 2"):
        PPOptStates(Atlas(personas=2, sessions=1))
    with pytest.raises(ConfigError, match=r"task\.format\.edit"):
        PPOpt(edit="half")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no new message"):
        question(user(question=None))


def test_the_wishes_of_these_tests_are_in_the_bank() -> None:
    from kithe.gym.bank import bank

    bank().check(WISHES, "people.py")
    assert isinstance(scripted_filters(), Filters)
    assert said("x").raw == ("x", "x")
