"""The model of a few thousand bytes that the training tests use."""

from pathlib import Path

import pytest

from tests.training.tiny import make


@pytest.fixture(scope="session")
def bytes_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with weights and tokenizer."""
    folder: Path = tmp_path_factory.mktemp("bytes")
    make(folder)
    return str(folder)
