"""Near-duplicates: items of one task whose requests and histories mean the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kithe.records.history import History

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]


@dataclass
class Seen:
    """Remembers items and knows those that are nearly there already.

    Attributes:
        threshold: mean of two cosines, of the requests and of the user's turns together; None: nothing is a duplicate.
        encode: unit-length embeddings [texts, dimensions]; asked about a text again, it should remember.
    """

    threshold: float | None
    encode: Encode | None
    _items: list[History] = field(default_factory=list)
    _histories: Vectors | None = None

    def again(self, item: History) -> bool:
        """Whether an item is a near-duplicate of one asked about before; if not, it is remembered.

        Raises:
            ValueError: there is a threshold but no encoder.
        """
        if self.threshold is None:
            return False
        if self.encode is None or item.question is None:
            raise ValueError("near-duplicates need an encoder and items with questions")
        own = _said(item, self.encode)
        if self._histories is not None and self._near(item, self._histories @ own, self.threshold, self.encode):
            return True
        self._items.append(item)
        self._histories = own[None] if self._histories is None else np.concatenate([self._histories, own[None]])
        return False

    def _near(self, item: History, cosines: Vectors, threshold: float, encode: Encode) -> bool:
        """Whether one of the remembered items is near; requests are compared only where histories leave it open.

        Histories come first because they share sentences and are shared themselves, while every request is a new text to embed.
        """
        close = np.flatnonzero(cosines >= 2 * threshold - 1 - 1e-6)
        if not len(close):
            return False
        requests = encode([_asked(item), *(_asked(self._items[i]) for i in close)])
        return bool(np.any((requests[1:] @ requests[0] + cosines[close]) / 2 >= threshold - 1e-6))


def _asked(item: History) -> str:
    return item.question.text if item.question else ""


def _said(item: History, encode: Encode) -> Vectors:
    """The direction of the mean of the user's turns [dimensions]."""
    whole = encode([turn.text for turn in item.turns if turn.speaker == item.user]).mean(axis=0)
    return np.asarray(whole / (float(np.linalg.norm(whole)) or 1.0), dtype=np.float32)
