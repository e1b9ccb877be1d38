import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import examples, tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM

from kithe.llm.chat import Encoded
from kithe.llm.models import Folder
from kithe.training.adapters import Lora, Recipe
from kithe.training.data import Batch, Plan, collate, tokenise
from kithe.training.module import adamw, loss_sum, rate, supervised_logits

ROWS = tokenise(tokenizer(), examples(8), 500).rows
SMALL = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
}
FAMILIES = {
    "llama": {},
    "qwen3": {},
    "gemma2": {"final_logit_softcapping": 0.05, "sliding_window": 16},
    "gemma3_text": {"sliding_window": 16},
}


def network(family: str) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **SMALL, **FAMILIES[family]))
    return model.eval()


def by_hand(model: nn.Module, rows: list[Encoded]) -> Tensor:
    """The loss of rows one by one, without padding, from all their logits."""
    total = torch.tensor(0.0)
    for row in rows:
        ids = torch.tensor([row.ids])
        likelihoods = model(input_ids=ids, use_cache=False).logits[0].log_softmax(-1)
        for place, (token, learnt) in enumerate(zip(row.ids, row.supervised, strict=True)):
            if learnt:
                total = total - likelihoods[place - 1, token]
    return total


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_those_of_the_whole_forward_pass(family: str) -> None:
    model, batch = network(family), collate(ROWS[:3])
    logits, targets = supervised_logits(model, batch)
    whole = model(input_ids=batch.ids, attention_mask=batch.attention, use_cache=False).logits
    assert torch.allclose(logits, whole[:, :-1][batch.supervised[:, 1:]], atol=1e-6)
    assert len(logits) == len(targets) == sum(row.targets for row in ROWS[:3])
    assert whole.shape == (*batch.ids.shape, 300), "the hook must be gone"
    assert torch.allclose(loss_sum(model, batch), by_hand(model, ROWS[:3]), rtol=1e-5)


def test_adapters_are_part_of_the_logits(spec: Folder) -> None:
    model = Lora(Recipe(learning_rate=1.0), rank=2).prepare(spec.load("fp32")).eval()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=3)
    assert torch.allclose(loss_sum(model, collate(ROWS)), by_hand(model, ROWS), rtol=1e-5)
    assert not torch.allclose(loss_sum(model, collate(ROWS)), by_hand(spec.load("fp32"), ROWS), rtol=1e-2)


def gradient(model: nn.Module, batches: list[Batch]) -> Tensor:
    model.zero_grad()
    for batch in batches:
        (loss_sum(model, batch) / batch.targets).backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])


def test_micro_batches_do_not_change_the_gradient() -> None:
    model = network("llama").double()
    plans = [
        Plan.make(
            [len(row.ids) for row in ROWS],
            [row.targets for row in ROWS],
            seed=0,
            epochs=1,
            effective_batch=8,
            micro_batch=micro,
            world=1,
        )
        for micro in (8, 4, 1)
    ]
    found = [
        gradient(model, [collate([ROWS[row] for row in part], plan.targets[0]) for part in plan.micro_batches(0, 0)])
        for plan in plans
    ]
    assert float(found[0].norm()) > 0.1
    assert torch.allclose(found[0], found[1], atol=1e-9)
    assert torch.allclose(found[0], found[2], atol=1e-9)


def test_the_loss_of_a_mean_over_micro_batches_would_differ() -> None:
    """The rows are unequal enough that averaging means would be noticed."""
    model = network("llama").double()
    means = [gradient(model, [collate([row], row.targets)]) / 8 for row in ROWS]
    right = gradient(model, [collate(ROWS, sum(row.targets for row in ROWS))])
    assert not torch.allclose(right, torch.stack(means).sum(0), atol=1e-3)


def test_the_rate_rises_and_falls() -> None:
    assert [rate(step, 100, 0.03) for step in (0, 1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert rate(3 + 97 // 2, 100, 0.03) == pytest.approx(0.5 * (1 + math.cos(math.pi * 48 / 97)))
    assert 0 < rate(99, 100, 0.03) < 0.001
    assert [rate(0, 1, 0.5), rate(1, 1, 0.5)] == [1, 0.5 * (1 + math.cos(0))]


@given(steps=st.integers(1, 400), warmup=st.floats(0, 1))
def test_every_step_learns_and_none_above_the_peak(steps: int, warmup: float) -> None:
    values = [rate(step, steps, warmup) for step in range(steps)]
    assert all(0 < value <= 1 for value in values)
    assert max(values) == 1


RECIPE = Recipe(learning_rate=1e-2, epochs=1, effective_batch=1, micro_batch=1, max_length=64)


def step(optimiser: torch.optim.Optimizer, weights: Tensor, number: int) -> None:
    weights.grad = torch.randn(weights.shape, generator=torch.Generator().manual_seed(number))
    optimiser.step()


def plain(weights: Tensor) -> torch.optim.AdamW:
    first, second = RECIPE.betas
    return torch.optim.AdamW([weights], lr=RECIPE.learning_rate, betas=(first, second), weight_decay=RECIPE.weight_decay)


def test_the_optimiser_is_adamw_to_rounding() -> None:
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 1001)) for _ in range(2))
    mine, other = adamw([ours], RECIPE), plain(theirs)
    for number in range(20):
        step(mine, ours, number)
        step(other, theirs, number)
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert not torch.allclose(ours, torch.linspace(-1, 1, 1001), atol=1e-2)


def test_what_another_form_of_it_began_it_goes_on_with_to_the_bit() -> None:
    straight, resumed = (nn.Parameter(torch.linspace(-1, 1, 1001)) for _ in range(2))
    whole, begun = plain(straight), plain(resumed)
    for number in range(10):
        step(whole, straight, number)
        step(begun, resumed, number)
    goes_on = adamw([resumed], RECIPE)
    goes_on.load_state_dict(begun.state_dict())
    for number in range(10, 20):
        step(whole, straight, number)
        step(goes_on, resumed, number)
    assert torch.equal(straight, resumed)
