"""Whether two histories hold the same dialogue, however each set spelt it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from kithe.corpora.words import words
from kithe.records.history import History

_TURNS: Final = 8
_SHORTEST: Final = 4
_SHARED: Final = 3


def opening(history: History) -> frozenset[str]:
    """The first turns of the first session in plain words, without greetings and other short ones."""
    first = [turn for turn in history.turns if turn.session == history.turns[0].session][:_TURNS]
    said = [words(turn.text) for turn in first]
    return frozenset(" ".join(turn) for turn in said if len(turn) >= _SHORTEST)


class Dialogues:
    """A growing set of dialogues, known by how they open: two are the same if three of their first eight turns agree.

    Case, punctuation, contractions and number words do not matter, so PersonaChat's lower-case tokens and their true-cased copies
    in MSC agree.
    """

    def __init__(self) -> None:
        self._holders: dict[str, set[int]] = defaultdict(set)
        self._size = 0

    def add(self, histories: Iterable[History]) -> None:
        """Take more dialogues in."""
        for history in histories:
            for turn in opening(history):
                self._holders[turn].add(self._size)
            self._size += 1

    def holds(self, history: History) -> bool:
        """Whether the dialogue is already here."""
        shared = Counter(holder for turn in opening(history) for holder in self._holders.get(turn, ()))
        return bool(shared) and shared.most_common(1)[0][1] >= _SHARED
