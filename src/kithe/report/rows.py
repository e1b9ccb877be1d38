"""From results to the rows of a table: one per cell and test set, cells that differ only in the seed taken together."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from statistics import mean
from typing import Any

from kithe.identity import view
from kithe.report.estimates import Estimate, mean_over_seeds, read_estimate

Result = Mapping[str, Any]
FIRST = ("data", "adapt", "model")
APART = ("seed", "runtime", "logger")  # seeds are taken together; the others never change a number
SCORES = {"personalisation": (1.0, 10.0), "completion": (1.0, 10.0), "length_ratio": (0.0, inf), "points": (0.0, 14.0)}
PER = "_per_"  # in the name of a metric that is no share, such as items_per_history


@dataclass(frozen=True)
class Row:
    """One row: what was run, and what came out.

    `choices` are the config groups' options without the seed (None where a group falls out of the cell); `variant` names the
    config values in which cells of equal choices differ; `problem` is why there are no numbers. Counts are means over the seeds.
    """

    choices: Mapping[str, str | None]
    data: str
    variant: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...] = ()
    test_set: str | None = None
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    unscored: float | None = None
    train_facts: float | None = None
    missing_facts: float = 0.0
    dropped: Mapping[str, float] = field(default_factory=dict)
    overlap: Mapping[str, float] = field(default_factory=dict)
    seconds_per_history: float | None = None
    peak_memory_mb: float | None = None
    problem: str = ""


def rows(results: Iterable[Result], over_seeds: bool = True) -> list[Row]:
    """The rows of a table, in an order that depends on nothing but their content.

    Args:
        results: contents of result.json files; a cell without numbers is `{run_id, cell, state, error}`.
        over_seeds: one row for all seeds of a cell; otherwise one row for each.
    """
    unique = {str(result["run_id"]): result for result in results}
    ordered = [unique[run] for run in sorted(unique)]
    variants = name_variants([result for result in ordered if result.get("config")])
    groups: defaultdict[str, list[Result]] = defaultdict(list)
    for result in ordered:
        own = "" if over_seeds and finished(result) else result["run_id"]
        groups[json.dumps([choices(result), variants.get(result["run_id"]), own], sort_keys=True)].append(result)
    made = (row for group in groups.values() for row in group_rows(group, variants.get(group[0]["run_id"], "")))
    return sorted(made, key=order)


def finished(result: Result) -> bool:
    """Whether a cell has numbers."""
    return "metrics" in result


def choices(result: Result) -> dict[str, str | None]:
    """A cell's options without its seed and what cannot change its numbers; no teacher where none wrote the training data."""
    found = {group: choice for group, choice in result.get("cell", {}).items() if group not in APART}
    return {**found, "teacher": teacher(result)} if "teacher" in found else found


def order(row: Row) -> tuple[object, ...]:
    """Rows by test set, then data, adaptation, model and the rest; rows without numbers last."""
    named = [row.choices.get(group) or "" for group in (*FIRST, *sorted(set(row.choices) - set(FIRST)))]
    return (row.test_set is None, row.test_set or "", named, row.variant, row.seeds, row.runs)


def group_rows(group: Sequence[Result], variant: str) -> Iterator[Row]:
    """The rows of one cell's seeds: one per test set, or a single one that says why there are none."""
    first = group[0]
    seeds = sorted({seed for result in group if (seed := result.get("cell", {}).get("seed")) is not None})
    shared = Row(choices(first), data_name(first), variant, tuple(result["run_id"] for result in group), tuple(seeds))
    if not finished(first):
        yield replace(shared, problem=problem(first))
        return
    for test_set in sorted({key.rpartition("/")[0] for result in group for key in result["metrics"]}):
        yield replace(shared, test_set=test_set, metrics=averages(group, test_set), **costs(group, test_set))


def problem(result: Result) -> str:
    """Why a cell has no numbers: its state, with the line of the error that says most."""
    error, state = error_line(str(result.get("error") or "")), str(result.get("state", "failed"))
    return f"{state}: {error}" if error else state


def error_line(text: str) -> str:
    """The first line of a message; the last one of a traceback."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "" if not lines else lines[-1] if lines[0].startswith("Traceback") else lines[0]


def averages(group: Sequence[Result], test_set: str) -> dict[str, Estimate]:
    """Metric -> mean over the seeds; a metric that is undefined for one seed is left out, since the rest would flatter it."""
    found: dict[str, Estimate] = {}
    names = sorted(
        {key.rpartition("/")[2] for result in group for key in result["metrics"] if key.rpartition("/")[0] == test_set}
    )
    for name in names:
        estimates = [read_estimate(result["metrics"].get(f"{test_set}/{name}", {})) for result in group]
        if known := [estimate for estimate in estimates if estimate is not None]:
            found |= {name: mean_over_seeds(known, *bounds(name))} if len(known) == len(group) else {}
    return found


def bounds(name: str) -> tuple[float, float]:
    """The lowest and the highest value that a metric can have, whatever slice or rewriter it is of."""
    stem = name.partition(".")[0].partition("@")[0]
    if stem == "delta":
        return -inf, inf
    if stem in SCORES:
        return SCORES[stem]
    return 0.0, inf if PER in name else 1.0


def costs(group: Sequence[Result], test_set: str) -> dict[str, Any]:
    """Losses and costs: means over the seeds, but the highest peak of memory."""
    unscored = [value for result in group if (value := result.get("unscored", {}).get(test_set)) is not None]
    seconds = [value for result in group if (value := result.get("cost", {}).get("seconds_per_history")) is not None]
    memory = [value for result in group if (value := result.get("cost", {}).get("peak_memory_mb")) is not None]
    facts = [value for result in group if (value := corpus(result).get("facts")) is not None]
    return {
        "unscored": mean(unscored) if unscored else None,
        "seconds_per_history": mean(seconds) if seconds else None,
        "peak_memory_mb": max(memory, default=None),
        "train_facts": mean(facts) if facts else None,
        "missing_facts": mean((corpus(result).get("card") or {}).get("missing_facts", 0) for result in group),
        "dropped": averaged([corpus(result).get("dropped", {}) for result in group]),
        "overlap": averaged([overlaps(result, test_set) for result in group]),
    }


def averaged(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means of counts by name; what one lacks counts as none."""
    return {name: mean(each.get(name, 0) for each in found) for name in sorted({name for each in found for name in each})}


def overlaps(result: Result, test_set: str) -> dict[str, float]:
    """How many things of a test set stand in the cell's training data, by kind."""
    found = ((result.get("provenance") or {}).get("contamination") or {}).get(test_set) or {}
    return {kind: value["count"] for kind, value in found.items() if isinstance(value, Mapping)}


def corpus(result: Result) -> Mapping[str, Any]:
    """What is known about a cell's training corpus; empty where it has none."""
    return (result.get("provenance") or {}).get("corpus") or {}


def teacher(result: Result) -> str | None:
    """Who wrote a cell's training data: `scripted`, `endpoint`, …; None where it has none, or people wrote them."""
    cell, data = result.get("cell", {}), (result.get("config") or {}).get("data")
    if corpus(result).get("scripted"):
        return "scripted"
    taught = cell.get("data") is not None and isinstance(data, Mapping) and "teacher" in data
    return cell.get("teacher") if taught else None


def data_name(result: Result) -> str:
    """The training data's honest name: `synthetic (scripted)`, `real (laps, msc)`, `personachat`, `none`."""
    choice = result.get("cell", {}).get("data")
    if choice is None:
        return "none" if finished(result) else ""
    account = corpus(result)
    sets = ((account.get("card") or {}).get("train") or {}).get("facts_by_set") or [account.get("source")]
    source = teacher(result) or ", ".join(sorted(filter(None, sets)))
    return f"{choice} ({source})" if source and source != choice else str(choice)


def name_variants(results: Sequence[Result]) -> dict[str, str]:
    """Run id -> the config values in which it differs from cells of the same choices, such as `adapt.lr=0.001`; mostly empty.

    Only what belongs to a cell's identity counts, and no seed.
    """
    groups: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for result in results:
        reads = result["cell"].get("data") is not None
        flat = dict(leaves(view(result.get("config") or {}, "run", reads)))
        groups[json.dumps(choices(result), sort_keys=True)][result["run_id"]] = flat
    return {run: differing(flat, list(group.values())) for group in groups.values() for run, flat in group.items()}


def differing(own: Mapping[str, Any], group: Sequence[Mapping[str, Any]]) -> str:
    """The leaves of `own` that are not the same in all of `group`."""
    keys = sorted({key for flat in group for key in flat if any(flat.get(key) != other.get(key) for other in group)})
    return ", ".join(f"{key}={own.get(key, 'unset')}" for key in keys)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The plain values of a nested config by dotted path, without seeds."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            if key != "seed":
                yield from leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
