"""`data=synthetic`: disjoint splits, no test split, values kept for validation."""

import pytest

from kithe.corpora.synthetic import VALIDATION_START, Synthetic
from kithe.dialogues.scripted import Scripted
from kithe.errors import ConfigError
from kithe.personas.traits import book

SOURCE = Synthetic(teacher=Scripted(), personas=64)


def test_splits_hold_different_people() -> None:
    train, validation = list(SOURCE.histories("train", 0)), list(SOURCE.histories("validation", 0))
    assert (len(train), len(validation)) == (64, 8)
    assert not {history.id for history in train} & {history.id for history in validation}
    assert not {history.turns for history in train} & {history.turns for history in validation}


def test_a_larger_training_set_begins_with_the_smaller_and_keeps_its_validation_set() -> None:
    larger = Synthetic(teacher=Scripted(), personas=72)
    assert list(larger.histories("train", 0))[:64] == list(SOURCE.histories("train", 0))
    assert list(larger.histories("validation", 0))[:8] == list(SOURCE.histories("validation", 0))
    assert VALIDATION_START > 100_000


def test_seeds_differ_and_repeat() -> None:
    assert list(SOURCE.histories("train", 1)) == list(SOURCE.histories("train", 1))
    assert next(SOURCE.histories("train", 1)).turns != next(SOURCE.histories("train", 2)).turns


def test_kept_values_are_labelled_in_validation_only() -> None:
    kept = {value.text for lexicon in book().lexicons.values() for value in lexicon.kept} - {
        value.text for lexicon in book().lexicons.values() for value in lexicon.shown
    }
    many = Synthetic(teacher=Scripted(), personas=200)
    train = [item.value in kept for history in many.histories("train", 0) for item in history.items]
    validation = [item.value in kept for history in many.histories("validation", 0) for item in history.items]
    assert not any(train)
    assert sum(validation) / len(validation) > 0.2


def test_there_is_no_test_split() -> None:
    with pytest.raises(ConfigError, match="data=sample or data=real"):
        list(SOURCE.histories("test", 0))
