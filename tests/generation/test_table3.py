"""Counted by hand on two short histories."""

from kithe.generation.statistics import SAMPLE, Spread, Statistics
from kithe.personas.paths import Sampling, sampler
from kithe.personas.persona import Persona
from kithe.personas.taxonomy import taxonomy
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

FIRST = History(
    id="a", source="x", user="A",
    turns=(
        Turn(speaker="A", text="I love jazz"),
        Turn(speaker="B", text="Nice one"),
        Turn(speaker="A", text="Set a timer", session=2),
    ),
    items=(
        KnowledgeItem(statement="I love jazz.", category="Music", key="genre", polarity="positive", evidence=(Evidence(turn=0),)),
        KnowledgeItem(statement="I hate rain.", category="Weather", polarity="negative", evidence=(Evidence(turn=0),)),
    ))  # fmt: skip
SECOND = History(id="b", source="x", user="A", turns=(Turn(speaker="A", text="jazz jazz jazz jazz jazz"),))


def test_a_hand_example() -> None:
    counted = Statistics()
    counted.add(FIRST)
    counted.add(SECOND)
    found = counted.report()
    assert (found["dialogues"], found["items"]) == (2, 2)
    assert found["per_dialogue"]["turns"] == {"mean": 2.0, "sd": 1.0}
    assert found["per_dialogue"]["user_turns"] == {"mean": 1.5, "sd": 0.5}
    assert found["per_dialogue"]["sessions"] == {"mean": 1.5, "sd": 0.5}
    assert found["words_per_user_turn"] == {"mean": 3.6667, "sd": 0.9428}
    assert found["vocabulary"] == {"words": 11, "types": 6, f"types_in_{SAMPLE}_words": None}
    assert found["routine_turns"] == 0.6667
    assert found["coverage"]["category"] == {"distinct": 2, "entropy_bits": 1.0}
    assert found["coverage"]["key"] == {"distinct": 1, "entropy_bits": 0.0}
    assert found["categories"] == {"Music": 1, "Weather": 1}
    assert found["shares"]["polarity"] == {"negative": 0.5, "positive": 0.5}
    assert found["shares"]["intensity"] == {"none": 1.0}


def test_vocabulary_is_counted_at_the_same_number_of_words_for_everybody() -> None:
    counted = Statistics()
    for number in range(SAMPLE // 4):
        counted.add(SECOND.model_copy(update={"turns": (Turn(speaker="A", text=f"one two word{number} three five"),)}))
    assert counted.report()["vocabulary"][f"types_in_{SAMPLE}_words"] == 4 + SAMPLE // 5


def test_nothing_has_no_mean() -> None:
    assert Spread().report() == {"mean": 0.0, "sd": 0.0}
    assert Statistics().report()["routine_turns"] == 0.0


def test_coverage_of_the_taxonomy_counts_every_node_on_a_path_once_a_persona() -> None:
    paths = (("Interests", "Beverages", "Tea", "Green Tea"), ("Interests", "Beverages", "Coffee"))
    counted = Statistics()
    assert counted.report()["taxonomy"] == {}
    for number in range(5):
        counted.meet(Persona(id=str(number), attributes=(), paths=paths if number else paths[:1]))
    found, sizes = counted.report()["taxonomy"], taxonomy().counts
    assert {depth: row["nodes"] for depth, row in found.items()} == {
        str(depth): size for depth, size in enumerate(sizes) if depth
    }
    assert found["1"] == {"nodes": sizes[1], "covered": 1, "share": round(1 / sizes[1], 4), "by_five": 1}
    assert (found["2"]["covered"], found["2"]["by_five"]) == (2, 1)
    assert (found["3"]["covered"], found["4"]["covered"]) == (1, 0)


def test_paths_of_personas_go_through_nodes_of_the_taxonomy() -> None:
    names = {tuple(taxonomy().path(node)[1:]) for node in taxonomy().nodes}
    counted = Statistics()
    for index in range(50):
        counted.meet(Persona(id=str(index), attributes=(), paths=tuple(map(tuple, sampler(Sampling(), 0).paths(index)))))
    assert set(counted.nodes) <= names
    assert counted.report()["taxonomy"]["1"]["share"] > 0.9
