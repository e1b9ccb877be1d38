"""How far two judges agree, and a judge with people (spec 7.1): Cohen's kappa, sensitivity, PABAK, Krippendorff's alpha.

Raw agreement flatters a judge where one verdict is common; kappa counts only what chance would not give. Every figure has a
bootstrap interval over users where their ids are given, else over items.
"""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.scores import Metric
from kithe.evaluation.statistics import RESAMPLES, by_user, divide, percentiles, totals

Table = NDArray[np.float64]


def agreement(
    truth: Sequence[bool],
    verdicts: Sequence[bool],
    users: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Metric]:
    """A judge against people, item by item: every figure that is defined, with its interval.

    `agreement`, `kappa`, `pabak` (2 x agreement - 1), `sensitivity` (of what people call right, the share the judge does),
    `specificity` (of what they call wrong), `prevalence` (what people call right), `judged` (what the judge does).

    Args:
        truth: what people say.
        verdicts: what the judge says of the same items.
        users: whose item each is, so that a user's items are resampled together.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: if the lengths differ or there is no item.
    """
    _check(truth, verdicts, users)
    yes, said = np.array(truth, dtype=bool), np.array(verdicts, dtype=bool)
    cells = np.stack([yes & said, yes & ~said, ~yes & said, ~yes & ~said], axis=1).astype(np.float64)
    sums = cells if users is None else by_user(users, cells)
    observed, drawn = figures(sums.sum(axis=0)), figures(totals(sums, resamples, seed))
    whole = {"sensitivity": int(yes.sum()), "specificity": int((~yes).sum())}
    return {
        name: _metric(float(value), drawn[name], whole.get(name, len(yes)))
        for name, value in observed.items()
        if not np.isnan(value)
    }


def figures(cells: Table) -> dict[str, Table]:
    """The figures of `agreement` for counts [..., 4] of true and judged yes, missed, false alarms, true and judged no."""
    both, missed, false, neither = np.moveaxis(cells, -1, 0)
    n = cells.sum(axis=-1)
    agreed = divide(both + neither, n)
    return {
        "agreement": agreed,
        "kappa": kappa_of(np.stack([np.stack([both, missed], -1), np.stack([false, neither], -1)], -2)),
        "pabak": 2 * agreed - 1,
        "sensitivity": divide(both, both + missed),
        "specificity": divide(neither, neither + false),
        "prevalence": divide(both + missed, n),
        "judged": divide(both + false, n),
    }


def kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    users: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Metric:
    """Cohen's kappa of two annotators with any number of labels.

    Raises:
        ValueError: if the lengths differ, there is no item, or both use one and the same label only (kappa is undefined).
    """
    _check(first, second, users)
    labels = {label: index for index, label in enumerate(dict.fromkeys([*first, *second]))}
    cells = np.zeros((len(first), len(labels) ** 2))
    cells[np.arange(len(first)), [labels[a] * len(labels) + labels[b] for a, b in zip(first, second, strict=True)]] = 1
    sums = cells if users is None else by_user(users, cells)
    shape = (-1, len(labels), len(labels))
    value = kappa_of(sums.sum(axis=0).reshape(shape))[0]
    if np.isnan(value):
        raise ValueError("both annotators give every item the same label: kappa is undefined")
    return _metric(float(value), kappa_of(totals(sums, resamples, seed).reshape(shape)), len(first))


def kappa_of(confusion: Table) -> Table:
    """Cohen's kappa of confusion matrices [..., labels, labels], (p_o - p_e) / (1 - p_e); NaN where p_e is 1."""
    n = confusion.sum(axis=(-2, -1))
    observed = divide(np.trace(confusion, axis1=-2, axis2=-1), n)
    chance = divide((confusion.sum(axis=-1) * confusion.sum(axis=-2)).sum(axis=-1), n**2)
    rest = np.where(np.isclose(chance, 1.0), np.nan, 1 - chance)
    return np.asarray((observed - chance) / rest)


def krippendorff(
    units: Sequence[Sequence[Hashable | None]],
    users: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    distance: Callable[[Hashable, Hashable], float] | None = None,
) -> Metric:
    """Krippendorff's alpha, any number of annotators, with gaps.

    Args:
        units: for each item the label of each annotator, None where there is none; items with fewer than two labels tell nothing.
        users: whose item each is.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        distance: how far two labels lie apart, squared for an interval scale; None for nominal labels.

    Raises:
        ValueError: if no item has two labels, or only one label is ever used (alpha is undefined).
    """
    used = [index for index, unit in enumerate(units) if sum(label is not None for label in unit) > 1]
    if not used:
        raise ValueError("no item has labels of two annotators: there is nothing to compare")
    names = list(dict.fromkeys(label for index in used for label in units[index] if label is not None))
    counts = np.array([[sum(label == name for label in units[index]) for name in names] for index in used], dtype=np.float64)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(names))
    coincidences = (pairs / (counts.sum(axis=1) - 1)[:, None, None]).reshape(len(used), -1)
    sums = coincidences if users is None else by_user([users[index] for index in used], coincidences)
    apart = None if distance is None else np.array([[distance(one, two) for two in names] for one in names])
    value = alpha_of(sums.sum(axis=0).reshape(-1, len(names), len(names)), apart)[0]
    if np.isnan(value):
        raise ValueError("only one label is ever used: alpha is undefined")
    drawn = totals(sums, resamples, seed).reshape(-1, len(names), len(names))
    return _metric(float(value), alpha_of(drawn, apart), len(used))


def alpha_of(coincidences: Table, apart: Table | None = None) -> Table:
    """Krippendorff's alpha of coincidence matrices [..., labels, labels]: 1 - observed / expected disagreement.

    `apart` are the distances [labels, labels]; without them labels are the same or not (nominal).
    """
    margins, n = coincidences.sum(axis=-1), coincidences.sum(axis=(-2, -1))
    weights = 1 - np.eye(coincidences.shape[-1]) if apart is None else apart
    observed = divide((coincidences * weights).sum(axis=(-2, -1)), n)
    expected = divide(np.einsum("...c,...k,ck->...", margins, margins, weights), n * (n - 1))
    return np.asarray(1 - divide(observed, np.where(expected > 1e-12, expected, 0.0)))


def _metric(value: float, drawn: Table, n: int) -> Metric:
    low, high = percentiles(drawn)
    return Metric(value=value, low=low, high=high, n=n)


def _check(first: Sequence[Hashable], second: Sequence[Hashable], users: Sequence[str] | None) -> None:
    if not first or len(first) != len(second) or len(users or first) != len(first):
        raise ValueError(
            f"{len(first)} and {len(second)} labels: agreement needs one of each for every item, and at least one item"
        )
