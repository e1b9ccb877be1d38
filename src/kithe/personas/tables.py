"""Conditional tables of shares, as YAML files describe them: for each name rows `{when: {key: [values]}, then: {value: share}}`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

Shares = Mapping[Any, float]


def pick(shares: Shares, rng: Random) -> Any:
    """One of the values, by their shares."""
    return rng.choices(list(shares), list(shares.values()))[0]


@dataclass(frozen=True)
class Tables:
    """All tables of a file; the first row of a table whose `when` holds is used, and one without `when` always holds."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    _known: dict[tuple[str, tuple[Any, ...]], Shares] = field(default_factory=dict)
    _looks: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def draw(self, name: str, life: Mapping[str, Any], rng: Random) -> Any:
        """A value for this name, given what is known already."""
        looks = self._looks.get(name)
        if looks is None:
            looks = self._looks[name] = tuple(dict.fromkeys(key for row in self.rows[name] for key in row.get("when", {})))
        given = tuple(life.get(key) for key in looks)
        if (name, given) not in self._known:
            self._known[name, given] = self.shares(name, dict(zip(looks, given, strict=True)))
        return pick(self._known[name, given], rng)

    def shares(self, name: str, life: Mapping[str, Any]) -> Shares:
        """The shares of the first fitting row."""
        for row in self.rows[name]:
            if all(life.get(key) in values for key, values in row.get("when", {}).items()):
                return dict(row["then"])
        raise ValueError(f"table '{name}' has no row for {dict(life)}")
