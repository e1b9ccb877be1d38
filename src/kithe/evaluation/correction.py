"""Judged precision corrected by a labelled subset (spec 7.2, C3): Rogan-Gladen, PPI, PPI++, beside human labels alone and naive.

A judge with sensitivity q1 and specificity q0 sees a true rate t as (q0 + q1 - 1) t + 1 - q0; its naive interval can be
confidently wrong. All estimators are functions of counts, of one experiment or of thousands at once (a simulation, a bootstrap).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kithe.evaluation.statistics import RESAMPLES, Difference, by_user, percentiles, totals
from kithe.evaluation.statistics import Z as QUANTILE

Values = NDArray[np.float64]
CLEAR_OF_CERTAINTY: Final = 0.5  # added to each cell of the labelled table for variances: few labels without a slip prove nothing


@dataclass(frozen=True)
class Counts:
    """Labelled items by what people and the judge say, and unlabelled ones by what the judge says; numbers or arrays of them.

    Attributes:
        hit: people and judge say yes.
        missed: people say yes, the judge no.
        false: people say no, the judge yes.
        rejected: both say no.
        positive: unlabelled items the judge says yes to.
        judged: unlabelled items.
    """

    hit: ArrayLike
    missed: ArrayLike
    false: ArrayLike
    rejected: ArrayLike
    positive: ArrayLike
    judged: ArrayLike

    def arrays(self) -> tuple[Values, ...]:
        """The six counts as arrays of one shape."""
        columns = (np.asarray(getattr(self, each.name), dtype=np.float64) for each in fields(self))
        return tuple(np.broadcast_arrays(*columns))


@dataclass(frozen=True)
class Corrected:
    """A rate with its 95 % interval; numbers or arrays of them."""

    value: Values
    low: Values
    high: Values

    @property
    def width(self) -> Values:
        """The length of the interval."""
        return self.high - self.low


def naive(counts: Counts) -> Corrected:
    """The judge's own rate over the judged items as if it made no errors, with the Wilson interval."""
    _, _, _, _, positive, judged = counts.arrays()
    return wilson_of(positive, judged)


def human_only(counts: Counts) -> Corrected:
    """The labels alone, with the Wilson interval."""
    hit, missed, false, rejected, _, _ = counts.arrays()
    return wilson_of(hit + missed, hit + missed + false + rejected)


def rogan_gladen(counts: Counts) -> Corrected:
    """(p + q0 - 1) / (q0 + q1 - 1) with add-one smoothed q0, q1 and the delta-method interval, ends cut at 0 and 1.

    It stays right where the labelled items have another share of yes than the judged ones. A judge that is no better than chance
    (q0 + q1 <= 1) corrects nothing: the interval is then everything, and the value the labels' own rate.
    """
    hit, missed, false, rejected, positive, judged = counts.arrays()
    yes, no, n = hit + missed, false + rejected, np.maximum(judged, 1)
    p = positive / n
    sensitivity, specificity = (hit + 1) / (yes + 2), (rejected + 1) / (no + 2)
    better = sensitivity + specificity - 1
    usable = (better > 0) & (judged > 0)
    scale = np.where(usable, better, 1.0)
    value = np.clip((p + specificity - 1) / scale, 0, 1)
    spread = (
        p * (1 - p) / n
        + (1 - value) ** 2 * specificity * (1 - specificity) / (no + 2)
        + value**2 * sensitivity * (1 - sensitivity) / (yes + 2)
    )
    found = _around(value, np.sqrt(spread) / scale)
    return Corrected(
        np.where(usable, found.value, yes / (yes + no)), np.where(usable, found.low, 0.0), np.where(usable, found.high, 1.0)
    )


def ppi(counts: Counts) -> Corrected:
    """Prediction-powered inference: the judge's mean over unlabelled items plus the mean error found on the labelled ones."""
    return _ppi(counts, np.ones_like(counts.arrays()[0]))


def ppi_plus(counts: Counts) -> Corrected:
    """PPI++: the judge weighted by how much it tells, cov(Y, f) / ((1 + n / N) var(f)), so never worse than labels alone."""
    return _ppi(counts, weight(counts))


def weight(counts: Counts) -> Values:
    """PPI++'s weight of the judge, between 0 and 1."""
    hit, missed, false, rejected, _, judged = counts.arrays()
    n = hit + missed + false + rejected
    truth, said = (hit + missed) / n, (hit + false) / n
    covariance, variance = hit / n - truth * said, said * (1 - said)
    scale = np.where((variance > 0) & (judged > 0), (1 + n / np.where(judged > 0, judged, 1.0)) * variance, np.inf)
    return np.clip(covariance / scale, 0, 1)


METHODS: Final[Mapping[str, Callable[[Counts], Corrected]]] = {
    "naive": naive,
    "human_only": human_only,
    "rogan_gladen": rogan_gladen,
    "ppi": ppi,
    "ppi_plus": ppi_plus,
}


@dataclass(frozen=True)
class Labelled:
    """The labelled subset: what people say and what the judge says of the same items, and whose they are."""

    truth: Sequence[bool]
    verdicts: Sequence[bool]
    users: Sequence[str]

    def __post_init__(self) -> None:
        """Check the lengths.

        Raises:
            ValueError: if they differ or nothing is labelled.
        """
        if not self.truth or not len(self.truth) == len(self.verdicts) == len(self.users):
            raise ValueError("a correction needs at least one labelled item, and of each its label, its verdict and its user")


@dataclass(frozen=True)
class Judged:
    """The items of one system that have no label: what the judge says, and whose they are."""

    verdicts: Sequence[bool]
    users: Sequence[str]


def correct(labelled: Labelled, judged: Judged) -> dict[str, Corrected]:
    """Every method's estimate of one system's precision, side by side, with intervals for independent items."""
    return {name: method(count(labelled, judged)) for name, method in METHODS.items()}


def clustered(labelled: Labelled, judged: Judged, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Corrected]:
    """As `correct`, with intervals for items that come in users.

    An interval reaches as far as the formula's and that of a bootstrap over users, of labelled and judged items alike: the
    formula is too short where a user's items are alike, the bootstrap where few labels hold no slip.
    """
    plain, draws = correct(labelled, judged), Counts(*_drawn(labelled, [judged], resamples, seed)[0].T)
    return {name: _widened(plain[name], method(draws).value) for name, method in METHODS.items()}


def _widened(plain: Corrected, drawn: Values) -> Corrected:
    low, high = percentiles(drawn)
    return Corrected(plain.value, np.minimum(low, plain.low), np.maximum(high, plain.high))


def difference(
    labelled: Labelled | tuple[Labelled, Labelled],
    first: Judged,
    second: Judged,
    method: Callable[[Counts], Corrected] = ppi_plus,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """The first system's corrected precision minus the second's, both corrected by the same labels and bootstrapped jointly.

    Users who stand in several samples are drawn together, but for a calibration set of each. `p` is the share of
    resamples beyond zero, two-sided.

    Args:
        labelled: the calibration set of both; or one of each, where the judge may err differently on the two (by length).
        first: the one system's unlabelled items.
        second: the other's.
        method: the correction.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    ours, theirs = labelled if isinstance(labelled, tuple) else (labelled, labelled)
    value = method(count(ours, first)).value - method(count(theirs, second)).value
    if isinstance(labelled, tuple):
        one, other = _drawn(ours, [first], resamples, seed)[0], _drawn(theirs, [second], resamples, seed + 1)[0]
    else:
        one, other = _drawn(labelled, [first, second], resamples, seed)
    drawn = method(Counts(*one.T)).value - method(Counts(*other.T)).value
    low, high = percentiles(drawn)
    beyond = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return Difference(float(value), low, high, float(min(1.0, 2 * (beyond + 1) / (resamples + 1))))


def count(labelled: Labelled, judged: Judged) -> Counts:
    """The counts of a labelled and a judged sample."""
    hit, missed, false, rejected = _cells(labelled).sum(axis=0)
    return Counts(hit, missed, false, rejected, sum(judged.verdicts), len(judged.verdicts))


def wilson_of(yes: Values, n: Values) -> Corrected:
    """Shares with Wilson's 95 % interval; of nothing: 0.5, from 0 to 1."""
    n = np.maximum(n, 1e-12)
    share = np.where(n > 1e-9, yes / n, 0.5)
    middle = (share + QUANTILE**2 / (2 * n)) / (1 + QUANTILE**2 / n)
    half = QUANTILE / (1 + QUANTILE**2 / n) * np.sqrt(share * (1 - share) / n + QUANTILE**2 / (4 * n**2))
    return Corrected(share, np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1))


def _ppi(counts: Counts, judge_weight: Values) -> Corrected:
    """lambda mean_N f + mean_n (Y - lambda f); variance lambda^2 var(f) / N + var(Y - lambda f) / n."""
    hit, missed, false, rejected, positive, judged = counts.arrays()
    n, unlabelled = hit + missed + false + rejected, np.where(judged > 0, judged, 1.0)
    judge_weight = np.where(judged > 0, judge_weight, 0.0)
    rate = positive / unlabelled
    value = judge_weight * rate + (hit + missed - judge_weight * (hit + false)) / n
    cells = np.stack([hit, missed, false, rejected]) + CLEAR_OF_CERTAINTY
    errors = np.stack([1 - judge_weight, np.ones_like(judge_weight), -judge_weight, np.zeros_like(judge_weight)])
    shares = cells / cells.sum(axis=0)
    spread = (shares * errors**2).sum(axis=0) - (shares * errors).sum(axis=0) ** 2
    variance = judge_weight**2 * rate * (1 - rate) / unlabelled + spread / n
    return _around(np.clip(value, 0, 1), np.sqrt(variance))


def _around(value: Values, error: Values) -> Corrected:
    return Corrected(value, np.clip(value - QUANTILE * error, 0, 1), np.clip(value + QUANTILE * error, 0, 1))


def _cells(labelled: Labelled) -> Values:
    """[items, 4]: hit, missed, false, rejected."""
    truth, said = np.array(labelled.truth, dtype=bool), np.array(labelled.verdicts, dtype=bool)
    return np.stack([truth & said, truth & ~said, ~truth & said, ~truth & ~said], axis=1).astype(np.float64)


def _drawn(labelled: Labelled, arms: Sequence[Judged], resamples: int, seed: int) -> list[Values]:
    """For each arm the six counts [resamples, 6] of users drawn with replacement, each user with all its items everywhere.

    Labelled users and those of the arms are drawn apart where they are not the same people, so that no draw is without labels.
    """
    blocks = [(labelled.users, _cells(labelled))] + [
        (arm.users, np.stack([np.array(arm.verdicts, dtype=np.float64), np.ones(len(arm.verdicts))], axis=1)) for arm in arms
    ]
    marked = set(labelled.users)
    sums = np.zeros((resamples, 4 + 2 * len(arms)))
    for place, inside in enumerate((True, False)):
        users, rows = _wide(blocks, lambda user, inside=inside: (user in marked) is inside)  # type: ignore[misc]
        if users:
            sums += totals(by_user(users, rows), resamples, seed * 2 + place)
    return [np.hstack([sums[:, :4], sums[:, 4 + 2 * arm : 6 + 2 * arm]]) for arm in range(len(arms))]


def _wide(blocks: Sequence[tuple[Sequence[str], Values]], keep: Callable[[str], bool]) -> tuple[list[str], Values]:
    """The kept rows of all blocks under one another, each block in columns of its own."""
    width = sum(rows.shape[1] for _, rows in blocks)
    users: list[str] = []
    parts, start = [], 0
    for names, rows in blocks:
        kept = [index for index, user in enumerate(names) if keep(user)]
        part = np.zeros((len(kept), width))
        part[:, start : start + rows.shape[1]] = rows[kept]
        users += [names[index] for index in kept]
        parts.append(part)
        start += rows.shape[1]
    return users, np.concatenate(parts)
