"""How sure a model was of one item, from the probabilities of the tokens it wrote the item with."""

import math
from itertools import accumulate

from kithe.records.chat import Generation


def item_confidence(generation: Generation, start: int, end: int) -> float | None:
    """exp(mean log-probability) of the tokens that have a part in `text[start:end]`; None where there are no probabilities.

    Args:
        generation: with `pieces` that together are its text.
        start, end: the item's characters in the text.
    """
    if not generation.logprobs:
        return None
    ends = list(accumulate(len(piece) for piece in generation.pieces))
    starts = [0, *ends[:-1]]
    inside = [
        logprob
        for logprob, begin, stop in zip(generation.logprobs, starts, ends, strict=True)
        if begin < end and stop > start and stop > begin
    ]
    return min(1.0, math.exp(math.fsum(inside) / len(inside))) if inside else None
