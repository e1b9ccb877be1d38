"""`data=synthetic`: histories written by a teacher, split by persona."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kithe.dialogues.teacher import Teacher
from kithe.errors import ConfigError, at_least
from kithe.records.history import History

VALIDATION_START = 1_000_000  # above every training index, and fixed, so that a larger training set keeps its validation set
VALIDATION_SHARE = 8  # one validation persona for so many of training


@dataclass(frozen=True)
class Synthetic:
    """A synthetic source: one persona, one history.

    Attributes:
        teacher: who writes.
        personas: how many personas to train on; an eighth of that, of other people, validates.
        name: the name in results.
    """

    teacher: Teacher
    personas: int = 300
    name: str = "synthetic"

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            ConfigError: there would be nobody.
        """
        at_least("data.personas", self.personas, 1)

    @property
    def scripted(self) -> bool:
        """Whether a program wrote it, which every table says."""
        return self.teacher.scripted

    @property
    def fields(self) -> frozenset[str]:
        """What the teacher labels."""
        return self.teacher.fields

    def histories(self, split: Literal["train", "validation", "test"], seed: int) -> Iterator[History]:
        """The histories of a split, always the same for a seed.

        Raises:
            ConfigError: for "test": a system is measured on what people wrote.
        """
        if split == "test":
            raise ConfigError("data=synthetic has no test split; measure on real text instead: data=sample or data=real")
        start, count = (0, self.personas) if split == "train" else (VALIDATION_START, max(1, self.personas // VALIDATION_SHARE))
        for index in range(start, start + count):
            persona = self.teacher.persona(seed, index, unseen=split == "validation")
            yield self.teacher.dialogue(persona, seed, 0)
