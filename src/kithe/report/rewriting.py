"""How general rewritten messages are: what they are worth by the domain of the message, and which wishes answers then meet."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kithe.report.estimates import Estimate
from kithe.report.probes import share
from kithe.report.rows import Row
from kithe.report.text import with_interval
from kithe.report.writers import Table

GAIN: Final = "delta.personalisation"
MET: Final = "met."
EXPLAINED: Final = (
    "Rewritten messages, of the first seed of every row: gain in personalisation over the original message by the domain of"
    " that message, and the share of users whose answer meets a wish of theirs. n: users, of the cell with most. Intervals:"
    " 95 %, users resampled."
)
Scored = Mapping[str, Mapping[str, Any]]
Numbers = Mapping[str, Mapping[str, float]]  # slice -> user -> number


def general(cells: Mapping[str, Row], read: Callable[[str, str], Scored]) -> list[Table]:
    """A table by domain and one by wish, a column for each cell; none for other tasks.

    Args:
        cells: short name -> row of one test set.
        read: what each user is worth, of a run and a test set.
    """
    scored = {cell: read(row.runs[0], row.test_set) for cell, row in cells.items() if row.test_set and row.runs}
    gains = {cell: by_domain(own) for cell, own in scored.items()}
    wishes = {cell: by_wish(own) for cell, own in scored.items()}
    made = [table("gain in personalisation by domain", gains), table("share of answers that meet the wish about", wishes)]
    return [own for own in made if own.body]


def by_domain(scored: Scored) -> Numbers:
    """The gain of each user by the domain of the message; users without a verdict are out."""
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for user, row in scored.items():
        if row.get("domain") and row.get(GAIN) is not None:
            found[row["domain"]][user] = row[GAIN]
    return found


def by_wish(scored: Scored) -> Numbers:
    """For each dimension 1 or 0 of the users who have a wish about it."""
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for user, row in scored.items():
        for name in row:
            if name.startswith(MET) and row[name] is not None:
                found[name.removeprefix(MET)][user] = row[name]
    return found


def table(title: str, cells: Mapping[str, Numbers]) -> Table:
    """A line for each slice that some cell knows."""
    names: Sequence[str] = sorted({name for own in cells.values() for name in own})
    body = tuple(
        (name, str(max(len(own.get(name, ())) for own in cells.values())), *(mean(own.get(name, {})) for own in cells.values()))
        for name in names
    )
    return Table((title, "n", *cells), (False, *(True,) * (len(cells) + 1)), body)


def mean(numbers: Mapping[str, float]) -> str:
    """The mean of users' numbers with its interval."""
    found: Estimate | None = share(tuple(numbers), [(value, 1.0) for value in numbers.values()])
    return with_interval(found)
