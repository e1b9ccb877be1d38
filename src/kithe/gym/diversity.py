"""Whether a persona is too near to one before, at a cost that does not grow with how many there are (spec B, 3.4).

Two personas that differ in at most `d` of their dimensions differ in at most `d` of `d + s` blocks of dimensions, so they agree
on all dimensions of some `s` blocks. A persona is filed under every choice of `s` blocks (15 keys for `d = 2`, `s = 4`), and
compared in full only with those that share a key. Where `d` is large, `s` is smaller to keep keys few; more personas share one
then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Final

SPARE: Final = 4  # two of three dimensions at d = 2: personas that agree on so many are rare
KEYS: Final = 128  # of a persona, at most


def hamming(first: Mapping[str, str], second: Mapping[str, str]) -> int:
    """In how many dimensions two personas differ; one that only one of them has counts."""
    return sum(first.get(name) != second.get(name) for name in first.keys() | second.keys())


@dataclass
class Neighbours:
    """The personas so far.

    Attributes:
        names: all dimensions.
        distance: two personas differ in at least so many of them.
        compared: how often two personas were compared in full.
    """

    names: Sequence[str]
    distance: int
    compared: int = 0
    _filed: dict[tuple[object, ...], list[Mapping[str, str]]] = field(default_factory=dict)

    def near(self, values: Mapping[str, str]) -> bool:
        """Whether one of those before differs in fewer dimensions than `distance`."""
        for key in self._keys(values):
            for other in self._filed.get(key, ()):
                self.compared += 1
                if hamming(values, other) < self.distance:
                    return True
        return False

    def add(self, values: Mapping[str, str]) -> None:
        """File a persona."""
        for key in self._keys(values):
            self._filed.setdefault(key, []).append(values)

    def _keys(self, values: Mapping[str, str]) -> list[tuple[object, ...]]:
        if self.distance < 1:
            return []
        spare = next(own for own in range(SPARE, 0, -1) if own == 1 or comb(self.distance - 1 + own, own) <= KEYS)
        count = self.distance - 1 + spare
        blocks = [tuple(map(values.get, self.names[start::count])) for start in range(count)]
        return [(*chosen, *(blocks[number] for number in chosen)) for chosen in combinations(range(count), spare)]
