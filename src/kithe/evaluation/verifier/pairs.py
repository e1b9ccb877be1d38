"""Pairs of what a user said and a statement about the user, with whether the one supports the other."""

import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from kithe.corpora.source import Split
from kithe.corpora.words import tidy
from kithe.errors import ConfigError
from kithe.records.base import Record, open_text
from kithe.records.history import History

Source = Literal["people", "msc"]
FOLDER: Final = "judge_pairs"
PEOPLE: Final = "people"


class Pair(Record):
    """One pair.

    `premise` is a turn of the user, `context` what the partner said just before it; `dialogue` is the unit of resampling, and
    `kind` says how the pair came about: `people` (labelled by hand) or a kind of `kithe.evaluation.verifier.harder`.
    """

    premise: str
    context: str = ""
    statement: str
    supported: bool
    kind: str = PEOPLE
    dialogue: str = ""


def people(split: Split, folder: str | None = None) -> list[Pair]:
    """The pairs that people labelled (`judge_pairs`).

    Args:
        split: of the set.
        folder: where `judge_pairs/<split>.jsonl.gz` lies; None for the environment's KITHE_DATA.

    Raises:
        ConfigError: it is not there.
    """
    root = folder or os.environ.get("KITHE_DATA")
    path = Path(root or "").expanduser() / FOLDER / f"{split}.jsonl.gz"
    if root is None or not path.exists():
        raise ConfigError(
            f"the verifier learns from {FOLDER}/{split}.jsonl.gz, which is not {'in ' + str(root) if root else 'known'}; point "
            "KITHE_DATA at a folder that holds it, or learn from Multi-Session Chat, which can be downloaded (judge.source=msc)"
        )
    with open_text(path) as lines:
        return [_labelled(json.loads(line)) for line in lines]


def from_histories(histories: Iterable[History], count: int, seed: int) -> list[Pair]:
    """Half supported, half not: facts with the turn they were found in, and that turn with another fact.

    The other fact is of the same person: it was found more than two turns away, and never in that turn.

    Args:
        histories: with evidence of their items.
        count: how many pairs, both labels together.
        seed: of the draw.
    """
    draw, pool = random.Random(f"{seed}/pairs"), list(histories)
    draw.shuffle(pool)
    made: list[Pair] = []
    # A few facts of each history, so that as many people as possible are heard.
    each = max(1, -(-count // (2 * max(1, len(pool)))))
    for history in pool:
        made += _of(history, each, draw)
    draw.shuffle(made)
    return made[:count]


def _of(history: History, each: int, draw: random.Random) -> Iterator[Pair]:
    facts = [(item.statement, item.evidence[0].turn) for item in history.items if item.evidence]
    for statement, turn in draw.sample(facts, min(each, len(facts))):
        shown = {text for text, place in facts if place == turn}
        others = [text for text, place in facts if abs(place - turn) > 2 and text not in shown]
        said = {"premise": history.turns[turn].text, "context": before(history, turn), "dialogue": history.id, "kind": "msc"}
        yield Pair(statement=statement, supported=True, **said)
        if others:
            yield Pair(statement=draw.choice(others), supported=False, **said)


def before(history: History, turn: int) -> str:
    """What the partner said just before a turn of the user; empty at the start of a session."""
    if turn == 0:
        return ""
    earlier, own = history.turns[turn - 1], history.turns[turn]
    return earlier.text if earlier.speaker != own.speaker and earlier.session == own.session else ""


def _labelled(row: dict[str, str | None]) -> Pair:
    return Pair(
        premise=tidy(row["premise"] or ""),
        context=tidy(row["context"] or ""),
        statement=tidy(row["hypothesis"] or ""),
        supported=row["label"] == "entailment",
        dialogue=row["dialogue"] or "",
    )


def texts(pairs: Sequence[Pair]) -> list[tuple[str, str, str]]:
    """Context, premise and statement of each pair, as the cross-encoder reads them."""
    return [(pair.context, pair.premise, pair.statement) for pair in pairs]
