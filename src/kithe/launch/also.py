"""Cells beside the product of a sweep: a baseline that shares only some of its choices."""

import shlex
from collections.abc import Sequence


def extended(jobs: Sequence[Sequence[str]], also: Sequence[str]) -> list[list[str]]:
    """The overrides of every cell of a sweep, with those of the further ones after them.

    A further cell has the words that all cells of the product share, but for those it says itself.

    Args:
        jobs: the overrides of each cell of the product.
        also: the words of one further cell each, as they would be typed: `model=qwen3-8b adapt=zero-shot`.
    """
    shared = [word for word in (jobs[0] if jobs else ()) if all(word in job for job in jobs)]
    made = []
    for words in map(shlex.split, also):
        own = {key(word) for word in words}
        made.append([*(word for word in shared if key(word) not in own), *words])
    return [*map(list, jobs), *made]


def key(word: str) -> str:
    """What an override sets."""
    return word.lstrip("+~").split("=", 1)[0]
