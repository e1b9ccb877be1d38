"""Drawing tokens: each answer from random numbers of its own, whatever else is in its batch."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one answer is drawn.

    Attributes:
        temperature: 0 for the most likely token.
        top_p: the smallest set of tokens with at least this probability is drawn from.
        seed: text that decides the random numbers.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: str = ""


class Draws:
    """The random numbers of a batch's answers: one a token, the same in any batch."""

    def __init__(self, sampling: Sequence[Sampling]) -> None:
        self._sampling = sampling
        self._sources = [random.Random(each.seed) for each in sampling]

    def choose(self, logits: Tensor, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The next token of each row.

        Args:
            logits: [rows, vocabulary]; forbidden tokens are minus infinity.
            numbers: the place of each row in the batch.

        Returns:
            The logits of the tokens [rows], and the tokens [rows].
        """
        tokens = logits.argmax(-1)
        drawn = [row for row, number in enumerate(numbers) if self._sampling[number].temperature > 0]
        if drawn:
            tokens[drawn] = self._draw(logits[drawn], [numbers[row] for row in drawn])
        return logits.gather(-1, tokens[:, None])[:, 0], tokens

    def _draw(self, logits: Tensor, numbers: Sequence[int]) -> Tensor:
        def column(values: Sequence[float]) -> Tensor:
            return torch.tensor(values, dtype=torch.float64, device=logits.device)[:, None]

        heat, top = (column([getattr(self._sampling[n], name) for n in numbers]) for name in ("temperature", "top_p"))
        point = column([self._sources[n].random() for n in numbers])
        probabilities, order = (logits.double() / heat).softmax(-1).sort(descending=True, stable=True)
        total = probabilities.cumsum(-1)
        kept = probabilities * (total - probabilities < top.clamp(min=1e-9))  # the first token is always kept
        place = torch.searchsorted(kept.cumsum(-1), point * kept.sum(-1, keepdim=True), right=True)
        last = (kept > 0).sum(-1, keepdim=True) - 1
        return order.gather(-1, place.minimum(last))[:, 0]
