"""Layer 3: what is wanted is several things, or things that cannot both be."""

from random import Random

from kithe.gym.noise.meaning import Meaning, intents_in, words_of_noise
from kithe.gym.noise.surface import Register


def unclear(meaning: Meaning, text: str) -> bool:
    """The post-condition of the layer: at least two intents, or both halves of a contradiction."""
    return len(intents_in(text)) >= 2 or contradicted(text)


def contradicted(text: str) -> bool:
    """Whether both halves of a contradiction stand there."""
    return any(one in text and two in text for one, two in words_of_noise()["contradictions"])


def _second(text: str, frames: str, rng: Random) -> str | None:
    """The text and a request for something else."""
    said = intents_in(text)
    others = [(verb, rest) for verb, rest in words_of_noise()["seconds"] if verb not in said]
    if not said or not others:
        return None
    verb, rest = rng.choice(others)
    return f"{text} {rng.choice(words_of_noise()[frames]).format(verb=verb, rest=rest)}"


def several(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A second request beside the first."""
    return _second(text, "also", rng)


def unsure(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A second request that may be the one that is meant."""
    return _second(text, "unsure", rng)


def contradiction(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """Two conditions that cannot both hold."""
    one, two = rng.choice(words_of_noise()["contradictions"])
    return f"{text} {one} {two}"


def changed(text: str, meaning: Meaning, register: Register, rng: Random) -> str | None:
    """A second request instead of the first."""
    return _second(text, "changed", rng)
