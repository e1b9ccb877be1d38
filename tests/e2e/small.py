"""Small settings and hand-made rows in the record form of the real sets."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

SMALL = [
    "model=tiny",
    "corpus.facts=12",
    "corpus.validation=2",
    "task.format.max_new_tokens=12",
    "judge.resamples=200",
    "progress=false",
]
Run = Callable[..., CompletedProcess[str]]

TALK = [
    ("I just came home from the bakery where i work .", "i work in a bakery .", "Nice ! i am a nurse .", "i am a nurse ."),
    ("my two dogs are barking again .", "i have two dogs .", "i hate mornings .", "i hate mornings ."),
    ("i play the cello every evening .", "i play the cello .", "cool , i collect stamps .", "i collect stamps ."),
    ("i moved to lisbon last year .", "i live in lisbon .", "my brother lives in oslo .", "i have a brother ."),
    ("we grow tomatoes on the balcony .", "i grow tomatoes .", "i can not stand olives .", "i hate olives ."),
    ("i teach maths at a school .", "i am a maths teacher .", "i run ten miles a week .", "i run ten miles a week ."),
]


def persona_rows(split: str) -> list[dict[str, Any]]:
    rows = []
    for number, (mine, fact, theirs, other) in enumerate(TALK):
        turns = [
            {"speaker": "A", "text": f"hello {split} {number}"},
            {"speaker": "B", "text": "hi !"},
            {"speaker": "A", "text": mine},
        ]
        turns += [{"speaker": "B", "text": theirs}]
        for user, value, turn in (("A", fact, 2), ("B", other, 3)):
            gold = [{"value": value, "expressed": True, "evidence_turns": [turn], "evidence_turn": turn}]
            name = f"pc-{split}-{number}-{user}"
            rows.append({"id": name, "source": "personachat", "turns": turns, "user": user, "gold": gold, "licence": "made up"})
    return rows


def msc_rows(split: str) -> list[dict[str, Any]]:
    """The same people in another talk."""
    rows = []
    for row in persona_rows(split):
        turns = [{**turn, "text": f"well , {turn['text']}", "session": 1} for turn in row["turns"]]
        rows.append({**row, "id": row["id"].replace("pc-", "msc-"), "source": "msc", "turns": turns})
    return rows


def laps_rows(split: str) -> list[dict[str, Any]]:
    rows = []
    for number, dish in enumerate(("pasta", "soup", "curry", "salad")):
        turns = [
            {"speaker": "B", "text": f"Hello ! ({split} {number}) What do you like to eat ?", "session": 1},
            {"speaker": "A", "text": f"I love {dish}.", "session": 1},
        ]
        gold = [
            {
                "value": dish,
                "category": "recipe/dish",
                "situational": False,
                "sessions": [1],
                "polarity": "positive",
                "evidence_turn": 1,
            }
        ]
        name = f"laps-{split}-{number}"
        rows.append(
            {"id": name, "source": "laps", "turns": turns, "user": "A", "gold": gold, "licence": "made up", "task": "recipe"}
        )
    return rows


def results(store: Path) -> dict[str, dict[str, Any]]:
    """Run id -> result of every run in a store."""
    return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted(store.glob("runs/*/result.json"))}
