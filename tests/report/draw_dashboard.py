"""Draws what the dashboard shows from the files W&B wrote: `python tests/report/draw_dashboard.py STORE/wandb SWEEP OUT.svg`."""

import json
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from wandb_file import WandbFile, read_wandb

COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0")
WIDE, TALL = 430, 210


def text(x: float, y: float, words: str, size: int = 11, weight: str = "normal") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}">{escape(words)}</text>'


def panel(title: str, shapes: Sequence[str]) -> list[str]:
    frame = f'<rect width="{WIDE}" height="{TALL}" rx="4" fill="#fff" stroke="#d5d7db"/>'
    return [frame, text(12, 20, title, 12, "bold"), *shapes]


def bars(title: str, values: dict[str, float]) -> list[str]:
    most = max(values.values(), default=1) or 1
    shapes = []
    for place, (name, value) in enumerate(values.items()):
        y, length = 40 + place * 40, 330 * value / most
        shapes.append(text(12, y, name if len(name) < 70 else f"…{name[-68:]}"))
        shapes.append(f'<rect x="12" y="{y + 5}" width="{length:.0f}" height="14" fill="{COLOURS[place % 4]}"/>')
        shapes.append(text(18 + length, y + 16, f"{value:.3g}"))
    return panel(title, shapes)


def lines(title: str, runs: Sequence[WandbFile], space: str) -> list[str]:
    found = [[(row[f"{space}/step"], row[f"{space}/loss"]) for row in run.history if f"{space}/loss" in row] for run in runs]
    points = [point for own in found for point in own]
    far, high, low = max(x for x, _ in points), max(y for _, y in points), min(y for _, y in points)
    shapes = [
        text(12, 40, f"{high:.2f}", 9),
        text(12, TALL - 22, f"{low:.2f}", 9),
        text(WIDE - 60, TALL - 8, f"step {far:.0f}", 9),
    ]
    for place, own in enumerate(found):
        path = " ".join(f"{40 + 375 * x / far:.1f},{36 + 145 * (high - y) / (high - low or 1):.1f}" for x, y in own)
        shapes.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[place % 4]}" stroke-width="1.5"/>')
    return panel(title, shapes)


def table(title: str, folder: Path, run: WandbFile) -> list[str]:
    (name,) = (file for file in run.files if file.startswith("media/table/verdicts"))
    rows: list[list[Any]] = json.loads((folder / "files" / name).read_text(encoding="utf-8"))["data"]
    shapes = [text(12, 40, "item", 10, "bold"), text(225, 40, "verdict", 10, "bold"), text(280, 40, "why", 10, "bold")]
    for place, (_, item, verdict, why) in enumerate(rows[:9]):
        y = 58 + place * 16
        shapes += [text(12, y, item[:38], 10), text(225, y, verdict, 10), text(280, y, why[:26], 10)]
    return panel(title, shapes)


def drawing(folder: Path, sweep: str) -> Iterator[str]:
    found = {path: read_wandb(next(path.glob("run-*.wandb"))) for path in sorted(folder.glob("offline-run-*"))}
    whole = next(run for run in found.values() if run.run.run_id == sweep)
    runs = {path: run for path, run in found.items() if run is not whole}
    scores = {key.split("/")[2]: value for key, value in whole.summary.items() if key.startswith("grid/") and key.endswith("/f1")}
    names = [run.run.run_id for run in runs.values()]
    took = {name: run.summary["cost/wall_s"] for name, run in zip(names, runs.values(), strict=True)}
    best = max(runs, key=lambda path: max(value for key, value in runs[path].summary.items() if key.endswith("/f1")))
    panels = [
        bars("Results: f1 on sample", scores),
        table("What was said: verdicts on the first items", best, runs[best]),
        lines("Learning: training loss", list(runs.values()), "train"),
        bars("What it took: seconds", took),
    ]
    box = f"0 0 {2 * WIDE + 30} {2 * TALL + 30}"
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" font-family="sans-serif" fill="#222">'
    yield f'<rect width="100%" height="100%" fill="#f3f4f6"/><title>The dashboard of the sweep {escape(sweep)}</title>'
    for place, shapes in enumerate(panels):
        yield f'<g transform="translate({10 + place % 2 * (WIDE + 10)} {10 + place // 2 * (TALL + 10)})">'
        yield from shapes
        yield "</g>"
    yield "</svg>"


if __name__ == "__main__":
    Path(sys.argv[3]).write_text("\n".join(drawing(Path(sys.argv[1]), sys.argv[2])) + "\n", encoding="utf-8")
