"""One sweep that runs every cell where it fits: alone, under ddp, or under ZeRO-3; with the numbers of one process."""

import json
from pathlib import Path
from typing import Any

import pytest
from small import Run

TABLE = ["-m", "data=synthetic,personachat", "adapt=zero-shot,lora,sft", "corpus.quality=null"]


def results(store: Path) -> dict[str, dict[str, Any]]:
    return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in store.glob("runs/*/result.json")}


def losses(store: Path) -> dict[tuple[str, str, int], float]:
    """By folder, stage and step."""
    found = {}
    for file in store.glob("weights/*/metrics.jsonl"):
        for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            found[file.parent.name, row["stage"], row["step"]] = row["loss"]
    return found


@pytest.mark.system
@pytest.mark.timeout(1800)
def test_each_cell_is_placed_by_what_it_needs_and_computes_the_same(run: Run, tmp_path: Path) -> None:
    divided, alone = tmp_path / "divided", tmp_path / "alone"
    said = run([*TABLE, "runtime=auto", "runtime.cpu_processes=2", "runtime.memory_gb=0.03"], store=divided).stderr
    run([*TABLE, "runtime=cpu"], store=alone)
    found, wanted = results(divided), results(alone)
    assert found.keys() == wanted.keys()
    places = {
        (result["cell"]["data"], result["cell"]["adapt"]): (
            result["environment"]["strategy"],
            result["environment"]["world_size"],
        )
        for result in found.values()
    }
    assert places == {
        (None, "zero-shot"): ("single", 1),
        ("synthetic", "lora"): ("ddp", 2),
        ("personachat", "lora"): ("ddp", 2),
        ("synthetic", "sft"): ("zero3", 2),
        ("personachat", "sft"): ("zero3", 2),
    }
    assert {result["environment"]["strategy"] for result in wanted.values()} == {"single"}
    assert losses(divided) == pytest.approx(losses(alone), abs=1e-5)
    assert {name: result["metrics"] for name, result in found.items()} == {
        name: result["metrics"] for name, result in wanted.items()
    }
    assert "effective batch 8 = micro-batch 4 x accumulation 1 x 2 process(es), zero3 on cpu" in said
    assert '"zero_optimization": {"stage": 3' in said
