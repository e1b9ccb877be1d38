import pytest

from kithe.llm.embed import Embedder


@pytest.fixture(scope="session")
def encoder() -> Embedder:
    """The real sentence encoder, loaded once."""
    return Embedder()
