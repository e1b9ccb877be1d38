"""A small rewriter's curves in the scripted world: cold start, GRPO and GDPO under noise and with little or a wrong past.

`python -m benchmarks.rewriting` runs `sweeps=ppopt_small` (what is finished is kept) and collects its tables. Users, assistant
and judge are scripted, and the model has a quarter of a million weights: the figures are of the method, not of a product.
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.common import write
from kithe.store import Store

ROOT: Final = Path(__file__).parents[1]
SWEEP: Final = "ppopt_small"
METRICS: Final = ("personalisation", "personalisation.original", "personalisation.rules", "personalisation.oracle", "win_rate")


def main() -> None:
    """Run the sweep and write its figures."""
    subprocess.run([sys.executable, str(ROOT / "run.py"), f"sweeps={SWEEP}"], check=True)
    collect()


def collect() -> None:
    """Write the figures of the sweep as it is."""
    store = Store(Path(os.environ.get("KITHE_STORE", "outputs")))
    folder = store.root / "sweeps" / SWEEP
    runs = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))["runs"]
    files = [store.run(run).path / "result.json" for run in runs]
    rows = [row for file in files for row in measured(json.loads(file.read_text(encoding="utf-8")))]
    pairs = [{"part": "difference", **row} for row in table(folder / "differences.csv")]
    summary = {f"personalisation_{row['adapt']}_{row['test_set']}": row["personalisation"]["value"] for row in rows}
    print(write("rewriting", "python -m benchmarks.rewriting", [*rows, *pairs], summary))


def measured(result: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each test set of a run."""
    sets = sorted({name.partition("/")[0] for name in result["metrics"]})
    about = {"part": "cell", "run": result["run_id"], "adapt": result["cell"]["adapt"], **result["provenance"]["git"]}
    return [
        {
            **about,
            "test_set": own,
            **{name: result["metrics"][f"{own}/{name}"] for name in METRICS if f"{own}/{name}" in result["metrics"]},
        }
        for own in sets
    ]


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
