"""Hand-written pairs about the same thing (`challenge.yaml`), in two halves: for development, and to be read once a version."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from kithe.evaluation.agreement import agreement
from kithe.evaluation.judging.verdicts import Question
from kithe.evaluation.scores import Metric
from kithe.evaluation.verifier.pairs import Pair
from kithe.records.history import History, KnowledgeItem, Turn

Half = Literal["development", "report"]
HALVES: Final[tuple[Half, ...]] = ("development", "report")
USER, PARTNER = "user", "partner"
_NEGATION: Final = re.compile(
    r"\b(?:not|no|never|nothing|nobody|none|neither|nor|without|hardly|cannot|dislike|hate|avoid|stopped|couldn't|wouldn't|\w+n't)\b",
    re.IGNORECASE,
)
_SHORT, _MIDDLE = 8, 20  # words of what was said


@cache
def challenge(half: Half) -> tuple[Pair, ...]:
    """The pairs of one half; pairs that share the user's words have the same `dialogue`, and are in the same half."""
    groups: dict[str, list[dict[str, Any]]] = yaml.safe_load(
        Path(__file__).with_name("challenge.yaml").read_text(encoding="utf-8")
    )
    chosen = (
        (kind, number, group)
        for kind, some in groups.items()
        for number, group in enumerate(some)
        if number % 2 == HALVES.index(half)
    )
    return tuple(pair for kind, number, group in chosen for pair in _pairs(kind, number, group))


def slices(pair: Pair) -> tuple[str, ...]:
    """What a pair is counted under: its kind, where something is negated, and how much the user says."""
    negated = [bool(_NEGATION.search(text)) for text in (pair.premise, pair.statement)]
    negation = {(True, True): "both", (True, False): "words", (False, True): "statement", (False, False): "none"}
    words = len(pair.premise.split())
    length = "short" if words <= _SHORT else "middle" if words <= _MIDDLE else "long"
    return f"kind: {pair.kind}", f"negation: {negation[negated[0], negated[1]]}", f"length: {length}"


def question(pair: Pair, number: int) -> Question:
    """A pair as a question about a very short history."""
    turns = [Turn(speaker=PARTNER, text=pair.context)] if pair.context else []
    history = History(id=f"pair-{number}", source="pairs", user=USER, turns=(*turns, Turn(speaker=USER, text=pair.premise)))
    return Question(f"pair-{number}", history, KnowledgeItem(statement=pair.statement))


def by_slice(pairs: Sequence[Pair], said: Sequence[bool], resamples: int = 2000) -> dict[str, dict[str, Metric]]:
    """Slice -> figures of `agreement`, with intervals over groups of pairs that share the user's words."""
    names = sorted({name for pair in pairs for name in slices(pair)})
    found = {}
    for name in names:
        some = [index for index, pair in enumerate(pairs) if name in slices(pair)]
        found[name] = agreement(
            [pairs[index].supported for index in some],
            [said[index] for index in some],
            [pairs[index].dialogue for index in some],
            resamples,
        )
    return found


def _pairs(kind: str, number: int, group: Mapping[str, Any]) -> Iterator[Pair]:
    for key, supported in (("holds", True), ("fails", False)):
        for statement in group[key]:
            yield Pair(
                premise=group["said"],
                context=group.get("before", ""),
                statement=statement,
                supported=supported,
                kind=kind,
                dialogue=f"{kind}-{number}",
            )
