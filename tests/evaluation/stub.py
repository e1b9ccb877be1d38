"""An encoder without a model: a statement "<name>" has the vector it is given."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class StubEncoder:
    """Vectors from a table, normalised; `calls` counts the texts that were asked for."""

    def __init__(self, vectors: Mapping[str, Sequence[float]]) -> None:
        self.vectors = vectors
        self.calls: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls += texts
        rows = np.array([self.vectors[text] for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
