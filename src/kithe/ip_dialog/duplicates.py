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
    _requests: list[Vectors] = field(default_factory=list)

    def prepare(self, texts: Sequence[str]) -> None:
        """Embed requests that will be asked about, together, which is quicker than one by one."""
        if self.threshold is not None and self.encode is not None:
            self.encode(texts)

    def again(self, item: History) -> bool:
        """Whether an item is a near-duplicate of one asked about before; if not, it is remembered.

        Raises:
            ValueError: there is a threshold but no encoder.
        """
        if self.threshold is None:
            return False
        if self.encode is None or item.question is None:
            raise ValueError("near-duplicates need an encoder and items with questions")
        request = self.encode([item.question.text])[0]
        if self._requests and self._near(item, np.stack(self._requests) @ request, self.threshold, self.encode):
            return True
        self._items.append(item)
        self._requests.append(request)
        return False

    def _near(self, item: History, cosines: Vectors, threshold: float, encode: Encode) -> bool:
        """Whether one of the remembered items is near; histories are compared only where requests leave it open."""
        close = np.flatnonzero(cosines >= 2 * threshold - 1 - 1e-6)
        if not len(close):
            return False
        own = self._said(item, encode)
        return any((cosines[i] + float(self._said(self._items[i], encode) @ own)) / 2 >= threshold - 1e-6 for i in close)

    def _said(self, item: History, encode: Encode) -> Vectors:
        """The direction of the mean of the user's turns [dimensions]."""
        whole = encode([turn.text for turn in item.turns if turn.speaker == item.user]).mean(axis=0)
        return np.asarray(whole / (float(np.linalg.norm(whole)) or 1.0), dtype=np.float32)
