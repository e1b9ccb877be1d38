"""IP-Dialog's benchmark and training set from the scripted teacher: `python -m benchmarks.ip_dialog [--small]`.

How many items, how fast, how they compare with the published statistics (paper D, Table 5, and the label priors of the released
test set), and how far one gets without reading the request (naming every attribute that is shown) or without reading at all
(naming the commonest). No model is asked.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from statistics import mean
from typing import Any

from benchmarks.common import write
from kithe.ip_dialog.asks import Mode
from kithe.ip_dialog.baselines import chance, constant, frequent_types
from kithe.ip_dialog.corpus import IPDialogData
from kithe.ip_dialog.metrics import f1
from kithe.ip_dialog.pipeline import kind
from kithe.ip_dialog.schema import tasks
from kithe.ip_dialog.teacher import Scripted
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


def main() -> None:
    """Generate both modes and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the items")
    small = parser.parse_args().small
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {"tasks": len(tasks())}
    atf: dict[str, dict[str, float]] = {}
    modes: tuple[Mode, ...] = ("official", "hard")
    for mode in modes:
        sampling = "official" if mode == "official" else "fixed"
        # The published history and nothing else, against ours; the training set is made in hard mode.
        sizes = {"test": 10 if small else 100, **({"train": 108 if small else 1079} if mode == "hard" else {})}
        for split, size in sizes.items():
            data = IPDialogData(Scripted(mode=mode), mode=mode, sampling=sampling, per_task=size)  # type: ignore[arg-type]
            start = time.perf_counter()
            items = list(data.histories(split, 0))  # type: ignore[arg-type]
            seconds = time.perf_counter() - start
            lost = dict(data.losses(split))  # type: ignore[arg-type]
            rows.append({"mode": mode, "split": split, "items": len(items), "seconds": seconds, "lost": lost})
            if split == "test":
                rows += statistics(mode, items)
                atf[mode] = shortcuts(items)
            if mode == "hard":
                name = "benchmark" if split == "test" else "training"
                summary[f"{name}_items"] = len(items)
                summary["items_per_s"] = len(items) / seconds
    for name in ("turn_count", "commonest"):
        key = "turn_count_shortcut" if name == "turn_count" else "commonest_attributes"
        summary |= {f"atf_{key}_{mode}": atf[mode][name] for mode in modes}
        summary[f"atf_{key}_hard_minus_official"] = atf["hard"][name] - atf["official"][name]
    write(
        "ip_dialog_small" if small else "ip_dialog",
        f"python -m benchmarks.ip_dialog{' --small' if small else ''}",
        rows,
        summary,
        teacher="scripted",
    )


if __name__ == "__main__":
    main()
