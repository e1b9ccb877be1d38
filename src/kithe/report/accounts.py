"""What the cells of a report cost and where they come from."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kithe.report.dashboard import public
from kithe.report.rows import Result, finished, teacher
from kithe.report.tables import judge_name
from kithe.report.text import NONE, count, counts, quantity
from kithe.report.writers import Table

STAGES = ("corpus", "train", "predict", "score")
NO_FINDING = {"rules": "a simulated judge: it errs as it was told, and its verdicts are no finding"}


def cost_table(results: Sequence[Result], names: Mapping[str, str]) -> Table:
    """Seconds of every stage, tokens and memory, a line for each run.

    Args:
        results: of the runs.
        names: run -> what its cell is called.
    """
    done = [result for result in results if finished(result)]
    stages = [stage for stage in STAGES if any(stage in costs(result).get("stages", {}) for result in done)]
    body = tuple(
        (
            names.get(result["run_id"], result["run_id"]),
            NONE if (seed := result.get("cell", {}).get("seed")) is None else str(seed),
            *(quantity(costs(result).get("stages", {}).get(stage, {}).get("wall_s")) for stage in stages),
            quantity(costs(result).get("wall_s")),
            thousands(costs(result).get("tokens")),
            quantity(costs(result).get("seconds_per_history")),
            quantity(costs(result).get("peak_memory_mb")),
        )
        for result in done
    )
    header = ("cell", "seed", *(f"{stage} s" for stage in stages), "all s", "tokens", "s/history", "peak MB")
    legend = "Seconds of wall time; a stage that several runs share is counted for each of them. Tokens: read and written."
    return Table(header, (False, *(True,) * (len(header) - 1)), body, f"{legend} {total(done)}")


def total(results: Iterable[Result]) -> str:
    """What all stages took, each counted once."""
    taken: dict[tuple[str, object], float] = {}
    for result in results:
        stages = (result.get("provenance") or {}).get("stages") or {}
        own = {"corpus": "corpus", "train": "weights", "predict": "predictions"}
        for stage, cost in costs(result).get("stages", {}).items():
            taken[stage, stages.get(own.get(stage, "")) or result["run_id"]] = cost.get("wall_s", 0.0)
    return f"All stages, each once: {quantity(sum(taken.values()))} s."


def costs(result: Result) -> dict[str, Any]:
    """A result's costs."""
    return dict(result.get("cost") or {})


def thousands(value: Any) -> str:
    """A large count with thin spaces between thousands."""
    return NONE if value is None else f"{int(value):,}".replace(",", "\u2009")


def origin_table(results: Sequence[Result], names: Mapping[str, str]) -> Table:
    """Ids, git, training data and overlap of every finished run."""
    body = tuple(
        (
            names.get(result["run_id"], result["run_id"]),
            result["run_id"],
            ", ".join(f"{stage} {found}" for stage, found in (about(result).get("stages") or {}).items() if found),
            git(about(result).get("git") or {}),
            training(result),
            overlap(about(result).get("contamination") or {}),
        )
        for result in results
        if finished(result)
    )
    return Table(("cell", "run", "stages", "git", "training data", "overlap with test sets"), (False,) * 6, body)


def files_table(results: Sequence[Result], names: Mapping[str, str]) -> Table:
    """The files outside the repository that were read, a line for each content, with the cells that read it."""
    done = [result for result in results if finished(result)]
    body = []
    for name, contents in files_read(done).items():
        for content, runs in contents.items():
            cells = dict.fromkeys(names.get(run, run) for run in runs)
            body.append((name, content, "all" if len(runs) == len(done) else ", ".join(cells)))
    return Table(("file", "SHA-256", "cells"), (False,) * 3, tuple(body))


def files_read(results: Iterable[Result]) -> dict[str, dict[str, list[str]]]:
    """File -> checksum -> the runs that read that content of it."""
    found: dict[str, dict[str, list[str]]] = {}
    for result in results:
        for name, content in (about(result).get("files") or {}).items():
            found.setdefault(str(name), {}).setdefault(str(content), []).append(str(result["run_id"]))
    return dict(sorted(found.items()))


def about(result: Result) -> dict[str, Any]:
    """A result's provenance."""
    return dict(result.get("provenance") or {})


def git(state: Mapping[str, Any]) -> str:
    """The commit, and whether files had changed since."""
    commit = str(state.get("commit") or NONE)[:12]
    return f"{commit} with local changes" if str(state.get("changed")) == "True" else commit


def training(result: Result) -> str:
    """What a cell learnt from: how much, from which sets, under which licences, and who wrote it where no person did."""
    corpus = about(result).get("corpus") or {}
    if not corpus:
        return NONE
    card = (corpus.get("card") or {}).get("train") or {}
    sets = counts(card.get("facts_by_set") or {})
    parts = [f"{count(corpus.get('facts'))} facts in {count(corpus.get('histories'))} histories"]
    parts += [sets] if sets != NONE else []
    parts += [f"written by: {teacher(result)}"] if teacher(result) else []
    parts += [f"licences: {', '.join(card['licences'])}"] if card.get("licences") else []
    return "; ".join(parts)


def overlap(found: Mapping[str, Any]) -> str:
    """What of each test set stands in the training data."""
    parts = []
    for test_set, kinds in sorted(found.items()):
        held = {kind: value["count"] for kind, value in kinds.items() if isinstance(value, Mapping) and value.get("count")}
        parts.append(f"{test_set}: {counts(held) if held else 'none'}")
    return "; ".join(parts) or NONE


def environments(results: Iterable[Result]) -> Table:
    """What the runs were computed with: every value, once."""
    found: dict[str, list[str]] = {}
    for result in results:
        for name, value in (result.get("environment") or {}).items():
            held = found.setdefault(name, [])
            held += [str(value)] if str(value) not in held else []
    return Table(
        ("what", "version or value"), (False, False), tuple((name, ", ".join(own)) for name, own in sorted(found.items()))
    )


def notes(results: Sequence[Result]) -> list[str]:
    """What every reader must know: who judged, what is scripted, what has no numbers."""
    done = [result for result in results if finished(result)]
    judges = sorted({judge_name(result) for result in done})
    found = [f"Judge: {judge}." for judge in judges]
    found += [
        f"{name}: {words}." for name, words in NO_FINDING.items() if any(result["cell"].get("judge") == name for result in done)
    ]
    if any(teacher(result) == "scripted" for result in done):
        found.append("Cells marked (scripted) learnt from text that a program wrote, not people or a language model.")
    found += [
        f"{name}: the runs read {len(contents)} different contents of this file, so their numbers are not of the same data."
        for name, contents in files_read(done).items()
        if len(contents) > 1
    ]
    if missing := len(results) - len(done):
        found.append(f"{missing} of {len(results)} runs have no numbers; they stand in the table with the reason.")
    return found


def config_text(result: Result) -> str:
    """A run's config as JSON, without secrets."""
    return json.dumps(public(result.get("config") or {}), indent=1, ensure_ascii=False)
