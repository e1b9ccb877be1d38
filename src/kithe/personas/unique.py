"""No persona twice: an exact check and a Hamming guard, each at a cost that does not grow with the number of personas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from kithe.personas.ontology import ontology
from kithe.personas.persona import Stated

BANDS: Final = 16  # groups of keys whose signatures are kept; personas that share all values of a group are compared
BUCKET: Final = 8  # comparisons per group at the most


def normalised(values: Mapping[str, Stated | None]) -> tuple[str, ...]:
    """The values in the order of the ontology, without case and spacing, the sign before what is denied."""
    rows = [values.get(key) for key in ontology().keys]
    return tuple("" if row is None else f"{row.polarity[0]}{' '.join(row.value.lower().split())}" for row in rows)


def distance(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """In how many keys two personas differ."""
    return sum(a != b for a, b in zip(one, other, strict=True))


@dataclass
class Seen:
    """The personas so far.

    Keys are dealt into 16 groups. Two personas that differ in fewer than 16 keys agree in at least one whole group, so with
    `least` up to 16 every too near pair shares a bucket. Only the latest 8 of a bucket are compared, which bounds the cost.
    """

    least: int = 12
    _hashes: set[bytes] = field(default_factory=set)
    _buckets: dict[tuple[int, bytes], list[tuple[str, ...]]] = field(default_factory=dict)

    def add(self, values: Mapping[str, Stated | None]) -> str:
        """Take a persona in; or why it is refused: the same as one before, or fewer than `least` keys away from it."""
        row = normalised(values)
        whole = _digest(row)
        if whole in self._hashes:
            return "the same values as another persona"
        places = [(band, _digest(row[band::BANDS])) for band in range(BANDS)]
        for place in places:
            near = min((distance(row, other) for other in self._buckets.get(place, ())), default=self.least)
            if near < self.least:
                return f"only {near} keys differ from another persona; {self.least} are wanted"
        self._hashes.add(whole)
        for place in places:
            self._buckets[place] = [*self._buckets.get(place, ()), row][-BUCKET:]
        return ""


def _digest(row: tuple[str, ...]) -> bytes:
    return blake2b("\x1f".join(row).encode(), digest_size=12).digest()
