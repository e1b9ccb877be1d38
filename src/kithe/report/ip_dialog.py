"""`kithe report ip_dialog`: what the cells of IP-Dialog say together, from their files: one page and its figures as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kithe.errors import ConfigError
from kithe.ip_dialog.bias import information
from kithe.ip_dialog.study import awareness, cells, effect, pearson
from kithe.records.base import write_json, write_lines
from kithe.records.history import History
from kithe.report.estimates import Estimate
from kithe.report.results import read_result
from kithe.report.text import NONE, fraction, p_value, with_interval
from kithe.report.writers import Table, write_markdown
from kithe.store import Store

PAIRS: Final = (("atf", "accuracy"), ("rva", "accuracy"), ("atf", "rva"))
MOVED: Final = "unmoved_by_the_irrelevant"
WORST: Final = 10
RESAMPLES: Final = 2_000


@dataclass(frozen=True)
class Seen:
    """A run on one of its test sets: its metrics and score rows, its choices, and what it was trained on."""

    run: str
    test: str
    label: str
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    corpus: Path

    def estimate(self, name: str) -> Estimate | None:
        """A metric of this test set."""
        found = self.metrics.get(f"{self.test}/{name}")
        return Estimate(found["value"], found["low"], found["high"], found["n"]) if found else None

    @property
    def format(self) -> Mapping[str, Any]:
        """How it was asked."""
        found: Mapping[str, Any] = self.config.get("task", {}).get("format", {})
        return found


def write(store: Path, runs: Sequence[str], folder: Path, least: int = 10) -> list[Path]:
    """Write ip_dialog.md and ip_dialog.json into a folder; returns their paths.

    Args:
        store: the root of all results.
        runs: ids of finished runs of `task=ip_dialog`; others are passed over.
        folder: where to.
        least: pairs of attribute values with fewer items are left out.

    Raises:
        ConfigError: none of the runs is a finished one of this task.
    """
    found = [seen for run in runs for seen in _seen(store, run)]
    if not found:
        raise ConfigError("kithe report ip_dialog: none of these runs is a finished one of task=ip_dialog")
    sections = {
        "Do attributes and answers go together?": correlations(found),
        "What setting a node changes": effects(found),
        "Each attribute": attributes(found),
        f"Pairs of attribute values, the worst {WORST} of each run": pairs(found, least),
        "Bias": bias(found),
    }
    lines = ["# IP-Dialog: what the runs say together", ""]
    for title, table in sections.items():
        if table.body:
            lines += [f"## {title}", "", write_markdown(table)]
    write_lines(folder / "ip_dialog.md", ["\n".join(lines).rstrip("\n")])
    told = {
        f"{seen.run}/{seen.test}": {
            "attributes": [asdict(one) for one in awareness(seen.rows)],
            "pairs": [asdict(one) for one in cells(seen.rows, least, RESAMPLES)],
        }
        for seen in found
    }
    tables = {title: [dict(zip(table.header, line, strict=True)) for line in table.body] for title, table in sections.items()}
    write_json(folder / "ip_dialog.json", {"tables": tables, "runs": told})
    return [folder / "ip_dialog.md", folder / "ip_dialog.json"]


def _seen(store: Path, run: str) -> Iterator[Seen]:
    result = read_result(store, run)
    target = str(result.get("config", {}).get("task", {}).get("format", {}).get("_target_", ""))
    if "metrics" not in result or not target.startswith("kithe.ip_dialog."):
        return
    folder = Store(store)
    identity = folder.run(run).read("cell.json").get("identity", {})
    for file in sorted((folder.run(run).path / "scores").glob("*.jsonl")):
        rows = tuple(json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
        corpus = folder.corpus(str(identity.get("corpus"))).path / "train.jsonl"
        if rows and "related" in rows[0]:
            label = f"{run} · {file.stem}"
            yield Seen(run, file.stem, label, result["config"], result["metrics"], rows, corpus)


def correlations(found: Sequence[Seen]) -> Table:
    """Pearson's r over cells between awareness of attributes and the accuracy of answers."""
    body = []
    for first, second in PAIRS:
        both = [(one.value, two.value) for seen in found if (one := seen.estimate(first)) and (two := seen.estimate(second))]
        known = pearson([one for one, _ in both], [two for _, two in both]) if len(both) > 2 else None
        if known:
            body.append((f"{first} and {second}", with_interval(Estimate(known.r, known.low, known.high, known.n)), str(known.n)))
    legend = "Over cells, Fisher's interval. RVA is bound to ATF by its definition: it is over the right types."
    return Table(("figures", "r", "cells"), (False, True, True), tuple(body), legend)


def effects(found: Sequence[Seen]) -> Table:
    """Accuracy with a node set minus accuracy of the same cell without, paired by item."""
    body = []
    for seen in found:
        name = seen.format.get("intervention", "none")
        base = next((other for other in found if name != "none" and _alike(seen, other)), None)
        if base:
            known = effect(seen.rows, base.rows, RESAMPLES)
            shown = with_interval(Estimate(known.value, known.low, known.high, len(seen.rows)), signed=True)
            body.append((name, seen.label, shown, p_value(known.p)))
    return Table(("set", "cell", "effect on accuracy", "p"), (False, False, True, True), tuple(body), "Paired by item.")


def _alike(seen: Seen, other: Seen) -> bool:
    """Whether the other is the same cell with nothing set, on the same items."""
    if other.format.get("intervention") != "none" or other.test != seen.test:
        return False
    first, second = (_but_for_the_node(one) for one in (seen, other))
    return first == second and [row["id"] for row in seen.rows] == [row["id"] for row in other.rows]


def _but_for_the_node(seen: Seen) -> list[Any]:
    """What makes a cell, whatever node is set in it."""
    task = {**seen.config["task"], "format": {**seen.format, "intervention": ""}}
    return [task, *(seen.config.get(key) for key in ("data", "adapt", "model", "seed"))]


def attributes(found: Sequence[Seen]) -> Table:
    """How often each attribute is named where it matters, and with the right value."""
    body = [
        (seen.label, one.name, str(one.n), _interval(one.named), _interval(one.right))
        for seen in found
        for one in awareness(seen.rows)
        if seen.estimate("atf")
    ]
    header = ("run", "attribute", "items", "named", "named with the right value")
    return Table(header, (False, False, True, True, True), tuple(body), "Of the items that depend on it; Wilson intervals.")


def pairs(found: Sequence[Seen], least: int) -> Table:
    """Accuracy of the items that depend on two attribute values."""
    body = [
        (seen.label, " × ".join(one.values), str(one.n), _interval((one.accuracy, one.low, one.high)))
        for seen in found
        for one in cells(seen.rows, least, RESAMPLES)[:WORST]
    ]
    legend = f"Pairs with at least {least} items. The worst of many pairs is low by chance alone: look at the intervals."
    return Table(("run", "pair", "items", "accuracy"), (False, False, True, True), tuple(body), legend)


def bias(found: Sequence[Seen]) -> Table:
    """Where a protected attribute was swapped: what training items say about it, and how many answers stayed."""
    body = []
    for seen in found:
        stayed = seen.estimate(MOVED)
        swap = seen.config.get("task", {}).get("test", {}).get(seen.test, {}).get("swap")
        if stayed and swap:
            name, excess = _most_telling(seen.corpus, swap)
            body.append((seen.label, swap, name, excess, with_interval(stayed), str(stayed.n)))
    header = ("run", "swapped", "role that tells it most", "bits beyond chance", "same answer after the swap", "items")
    legend = (
        "Bits: mutual information of the swapped attribute and a role's values in the training items, minus its mean after the "
        "attribute was dealt out anew. The right answer is the same before and after the swap."
    )
    return Table(header, (False, False, False, True, True, True), tuple(body), legend)


def _most_telling(corpus: Path, protected: str) -> tuple[str, str]:
    if not corpus.exists():
        return NONE, NONE
    known = information([one.question for one in History.read(corpus) if one.question], protected)
    if not known:
        return NONE, NONE
    name = max(known, key=lambda role: known[role].excess)
    return name, fraction(known[name].excess)


def _interval(share: tuple[float, float, float]) -> str:
    return with_interval(Estimate(share[0], share[1], share[2], 0))
