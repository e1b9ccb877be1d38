import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.corpora.real import RealSet
from kithe.errors import ConfigError
from kithe.evaluation.verifier import harder
from kithe.evaluation.verifier.challenge import HALVES, by_slice, challenge, question, slices
from kithe.evaluation.verifier.checkpoint import threshold
from kithe.evaluation.verifier.course import Course
from kithe.evaluation.verifier.harder import MAKERS, Fact, Pen, fact, made, turned
from kithe.evaluation.verifier.pairs import Pair, from_histories, people
from kithe.records.history import History, KnowledgeItem, Turn

KNOWN = [
    Pair(premise="Oh, jazz! I could listen to that all night.", statement="I love jazz.", supported=True, dialogue="a"),
    Pair(premise="We got two kittens last week.", statement="I have two cats.", supported=True, dialogue="b"),
    Pair(premise="Been a nurse for ages.", statement="I am a nurse.", supported=True, dialogue="c"),
    Pair(premise="Been a nurse for ages.", statement="I am a pilot.", supported=False, dialogue="c"),
]


@pytest.mark.parametrize(
    ("statement", "verb", "denied", "theirs"),
    [
        ("I love jazz.", "love", "I don't love jazz.", "My aunt loves jazz."),
        ("I have my own boat", "have", "I don't have my own boat.", "My aunt has their own boat."),
        ("I'm a nurse.", "am", "I am not a nurse.", "My aunt is a nurse."),
    ],
)
def test_a_fact_can_be_turned_around(statement: str, verb: str, denied: str, theirs: str) -> None:
    known = fact(statement)
    assert known is not None
    assert (known.verb, known.denied, known.of("my aunt")) == (verb, denied, theirs)


@pytest.mark.parametrize("statement", ["I am not tall.", "My dog is old.", "I never swim.", "We like tea.", "I"])
def test_other_forms_are_left_alone(statement: str) -> None:
    assert fact(statement) is None


def test_a_fact_reads_well_after_to_and_after_you() -> None:
    assert (
        Fact("am", "a nurse").into("seem to {bare}; you {you}; that I {own}")
        == "seem to be a nurse; you are a nurse; that I am a nurse"
    )
    assert Fact("like", "tea").into("seem to {bare}; you {you}; {thing}") == "seem to like tea; you like tea; tea"


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_has_both_labels(kind: str) -> None:
    pairs = list(MAKERS[kind](Fact("like", "strong tea"), Pen(random.Random(0))))
    assert {pair.supported for pair in pairs} == {True, False}
    assert all(pair.premise and pair.statement for pair in pairs)


@given(st.integers(0, 200))
def test_harder_pairs_say_what_their_label_says(seed: int) -> None:
    pen = Pen(random.Random(seed))
    for pair in harder.number(Fact("own", "three boats"), pen):
        numbers = {word for word in harder.words()["numbers"] if f" {word} " in pair.statement}
        assert (next(iter(numbers)) in pair.premise.split()) == pair.supported
    said, stated = next(iter(harder.person(Fact("like", "tea"), pen))).premise, "likes tea"
    assert stated in said


def test_harder_pairs_come_in_all_kinds_and_again_alike() -> None:
    pairs = made(KNOWN, 200, 1)
    assert len(pairs) == 200
    assert {pair.kind for pair in pairs} == set(MAKERS)
    assert pairs == made(KNOWN, 200, 1) != made(KNOWN, 200, 2)
    assert {pair.dialogue for pair in pairs} == {"a", "b", "c"}
    assert made([], 10, 0) == []


def test_real_words_get_a_wrong_statement() -> None:
    pairs = turned(KNOWN, 0)
    assert len(pairs) == 3
    assert not any(pair.supported for pair in pairs)
    assert {pair.kind for pair in pairs} <= {"polarity", "detail", "person", "partner", "number"}
    assert pairs[1].kind == "number"
    assert pairs[1].statement != "I have two cats."


def test_the_challenge_is_large_balanced_and_its_halves_share_no_words() -> None:
    first, second = (challenge(half) for half in HALVES)
    assert len(first) + len(second) >= 200
    assert min(len(first), len(second)) >= 100
    assert not {pair.premise for pair in first} & {pair.premise for pair in second}
    for pairs in (first, second):
        counts = Counter((pair.kind, pair.supported) for pair in pairs)
        assert len(counts) == 20
        assert min(counts.values()) >= 4
        assert {name.split(":")[0] for pair in pairs for name in slices(pair)} == {"kind", "negation", "length"}


def test_no_challenge_pair_is_made_of_training_phrases() -> None:
    phrases = [text for name in ("relatives", "details", "agreed", "refused", "passed") for text in harder.words()[name]]
    said = " ".join(pair.statement for half in HALVES for pair in challenge(half))
    assert not [text for text in phrases if len(text.split()) > 2 and text in said]


def test_figures_by_slice_know_a_perfect_and_a_constant_judge() -> None:
    pairs = challenge("development")
    right = by_slice(pairs, [pair.supported for pair in pairs], 20)
    yes = by_slice(pairs, [True] * len(pairs), 20)
    assert {found["kappa"]["value"] for found in right.values()} == {1.0}
    assert {found["kappa"]["value"] for found in yes.values()} == {0.0}
    assert sum(found["agreement"]["n"] for name, found in right.items() if name.startswith("kind")) == len(pairs)


def test_a_pair_becomes_a_question() -> None:
    pair = next(pair for pair in challenge("development") if pair.context)
    asked = question(pair, 3)
    assert [turn.text for turn in asked.history.turns] == [pair.context, pair.premise]
    assert asked.history.turns[1].speaker == asked.history.user


def test_the_threshold_is_the_highest_of_the_good_ones() -> None:
    truth = [True] * 50 + [False] * 50
    assert 0.8 <= threshold(truth, [0.9] * 50 + [0.3] * 50) <= 0.9
    assert 0.3 <= threshold(truth, [0.4] * 50 + [0.1] * 50) <= 0.4
    assert 0.4 <= threshold(truth, [0.9] * 40 + [0.5] * 10 + [0.1] * 50) <= 0.5


def test_what_a_search_is_calibrated_on_is_of_its_own_half_and_of_both_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = [
        History(
            id=f"dialogue{place // 2}-{place % 2}",
            source="msc",
            user="u",
            turns=(Turn(speaker="u", text="Hello."),),
            items=tuple(KnowledgeItem(statement=f"I am {place} {at}.") for at in range(8)),
        )
        for place in range(40)
    ]
    monkeypatch.setattr(RealSet, "histories", lambda self, split, limit: histories)
    judge, other = (Course(source=source).lookups() for source in ("people", "msc"))
    for asked in (judge, other):
        assert Counter(own for _, own in asked)[True] == len(asked) / 2
        assert all((q.item.statement in {item.statement for item in q.history.items}) == own for q, own in asked)
        assert len({q.id for q, _ in asked}) == len(asked)
    said = [{q.history.id.rpartition("-")[0] for q, _ in asked} for asked in (judge, other)]
    assert not said[0] & said[1]


def test_a_course_refuses_what_it_cannot_teach() -> None:
    with pytest.raises(ConfigError, match="did you mean 'people'"):
        Course(source="peple")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="nothing to learn from"):
        Course(source="msc", dialogues=0)
    with pytest.raises(ConfigError, match="epochs=0"):
        Course(epochs=0)


def test_without_the_pairs_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"KITHE_DATA.*source=msc"):
        people("train", str(tmp_path))


def test_pairs_of_real_dialogues_are_of_the_turn_that_people_marked(real_data: Path) -> None:
    histories = list(RealSet("msc", str(real_data)).histories("validation", 0))[:30]
    pairs = from_histories(histories, 60, 0)
    by_id = {history.id: history for history in histories}
    assert len(pairs) >= 50
    assert 0.4 < sum(pair.supported for pair in pairs) / len(pairs) < 0.6
    for pair in pairs:
        facts = by_id[pair.dialogue].items
        shown = {item.statement for item in facts if by_id[pair.dialogue].turns[item.evidence[0].turn].text == pair.premise}
        assert (pair.statement in shown) == pair.supported


def test_judge_and_filter_share_no_pair_and_no_test_dialogue(real_data: Path) -> None:
    folder = str(real_data)
    judge, other = Course().training(folder), Course(source="msc", seed=1, dialogues=2400).training(folder)
    assert not {pair.dialogue.rpartition("-")[0] for pair in judge} & {pair.dialogue.rpartition("-")[0] for pair in other}
    assert not {pair.dialogue for pair in judge} & {pair.dialogue for pair in people("test", folder)}
    assert Course().identity(judge) == Course().identity(Course().training(folder)) != Course(seed=1).identity(judge)
