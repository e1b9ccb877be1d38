"""How often an interval holds the truth, by simulated judges whose errors are known (spec 7.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from kithe.evaluation.correction import METHODS, Corrected, Counts


@dataclass(frozen=True)
class Setting:
    """A true rate, a judge's errors, how many items it judges, and how many of the same kind are labelled."""

    truth: float
    sensitivity: float
    specificity: float
    judged: int
    labels: int


@dataclass(frozen=True)
class Coverage:
    """The share of intervals that hold the truth, its Monte-Carlo standard error, their mean width and the mean error."""

    coverage: float
    error: float
    width: float
    bias: float


SETTINGS: Final = (
    Setting(0.85, 0.92, 0.70, 2000, 200),
    Setting(0.85, 0.92, 0.70, 2000, 100),
    Setting(0.70, 0.80, 0.90, 2000, 200),
    Setting(0.50, 0.95, 0.75, 1000, 200),
    Setting(0.90, 0.85, 0.60, 2000, 200),
    Setting(0.50, 0.85, 0.85, 1000, 100),
)
"""The last is a trap: symmetric errors at one half cancel, and the naive interval is right by luck."""


def simulate(setting: Setting, repeats: int = 4000, seed: int = 0) -> dict[str, Coverage]:
    """Every method's coverage in experiments that differ by chance only."""
    counts = draw(setting, repeats, seed)
    return {name: _coverage(method(counts), setting.truth) for name, method in METHODS.items()}


def draw(setting: Setting, repeats: int, seed: int) -> Counts:
    """The counts of so many experiments."""
    random, yes = np.random.default_rng(seed), setting.truth
    cells = (
        yes * setting.sensitivity,
        yes * (1 - setting.sensitivity),
        (1 - yes) * (1 - setting.specificity),
        (1 - yes) * setting.specificity,
    )
    hit, missed, false, rejected = random.multinomial(setting.labels, cells, size=repeats).T
    positive = random.binomial(setting.judged, cells[0] + cells[2], size=repeats)
    return Counts(hit, missed, false, rejected, positive, setting.judged)


def worst(found: Mapping[str, Coverage], methods: tuple[str, ...] = ("rogan_gladen", "ppi", "ppi_plus")) -> float:
    """The lowest coverage among some methods."""
    return min(found[name].coverage for name in methods)


def _coverage(estimate: Corrected, truth: float) -> Coverage:
    held = (estimate.low <= truth) & (truth <= estimate.high)
    share = float(held.mean())
    return Coverage(
        coverage=share,
        error=sqrt(share * (1 - share) / len(held)),
        width=float(estimate.width.mean()),
        bias=float(estimate.value.mean() - truth),
    )
