"""Near-duplicates: items of one task whose requests and histories mean the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kithe.records.history import History

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass
class Seen:
    """Remembers items and knows those that are nearly there already.

    Attributes:
        threshold: mean of two cosines, of the requests and of the user's turns together; None: nothing is a duplicate.
        encode: unit-length embeddings [texts, dimensions].
    """

    threshold: float | None
    encode: Encode | None
    _kept: list[NDArray[np.float32]] = field(default_factory=list)

    def again(self, item: History) -> bool:
        """Whether an item is a near-duplicate of one asked about before; if not, it is remembered.

        Raises:
            ValueError: there is a threshold but no encoder.
        """
        if self.threshold is None:
            return False
        vector = self._vector(item)
        if self._kept and float(np.max(np.stack(self._kept) @ vector)) >= self.threshold:
            return True
        self._kept.append(vector)
        return False

    def _vector(self, item: History) -> NDArray[np.float32]:
        """[2 dimensions]: one half for the request, one for what the user said; a dot product is the mean of both cosines."""
        if self.encode is None or item.question is None:
            raise ValueError("near-duplicates need an encoder and items with questions")
        texts = [item.question.text, *(turn.text for turn in item.turns if turn.speaker == item.user)]
        vectors = self.encode(texts)
        said = vectors[1:].mean(axis=0)
        norm = float(np.linalg.norm(said))
        whole = np.concatenate([vectors[0], said / norm if norm else said]) / np.sqrt(2)
        return np.asarray(whole, dtype=np.float32)
