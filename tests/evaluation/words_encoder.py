"""An encoder without a model: texts are alike as far as they share stems."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kithe.knowledge.text import stems


class WordsEncoder:
    """Every stem is a direction of its own, up to chance; a text without content words has one of its own too."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), 2048), dtype=np.float32)
        for row, text in enumerate(texts):
            for stem in stems(text) or {text}:
                rows[row, crc32(stem.encode()) % 2048] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
