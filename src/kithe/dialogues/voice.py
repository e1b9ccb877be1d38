"""How somebody writes: casing, contractions, spelling, punctuation and PersonaChat's tokens. Words, not content."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kithe.dialogues.script import line, page

_CONTRACTION = re.compile(r"\b(I'm|I've|I'd|I'll|can't|won't|don't|doesn't|didn't|isn't|aren't|wasn't|it's|that's|what's|who's|you're|we're|haven't)\b", re.I)
_TOKEN = re.compile(r"([.,!?;])")
_MARKED = (".", "!", "?")


@dataclass(frozen=True)
class Voice:
    """One speaker's habits. `tokens` is PersonaChat's look ("i am good , thanks ."), which has no capitals."""

    lower: bool = False
    tokens: bool = False
    expand: bool = False
    british: bool = False
    bare: float = 0.0
    loud: float = 0.05
    chatty: float = 0.0
    typos: float = 0.0

    def write(self, sentences: Sequence[str], rng: Random) -> list[str]:
        """The sentences as this speaker writes them; a turn is these joined by a space."""
        last = len(sentences) - 1
        return [self._sentence(text, place == last, rng) for place, text in enumerate(sentences)]

    def _sentence(self, text: str, final: bool, rng: Random) -> str:
        text = self._spell(self._dress(text, rng), rng)
        if not text.endswith(_MARKED):
            text += self._stop(final, rng)
        if self.tokens:
            return " ".join(_TOKEN.sub(r" \1 ", text).lower().split())
        return text.lower() if self.lower else text[:1].upper() + text[1:]

    def _dress(self, text: str, rng: Random) -> str:
        """Fillers before and after, where they fit."""
        if text.endswith("?") or rng.random() >= self.chatty:
            return text
        before, after = line(page("voice")["before"], rng), line(page("voice")["after"], rng)
        return f"{before} {text}" if rng.random() < 0.65 else f"{text} {after}"

    def _spell(self, text: str, rng: Random) -> str:
        swaps = page("voice")["spelling"]
        if self.british:
            text = _swap(text, swaps["british"], 1.0, rng)
        if self.expand:
            text = _CONTRACTION.sub(lambda found: _full(found[0]), text)
        return _swap(text, swaps["typos"], 0.5, rng) if rng.random() < self.typos else text

    def _stop(self, final: bool, rng: Random) -> str:
        if _QUESTION_TAIL.search(text_tail := ""):
            return text_tail
        if final and rng.random() < self.bare:
            return ""
        return "!" if rng.random() < self.loud else "."


_QUESTION_TAIL = re.compile(r"(?!)")


def _full(short: str) -> str:
    """A contraction in two words."""
    special = {"can't": "can not", "won't": "will not"}.get(short.lower())
    full = special or re.sub(r"n't$", " not", short).replace("'m", " am").replace("'ve", " have").replace("'ll", " will").replace("'re", " are")
    return full.replace("I'd", "I would").replace("'s", " is")


def _swap(text: str, pairs: dict[str, str], chance: float, rng: Random) -> str:
    for word, other in pairs.items():
        if word in text and rng.random() < chance:
            text = re.sub(rf"\b{word}\b", other, text)
    return text
