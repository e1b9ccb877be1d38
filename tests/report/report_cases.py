"""Small results written by hand, shared by the tests of the report."""

from typing import Any


def metric(value: float | None, low: float | None = None, high: float | None = None, n: int = 40) -> dict[str, Any]:
    """One metric as it stands in result.json."""
    return {"value": value, "low": low, "high": high, "n": n}


def result(run_id: str, test_set: str = "laps", f1: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A finished LoRA cell on scripted data; `changes` replace whole top-level keys, `cell` and `config` are merged."""
    cell = {
        "task": "pki",
        "data": "synthetic",
        "adapt": "lora",
        "model": "tiny",
        "judge": "gold",
        "teacher": "scripted",
        "seed": 0,
    }
    cell |= {"runtime": "auto", "logger": "none"} | changes.pop("cell", {})
    config = {
        "seed": cell["seed"],
        "adapt": {"rank": 8},
        "paths": {"store": f"/somewhere/{run_id}"},
        "judge": {"_target_": "kithe.evaluation.judges.GoldJudge", "threshold": None},
    }
    config |= changes.pop("config", {})
    value: dict[str, Any] = {
        "run_id": run_id,
        "cell": cell,
        "metrics": {
            f"{test_set}/precision": metric(0.5, 0.4, 0.6),
            f"{test_set}/recall": metric(0.25, 0.2, 0.3, 160),
            f"{test_set}/f1": f1 or metric(0.412, 0.38, 0.445),
            f"{test_set}/parse_rate": metric(1.0, 1.0, 1.0),
            f"{test_set}/items_per_history": metric(2.5, 2.0, 3.0, 40),
            f"{test_set}/evidence_f1": metric(0.1, 0.05, 0.15),
        },
        "unscored": {test_set: 2},
        "seeds": {"seed": cell["seed"]},
        "config": config,
        "environment": {"world_size": 1},
        "cost": {"wall_s": 10.0, "tokens": 1000, "peak_memory_mb": 1234.5, "seconds_per_history": 0.5, "stages": {}},
        "provenance": {
            "corpus": {
                "source": "scripted",
                "facts": 900,
                "histories": 100,
                "dropped": {"facts not expressed": 120, "histories without an expressed fact": 2},
                "scripted": True,
            },
            "stages": {"corpus": "c", "weights": "w", "predictions": "p"},
            "judge": {"threshold": 0.686},
            "contamination": {test_set: {"test_histories": 100, "ngrams": {"count": 2, "share": 0.01}, "ids": {"count": 0}}},
        },
    }
    if cell["data"] is None:
        value["provenance"] |= {"corpus": {}, "stages": {"corpus": None, "weights": None, "predictions": "p"}}
    return value | changes


def zero_shot(run_id: str = "zero", **changes: Any) -> dict[str, Any]:
    """A cell that reads no training data: data and seed fall out."""
    return result(run_id, cell={"data": None, "adapt": "zero-shot", "seed": None}, **changes)
