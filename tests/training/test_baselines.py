"""Baselines that copy the facts of like training turns."""

import pytest

from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError
from kithe.evaluation.judges import GoldJudge
from kithe.records.history import Evidence, History, KnowledgeItem, Turn
from kithe.training.baselines import Infers, Nearest, by_words, prediction, turns_of

FACTS = {"I have two loud dogs.": "I have dogs.", "I play the cello at night.": "I play the cello."}
TRAIN = [
    History(
        id="t",
        source="test",
        user="U",
        turns=(
            *(Turn(speaker="U", text=text) for text in FACTS),
            Turn(speaker="A", text="I collect stamps."),
            Turn(speaker="U", text="Good morning!"),
        ),
        items=tuple(KnowledgeItem(statement=fact, evidence=(Evidence(turn=place),)) for place, fact in enumerate(FACTS.values())),
    )
]


def person(*texts: str) -> History:
    return History(id="p", source="test", user="U", turns=tuple(Turn(speaker="U", text=text) for text in texts))


def statements(baseline: Nearest, *texts: str) -> list[str]:
    assert isinstance(baseline, Infers)
    (made,) = baseline.infer(TRAIN, [person(*texts)], 0)
    return [item.statement for item in made.items]


def test_every_user_turn_is_known_with_its_facts() -> None:
    assert [(each.text, [item.statement for item in each.items]) for each in turns_of(TRAIN)] == [
        ("I have two loud dogs.", ["I have dogs."]),
        ("I play the cello at night.", ["I play the cello."]),
        ("Good morning!", []),
    ]


@pytest.mark.parametrize("likeness", ["words", "meaning"])
def test_it_copies_the_facts_of_the_nearest_turn(likeness: str) -> None:
    baseline = Nearest(likeness, 0.35)  # type: ignore[arg-type]
    assert statements(baseline, "My dogs are so loud today.", "The weather is fine.") == ["I have dogs."]
    assert statements(baseline, "good morning") == []


def test_words_that_are_rare_count_more() -> None:
    known = turns_of([person("Play some jazz.", "Play some rock.", "Play the cello.")])
    assert [place for place, _ in by_words(["play cello", "play jazz"], known)] == [2, 0]
    assert by_words(["xylophone"], known) == [(0, 0.0)]


def test_each_statement_once_with_where_it_was_most_alike() -> None:
    item = KnowledgeItem(statement="I ski.", evidence=(Evidence(turn=9),), confidence=0.1)
    made = prediction(person("a", "b"), [(0, [item], 0.4), (1, [item], 0.9)])
    assert [(each.evidence[0].turn, each.confidence) for each in made.items] == [(1, 0.9)]
    assert made.units == 2


def test_chance_is_drawn_from_the_seed() -> None:
    people = [person(*(f"turn {number}" for number in range(20)))]
    one, same, other = (Nearest("chance", 0.0).infer(TRAIN, people, seed) for seed in (0, 0, 1))
    assert one == same
    assert one != other


def test_a_corpus_without_user_turns_is_refused() -> None:
    with pytest.raises(ConfigError, match="no turn of a user"):
        Nearest().infer([], [person("hi")], 0)


@pytest.mark.parametrize(("likeness", "floor", "part"), [("sound", 0.5, "adapt.likeness"), ("words", 1.5, r"adapt\.floor=1.5")])
def test_impossible_values_are_refused(likeness: str, floor: float, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        Nearest(likeness, floor)  # type: ignore[arg-type]


def test_on_scripted_people_it_beats_chance() -> None:
    teacher = Scripted()
    people = [teacher.dialogue(teacher.persona(0, number), 0, 0) for number in range(90)]
    train, test = people[:70], people[70:]
    f1 = {
        likeness: GoldJudge(resamples=40).score(test, Nearest(likeness, floor).infer(train, test, 0)).metrics["f1"]["value"]  # type: ignore[arg-type]
        for likeness, floor in (("words", 0.35), ("meaning", 0.5), ("chance", 0.0))
    }
    assert f1["words"] > f1["chance"] + 0.03
    assert f1["meaning"] > f1["chance"] + 0.03
