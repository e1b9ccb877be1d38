"""Validation histories in the place of a test set's, for choices that no test set may make."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kithe.corpora.source import Checked, DataSource, FromFiles, Split
from kithe.records.history import History


@dataclass(frozen=True)
class HeldOut:
    """The validation split of another source, in the place of a test split."""

    of: DataSource

    @property
    def name(self) -> str:
        """The other source's, and that these are its validation histories."""
        return f"{self.of.name}_validation"

    @property
    def fields(self) -> frozenset[str]:
        """See `DataSource.fields`."""
        return self.of.fields

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """Validation histories, whether they are asked for as such or as test histories.

        Raises:
            ValueError: the split is train.
        """
        if split == "train":
            raise ValueError(f"{self.name} is held out, not for training")
        return self.of.histories("validation", seed)

    def files(self, split: Split) -> Mapping[str, Path]:
        """See `FromFiles.files`."""
        return self.of.files("validation") if isinstance(self.of, FromFiles) else {}

    def check(self, split: Split) -> None:
        """See `Checked.check`."""
        if isinstance(self.of, Checked):
            self.of.check("validation")
