"""What a dashboard shows of a run and of a sweep, read from their files; nothing here knows a dashboard's own format."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kithe.records.appended import whole_lines
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.report.results import read_result, sweep_runs
from kithe.report.rows import choices, finished, problem, rows
from kithe.report.tables import records
from kithe.report.text import shorten
from kithe.store import Store

SAMPLES = 20
EXCERPT = 600
SECRET = re.compile(r"(api|access|private|secret)_?key|secret|passw|credential|authorization|bearer|(^|_)token$", re.IGNORECASE)
USERINFO = re.compile(r"(\w+://)[^/@\s]+@")

Sample = tuple[str, str, str, str, int | float | None]
Verdicts = tuple[str, str, str, str]


@dataclass(frozen=True)
class Reference:
    """A folder that a dashboard names without holding it; its name tells its content, so the same name is the same thing."""

    name: str
    kind: Literal["corpus", "adapter", "model"]
    folder: Path
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Dashboard:
    """One run as a dashboard shows it.

    Attributes:
        history: rows in a fixed order, keys `<namespace>/<name>` with `<namespace>/step` among them.
        summary: the final numbers, with the ends of their intervals as `<metric>_low` and `<metric>_high`.
        samples: test set -> rows of history id, excerpt, gold, predicted, true positives.
        verdicts: test set -> rows of history id, inferred item, what the judge says of it, and why.
        references: the corpus it learnt from and the weights it made, where they are there.
    """

    run_id: str
    done: bool
    job_type: str
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    history: tuple[Mapping[str, float], ...]
    summary: Mapping[str, Any]
    samples: Mapping[str, Sequence[Sample]]
    verdicts: Mapping[str, Sequence[Verdicts]] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class Overview:
    """A sweep as a dashboard shows it.

    Attributes:
        grid: the rows of its table, a row per cell and test set, seeds taken together.
        cells: run id, state and problem of every cell.
        tables: name -> `{header, body}`: every other table of its report, where one has been written.
    """

    sweep_id: str
    command: str
    grid: tuple[Mapping[str, Any], ...]
    cells: tuple[tuple[str, str, str], ...]
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether every cell is."""
        return all(state == "done" for _, state, _ in self.cells)


def read_overview(store: Path, sweep_id: str) -> Overview:
    """Read a sweep's list and its cells' files.

    Raises:
        ConfigError: there is no such sweep.
    """
    results = [read_result(store, run) for run in sweep_runs(store, sweep_id)]
    return Overview(
        sweep_id,
        str(Store(store).sweep(sweep_id).read("sweep.json").get("command", "")),
        tuple(row for row in records(rows(results)) if row["test_set"] is not None),
        tuple(cell(result) for result in results),
        Store(store).sweep(sweep_id).read("tables.json"),
    )


def cell(result: Mapping[str, Any]) -> tuple[str, str, str]:
    """Run id, state and problem of a cell."""
    state, why = ("done", "") if finished(result) else (str(result.get("state", "failed")), problem(result))
    return str(result["run_id"]), state, why


def label(row: Mapping[str, Any]) -> str:
    """What a row of the grid is called in a chart: data, adaptation, model and variant."""
    named = (row.get("data_name"), row.get("adapt"), row.get("model"), row.get("variant"))
    return " · ".join(str(part) for part in named if part and part != "none")


def read_dashboard(store: Path, run_id: str) -> Dashboard:
    """Read a run's files. Of one that is not done: what was chosen, its state and its problem, and how training went so far.

    Nothing that is said of test sets, even of those that are scored already: it would come before rows that are still to come.
    """
    folder = Store(store).run(run_id)
    result = folder.read("result.json") or read_result(store, run_id)
    planned = folder.read("cell.json").get("identity") or {}
    stages = (result.get("provenance") or {}).get("stages") or planned
    history = list(training_history(store, stages.get("weights")))
    predictions = stages.get("predictions") if finished(result) else None
    return Dashboard(
        run_id=run_id,
        done=finished(result),
        job_type="train" if stages.get("weights") else "evaluate",
        tags=tags(result),
        config=public(
            {
                **result.get("config", {}),
                **{key: result[key] for key in ("cell", "seeds", "environment", "provenance") if key in result},
            }
        ),
        history=(*history, *final_rows(result, history)),
        summary={**dict(zip(("state", "problem"), cell(result)[1:], strict=True)), **summary(result)},
        samples=dict(samples(store, run_id, predictions)),
        verdicts=dict(verdicts(store, run_id, predictions)),
        references=tuple(references(store, result)),
    )


def references(store: Path, result: Mapping[str, Any]) -> Iterator[Reference]:
    """The corpus and the weights of a finished run, as far as their folders are there."""
    provenance = result.get("provenance") or {}
    stages = provenance.get("stages") or {}
    corpus, weights = stages.get("corpus"), stages.get("weights")
    if corpus and (folder := Store(store).corpus(corpus).path).exists():
        about = {key: value for key, value in (provenance.get("corpus") or {}).items() if key != "card"}
        yield Reference(corpus, "corpus", folder, about)
    if weights and (folder := Store(store).weights(weights).path / "weights").exists():
        adapter = (folder / "adapter_config.json").exists()
        yield Reference(weights, "adapter" if adapter else "model", folder, dict(provenance.get("training") or {}))


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON-lines file; none where there is no file. A torn last line of a killed writer is left out."""
    yield from map(json.loads, whole_lines(path))


def training_history(store: Path, weights: str | None) -> Iterator[dict[str, float]]:
    """Rows of metrics.jsonl, each in the namespace of its stage: `train/loss` against `train/step`."""
    path = Store(store).weights(weights).path / "metrics.jsonl" if weights else None
    for row in rows_of(path) if path else ():
        numbers = {key: value for key, value in row.items() if isinstance(value, int | float) and not isinstance(value, bool)}
        if "step" in numbers:
            yield {f"{row.get('stage', 'train')}/{key}": value for key, value in numbers.items()}


def final_rows(result: Mapping[str, Any], history: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """The scores as one row of `eval/*`, at the last training step."""
    scores = {
        f"eval/{name}": metric["value"] for name, metric in result.get("metrics", {}).items() if metric.get("value") is not None
    }
    last = max((row[key] for row in history for key in row if key == "train/step"), default=0)
    return [{"eval/step": last, **scores}] if scores else []


def summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """The final numbers: scores with intervals and n, unscored rows, costs."""
    found: dict[str, Any] = {}
    for name, metric in result.get("metrics", {}).items():
        found |= {f"eval/{name}": metric.get("value")}
        found |= {f"eval/{name}_{part}": metric[part] for part in ("low", "high", "n") if part in metric}
    found |= {f"eval/{name}/unscored": value for name, value in result.get("unscored", {}).items()}
    found |= {f"cost/{name}": value for name, value in (result.get("cost") or {}).items() if not isinstance(value, Mapping)}
    return {key: value for key, value in found.items() if value is not None}


def tags(result: Mapping[str, Any]) -> tuple[str, ...]:
    """The cell's options, `scripted` among them where its training data are; W&B takes 64 characters each."""
    chosen = [str(choice) for choice in choices(result).values() if choice is not None]
    return tuple(dict.fromkeys(tag[:64] for tag in chosen if tag))


def public(value: Any) -> Any:
    """A config without secrets: values of keys that name one, and user names and passwords in addresses."""
    if isinstance(value, Mapping):
        return {
            str(key): "[hidden]" if isinstance(item, str) and SECRET.search(str(key)) else public(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [public(item) for item in value]
    return USERINFO.sub(r"\1", value) if isinstance(value, str) else value


Answered = tuple[Mapping[str, Any], Prediction, History | None]


def samples(store: Path, run_id: str, predictions: str | None) -> Iterator[tuple[str, list[Sample]]]:
    """Test set -> what the model said about the first users beside what is true of them."""
    for name, found in answers(store, run_id, predictions):
        yield name, [sample(*each) for each in found]


def verdicts(store: Path, run_id: str, predictions: str | None) -> Iterator[tuple[str, list[Verdicts]]]:
    """Test set -> what the judge says of every item inferred about the first users."""
    for name, found in answers(store, run_id, predictions):
        yield name, [row for each in found for row in judged(*each)]


def answers(store: Path, run_id: str, predictions: str | None) -> Iterator[tuple[str, list[Answered]]]:
    """Test set -> the first users' scores, predictions and histories."""
    folder = Store(store).predictions(predictions).path if predictions else None
    for scores in sorted((Store(store).run(run_id).path / "scores").glob("*.jsonl")) if folder else ():
        assert folder is not None
        scored = {row["id"]: row for row in rows_of(scores)}
        said = {row["id"]: Prediction.model_validate(row) for row in rows_of(folder / scores.stem / "predictions.jsonl")}
        known = histories(folder / scores.stem / "histories.jsonl")
        chosen = [key for key in sorted(scored) if key in said][:SAMPLES]
        yield scores.stem, [(scored[key], said[key], known.get(key)) for key in chosen]


def judged(scored: Mapping[str, Any], said: Prediction, history: History | None) -> Iterator[Verdicts]:
    """A row for each item: by the verdicts of a judge that reads items one by one, else by its match among the gold facts."""
    own = scored.get("verdicts", [])
    if len(own) == len(said.items):
        yield from ((said.id, item.statement, *opinion(verdict)) for item, verdict in zip(said.items, own, strict=True))
        return
    hits = {item: (gold, cosine) for gold, item, cosine in scored.get("matches", [])}
    for place, item in enumerate(said.items):
        gold, cosine = hits.get(place, (None, None))
        facts = history.items if history else ()
        meant = facts[gold].statement if gold is not None and gold < len(facts) else ""
        yield said.id, item.statement, "right" if place in hits else "wrong", f"{meant} ({cosine})" if meant else ""


def opinion(verdict: Mapping[str, Any]) -> tuple[str, str]:
    """A judge's verdict on an item in a word, and why."""
    if "duplicate_of" in verdict:
        return "duplicate", str(verdict["duplicate_of"])
    if "reason" in verdict:
        return "unscored", str(verdict["reason"])
    reasons = (verdict.get("quote"), verdict.get("relevance_reason"), verdict.get("sensibility_reason"))
    right = bool(verdict.get("relevance")) and bool(verdict.get("sensibility"))
    return "right" if right else "wrong", " | ".join(str(reason) for reason in reasons if reason)


def histories(path: Path) -> dict[str, History]:
    """The test set's histories by id; empty where they are not kept."""
    return {history.id: history for history in History.read(path)} if path.exists() else {}


def sample(scored: Mapping[str, Any], said: Prediction, history: History | None) -> Sample:
    """One row of the table of samples."""
    turns = history.turns if history else ()
    text = "\n".join(f"{turn.speaker}: {turn.text}" for turn in turns)
    gold = "\n".join(item.statement for item in history.items) if history else str(scored.get("gold", ""))
    return (said.id, shorten(text, EXCERPT), gold, "\n".join(item.statement for item in said.items), scored.get("tp"))
