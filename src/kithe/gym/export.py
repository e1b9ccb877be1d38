"""From written conversations to the files of a release: the fields of PersonaAtlas as JSON lines and Parquet, and a card.

jsonl/<split>.jsonl      the released fields
parquet/<split>.parquet  the same
trajectories.jsonl       everything else: clean versions, noise records, what each follow-up serves
rejected.jsonl           conversations in which a part failed, with reason and raw text
card.json  README.md     what all this is, with the published figures beside these
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from kithe.corpora.source import Split
from kithe.generation.export import described
from kithe.gym.assistant import scripted_pool
from kithe.gym.bank import bank
from kithe.gym.corpus import SPLITS, Atlas, split_of
from kithe.gym.figures import PUBLISHED, Statistics, reveal
from kithe.gym.records import Released, Trajectory, released
from kithe.records.base import write_json, write_lines

Card = dict[str, Any]

SCRIPTS: Final = (
    "Written by a program that follows scripts: no language model. Users and assistants are scripted; answers have a style and "
    "no useful content."
)


def write_release(talks: Callable[[], Iterable[Trajectory]], folder: Path, atlas: Atlas, origin: Mapping[str, Any]) -> Card:
    """Write every file of a release; returns the card.

    Args:
        talks: the conversations, in order, as often as they are called for.
        folder: where to.
        atlas: how they were made.
        origin: who wrote them, for the card: `teacher`, `scripted`, and whatever else is known.
    """
    statistics = {split: Statistics() for split in SPLITS}
    for split in SPLITS:
        rows = []
        for trajectory in talks():
            if split_of(trajectory.persona_id) == split:
                statistics[split].add(trajectory)
                rows.append(released(trajectory))
        write_lines(folder / "jsonl" / f"{split}.jsonl", (row.model_dump_json() for row in rows))
        write_parquet(folder / "parquet" / f"{split}.parquet", rows)
    write_lines(folder / "trajectories.jsonl", (trajectory.line() for trajectory in talks()))
    card = _card(talks, folder, atlas, statistics, origin)
    write_json(folder / "card.json", card)
    write_lines(folder / "README.md", [_readme(card)])
    return card


def write_parquet(path: Path, rows: list[Released]) -> None:
    """The released fields as columns; `persona` has every dimension of the bank, null where a user has none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, texts = pa.string(), pa.list_(pa.string())
    persona = pa.struct([(name, text) for name in bank().names])  # `datasets` reads no map
    schema = pa.schema(
        [
            ("id", text), ("persona_id", text), ("persona", persona),
            ("original_query", text), ("initial_query", text),
            ("full_conversation", pa.list_(pa.struct([("role", text), ("content", text)]))),
            ("role_utterances", pa.struct([("user", texts), ("assistant", texts)])),
            ("num_turns", pa.int64()), ("distractor_type", text), ("conversation_ended", pa.bool_()),
        ]
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([row.model_dump() for row in rows], schema), path, compression="zstd")


def _card(
    talks: Callable[[], Iterable[Trajectory]],
    folder: Path,
    atlas: Atlas,
    statistics: Mapping[Split, Statistics],
    origin: Mapping[str, Any],
) -> Card:
    names = [f"{kind}/{split}.{kind}" for kind in ("jsonl", "parquet") for split in SPLITS] + ["trajectories.jsonl"]
    names += ["rejected.jsonl"] if (folder / "rejected.jsonl").exists() else []
    whole = Statistics()
    for trajectory in talks():
        whole.add(trajectory)
    return {
        "rejected": {},
        **origin,
        "seed": atlas.seed,
        "options": {"personas": atlas.personas, "sessions": atlas.sessions, "drift": atlas.drift, "noise": atlas.distractor.rate},
        "near_personas": sum(user.near for user in atlas.users),
        "rows": {split: sum(own.turns.values()) for split, own in statistics.items()},
        "users": {split: len(own.users) for split, own in statistics.items()},
        "statistics": whole.report(atlas.distractor, atlas.rules, atlas.drift, scripted_pool() if origin["scripted"] else None),
        "reveal": vars(reveal(talks())),
        "published": PUBLISHED,
        "files": {name: described(folder / name) for name in names},
        "fields": list(Released.model_fields),
        "more": list(Trajectory.model_fields),
    }


def _readme(card: Mapping[str, Any]) -> str:
    own, shown = card["statistics"], card["reveal"]
    writer = SCRIPTS if card["scripted"] else f"Written by `{card['teacher']}`, a language model, in every part."
    header = {
        "license": card["licence"], "language": ["en"], "pretty_name": "Simulated users under friction",
        "tags": ["synthetic", "personalization", "dialogue", "scripted" if card["scripted"] else "llm-generated"],
        "configs": [{"config_name": "default", "data_files": [{"split": s, "path": f"parquet/{s}.parquet"} for s in SPLITS]}],
    }  # fmt: skip
    rows = [
        ("conversations", own["conversations"], PUBLISHED["conversations"]),
        ("personas", own["personas"], PUBLISHED["personas"]),
        ("conversations a persona", own["conversations_per_persona"], PUBLISHED["conversations_per_persona"]),
        ("turns, mean", own["turns"]["mean"], "2.17 and 2.34 (two samples)"),
        ("features a persona, mean", own["features_per_persona"], PUBLISHED["features_per_persona"]),
        ("words a conversation, mean", own["words_per_conversation"], "17,663 tokens, all calls of the generator together"),
    ]
    table = "\n".join(f"| {name} | {ours} | {theirs} |" for name, ours, theirs in rows)
    (a, b), (c, d) = shown["table"]
    return f"""---
{yaml.safe_dump(header, sort_keys=False)}---

# Simulated users whose preferences show only under friction

Conversations with the fields of PersonaAtlas; no real person's text. {writer}
Seed {card["seed"]}, licence {card["licence"]}.

| | this corpus | PersonaAtlas as published |
|---|---:|---:|
{table}

Users are split 80/10/10 by their id; no user is in two splits. Rows: {json.dumps(card["rows"])}.

Of the follow-ups after an answer that goes against a wish, {a} bring it up and {b} do not; after one that meets it, {c} and {d}:
odds ratio {shown["odds_ratio"]:.1f}, 95 % interval {shown["low"]:.1f} to {shown["high"]:.1f} by resampling users.

`trajectories.jsonl` holds what led to each conversation: clean and noised versions of every message with what was done to it, the
wishes each answer goes against or meets, the wish each follow-up serves, and which wishes changed between sessions.
"""
