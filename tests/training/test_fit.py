"""Whole training runs of a two-layer model in this process."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from kithe.errors import ConfigError, Stopped
from kithe.llm.chat import encode
from kithe.llm.models import Folder
from kithe.records.chat import ChatExample
from kithe.training.adapters import FullSFT, Lora, Prompt, Recipe, Trainable, ZeroShot
from kithe.training.export import export
from kithe.training.fit import FitReport, fit
from kithe.training.trainer import Hardware

RECIPE = Recipe(learning_rate=1e-2, epochs=2, effective_batch=8, micro_batch=4, max_length=200)
LORA = Lora(RECIPE, rank=4, alpha=8)
Rows = list[dict[str, Any]]
Fit = Callable[..., tuple[FitReport, Rows]]


@pytest.fixture
def run(spec: Folder, rows: list[ChatExample], tmp_path: Path) -> Fit:
    def call(adapter: Trainable, **changed: Any) -> tuple[FitReport, Rows]:
        metrics: Rows = []
        settings = {"precision": "fp32", "seed": 0, "folder": tmp_path, "sink": metrics.append, **changed}
        return fit(
            adapter, spec, changed.pop("examples", rows), rows[:5], **{k: v for k, v in settings.items() if k != "examples"}
        ), metrics

    return call


def test_an_adapter_is_learnt_reported_and_read_by_plain_peft(
    run: Fit, spec: Folder, rows: list[ChatExample], tmp_path: Path
) -> None:
    report, metrics = run(replace(LORA, recipe=replace(RECIPE, epochs=12)))
    train = [row for row in metrics if row["stage"] == "train"]
    validation = [row for row in metrics if row["stage"] == "validation"]
    assert [row["step"] for row in train] == list(range(1, 33)) == list(range(1, report.steps + 1))
    assert [row["step"] for row in validation] == [*range(3, 33, 3), 32]
    assert sum(row["supervised_tokens"] for row in train) == report.supervised_tokens < report.tokens
    assert train[0]["lr"] == 1e-2 > train[-1]["lr"] > 0
    assert validation[-1]["loss"] < 0.8 * validation[0]["loss"]
    assert (report.dropped, report.dropped_validation, report.logits_check) == (0, 0, 0)
    assert report.seconds > 0
    assert not (tmp_path / "checkpoint").exists()

    base = AutoModelForCausalLM.from_pretrained(spec.path, dtype=torch.float32)
    plain = peft.PeftModel.from_pretrained(base, tmp_path / "weights").eval()
    ours = LORA.load(spec, tmp_path / "weights", "fp32")
    row = encode(spec.tokenizer(), rows[0].prompt, rows[0].answer)
    with torch.no_grad():
        assert torch.equal(plain(torch.tensor([row.ids])).logits, ours(torch.tensor([row.ids])).logits)
        trained = torch.nn.functional.cross_entropy(
            ours(torch.tensor([row.ids])).logits[0, :-1], torch.tensor(row.ids[1:]), reduction="none"
        )
    assert float(trained[-row.targets :].mean()) < validation[0]["loss"]
    assert AutoTokenizer.from_pretrained(tmp_path / "weights").chat_template == spec.tokenizer().chat_template


def test_validation_loss_is_the_mean_over_answer_tokens(run: Fit, spec: Folder, rows: list[ChatExample], tmp_path: Path) -> None:
    _, metrics = run(FullSFT(RECIPE))
    model = FullSFT(RECIPE).load(spec, tmp_path / "weights", "fp32")
    nll, count = 0.0, 0
    for example in rows[:5]:
        row = encode(spec.tokenizer(), example.prompt, example.answer)
        with torch.no_grad():
            logits = model(torch.tensor([row.ids])).logits[0, :-1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(row.ids[1:]), reduction="none")[-row.targets :]
        nll, count = nll + float(losses.sum()), count + row.targets
    assert metrics[-1] == {
        "stage": "validation",
        "step": 6,
        "loss": pytest.approx(nll / count, rel=1e-5),
        "supervised_tokens": count,
    }


def test_a_full_model_is_read_by_plain_transformers(run: Fit, spec: Folder, tmp_path: Path) -> None:
    report, _ = run(FullSFT(RECIPE))
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "weights")
    before = spec.load("fp32").state_dict()
    assert report.logits_check == 0
    assert all(not torch.equal(value, before[name]) for name, value in plain.state_dict().items())


def test_asking_again_does_nothing(run: Fit) -> None:
    first, _ = run(LORA)
    again, metrics = run(LORA)
    assert again == first
    assert metrics == []


def test_bf16_adapters_learn_in_fp32_over_a_bf16_base(run: Fit, spec: Folder, tmp_path: Path) -> None:
    model = LORA.prepare(spec.load("bf16"))
    kinds = {(parameter.requires_grad, parameter.dtype) for parameter in model.parameters()}
    assert kinds == {(True, torch.float32), (False, torch.bfloat16)}
    report, metrics = run(LORA, precision="bf16")
    assert metrics[-1]["loss"] < metrics[0]["loss"]
    assert report.logits_check == 0
    assert {value.dtype for value in load_file(tmp_path / "weights" / "adapter_model.safetensors").values()} == {torch.float32}


def test_bf16_full_training_keeps_fp32_masters_and_writes_bf16(run: Fit, tmp_path: Path) -> None:
    # Steps this small vanish in bf16 weights: 1 + 1e-4 rounds to 1.
    report, metrics = run(FullSFT(replace(RECIPE, learning_rate=1e-4, epochs=10)), precision="bf16")
    losses = [row["loss"] for row in metrics if row["stage"] == "validation"]
    assert losses[-1] < losses[0] - 0.01
    assert report.logits_check == 0
    assert {value.dtype for value in load_file(tmp_path / "weights" / "model.safetensors").values()} == {torch.bfloat16}


def test_recomputing_activations_changes_nothing(run: Fit, tmp_path: Path) -> None:
    adapter = replace(LORA, dropout=0.2)
    _, plain = run(adapter, folder=tmp_path / "a")
    _, recomputed = run(adapter, folder=tmp_path / "b", hardware=Hardware(recompute=True))
    assert [row["loss"] for row in recomputed] == pytest.approx([row["loss"] for row in plain], rel=1e-6)


def test_a_stop_leaves_a_small_checkpoint_that_needs_no_trust(run: Fit, tmp_path: Path) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Stopped, match="after step 3 of 6"):
        run(LORA, stop=lambda: next(asked))
    saved = torch.load(tmp_path / "checkpoint" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 3
    assert saved["state_dict"]
    assert all("lora_" in name for name in saved["state_dict"])
    assert json.loads(saved["kithe"])["seed"] == 0
    with pytest.raises(ConfigError, match="other settings"):
        run(LORA, seed=1)
    _, rest = run(LORA)
    assert [row["step"] for row in rest if row["stage"] == "train"] == [4, 5, 6]


def test_other_weights_than_trained_are_never_called_done(
    run: Fit, spec: Folder, rows: list[ChatExample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lora, "load", lambda self, model, folder, dtype: model.load(dtype))
    with pytest.raises(ArithmeticError, match="other logits"):
        run(LORA)
    assert not (tmp_path / "weights").exists()
    monkeypatch.undo()
    report, metrics = run(LORA)  # the last checkpoint is still there
    assert metrics == []
    assert report.steps == 6


def test_what_is_too_long_is_counted(run: Fit, rows: list[ChatExample]) -> None:
    long = ChatExample(id="long", prompt=rows[0].prompt, answer="x" * 300)
    assert run(LORA, examples=[*rows, long, long])[0].dropped == 2


def test_refusals(run: Fit, spec: Folder, rows: list[ChatExample], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"effective_batch=8 .* nearest effective batches: 6 or 9"):
        run(replace(LORA, recipe=replace(RECIPE, micro_batch=3)))
    with pytest.raises(ConfigError, match=r"no training example is left"):
        run(replace(LORA, recipe=replace(RECIPE, max_length=5)))
    with pytest.raises(ConfigError, match=r"no such training strategy: 'dp'"):
        run(LORA, hardware=Hardware(strategy="dp"))
    with pytest.raises(FloatingPointError, match="learning_rate"):
        run(FullSFT(replace(RECIPE, learning_rate=1e30)))


def test_ways_of_asking() -> None:
    assert ZeroShot([0, 3], ["free", "schema"]).prompts() == [
        Prompt(0, "free"),
        Prompt(0, "schema"),
        Prompt(3, "free"),
        Prompt(3, "schema"),
    ]
    assert replace(LORA, decode="schema").prompts() == [Prompt(0, "schema")]
    assert [adapter.trains for adapter in (ZeroShot(), LORA, FullSFT(RECIPE))] == [False, True, True]


def test_export_replaces_what_a_killed_one_left(spec: Folder, rows: list[ChatExample], tmp_path: Path) -> None:
    (tmp_path / ".weights.part").mkdir()
    (tmp_path / ".weights.part" / "junk").write_text("x")
    model, words = LORA.prepare(spec.load("fp32")), spec.tokenizer()
    row = encode(words, rows[0].prompt, rows[0].answer)
    assert export(LORA, model, words, tmp_path / "weights", spec=spec, precision="fp32", example=row) == 0
    assert not (tmp_path / "weights" / "junk").exists()
    assert not (tmp_path / ".weights.part").exists()
