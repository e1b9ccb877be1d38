"""Exemplars of real people carry nothing that identifies them; echoes and distances from a log are counted and reported."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.dialogues.exemplars import DRAWN, Echoes, FromReal, HandWritten, deidentified, draw, echoes
from kithe.dialogues.scripted import Scripted
from kithe.dialogues.targets import FromLog
from kithe.errors import ConfigError
from kithe.generation.likeness import Likeness
from kithe.personas.paths import Sampling
from kithe.quality.pii import names, scan
from kithe.records.history import History, Turn

SPOKEN = (
    "my email is jo.doe@mail.com and i like jazz",
    "call me on 415-273-4461 after work",
    "i work at Siemens in Munich since last year",
    "my sister karen bakes bread every sunday",
    "My name is Igor and I ride horses",
    "i really love long walks on the beach at night",
    "can you find me a quick dinner without meat",
    "hi",
)


@dataclass(frozen=True)
class Log:
    """A real set in which people say who they are; the settings hold a mapping, as those of a mixture do."""

    shares: dict[str, float]

    def histories(self, split: str, seed: int) -> Iterator[History]:
        assert split == "train"
        for place, text in enumerate(SPOKEN):
            turns = (Turn(speaker="A", text=text), Turn(speaker="B", text="Wolfgang lives at 12 Main Street"))
            yield History(id=str(place), source="log", user="A", turns=turns)


def test_no_exemplar_says_who_somebody_is() -> None:
    lines = FromReal(Log({"log": 1.0})).lines()
    assert len(lines) == 5
    assert "i really love long walks on the beach at night" in lines
    for line in lines:
        assert not scan(line)
        assert not names(line)
        assert not any(
            word in line.lower() for word in ("jo.doe", "4461", "siemens", "munich", "karen", "igor", "wolfgang", "main")
        )


@given(st.text(max_size=200))
def test_any_text_can_be_deidentified(text: str) -> None:
    safe = deidentified(text)
    assert not scan(safe)
    assert not names(safe)


def test_three_are_drawn_and_the_manner_is_copied_without_the_words() -> None:
    bank = FromReal(Log({"log": 1.0}))
    assert len(draw(bank, Random(1))) == DRAWN
    teacher = Scripted(people=0.0, exemplars=bank)
    found = Likeness.of(teacher)
    for index in range(40):
        found.add(teacher.dialogue(teacher.persona(1, index), 1, 0).line().encode())
    report = found.report()["exemplars"]
    assert report["bank"] == "FromReal"
    assert report["lines"] == 5
    assert report["user_turns"] > 150
    assert report["echo_share"] < 0.01


WORDS = (
    st.lists(st.sampled_from(["a", "quick", "dinner", "without", "meat", "please", "and", "then", "some", "tea"]), min_size=1)
    .map(lambda words: words[:14])
    .map(" ".join)
)


@given(WORDS, st.lists(WORDS, max_size=6))
def test_many_exemplars_at_once_are_as_one_by_one(text: str, bank: list[str]) -> None:
    found = Echoes(tuple(bank)).found(text)
    assert echoes(text, bank) or not found
    assert found or not echoes(text, [line for line in bank if len(set(line.split())) >= 3])


def test_a_corpus_that_repeats_its_exemplars_is_not_published() -> None:
    found = Likeness(HandWritten())
    line = next(line for line in HandWritten().lines() if len(line.split()) >= 6)
    for place in range(120):
        turns = (
            Turn(speaker="A", text=line if place == 0 else f"turn the lights to level {place}"),
            Turn(speaker="B", text=line),
        )
        found.add(History(id=str(place), source="x", user="A", turns=turns).line().encode())
    assert found.report()["exemplars"]["echo_share"] == pytest.approx(1 / 120, abs=1e-4)
    again = replace_turn(line)
    found.add(again)
    with pytest.raises(ConfigError, match="2 of 121 user turns repeat one"):
        found.report()


def replace_turn(line: str) -> bytes:
    """One more dialogue with an echo."""
    return History(id="y", source="x", user="A", turns=(Turn(speaker="A", text=f"Well. {line}"),)).line().encode()


def test_the_distance_from_a_log_and_its_budget_are_reported() -> None:
    log = FromLog(Log({"log": 1.0}), epsilon=2.0, seed=5)
    assert log.fitted() is log.fitted()
    teacher = Scripted(targets=log)
    found = Likeness.of(teacher)
    for index in range(30):
        found.add(teacher.dialogue(teacher.persona(1, index), 1, 0).line().encode())
    report = found.report()["targets"]
    assert report["epsilon"] == 2.0
    assert {"turns", "words", "facts", "sessions"} <= set(report["distance"])
    assert all(0 <= values["tv"] <= 1 for values in report["distance"].values())
    assert "targets" not in Likeness.of(Scripted()).report()


def test_complete_personas_are_grounded_in_their_paths_and_speak() -> None:
    plain, grounded = Scripted(complete=True), Scripted(complete=True, paths=Sampling())
    person = grounded.persona(3, 1_000_002, unseen=True)
    assert len(person.paths) == 8
    assert person.skeleton is not None
    linked = {value.path for value in person.values.values() if value and value.path is not None}
    assert linked == set(range(8))
    assert not plain.persona(3, 4).paths
    assert grounded.persona(3, 4) == replace(grounded).persona(3, 4)
    assert any(grounded.dialogue(grounded.persona(3, index), 3, 0).items for index in range(5))
    with pytest.raises(ConfigError, match=r"teacher\.complete=true"):
        Scripted(paths=Sampling())
