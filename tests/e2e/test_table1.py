"""The paper's tables by one command: all six rows, the large model behind a server on loopback."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from small import Run, results

from tests.llm.stub_server import Say, completion, running


def extractor(body: dict[str, Any], number: int) -> Say:
    """Copies the user's last line as a fact."""
    lines = [line for line in str(body["messages"][-1]["content"]).splitlines() if line.startswith("User: ")]
    return completion(json.dumps([lines[-1].removeprefix("User: ")] if lines else []))


def cells(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.system
def test_six_rows_with_a_large_model_behind_a_server(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with running(extractor) as stub:
        large = f"adapt=zero-shot model=endpoint model.client.client.model=large model.client.client.base_url={stub.url}"
        limits = ["task.test.personachat.limit=4", "task.test.laps.limit=3", "corpus.quality=null"]
        done = run(["sweeps=table1", f'sweep.also=["{large}"]', *limits])
    found = results(store)
    assert len(found) == 2 + 2 * 2 * 3
    rows = cells(store / "sweeps" / "table1" / "table1.csv")
    per_set = [row for row in rows if row["test_set"] == "laps"]
    assert len(per_set) == 6
    assert [row["method"] for row in per_set] == ["zero-shot", "zero-shot", "lora", "sft", "lora", "sft"]
    assert [row["model"] for row in per_set] == ["endpoint", *["tiny"] * 5]
    assert [row["seeds"] for row in per_set] == ["", "", "3", "3", "3", "3"]
    assert per_set[0]["state"] == "reference"
    assert all(row["delta_recall"] for row in per_set[1:])
    large_row = next(value for value in found.values() if value["cell"]["model"] == "endpoint")
    assert large_row["metrics"]["laps/recall"]["value"] > 0
    assert len(cells(store / "sweeps" / "table1" / "table2.csv")) == 2 * 2
    assert "table.md" in done.stdout
