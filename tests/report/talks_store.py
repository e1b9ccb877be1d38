"""Six made-up users, what two cells said of them, and which of it is right: small enough to check by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from report_cases import metric, result, zero_shot
from report_store import write_run, write_sweep

from kithe.records.base import write_lines
from kithe.records.chat import Prediction, Rejection
from kithe.records.history import Evidence, History, KnowledgeItem, Turn

TALK = {
    "u0": (
        "Do you cook? I bake bread myself.",
        "I cook pasta every day. I do not like olives.",
        [("I cook pasta every day.", "Food", 1), ("I do not like olives.", "Food", 1)],
    ),
    "u1": ("Hello!", "My two dogs are barking again, and I run.", [("I have two dogs.", "Pets", 1), ("I run.", "Sport", 1)]),
    "u2": ("What do you do?", "I teach maths at a school.", [("I am a maths teacher.", "Work", 1)]),
    "u3": ("Hi.", "I sail on Sundays. I cook soup.", [("I sail.", "Sport", 1), ("I cook soup.", "Food", 1)]),
    "u4": ("Any plans?", "None at all, thank you.", []),
    "u5": ("Tell me more.", "I collect stamps.", [("I collect stamps.", "Leisure", 1)]),
}
# What is said of each user: statement, confidence, index of the gold fact it is matched to (None: wrong).
Said = Mapping[str, Sequence[tuple[str, float, int | None]]]
GOOD: Said = {
    "u0": [("I cook pasta every day.", 0.9, 0), ("I like olives.", 0.6, None), ("I bake bread.", 0.8, None)],
    "u1": [("I have two dogs.", 0.95, 0), ("I have three dogs.", 0.7, None)],
    "u2": [("I teach maths.", 0.8, 0)],
    "u3": [("I sail.", 0.9, 0), ("I cook soup.", 0.85, 1)],
    "u4": [("I own a yacht.", 0.55, None)],
    "u5": [("I collect stamps.", 0.9, 0), ("I collect stamps.", 0.5, None)],
}
POOR: Said = {
    "u0": [("I like it.", 0.9, None)],
    "u1": [("I run.", 0.6, 1)],
    "u3": [("I like it.", 0.9, None)],
    "u5": [("I like it.", 0.9, None)],
}


def history(user: str) -> History:
    """One user's conversation with its gold facts."""
    theirs, mine, facts = TALK[user]
    items = tuple(
        KnowledgeItem(
            statement=text,
            category=category,
            polarity="negative" if "not" in text else "positive",
            evidence=(Evidence(turn=turn),),
        )
        for text, category, turn in facts
    )
    return History(
        id=user, source="hand", user="ann", turns=(Turn(speaker="bob", text=theirs), Turn(speaker="ann", text=mine)), items=items
    )


def prediction(user: str, said: Said) -> Prediction:
    """What is said of one user."""
    items = tuple(
        KnowledgeItem(statement=text, confidence=sure, evidence=(Evidence(turn=1),)) for text, sure, _ in said.get(user, ())
    )
    unsure = KnowledgeItem(statement="I do not like olives at all.", confidence=0.2).line()
    rejected = (Rejection(reason="low confidence", raw=unsure),) if user == "u0" else ()
    return Prediction(
        id=user, items=items, units=1, rejected=rejected, raw=(json.dumps([text for text, *_ in said.get(user, ())]),)
    )


def rows(said: Said) -> list[dict[str, Any]]:
    """Per-user counts and matches, as a cell writes them."""
    made = []
    for user in TALK:
        matches = [[gold, place, 0.9] for place, (_, _, gold) in enumerate(said.get(user, ())) if gold is not None]
        counts = {"tp": len(matches), "predicted": len(said.get(user, ())), "gold": len(TALK[user][2])}
        made.append({"id": user, **counts, "matches": matches})
    return made


def verdicts(said: Said) -> list[dict[str, Any]]:
    """The same by a judge of items, without gold facts; the second item of a user is a repeat, olives have no verdict."""
    made = []
    for user in TALK:
        own = []
        for place, (text, _, gold) in enumerate(said.get(user, ())):
            about = {"item": f"{user}#{place}", "user": user}
            if text == "I like olives.":
                own.append({**about, "reason": "prose"})
            elif place and text == said[user][place - 1][0]:
                own.append({**about, "duplicate_of": f"{user}#{place - 1}"})
            else:
                own.append({**about, "relevance": gold is not None, "sensibility": True, "relevance_reason": "<b>never said</b>"})
        scored = [each for each in own if "relevance" in each]
        counts = {"tp": sum(each["relevance"] for each in scored), "predicted": len(scored), "gold": len(TALK[user][2])}
        made.append({"id": user, **counts, "items": len(own), "verdicts": own})
    return made


def write_talks(store: Path, run: dict[str, Any], said: Said, scored: list[dict[str, Any]] | None = None) -> None:
    """A finished run with everything about single items."""
    stage = f"p-{run['run_id']}"
    run["provenance"]["stages"] = {**run["provenance"]["stages"], "predictions": stage}
    run["metrics"]["laps/items_per_history"] = metric(1.5, 1.0, 2.0, len(TALK))
    write_run(store, run, {"laps": scored or rows(said)})
    folder = store / "predictions" / stage / "laps"
    write_lines(folder / "predictions.jsonl", (prediction(user, said).line() for user in TALK))
    write_lines(folder / "histories.jsonl", (history(user).line() for user in TALK))


def write_small_sweep(store: Path) -> None:
    """A sweep `talks` of a cell with two seeds and one without training."""
    write_lines(store / "corpus" / "c" / "train.jsonl", [history(user).line() for user in ("u3", "u5")])
    write_talks(store, zero_shot("zero", f1=metric(0.1, 0.0, 0.3)), POOR)
    write_talks(store, result("lora-s0", f1=metric(0.7, 0.5, 0.9)), GOOD)
    write_talks(store, result("lora-s1", f1=metric(0.6, 0.4, 0.8), cell={"seed": 1}), {**GOOD, "u2": []})
    write_sweep(store, "talks", ["zero", "lora-s0", "lora-s1"])
