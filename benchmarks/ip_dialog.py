"""IP-Dialog's benchmark and training set from the scripted teacher: `python -m benchmarks.ip_dialog [--small]`.

How many items, how fast, how they compare with the published statistics (paper D, Table 5, and the label priors of the released
test set), and how far one gets without reading the request (naming every attribute that is shown) or without reading at all
(naming the commonest). No model is asked, but for the sentence encoder that finds near-duplicates.

Every task that is finished lies in `benchmarks/results/.ip_dialog/`: a stopped run goes on with the next one.
"""

import argparse
import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Final

from pydantic import TypeAdapter

from benchmarks.common import RESULTS, write
from kithe.ip_dialog.asks import Mode
from kithe.ip_dialog.baselines import chance, constant, frequent_types
from kithe.ip_dialog.metrics import f1
from kithe.ip_dialog.pipeline import ITEMS, Pipeline, Settings, Shown, Split, kind
from kithe.ip_dialog.schema import tasks
from kithe.ip_dialog.teacher import Scripted
from kithe.llm.embed import Embedder
from kithe.records.base import write_json, write_lines
from kithe.records.history import History
from kithe.records.question import Question

# Subjects, related attributes, words of history, words of request; a dash in the paper is None.
PUBLISHED = {
    "recommend": (65, 3.46, 177.11, 17.43),
    "rank": (65, 4.68, 240.09, 30.28),
    "filter": (62, 3.21, 164.53, 41.3),
    "predict": (81, 4.92, 255.58, 13.54),
    "preference_infer": (77, 4.02, 206.31, 24.41),
    "risk_detect": (None, 5.0, 256.71, 8.0),
    "intention_infer": (63, 4.47, 240.19, 14.44),
    "advice": (65, 4.36, 223.62, 18.26),
    "decision": (55, 4.4, 223.7, 16.7),
    "convince": (69, 4.42, 243.52, 14.3),
}
YES = {"predict": 0.60, "decision": 0.71}


def questions(items: Sequence[History]) -> list[Question]:
    """The questions of items."""
    return [item.question for item in items if item.question is not None]


def statistics(mode: Mode, items: Sequence[History]) -> list[dict[str, Any]]:
    """A row a task, the published figures beside ours."""
    rows = []
    for task in tasks():
        own = [item for item in items if item.question is not None and item.question.task == task]
        asked = questions(own)
        published = dict(zip(("subjects", "related", "words_of_history", "words_of_request"), PUBLISHED[task], strict=True))
        rows.append(
            {
                "mode": mode,
                "task": task,
                "items": len(own),
                "related": mean(len(one.related) for one in asked),
                "words_of_history": mean(sum(len(turn.text.split()) for turn in item.turns) for item in own),
                "words_of_request": mean(len(one.text.split()) for one in asked),
                "exchanges": mean(len(one.shown) for one in asked),
                "answers": dict(Counter(kind(one) for one in asked)) if asked[0].form in ("yes_no", "options", "order") else {},
                "chance": chance(asked),
                "best_constant": constant(asked)[1],
                "published": {**published, "yes": YES.get(task)},
            }
        )
    return rows


def shortcuts(items: Sequence[History]) -> dict[str, float]:
    """ATF without looking at the request, and without looking at anything."""
    asked = questions(items)
    return {
        "turn_count": mean(f1(one.related, [name for name in one.shown if name]) for one in asked),
        "commonest": max(frequent_types(asked)),
    }


@dataclass(frozen=True)
class Part:
    """One set: the published size, or a tenth of it."""

    mode: Mode
    split: Split
    per_task: int

    def made(self, folder: Path, encoder: Embedder) -> tuple[list[History], dict[str, Any]]:
        """Its items and how it went, task by task; tasks that lie in the folder are read from it.

        Histories are shared by the tasks of a set, so what is known of them is kept with each task.
        """
        sampling: Final = "official" if self.mode == "official" else "fixed"
        pipeline = Pipeline(Scripted(mode=self.mode), Settings(0, self.mode, sampling), encoder.encode)
        items: list[History] = []
        seconds, processor = 0.0, 0.0
        lost: Counter[str] = Counter()
        for task in tasks():
            place = folder / f"{self.mode}-{self.split}-{self.per_task}-{task}"
            if not (place / "told.json").exists():
                self._make(pipeline, task, place)
            told = json.loads((place / "told.json").read_text(encoding="utf-8"))
            pipeline.histories.update(HISTORIES.validate_json((place / "histories.json").read_bytes()))
            items += History.read(place / "items.jsonl")
            seconds, processor = seconds + told["seconds"], processor + told["processor_s"]
            lost.update(told["lost"])
        return items, {"items": len(items), "seconds": seconds, "processor_s": processor, "lost": dict(lost)}

    def _make(self, pipeline: Pipeline, task: str, place: Path) -> None:
        before, known = dict(pipeline.lost), set(pipeline.histories)
        start, processor = time.perf_counter(), time.process_time()
        items = pipeline.items(self.split, self.per_task, [task])
        told = {
            "seconds": time.perf_counter() - start,
            "processor_s": time.process_time() - processor,
            "lost": {name: count - before.get(name, 0) for name, count in pipeline.lost.items() if count > before.get(name, 0)},
        }
        place.mkdir(parents=True, exist_ok=True)
        write_lines(place / "items.jsonl", [item.line() for item in items])
        new = {group: shown for group, shown in pipeline.histories.items() if group not in known}
        (place / "histories.json").write_bytes(HISTORIES.dump_json(new))
        write_json(place / "told.json", told)
        print(f"{self.mode} {self.split} {task}: {len(items)} items, {told['processor_s']:.1f} s of processor", flush=True)


HISTORIES: Final = TypeAdapter(dict[str, Shown | None])


def main() -> None:
    """Generate both modes and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the items")
    small = parser.parse_args().small
    folder = RESULTS / f".ip_dialog{'_small' if small else ''}"
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {"tasks": len(tasks())}
    atf: dict[Mode, dict[str, float]] = {}
    encoder = Embedder()
    # The published history and nothing else, against ours; the training set is made in hard mode.
    sets: tuple[tuple[Mode, Split], ...] = (("official", "test"), ("hard", "test"), ("hard", "train"))
    for mode, split in sets:
        items, told = Part(mode, split, max(1, ITEMS[split] // 10) if small else ITEMS[split]).made(folder, encoder)
        rows.append({"mode": mode, "split": split, **told})
        if split == "test":
            rows += statistics(mode, items)
            atf[mode] = shortcuts(items)
        if mode == "hard":
            name = "benchmark" if split == "test" else "training"
            summary |= {f"{name}_items": len(items), "items_per_s": len(items) / told["seconds"]}
            summary["items_per_processor_s"] = len(items) / told["processor_s"]
    for name, key in (("turn_count", "turn_count_shortcut"), ("commonest", "commonest_attributes")):
        summary |= {f"atf_{key}_{mode}": found[name] for mode, found in atf.items()}
        summary[f"atf_{key}_hard_minus_official"] = atf["hard"][name] - atf["official"][name]
    write(
        "ip_dialog_small" if small else "ip_dialog",
        f"python -m benchmarks.ip_dialog{' --small' if small else ''}",
        rows,
        summary,
        teacher="scripted",
    )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
