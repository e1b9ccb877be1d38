"""Where training and test conversations come from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from kithe.records.history import History

Split = Literal["train", "validation", "test"]


class DataSource(Protocol):
    """A corpus of histories with gold items.

    Implementations are light frozen dataclasses named by `conf/data/*.yaml`; reading and downloading happen in `histories`.
    """

    @property
    def name(self) -> str:
        """The corpus, as results and cards name it."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """Optional fields that every item carries, among category, key, value, type, polarity, intensity, inference, evidence.

        An item may know more than that (a polarity here and there); only these can be asked of a model trained on the source.
        """
        ...

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The histories of a split: the train split in an order drawn from `seed`, the others always in the same order.

        Raises:
            ConfigError: the source has no such split, or its files are neither here nor reachable.
        """
        ...


@runtime_checkable
class Checked(Protocol):
    """A source that can tell in no time whether it will be able to give a split."""

    def check(self, split: Split) -> None:
        """Look whether the split is there.

        Raises:
            ConfigError: it is not, and what to do.
        """
        ...


@runtime_checkable
class FromFiles(Protocol):
    """A source that reads files from outside the repository: no id says what is in them, so results have to."""

    def files(self, split: Split) -> Mapping[str, Path]:
        """The files a split is read from, by a name that is the same on every machine; some may not be there."""
        ...


@runtime_checkable
class Lossy(Protocol):
    """A source that leaves facts or histories out before anyone sees them, and counts them."""

    def losses(self, split: Split) -> Mapping[str, int]:
        """How many were left out in a split, by reason."""
        ...
