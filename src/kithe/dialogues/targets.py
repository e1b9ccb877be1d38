"""Distributions of a real log that a generator is to reproduce, fitted from histories, released with noise if wanted.

The unit of privacy is one history: one user contributes one, so two neighbouring logs differ in one history. A history counts
once in every histogram: where it has several values (words of each turn, polarity and category of each fact) each of them counts
as its share of the history, so that a history changes any histogram by at most 1 in L1 norm. With k histograms released, each
gets noise of scale k/ε (sequential composition), which makes the whole release ε-differentially private. Bins are fixed in
advance and do not depend on the data.
"""

import json
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, islice
from random import Random, SystemRandom
from typing import Final

from pydantic import Field

from kithe.dialogues.exemplars import TrainingSource
from kithe.dialogues.mix import Mix, distance, largest_gap
from kithe.dialogues.noise import noise_for, secret_key
from kithe.errors import ConfigError
from kithe.knowledge.fields import categories
from kithe.records.base import Record
from kithe.records.history import History

MOST: Final[Mapping[str, int]] = {"turns": 40, "words": 60, "facts": 40, "sessions": 5}  # greater values count as these
PLAIN_BINS: Final = 10  # tenths of a history's user turns that reveal nothing


class Histograms(Record):
    """Counts per bin, each history one in total per histogram; noisy where `epsilon` is given.

    `words` is per user turn, `plain` in tenths of the user turns without a fact; the others are as their names say, per history.
    """

    turns: dict[str, float]
    words: dict[str, float]
    facts: dict[str, float]
    sessions: dict[str, float]
    plain: dict[str, float]
    polarity: dict[str, float]
    category: dict[str, float]
    histories: float = Field(description="how many histories; with noise, the noisy mass of `sessions`")
    epsilon: float | None = None


@dataclass(frozen=True)
class Shape:
    """The size of one dialogue: turns of the user and how many of them reveal something, facts, sessions."""

    turns: int
    facts: int
    sessions: int
    revealing: int


@dataclass(frozen=True)
class Targets:
    """Histograms in the form a generator draws from."""

    histograms: Histograms

    @property
    def words(self) -> tuple[int, ...]:
        """A hundred quantiles of the words in a user's turn."""
        return _quantiles(self.histograms.words)

    @property
    def categories(self) -> Mapping[str, float] | None:
        """The weight of each category; None where the log names none."""
        total = sum(self.histograms.category.values())
        return {name: count / total for name, count in self.histograms.category.items()} if total > 0 else None

    def draw(self, rng: Random) -> Shape:
        """The size of a dialogue. Longer dialogues get more facts: both take the same quantile, but for a third of the draws."""
        place = rng.random()
        other = rng.random() if rng.random() < 1 / 3 else place
        turns, facts = max(1, _at(self.histograms.turns, place)), _at(self.histograms.facts, other)
        plain = (_at(self.histograms.plain, rng.random()) + rng.random()) / PLAIN_BINS if self.histograms.plain else 1.0
        return Shape(turns, facts, max(1, _at(self.histograms.sessions, rng.random())), round(turns * (1 - plain)))

    def fitted(self) -> "Targets":
        """These."""
        return self

    def mixed(self, mix: Mix) -> Mix:
        """The mix with the log's polarity and share of turns without facts, where it tells them."""
        polarity, plain = self.histograms.polarity, self.histograms.plain
        known = sum(polarity.values())
        negative = polarity.get("negative", 0) / known if known > 0 else mix.negative
        mass = sum(plain.values())
        routine = sum((int(bin) + 0.5) / PLAIN_BINS * count for bin, count in plain.items()) / mass if mass > 0 else mix.routine
        return replace(mix, negative=min(1.0, negative), routine=min(0.95, routine))


@dataclass
class Tally:
    """Histograms that are counted history by history."""

    histories: int = 0
    found: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in Histograms.model_fields if name not in ("histories", "epsilon")}
    )

    def add(self, history: History) -> None:
        """Count a history."""
        self.histories += 1
        for name, values in _values(history).items():
            for value in values:
                self.found[name][value] += 1 / len(values)  # type: ignore[assignment]

    def histograms(self) -> Histograms:
        """What is counted so far, without noise."""
        return Histograms(histories=self.histories, **{name: dict(counts) for name, counts in self.found.items()})


def measure(histories: Iterable[History]) -> Histograms:
    """The histograms of a log, without noise."""
    tally = Tally()
    for history in histories:
        tally.add(history)
    return tally.histograms()


def fit(histories: Iterable[History], epsilon: float | None = None, rng: Random | None = None) -> Targets:
    """The targets of a log.

    Args:
        histories: the log; only training data, one history per user.
        epsilon: release the histograms with so much differential privacy, all together; None: exact counts.
        rng: where the noise comes from: the system's entropy unless a test needs it repeatable.

    Raises:
        ConfigError: the privacy budget is not above 0.
    """
    return Targets(released(measure(histories), epsilon, rng or SystemRandom()))


def released(exact: Histograms, epsilon: float | None, rng: Random) -> Histograms:
    """Histograms with the noise that makes them private (None: as they are).

    Raises:
        ConfigError: the privacy budget is not above 0.
    """
    if epsilon is None:
        return exact
    if not epsilon > 0:
        raise ConfigError(f"targets.epsilon={epsilon}: it must be above 0 (or null for exact counts)")
    bins = _bins()
    scale = len(bins) / epsilon
    noisy = {name: _noisy(getattr(exact, name), bins[name], scale, rng) for name in bins}
    return Histograms(histories=sum(noisy["sessions"].values()), epsilon=epsilon, **noisy)


def laplace(scale: float, rng: Random) -> float:
    """A draw from the Laplace distribution around 0: the difference of two exponential ones."""
    return rng.expovariate(1 / scale) - rng.expovariate(1 / scale)


def report(found: Iterable[History] | Histograms, targets: Targets) -> dict[str, dict[str, float]]:
    """How far a corpus is from its targets: total variation of every histogram, and the KS statistic of the ordered ones.

    What the log does not tell (polarity or category of unlabelled facts) is left out.
    """
    own = found if isinstance(found, Histograms) else measure(found)
    result: dict[str, dict[str, float]] = {}
    for name in _bins():
        mine, wanted = getattr(own, name), getattr(targets.histograms, name)
        if not sum(wanted.values()):
            continue
        result[name] = {"tv": distance(mine, wanted)}
        if name not in ("polarity", "category"):
            result[name]["ks"] = largest_gap(_quantiles(mine), _quantiles(wanted))
    return result


@dataclass(frozen=True)
class FromLog:
    """Targets that are fitted when they are first needed, from a source's training split (`targets` of a scripted teacher).

    Attributes:
        source: where the log is; only its training split is read.
        epsilon: privacy budget of the release; None: exact counts.
        most: at most so many histories.
        seed: of the noise. With a known seed the noise can be taken off again, so keep it as secret as the log; None: the noise
            comes from the user's secret key (`noise.py`). Either way the same log and budget get the same noise, so that another
            process, or another run, releases nothing more.
    """

    source: TrainingSource
    epsilon: float | None = None
    most: int = 5000
    seed: int | None = None

    def fitted(self) -> Targets:
        """The targets, the same at every call."""
        return self._fitted

    @cached_property
    def _fitted(self) -> Targets:
        exact = measure(islice(self.source.histories("train", 0), self.most))
        if self.epsilon is None:
            return Targets(exact)
        key = secret_key() if self.seed is None else str(self.seed).encode()
        return Targets(released(exact, self.epsilon, noise_for(f"{_canonical(exact)} {self.epsilon!r}", key)))


def _canonical(exact: Histograms) -> str:
    """Counts as text that does not depend on the order of the histories."""
    counts = {name: {bin: round(count, 6) for bin, count in getattr(exact, name).items()} for name in _bins()}
    return json.dumps(counts, sort_keys=True)


def _values(history: History) -> dict[str, list[str]]:
    """A history's values in each histogram."""
    spoken = [place for place, turn in enumerate(history.turns) if turn.speaker == history.user]
    revealing = {part.turn for item in history.items for part in item.evidence}
    plain = sum(place not in revealing for place in spoken) / max(1, len(spoken))
    known = any(item.evidence for item in history.items) or not history.items
    return {
        "turns": [_capped("turns", len(spoken))],
        "words": [_capped("words", len(history.turns[place].text.split())) for place in spoken],
        "facts": [_capped("facts", len(history.items))],
        "sessions": [_capped("sessions", len({turn.session for turn in history.turns}))],
        "plain": [str(min(PLAIN_BINS - 1, int(plain * PLAIN_BINS)))] if known else [],
        "polarity": [item.polarity for item in history.items if item.polarity],
        "category": [item.category for item in history.items if item.category in categories()],
    }  # fmt: skip


def _capped(name: str, value: int) -> str:
    return str(min(MOST[name], value))


def _bins() -> dict[str, tuple[str, ...]]:
    """Every bin of every histogram, fixed whatever the data are."""
    counts = {name: tuple(map(str, range(most + 1))) for name, most in MOST.items()}
    plain = tuple(map(str, range(PLAIN_BINS)))
    return {**counts, "plain": plain, "polarity": ("positive", "negative"), "category": categories()}


def _noisy(counts: Mapping[str, float], bins: Iterable[str], scale: float, rng: Random) -> dict[str, float]:
    """The counts with noise in every bin, also the empty ones, cut off at 0 (which costs no privacy)."""
    return {name: max(0.0, counts.get(name, 0.0) + laplace(scale, rng)) for name in bins}


def _at(counts: Mapping[str, float], place: float) -> int:
    """The value at a quantile of a histogram of whole numbers; 1 for an empty one."""
    ordered = sorted((int(value), count) for value, count in counts.items() if count > 0)
    if not ordered:
        return 1
    sums = list(accumulate(count for _, count in ordered))
    return ordered[min(len(ordered) - 1, bisect(sums, place * sums[-1]))][0]


def _quantiles(counts: Mapping[str, float]) -> tuple[int, ...]:
    return tuple(_at(counts, (place + 0.5) / 100) for place in range(100))
