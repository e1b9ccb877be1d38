"""A run's weights handed on: plain libraries read them, and nothing of this machine goes with them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from kithe import cli
from kithe.cell import Cell
from kithe.config.compose import compose
from kithe.errors import ConfigError
from kithe.generation import hub
from kithe.records.base import write_json
from kithe.release import release

RESULT = {
    "cell": {"adapt": "lora", "data": "synthetic"},
    "environment": {},
    "metrics": {"sample/f1": {"value": 0.25, "low": 0.125, "high": 0.5, "n": 12}, "sample/parsed": {"value": 1.0}},
    "provenance": {
        "training": {"examples": 10, "supervised_tokens": 99, "steps": 3, "logits_check": 0.0},
        "corpus": {"facts": 40, "source": "synthetic", "scripted": True},
    },
}


def finished(adapt: str, store: Path, *words: str) -> Cell:
    """A done run whose weights are random."""
    cell = Cell.of(compose([f"adapt={adapt}", "model=tiny", f"paths.store={store}", *words]))
    cell.prepare()
    write_json(cell.folder.path / "result.json", {"run_id": cell.name, **RESULT})
    cell.folder.mark("done")
    if cell.identity.weights:
        torch.manual_seed(0)
        spec = cell.build("model")
        model = cell.adapter.prepare(spec.load("fp32"))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.02)
        folder = cell.store.weights(cell.identity.weights).path / "weights"
        cell.adapter.export(model, folder)
        spec.tokenizer().save_pretrained(folder)
    return cell


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(torch.arange(5, 30)[None], use_cache=False).logits  # type: ignore[no-any-return]


def test_an_adapter_is_read_by_plain_peft_and_names_its_base(tmp_path: Path) -> None:
    cell = finished("lora", tmp_path / "store")
    made = release(cell.store, cell.name, tmp_path / "out")
    assert {"README.md", "adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= set(made.files)
    base = AutoModelForCausalLM.from_pretrained(cell.build("model").folder())
    wanted = cell.adapter.load(cell.build("model"), cell.store.weights(str(cell.identity.weights)).path / "weights", "fp32")
    assert torch.equal(logits(peft.PeftModel.from_pretrained(base, tmp_path / "out")), logits(wanted))
    written = "".join(
        path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("*.[jm][sd]*") if "token" not in path.name
    )
    assert str(tmp_path) not in written
    assert str(Path.home() / ".cache") not in written
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert config["target_modules"] == sorted(config["target_modules"])
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| sample/f1 | 0.250 | 0.125 to 0.500 | 12 |" in card
    assert "40 facts of synthetic (scripted" in card
    assert "PeftModel.from_pretrained" in card


def test_merged_weights_answer_as_base_and_adapter(tmp_path: Path) -> None:
    cell = finished("lora", tmp_path / "store")
    made = release(cell.store, cell.name, tmp_path / "out", merge=True)
    assert made.check["largest_difference"] < 1e-3
    assert made.check["same_next_token"] == 1
    assert not list((tmp_path / "out").glob("adapter*"))
    wanted = cell.adapter.load(cell.build("model"), cell.store.weights(str(cell.identity.weights)).path / "weights", "fp32")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert torch.allclose(logits(plain), logits(wanted), atol=1e-4)
    assert not torch.allclose(logits(plain), logits(cell.build("model").load("fp32")), atol=1e-2)
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template
    assert "next token is the same at 100.0%" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_whole_model_is_exported_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = finished("sft", tmp_path / "store")
    cli.main(["export", cell.name, "--store", str(tmp_path / "store"), "--merge"])
    folder = tmp_path / "store" / "exports" / cell.name
    assert str(folder / "model.safetensors") in capsys.readouterr().out
    wanted = cell.adapter.load(None, cell.store.weights(str(cell.identity.weights)).path / "weights", "fp32")
    assert torch.equal(logits(AutoModelForCausalLM.from_pretrained(folder)), logits(wanted))


def test_refusals(tmp_path: Path, refused: Callable[..., str]) -> None:
    store = tmp_path / "store"
    shot, cell = finished("zero-shot", store), finished("sft", store)
    with pytest.raises(ConfigError, match=r"trains nothing.* adapt=lora or adapt=sft"):
        release(shot.store, shot.name, tmp_path / "a")
    with pytest.raises(ConfigError, match=r"did not come as a Llama GGUF.* convert_hf_to_gguf"):
        release(cell.store, cell.name, tmp_path / "a", gguf=True)
    assert not (tmp_path / "a").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(ConfigError, match="not empty"):
        release(cell.store, cell.name, tmp_path / "full")
    cell.folder.mark("failed", error="")
    with pytest.raises(ConfigError, match="is failed, not done"):
        release(cell.store, cell.name, tmp_path / "a")
    assert "--merge and --gguf are for a run's weights" in refused("export", "nothing", "--store", store, "--merge")


def test_weights_are_sent_as_a_model_and_privately() -> None:
    calls = []

    class Recorder:
        def create_repo(self, repo_id: str, **more: Any) -> None:
            calls.append({"repo_id": repo_id, **more})

        def upload_folder(self, **more: Any) -> None:
            calls.append(more)

    hub.send(Path("here"), ["README.md"], "me/mine", kind="model", hub=Recorder())
    assert calls == [
        {"repo_id": "me/mine", "repo_type": "model", "private": True, "exist_ok": True},
        {"repo_id": "me/mine", "repo_type": "model", "folder_path": "here", "allow_patterns": ["README.md"]},
    ]


@pytest.mark.slow
def test_a_gguf_of_a_tuned_model_is_served_and_says_what_transformers_says(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    from openai import OpenAI

    from tests.llm.serving import Served, serving

    cell = finished("lora", tmp_path / "store", "model=smollm2-135m")
    release(cell.store, cell.name, tmp_path / "out", gguf=True)
    tokenizer, model = AutoTokenizer.from_pretrained(tmp_path / "out"), AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out", gguf_file="model.gguf", dtype=torch.float32)
    mine = dict(model.named_parameters())
    assert all(torch.allclose(value, mine[name], rtol=1e-3, atol=1e-5) for name, value in again.named_parameters())
    messages = [{"role": "user", "content": "Name three colours."}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    said = model.generate(**ids, max_new_tokens=8, do_sample=False)[0, ids["input_ids"].shape[1] :]
    with serving(file=tmp_path / "out" / "model.gguf") as served:
        client = OpenAI(base_url=served.base_url, api_key="none")
        answer = client.chat.completions.create(model=Served.model, messages=messages, max_tokens=8, temperature=0)
    assert answer.choices[0].message.content == tokenizer.decode(said, skip_special_tokens=True)
