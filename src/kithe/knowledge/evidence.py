"""Which words of the user an inferred item rests on."""

from collections.abc import Iterable

from kithe.knowledge.text import stems, words
from kithe.records.history import Evidence, History


def locate(history: History, turns: Iterable[int], statement: str, quote: str) -> Evidence:
    """The evidence of an item among the user's turns at these indexes.

    First choice is a turn that contains the quote, as it is or with other case, punctuation and spacing; the evidence then holds
    the turn's own words. Otherwise it is the whole turn that shares most content with the statement (and the quote), the earlier
    of equals, and the longest where none shares any.

    Raises:
        ValueError: the user has none of these turns.
    """
    spoken = [turn for turn in turns if history.turns[turn].speaker == history.user]
    if not spoken:
        raise ValueError(f"history '{history.id}': the user says nothing in the turns that an item was found in")
    for turn in spoken:
        span = quoted(history.turns[turn].text, quote)
        if span:
            return Evidence(turn=turn, quote=span)
    return Evidence(turn=_closest(history, spoken, f"{statement} {quote}"))


def quoted(text: str, quote: str) -> str:
    """The part of `text` that `quote` quotes, in the text's own spelling; empty where it quotes none."""
    bare = quote.strip()
    if bare and bare in text:
        return bare
    wanted, present = [word for word, _, _ in words(quote)], words(text)
    for first in range(len(present) - len(wanted) + 1 if wanted else 0):
        part = present[first : first + len(wanted)]
        if [word for word, _, _ in part] == wanted:
            return text[part[0][1] : part[-1][2]]
    return ""


def _closest(history: History, spoken: list[int], about: str) -> int:
    wanted = stems(about)

    def closeness(turn: int) -> tuple[float, int]:
        present = stems(history.turns[turn].text)
        shared = len(wanted & present)
        # Relative to the turn's length, so that a long turn does not win by mentioning everything.
        return (shared / len(present) ** 0.5, 0) if shared else (0.0, len(history.turns[turn].text))

    return max(spoken, key=closeness)
