"""What a dashboard shows of one run, read from its files; nothing here knows a dashboard's own format."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kithe.records.base import open_text
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.report.rows import choices
from kithe.report.text import shorten
from kithe.store import Store

SAMPLES = 20
EXCERPT = 600
SECRET = re.compile(r"(api|access|private|secret)_?key|secret|passw|credential|authorization|bearer|(^|_)token$", re.IGNORECASE)
USERINFO = re.compile(r"(\w+://)[^/@\s]+@")

Sample = tuple[str, str, str, str, int | float | None]


@dataclass(frozen=True)
class Dashboard:
    """One run as a dashboard shows it.

    Attributes:
        history: rows in a fixed order, keys `<namespace>/<name>` with `<namespace>/step` among them.
        summary: the final numbers, with the ends of their intervals as `<metric>_low` and `<metric>_high`.
        samples: test set -> rows of history id, excerpt, gold, predicted, true positives.
        tables: name -> `{header, body}`; only of the run that shows a whole sweep.
    """

    run_id: str
    done: bool
    job_type: str
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    history: tuple[Mapping[str, float], ...]
    summary: Mapping[str, Any]
    samples: Mapping[str, Sequence[Sample]]
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_dashboard(store: Path, run_id: str) -> Dashboard:
    """Read a run's files. A run that is not done has no summary and no samples."""
    folder = Store(store).run(run_id)
    result = folder.read("result.json")
    stages = (result.get("provenance") or {}).get("stages") or {}
    history = list(training_history(store, stages.get("weights")))
    return Dashboard(
        run_id=run_id,
        done=bool(result),
        job_type="train" if stages.get("weights") else "evaluate",
        tags=tags(result),
        config=public(
            {
                **result.get("config", {}),
                **{key: result[key] for key in ("cell", "seeds", "environment", "provenance") if key in result},
            }
        ),
        history=(*history, *final_rows(result, history)),
        summary=summary(result),
        samples=dict(samples(store, run_id, stages.get("predictions"))),
    )


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON-lines file; none where there is no file. A torn last line of a killed writer is left out."""
    if not path.exists():
        return
    with open_text(path) as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                return
            yield row


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


def samples(store: Path, run_id: str, predictions: str | None) -> Iterator[tuple[str, list[Sample]]]:
    """Test set -> what the model said about the first users beside what is true of them."""
    folder = Store(store).predictions(predictions).path if predictions else None
    for scores in sorted((Store(store).run(run_id).path / "scores").glob("*.jsonl")) if folder else ():
        assert folder is not None
        scored = {row["id"]: row for row in rows_of(scores)}
        said = {row["id"]: Prediction.model_validate(row) for row in rows_of(folder / scores.stem / "predictions.jsonl")}
        known = histories(folder / scores.stem / "histories.jsonl")
        chosen = [key for key in sorted(scored) if key in said][:SAMPLES]
        yield scores.stem, [sample(scored[key], said[key], known.get(key)) for key in chosen]


def histories(path: Path) -> dict[str, History]:
    """The test set's histories by id; empty where they are not kept."""
    return {history.id: history for history in History.read(path)} if path.exists() else {}


def sample(scored: Mapping[str, Any], said: Prediction, history: History | None) -> Sample:
    """One row of the table of samples."""
    turns = history.turns if history else ()
    text = "\n".join(f"{turn.speaker}: {turn.text}" for turn in turns)
    gold = "\n".join(item.statement for item in history.items) if history else str(scored.get("gold", ""))
    return (said.id, shorten(text, EXCERPT), gold, "\n".join(item.statement for item in said.items), scored.get("tp"))
