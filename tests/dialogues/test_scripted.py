"""The scripted teacher: labels are exact, people differ, and the proportions are those of its documentation."""

import re
from collections import Counter
from operator import attrgetter

import pytest

from kithe.dialogues.mix import distance
from kithe.dialogues.scripted import FIELDS, Scripted
from kithe.dialogues.teacher import Teacher
from kithe.personas.traits import book
from kithe.records.history import History, KnowledgeItem

TEACHER = Scripted()


def write(index: int, teacher: Scripted = TEACHER) -> History:
    """One training dialogue."""
    return teacher.dialogue(teacher.persona(3, index), 3, 0)


@pytest.fixture(scope="module")
def corpus() -> list[History]:
    """Four hundred dialogues."""
    return [write(index) for index in range(400)]


def items(corpus: list[History]) -> list[KnowledgeItem]:
    """All labels."""
    return [item for history in corpus for item in history.items]


def test_it_is_a_teacher() -> None:
    teacher: Teacher = TEACHER
    assert teacher.fields == FIELDS
    assert hash(teacher) == hash(Scripted())


def test_the_same_arguments_give_the_same_history() -> None:
    assert write(7) == write(7)
    assert write(7) != write(8)
    persona = TEACHER.persona(3, 7)
    assert TEACHER.dialogue(persona, 3, 0).id != TEACHER.dialogue(persona, 3, 1).id


def test_ids_are_unique(corpus: list[History]) -> None:
    assert len({history.id for history in corpus}) == len(corpus)


def test_quotes_stand_in_the_users_own_turns(corpus: list[History]) -> None:
    for history in corpus:
        for item in history.items:
            assert item.evidence
            for evidence in item.evidence:
                turn = history.turns[evidence.turn]
                assert turn.speaker == history.user
                assert evidence.quote
                assert evidence.quote in turn.text


def test_every_item_carries_every_field_and_belongs_to_the_persona(corpus: list[History]) -> None:
    for index, history in enumerate(corpus):
        persona = TEACHER.persona(3, index)
        true = {(attribute.key, attribute.value, attribute.polarity) for attribute in persona.attributes}
        for item in history.items:
            assert all(getattr(item, field) for field in FIELDS)
            assert (item.key, item.value, item.polarity) in true
            assert len(item.statement.split()) <= 20


def test_no_fact_is_labelled_twice(corpus: list[History]) -> None:
    for history in corpus:
        keys = [(item.key, item.value, item.polarity) for item in history.items]
        assert len(keys) == len(set(keys))


def test_the_users_other_turns_reveal_nothing_planted(corpus: list[History]) -> None:
    """The words of a value appear in the user's turns only where they are evidence, but for a coincidence in five hundred."""
    checked, found = 0, []
    for history in corpus:
        for item in history.items:
            assert item.value
            if len(item.value) < 5:
                continue
            checked += 1
            known = {evidence.turn for evidence in item.evidence}
            word = re.compile(rf"\b{re.escape(item.value.lower())}\b")
            turns = [turn for place, turn in enumerate(history.turns) if turn.speaker == history.user and place not in known]
            found += [(history.id, item.value, turn.text) for turn in turns if word.search(turn.text.lower())]
    assert checked > 1000
    assert len(found) <= checked / 500, found


def test_a_correction_leaves_only_what_holds() -> None:
    found = 0
    for index in range(900):
        history = write(index)
        for place, turn in enumerate(history.turns):
            fixed = re.search(r"misspoke|scratch that|said that wrong|that's wrong|not true anymore", turn.text)
            if turn.speaker == history.user and fixed:
                found += 1
                assert any(evidence.turn == place for item in history.items for evidence in item.evidence)
    assert found >= 5


def test_the_partners_facts_are_not_the_users() -> None:
    """In talks of two people the partner reveals things too, and none of them is labelled."""
    told = 0
    for index in range(80):
        history = write(index, Scripted(people=1.0))
        quotes = [evidence.quote for item in history.items for evidence in item.evidence]
        others = " ".join(turn.text for turn in history.turns if turn.speaker != history.user)
        long = [quote for quote in quotes if len(quote) > 25]
        told += bool(re.search(r"(?i)\bmy favou?rite\b|\bI (love|like|have|hate|enjoy)\b", others))
        assert all(turn.speaker == history.user for turn in history.turns if any(quote in turn.text for quote in long))
    assert told > 20


def test_proportions(corpus: list[History]) -> None:
    labels = items(corpus)
    spoken = sum(turn.speaker == history.user for history in corpus for turn in history.turns)
    revealing = sum(len({evidence.turn for item in history.items for evidence in item.evidence}) for history in corpus)
    polarity, inference, intensity = (Counter(map(attrgetter(name), labels)) for name in ("polarity", "inference", "intensity"))
    assert 3 <= len(labels) / len(corpus) <= 6
    assert 0.03 < sum(not history.items for history in corpus) / len(corpus) < 0.15
    assert 0.3 <= 1 - revealing / spoken <= 0.6
    mix = TEACHER.mix
    assert distance(polarity, mix.polarity) <= 0.05
    assert distance(intensity, mix.intensity) <= 0.05
    assert 0.25 <= inference["implicit"] / len(labels) <= 0.35
    assert len({item.category for item in labels}) >= 27
    assert 4 <= sum(len(history.turns) for history in corpus) / len(corpus) <= 20


def test_variety(corpus: list[History]) -> None:
    said = [turn.text for history in corpus for turn in history.turns if turn.speaker == history.user]
    sentences = {sentence for text in said for sentence in re.split(r"(?<=[.!?])\s", text)}
    assert len(sentences) > 3300  # of 400 dialogues; 5,000 have more than 30,000
    statements = [item.statement for item in items(corpus)]
    assert len(set(statements)) > 0.6 * len(statements)
    copied = sum(item.statement.lower().rstrip(".") in item.evidence[0].quote.lower() for item in items(corpus))
    assert copied < 0.5 * len(statements)


def test_both_channels_and_both_looks(corpus: list[History]) -> None:
    looks = Counter(" , " in " ".join(turn.text for turn in history.turns) or " ." in history.turns[0].text for history in corpus)
    assert looks[True] > 40
    assert looks[False] > 200
    assert {history.user for history in corpus} == {"A", "B"}
    assert {max(turn.session for turn in history.turns) for history in corpus} == {1, 2, 3}


def test_every_trait_can_come_up() -> None:
    seen = {attribute.trait for index in range(400) for attribute in TEACHER.persona(5, index).attributes}
    assert not set(book().traits) - seen
