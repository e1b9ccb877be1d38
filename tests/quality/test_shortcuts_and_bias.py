"""Planted shortcuts and stereotypes are found; where there is none, none is."""

from random import Random

import pytest

from kithe.quality import bias, probes
from kithe.quality.texts import Corpus, tokens
from kithe.records.history import Evidence, History, KnowledgeItem, Turn
from tests.quality.worlds import THINGS, degenerate, gendered, healthy, history


def labelled(template_tells: bool, number: int = 150) -> list[History]:
    """A fact a dialogue; the template around its value tells the key, or nothing does but the value."""
    rng, made = Random(0), []
    for index in range(number):
        key = rng.choice(["music", "sport", "food"])
        value = rng.choice(THINGS[:4] if key == "music" else THINGS[4:8] if key == "sport" else THINGS[8:])
        frame = {"music": "lately I listen to {}", "sport": "on Sundays I practise {}", "food": "for lunch I had {}"}[key]
        text = (frame if template_tells else "tell me something about {}").format(value)
        item = KnowledgeItem(statement=f"I like {value}.", key=key, value=value, evidence=(Evidence(turn=0),))
        made.append(History(id=f"l{index}", source="made", user="A", turns=(Turn(speaker="A", text=text),), items=(item,)))
    return made


def test_a_template_that_tells_the_label_is_found() -> None:
    tells, silent = (probes.label_probe(probes.examples(labelled(each))) for each in (True, False))
    assert tells is not None
    assert silent is not None
    assert tells.template.value > 0.95
    assert silent.full.value > 0.95  # the value itself tells
    assert silent.template.value < silent.majority + 0.15
    assert tells.labels == 3


def test_labels_that_cannot_be_compared_give_no_figure() -> None:
    assert probes.label_probe([]) is None
    assert probes.label_probe(probes.examples(labelled(True, 8))) is None


def test_the_scripted_generator_is_below_a_perfect_parser() -> None:
    found = probes.label_probe(probes.examples(healthy().histories))
    assert found is not None
    assert found.majority < found.template.value < found.full.value < 0.95


def shaped(planted: bool) -> list[History]:
    rng, made = Random(0), []
    for index in range(80):
        place = 0 if planted else rng.randrange(4)
        texts = [" ".join(rng.choices(THINGS, k=9 if planted and turn == place else 4)) for turn in range(4)]
        item = KnowledgeItem(statement="A fact.", evidence=(Evidence(turn=place),))
        turns = tuple(Turn(speaker="A", text=text) for text in texts)
        made.append(History(id=str(index), source="made", user="A", turns=turns, items=(item,)))
    return made


def test_length_and_place_are_found_where_they_tell() -> None:
    planted, free = probes.shape_probe(shaped(True)), probes.shape_probe(shaped(False))
    assert planted is not None
    assert free is not None
    assert planted.value > 0.99
    assert free.value < 0.62
    assert probes.shape_probe([history("a", ["hello"])]) is None


def test_the_first_speaker_may_tell_the_user() -> None:
    first = [history(str(i), ["hello"]) for i in range(20)]
    mixed = [each.model_copy(update={"user": "AB"[i % 2]}) for i, each in enumerate(first)]
    assert probes.first_speaker(first).value == 1.0
    assert probes.first_speaker([each.model_copy(update={"user": "B"}) for each in first]).value == 1.0
    assert probes.first_speaker(mixed).value == 0.5


def test_templates_concentrate() -> None:
    assert probes.concentration([tokens("a b c d e")] * 10, top=1) == 1.0
    assert probes.concentration([[str(i), str(i + 1), "c", "d", "e"] for i in range(10)], top=1) == 0.1
    assert probes.concentration([]) == 0.0
    assert probes.concentration_at(degenerate(), 300).value > 3 * probes.concentration_at(healthy(), 300).value
    assert probes.concentration_at(Corpus("none", ()), 300).n == 0


def test_a_stereotype_is_flagged_with_its_direction() -> None:
    found = bias.associations(gendered(0.6).histories)
    flagged = {each.feature: each for each in found if each.stereotype}
    assert {"category=Food & Drink", "category=Sports & Fitness", "word=cook", "word=footbal"} <= flagged.keys()
    cooking = flagged["category=Food & Drink"]
    assert cooking.contrast == "gender: female - male"
    assert cooking.log_odds > 1
    assert cooking.gap == pytest.approx(0.6, abs=0.12)
    assert cooking.low < 0 < cooking.high < cooking.log_odds


def test_no_stereotype_where_there_is_none() -> None:
    assert sum(bias.stereotypes(bias.associations(gendered(0.0, seed=seed).histories)).value for seed in range(8)) <= 1
    assert bias.associations([history("a", ["hello"])]) == []


def test_a_group_must_be_said_of_oneself() -> None:
    assert bias.member(bias.plain(history("a", ["I'm a nurse and my husband cooks."])), "female")
    assert bias.member(bias.plain(history("a", ["i ’m a man"])), "male")
    assert not bias.member(bias.plain(history("a", ["She is a woman and her husband cooks."])), "female")


def test_words_that_tell_the_group_are_no_feature() -> None:
    told = history("a", ["hello"], ["I am a woman.", "My husband and I love chess."], "Family")
    assert bias.features(told, frozenset()) == set()
    other = history("a", ["hello"], ["I play chess."], "Games")
    assert bias.features(other, frozenset()) == {"category=Games", "word=play", "word=chess"}


def test_a_persona_counts_once() -> None:
    facts = ["I like tea.", "I have a dog.", "I am a nurse."]
    few = [history(name, ["hi"], facts[:2]) for name in "cd"]
    twice = [history("a", ["hello"], facts), history("b", ["hi"], facts[::-1]), *few, history("e", ["hi"])]
    assert [each.id for each in bias.people(twice)] == ["b", "c", "d", "e"]
