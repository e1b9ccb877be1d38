"""Memory of training by arithmetic, against DeepSpeed's own estimators and real tensors."""

import os

import pytest
import scaling
import torch
from hypothesis import given
from hypothesis import strategies as st

from kithe.config.compose import ROOT
from kithe.llm.models import Shape
from kithe.training.adapters import Lora, Recipe
from kithe.training.memory import States, activations, adapters, states

SMALL = Shape("qwen3", 32, 64, 2, 4, 2, 100, 16)


@pytest.mark.parametrize("name", scaling.MODELS)
@pytest.mark.parametrize("devices", [1, 8])
def test_deepspeed_estimates_the_same(name: str, devices: int) -> None:
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    from deepspeed.runtime.zero.stage3 import estimate_zero3_model_states_mem_needs as zero3
    from deepspeed.runtime.zero.stage_1_and_2 import estimate_zero2_model_states_mem_needs as zero2

    mine = states(scaling.shape(name), bf16=True)
    host, device = zero2(mine.learnt, devices, cpu_offload=False)
    assert mine.device(2, devices) == device
    _, device, _ = zero3(mine.learnt, mine.largest, devices, cpu_offload=False)
    assert mine.device(3, devices) == device
    host, device, _ = zero3(mine.learnt, mine.largest, devices, cpu_offload=True, cpu_offload_params=True, zero_init=False)
    assert (mine.host(3, devices), mine.device(3, devices, offload=True)) == (host, device)


def test_the_largest_layer_is_the_one_deepspeed_finds() -> None:
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(SMALL.config(64))
    layers = [sum(own.numel() for own in module.parameters(recurse=False)) for module in model.modules()]
    assert states(SMALL, bf16=True).largest == max(layers)


@pytest.mark.parametrize("attention_only", [False, True])
def test_adapters_are_counted_as_peft_makes_them(attention_only: bool) -> None:
    from transformers import AutoModelForCausalLM

    targets = ["q_proj", "k_proj", "v_proj", "o_proj"] if attention_only else "all-linear"
    model = Lora(Recipe(1e-3), rank=3, target_modules=targets).prepare(AutoModelForCausalLM.from_config(SMALL.config(64)))
    learnt = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert adapters(SMALL, 3, attention_only) == learnt
    assert states(SMALL, bf16=False, rank=3, attention_only=attention_only) == States(SMALL.parameters(), learnt, 3200, False)


@given(st.integers(0, 10**10), st.integers(1, 10**10), st.booleans(), st.integers(1, 64))
def test_more_devices_and_more_division_never_need_more(frozen: int, learnt: int, bf16: bool, devices: int) -> None:
    found = States(frozen, learnt, 0, bf16)
    assert found.device(3, devices) <= found.device(2, devices)
    assert found.device(3, devices + 1) <= found.device(3, devices)
    assert found.device(3, devices, offload=True) == 0 <= found.host(3, devices)
    assert found.whole() == frozen * (2 if bf16 else 4) + learnt * 16


def test_activations_are_of_the_size_that_autograd_keeps() -> None:
    from transformers import AutoModelForCausalLM

    model, tokens, kept = AutoModelForCausalLM.from_config(SMALL.config(64)).train(), 48, {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    own = {parameter.data_ptr() for parameter in model.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = model(input_ids=torch.randint(100, (1, tokens)), use_cache=False).logits.float().logsumexp(-1).sum()
    found = sum(size for place, size in kept.items() if place not in own)
    assert float(loss) == float(loss)
    assert activations(SMALL, tokens, tokens, bf16=False) == pytest.approx(found, rel=0.5)
    assert activations(SMALL, tokens, 1, bf16=False, recompute=True) < activations(SMALL, tokens, 1, bf16=False)


def test_the_page_on_scaling_says_what_the_functions_say() -> None:
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8").splitlines()
    missing = [line for table in (scaling.needs, scaling.choices, scaling.kept) for line in table() if line not in page]
    assert not missing, "print them with `python tests/training/scaling.py`"
