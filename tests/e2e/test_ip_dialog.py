"""IP-Dialog in the same grid as everything else: zero-shot and trained cells of one sweep, one of them asked node by node."""

import csv
from pathlib import Path

from small import Run, results

WORDS = [
    *("-m", "task=ip_dialog", "data=ip_dialog", "judge=ip_dialog", "adapt=zero-shot,lora"),
    *("data.per_task=2", "data.duplicates=null", "task.test.ip_dialog.per_task=1", "task.test.ip_dialog.duplicates=null"),
    *(
        "task.test.ip_dialog.only=[rank,predict,advice]",
        "task.test.ip_dialog.twins=true",
        "task.format.pathway=type_guided",
        "task.format.calls=strict",
    ),
]


def test_zero_shot_and_trained_cells_end_in_one_table(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(WORDS)
    found = results(store)
    assert sorted(value["cell"]["adapt"] for value in found.values()) == ["lora", "zero-shot"]
    for value in found.values():
        metrics = value["metrics"]
        assert {"ip_dialog/accuracy", "ip_dialog/parse_rate", "ip_dialog/chance", "ip_dialog/atf"} <= set(metrics)
        assert metrics["ip_dialog/accuracy"]["n"] >= 3
        assert all(0 <= metrics[name]["value"] <= 1 for name in metrics if "_per_" not in name)
    # Three nodes are asked about one after the other, each in a folder of its own.
    assert len(list(store.glob("predictions/*/ip_dialog/round2/generations.rank0.jsonl"))) == 2
    with open(next(store.glob("sweeps/*/table.csv")), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert all(row["accuracy"] and row["chance"] and row["accuracy.rank"] for row in rows)
    assert "accuracy" in next(store.glob("sweeps/*/table.md")).read_text(encoding="utf-8")
