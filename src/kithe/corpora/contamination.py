"""What a training corpus and a test set have in common, that they should not."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from kithe.corpora.words import words
from kithe.records.history import History

_N: Final = 13
_EXAMPLES: Final = 3


def report(train: Iterable[History], test: Iterable[History]) -> dict[str, Any]:
    """Counts and up to three examples of each kind of overlap; plain JSON values.

    - `ngrams`: test turns that hold a run of 13 plain words found in a training turn; `share` of all test turns
    - `ids`: test histories with the id of a training history, that is of the same user
    - `twins`: test histories of the same personas as a training history of another corpus
    - `dialogues`: test histories whose every turn is that of a training history
    - `facts`: test facts that are a training fact of the same dialogue, word by word

    Returns:
        `{train_histories, test_histories, <kind>: {count, examples: [{train, test, text}]}}`.
    """
    trained = [_Plain.of(history) for history in train]
    tested = [_Plain.of(history) for history in test]
    turns = sum(len(plain.turns) for plain in tested)
    ngrams = _shared(trained, tested, lambda plain: (tuple(_runs(turn)) for turn in plain.turns))
    return {
        "train_histories": len(trained),
        "test_histories": len(tested),
        "ngrams": {**ngrams, "n": _N, "share": ngrams["count"] / turns if turns else 0.0},
        "ids": _shared(trained, tested, lambda plain: [(plain.id,)]),
        "twins": _shared(trained, tested, lambda plain: [(plain.personas,)], distinct=True),
        "dialogues": _shared(trained, tested, lambda plain: [(plain.dialogue,)]),
        "facts": _shared(trained, tested, lambda plain: ((f"{fact} @ {plain.dialogue}",) for fact in plain.facts)),
    }


@dataclass(frozen=True)
class _Plain:
    """A history in plain words."""

    id: str
    personas: str
    turns: tuple[str, ...]
    facts: tuple[str, ...]

    @classmethod
    def of(cls, history: History) -> Self:
        turns = tuple(" ".join(words(turn.text)) for turn in history.turns)
        facts = tuple(" ".join(words(item.statement)) for item in history.items)
        return cls(history.id, history.twin or history.id, turns, facts)

    @property
    def dialogue(self) -> str:
        return " / ".join(self.turns)


# Several alternatives a thing: a turn is known by each of its runs of words, everything else by one key.
_Keys = Callable[[_Plain], Iterable[tuple[str, ...]]]


def _shared(train: list[_Plain], test: list[_Plain], keys: _Keys, distinct: bool = False) -> dict[str, Any]:
    """How many things of the test histories share a key with the training histories; `distinct`: with another history only."""
    holders = {key: plain.id for plain in reversed(train) for thing in keys(plain) for key in thing}
    hits = [hit for plain in test for thing in keys(plain) if (hit := _hit(holders, plain, thing, distinct))]
    return {"count": len(hits), "examples": hits[:_EXAMPLES]}


def _hit(holders: dict[str, str], plain: _Plain, thing: tuple[str, ...], distinct: bool) -> dict[str, str] | None:
    for key in thing:
        holder = holders.get(key)
        if holder is not None and not (distinct and holder == plain.id):
            return {"train": holder, "test": plain.id, "text": key[:120]}
    return None


def _runs(text: str) -> Iterator[str]:
    said = text.split()
    for start in range(len(said) - _N + 1):
        yield " ".join(said[start : start + _N])
