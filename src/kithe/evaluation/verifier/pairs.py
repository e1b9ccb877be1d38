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
from kithe.knowledge.text import stems
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


def strangers(histories: Iterable[History], count: int, seed: int) -> list[Pair]:
    """Unsupported pairs as a search in a history finds them: another user's fact, with the turn that shares most words with it.

    A fact is left out if this user has one that shares half of its content words, since it may be true of both.

    Args:
        histories: with items.
        count: how many; fewer where no words are shared.
        seed: of the draws.
    """
    draw, pool, found = random.Random(f"{seed}/strangers"), list(histories), dict[tuple[str, int, str], Pair]()
    said = [_said(history) for history in pool]
    for _ in range(10 * count if len(pool) > 1 else 0):
        at, other = draw.sample(range(len(pool)), 2)
        history, source = pool[at], pool[other]
        if not source.items or _dialogue(history) == _dialogue(source):
            continue
        statement = draw.choice(source.items).statement
        turn, shared = _nearest(said[at], stems(statement))
        if shared and not any(2 * len(stems(item.statement) & stems(statement)) >= shared for item in history.items):
            told = {"premise": history.turns[turn].text, "context": before(history, turn), "dialogue": history.id}
            found[history.id, turn, statement] = Pair(statement=statement, supported=False, kind="stranger", **told)
        if len(found) == count:
            break
    return list(found.values())


def _said(history: History) -> dict[int, frozenset[str]]:
    return {place: stems(turn.text) for place, turn in enumerate(history.turns) if turn.speaker == history.user}


def _nearest(said: dict[int, frozenset[str]], wanted: frozenset[str]) -> tuple[int, int]:
    """The turn that shares most words, a short one if several do, and how many words are wanted; 0 where none is shared."""
    turn = max(said, key=lambda place: (len(said[place] & wanted), -len(said[place])), default=0)
    return turn, len(wanted) if said.get(turn, frozenset()) & wanted else 0


def _dialogue(history: History) -> str:
    return history.id.rsplit("-", 1)[0]


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
