"""The paper's tables by one command: all six rows, the large model behind a server on loopback."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from small import Run, results

from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.experiment import result
from kithe.records.base import write_json
from kithe.report.build import build
from kithe.worker import Worker
from tests.llm.stub_server import Say, completion, running


def extractor(body: dict[str, Any], number: int) -> Say:
    """Copies the user's last line as a fact."""
    lines = [line for line in str(body["messages"][-1]["content"]).splitlines() if line.startswith("User: ")]
    return completion(json.dumps([lines[-1].removeprefix("User: ")] if lines else []))


def finished(cell: Cell) -> str:
    """Run a cell's stages in this process; returns its id."""
    cell.prepare()
    Worker(cell).run()
    write_json(cell.folder.path / "result.json", result(cell))
    cell.folder.mark("done")
    return cell.name


def test_a_large_model_behind_a_server_is_the_reference_of_table_1(tmp_path: Path) -> None:
    base = ["task/test=sample", "task.test.sample.limit=3", f"paths.store={tmp_path}", "judge.resamples=50", "progress=false"]
    base += ["task.format.max_new_tokens=8", "recall=extractive", "recall.resamples=50"]
    with running(extractor) as stub:
        large = ["model=endpoint", "model.client.client.model=large", f"model.client.client.base_url={stub.url}"]
        runs = [finished(Cell.of(compose([*base, *words]))) for words in (large, ["model=tiny"])]
        asked = len(stub.bodies)
        again = Cell.of(compose([*base, *large, "judge.threshold=0.9"]))
        finished(again)
        assert len(stub.bodies) == asked > 3
    metrics = again.folder.read("result.json")["metrics"]
    assert metrics["sample/parse_rate"]["value"] == 1.0
    assert metrics["sample/items_per_history"]["value"] > 1
    assert again.folder.read("result.json")["environment"]["device"] == "cpu"
    write_json(tmp_path / "sweeps" / "t" / "sweep.json", {"sweep_id": "t", "runs": runs, "tables": ["table1"]})
    build(tmp_path, "t")
    # Nothing here says which model learnt, so both are rows without data, and the first one is what the other is compared with.
    rows = cells(tmp_path / "sweeps" / "t" / "table1.csv")
    assert {row["model"] for row in rows} == {"endpoint", "tiny"}
    assert [row["state"] for row in rows].count("reference") == 1
    assert {row["recall_of"] for row in rows} == {"questions"}
    assert "qa_recall" in (tmp_path / "sweeps" / "t" / "table.md").read_text(encoding="utf-8")


def cells(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.timeout(3000)
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
