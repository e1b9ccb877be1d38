"""What a corpus should be made of: how strongly, how positively, how openly facts come out, and how much says nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from random import Random

from kithe.errors import ConfigError
from kithe.records.history import Intensity


@dataclass(frozen=True)
class Mix:
    """Shares that the scripted teacher aims at (paper A, step A5; the numbers are the spec's), each between 0 and 1.

    Attributes:
        high: of the facts, those put strongly.
        low: of the facts, those put weakly; the rest is medium.
        negative: of the facts, those of negative polarity.
        implicit: of the facts, those that are never said outright.
        routine: of the user's turns with an assistant, those that reveal nothing.
        distract: of the turns that reveal nothing, those that look as if they did: other people's facts, hypotheticals, things
            of the past, single requests, guesses that the user denies.
        corrected: of the facts that can be, those first said wrong.
        ambiguous: of the implicit facts, those whose first cue fits another value too.
        moments: of an adviser's questions about the moment (time at hand, company, mood), those whose answer is labelled. LAPS
            labels them; knowledge that lasts does not include them, so none is by default.
        noise: of all the user's turns, those written with slips.
    """

    high: float = 0.25
    low: float = 0.30
    negative: float = 0.15
    implicit: float = 0.30
    routine: float = 0.40
    distract: float = 0.35
    corrected: float = 0.06
    ambiguous: float = 0.15
    moments: float = 0.0
    noise: float = 0.05

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            ConfigError: one is outside [0, 1], or strong and weak facts are more than all.
        """
        for name in (field.name for field in fields(self)):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"mix.{name}={getattr(self, name)}: it must be between 0 and 1")
        if self.high + self.low > 1:
            raise ConfigError(f"mix.high={self.high} and mix.low={self.low}: together they must not exceed 1")

    @property
    def intensity(self) -> Mapping[str, float]:
        """The share of each strength."""
        return {"high": self.high, "medium": 1 - self.high - self.low, "low": self.low}

    @property
    def polarity(self) -> Mapping[str, float]:
        """The share of each polarity."""
        return {"positive": 1 - self.negative, "negative": self.negative}

    def strength(self, rng: Random) -> Intensity:
        """How strongly a fact is to be put."""
        draw = rng.random()
        return "high" if draw < self.high else "low" if draw < self.high + self.low else "medium"


def distance(found: Mapping[str, float], wanted: Mapping[str, float]) -> float:
    """Total-variation distance of two histograms, each scaled to a sum of 1; in [0, 1]."""
    totals = [sum(histogram.values()) or 1.0 for histogram in (found, wanted)]
    return sum(abs(found.get(key, 0) / totals[0] - wanted.get(key, 0) / totals[1]) for key in {*found, *wanted}) / 2


def largest_gap(found: Sequence[float], wanted: Sequence[float]) -> float:
    """The Kolmogorov-Smirnov statistic of two samples: the largest gap between their distribution functions."""
    gap = 0.0
    for value in sorted({*found, *wanted}):
        below = [sum(one <= value for one in sample) / max(1, len(sample)) for sample in (found, wanted)]
        gap = max(gap, abs(below[0] - below[1]))
    return gap
