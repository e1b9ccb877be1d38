import math

import pytest

from kithe.knowledge.confidence import item_confidence
from kithe.records.chat import Generation


def spoken(pieces: tuple[str, ...], probabilities: tuple[float, ...]) -> Generation:
    logprobs = tuple(math.log(value) for value in probabilities)
    return Generation(
        id="h#0", text="".join(pieces), finish="stop", prompt_tokens=1, new_tokens=len(pieces), pieces=pieces, logprobs=logprobs
    )


SAID = spoken(('["', "I ski", '."', ', "', "I swim", '."]', ""), (0.9, 0.5, 0.8, 0.7, 0.1, 0.4, 1.0))


def test_the_geometric_mean_of_the_items_tokens() -> None:
    first, second = SAID.text.index('"I ski."'), SAID.text.index('"I swim."')
    # Tokens across the boundary have a part in the item.
    assert item_confidence(SAID, first, first + 8) == pytest.approx((0.9 * 0.5 * 0.8) ** (1 / 3))
    assert item_confidence(SAID, second, second + 9) == pytest.approx((0.7 * 0.1 * 0.4) ** (1 / 3))


def test_without_probabilities_there_is_none() -> None:
    assert item_confidence(SAID.model_copy(update={"logprobs": (), "pieces": ()}), 0, 5) is None
    assert item_confidence(SAID, 40, 41) is None


def test_rounding_makes_no_probability_above_one() -> None:
    sure = SAID.model_copy(update={"logprobs": (1e-6,) * 7})
    assert item_confidence(sure, 0, 5) == 1.0
