"""Layer 3: what is wanted is several things, or things that cannot both be."""

from random import Random

from kithe.gym.noise.meaning import Meaning, intents_in, words_of_noise
from kithe.gym.noise.surface import Register


def unclear(meaning: Meaning, original: str, text: str) -> bool:
    """The post-condition of the layer: an intent beside others that was not there, or both halves of a contradiction."""
    said = intents_in(text)
    return (len(said) >= 2 and not set(said) <= set(intents_in(original))) or bool(contradicted(text) - contradicted(original))


def contradicted(text: str) -> set[tuple[str, str]]:
    """The contradictions of which both halves stand there."""
    return {(one, two) for one, two in words_of_noise()["contradictions"] if one in text and two in text}


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
