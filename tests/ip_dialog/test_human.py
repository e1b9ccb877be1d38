"""Items about people who talked with people: found by rule, kept by hand, with requests that one fact settles."""

from random import Random

import pytest

from kithe.corpora.real import RealSet
from kithe.errors import ConfigError
from kithe.ip_dialog.human import SETS, HumanData, asked, item, rules, said_around, settling
from kithe.ip_dialog.people import problems
from kithe.ip_dialog.schema import schema
from kithe.ip_dialog.task import IPDialog
from kithe.ip_dialog.world import world
from kithe.records.history import Evidence, History, KnowledgeItem, Turn


def person(*facts: str) -> History:
    turns = tuple(
        Turn(speaker=speaker, text=f"{speaker} in session {session}", session=session) for session in (1, 2) for speaker in "AB"
    )
    known = tuple(KnowledgeItem(statement=fact, evidence=(Evidence(turn=2),)) for fact in facts)
    return History(id="someone", source="msc", user="A", turns=turns, items=known)


def test_at_least_sixty_people_are_listed_once_an_attribute_with_values_of_the_schema() -> None:
    listed = [(name, one) for name, values in rules().items() for part in values.values() for one in part.people]
    assert len(listed) == len(set(listed))
    assert len({one for _, one in listed}) >= 60
    for name, values in rules().items():
        for value in values:
            schema().check({name: value})
            assert not problems({name: value})


def test_the_right_option_is_the_one_for_their_value() -> None:
    space = world()
    for name, values in rules().items():
        for value in values:
            for seed in range(5):
                made = item(person(_fitting(name, value)), name, value, Random(seed))
                one = made.question
                assert one is not None
                (letter,) = one.answer
                request = asked(name, value, Random(seed))
                (feature,) = request.features["ABCDE".index(letter)]
                assert feature in space.axes[name].values[value].likes
                assert len(set(one.options)) == len(one.options) == min(5, len(schema().attributes[name].values))
                assert one.related == {name: value}


def _fitting(name: str, value: str) -> str:
    texts = ["I am 15.", "I am 25.", "I'm 33 years old.", "I go to school.", "I am a teacher.", "I work as a programmer."]
    texts += ["I'm a chef.", "I am a dentist.", "I am retired.", "I own a business.", "I work in an office.", "I am a salesman."]
    texts += ["I work in a factory.", "I am a farmer.", "I live in the city.", "I live on a farm.", "I like to read."]
    texts += ["I play tennis.", "I play the flute.", "I like movies.", "I love to travel.", "I like to cook.", "I'm a gamer."]
    texts += ["I do pottery.", "I like photography."]
    return next(text for text in texts if settling(person(text), name, value))


def test_facts_that_do_not_fit_settle_nothing() -> None:
    assert settling(person("I have three cats."), "hobby", "reading") == []
    with pytest.raises(ValueError, match="no fact of someone fits the rule for hobby=reading"):
        item(person("I have three cats."), "hobby", "reading", Random(0))


def test_only_the_sessions_of_the_fact_are_shown() -> None:
    one = person("I like to read.")
    assert {turn.session for turn in said_around(one, one.items)} == {2}
    bare = one.model_copy(update={"items": (KnowledgeItem(statement="I like to read."),)})
    assert said_around(bare, bare.items) == one.turns


def test_options_of_another_split_or_set_are_refused() -> None:
    with pytest.raises(ConfigError, match="test split only"):
        next(HumanData().histories("train", 0))
    with pytest.raises(ConfigError, match="sets: casino: allowed: msc, laps"):
        HumanData(sets=["casino"])
    with pytest.raises(ConfigError, match=r"no .*msc.test\.jsonl\.gz"):
        HumanData(folder="/nowhere").check("test")


def test_everybody_who_is_listed_is_there_and_fits_their_rule() -> None:
    try:
        people = {one.id: one for name, split in SETS.items() for one in RealSet(name).histories(split, 0)}
    except ConfigError as error:
        pytest.skip(f"the real sets are not here: {error}")
    found = list(HumanData().histories("test", 0))
    listed = [(one, name, value) for name, values in rules().items() for value, part in values.items() for one in part.people]
    assert len(found) == len(listed)
    for one, name, value in listed:
        assert settling(people[one], name, value)
    assert len(list(HumanData(most=7).histories("test", 0))) == 7
    assert {made.source for made in found} == set(SETS)
    task = IPDialog()
    assert all(len(task.requests(made)) == 1 for made in found[:20])
