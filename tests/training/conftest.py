"""A two-layer Llama over bytes in a folder, and examples for it."""

from pathlib import Path

import pytest
from tiny import examples, make

from kithe.llm.models import Folder
from kithe.records.chat import ChatExample


@pytest.fixture(scope="session")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder: Path = tmp_path_factory.mktemp("tiny")
    make(folder)
    return Folder("bytes", str(folder))


@pytest.fixture(scope="session")
def rows() -> list[ChatExample]:
    return examples(21)
