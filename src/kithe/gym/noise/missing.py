"""Layer 2: what is wanted is clear, what it is about is not; at least one slot is gone or vague."""

import re
from random import Random
from typing import Final, Literal

from kithe.gym.noise.meaning import Meaning, has_word, words_of_noise
from kithe.gym.noise.surface import Register

_SPACE: Final = re.compile(r"\s{2,}")


def struck(meaning: Meaning, original: str, text: str) -> bool:
    """The post-condition of the layer: a slot, or a word that the request is about, is gone that was there; the intent is not."""
    gone = lost(meaning, text) - lost(meaning, original)
    return bool(gone) and (not meaning.intent or has_word(text, meaning.intent))


def lost(meaning: Meaning, text: str) -> set[str]:
    """The slots, and the words that the request is about, that a text does not hold."""
    return {slot for slot in (*meaning.slots, *meaning.soft) if not has_word(text, slot)}


def _target(text: str, meaning: Meaning, rng: Random) -> tuple[str, Literal["number", "name", "word"]] | None:
    """A slot that is still there and apart from the intent, and what it is; a plain word where no slot is left."""
    for pool, soft in ((meaning.slots, False), (meaning.soft, True)):
        left = [slot for slot in pool if has_word(text, slot) and not (meaning.intent and has_word(slot, meaning.intent))]
        if left:
            slot = left[0] if soft else rng.choice(left)
            kind: Literal["number", "name", "word"] = (
                "number" if any(map(str.isdigit, slot)) else "name" if slot[0].isupper() else "word"
            )
            return slot, "word" if soft else kind
    return None


def _replaced(text: str, slot: str, new: str) -> str:
    article = r"(?:(?<!\w)(?:an?|the|its|my|our|your) )?" if new else ""
    changed = re.sub(rf"{article}(?<!\w){re.escape(slot)}(?!\w)", lambda _: new, text, flags=re.IGNORECASE)
    return re.sub(r"\s+([.,!?])", r"\1", _SPACE.sub(" ", changed)).strip()


def absent(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A slot left out."""
    found = _target(text, meaning, rng)
    return _replaced(text, found[0], "") if found else None


def _made_vague(text: str, meaning: Meaning, rng: Random) -> str | None:
    found = _target(text, meaning, rng)
    return _replaced(text, found[0], rng.choice(words_of_noise()["vague"][found[1]])) if found else None


def _alluded(text: str, meaning: Meaning, other: str, rng: Random) -> str | None:
    """Something brought in beside the matter, of which a part is gone already."""
    return f"{text} {rng.choice(words_of_noise()['allusions']).format(reference=other)}" if lost(meaning, text) else None


def vague(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A slot by a word that says nothing; such a word beside the matter where no slot is left to stand for."""
    return _made_vague(text, meaning, rng) or _alluded(text, meaning, rng.choice(words_of_noise()["vague"]["word"]), rng)


def reference(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A slot by something that was never mentioned; beside the matter where no slot is left to stand for."""
    found, other = _target(text, meaning, rng), rng.choice(words_of_noise()["references"])
    return _replaced(text, found[0], other) if found else _alluded(text, meaning, other, rng)


def priority(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A slot made vague, where one is left, and what comes first left open."""
    changed = _made_vague(text, meaning, rng) or (text if lost(meaning, text) else None)
    return f"{changed} {rng.choice(words_of_noise()['priorities'])}" if changed else None
