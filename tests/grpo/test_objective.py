"""Advantages and loss: by hand, by their laws, and as TRL computes them on the same numbers."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kithe.training.grpo.objective import Sizes, divergence, objective, standing
from kithe.training.grpo.settings import Advantage, Loss

GDPO = Advantage("normalise_then_sum")
NAN = math.nan


def rewards(*groups: list[list[float]]) -> Tensor:
    return torch.tensor(groups)


def test_grpo_by_hand() -> None:
    found = standing(rewards([[1.0], [0.0], [0.0], [0.0]]), torch.ones(1), Advantage(epsilon=1e-8))
    assert found.advantages[0].tolist() == pytest.approx([math.sqrt(3), *[-1 / math.sqrt(3)] * 3], abs=1e-5)
    assert not found.flat.any()


def test_mixtures_that_sum_apart_but_normalise_alike_stay_apart_under_gdpo() -> None:
    # Spec 8.3: group I has sums {0, 1} since one component differs, group II {0, 2} since both do.
    both = rewards([[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]])
    alike = standing(both, torch.ones(2), Advantage(epsilon=1e-8)).advantages
    assert alike[0].tolist() == pytest.approx(alike[1].tolist(), abs=1e-5)
    apart = standing(both, torch.ones(2), GDPO).advantages
    assert (apart[1] / apart[0]).tolist() == pytest.approx([2.0, 2.0], abs=1e-3)


def test_unscorable_rollouts_neither_learn_nor_move_the_baseline() -> None:
    values, weights = rewards([[1.0, 0.0], [0.0, 0.0], [NAN, NAN], [0.5, NAN], [0.5, 0.2]]), torch.tensor([0.7, 0.3])
    for rule in (Advantage(), GDPO):
        with_gap, without = standing(values, weights, rule), standing(values[:, [0, 1, 4]], weights, rule)
        assert with_gap.scored.tolist() == [[True, True, False, False, True]]
        assert with_gap.advantages[0, 2:4].tolist() == [0, 0]
        assert with_gap.advantages[0, [0, 1, 4]].tolist() == pytest.approx(without.advantages[0].tolist())
    assert standing(rewards([[NAN], [NAN]]), torch.ones(1), GDPO).advantages.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("rule", [Advantage(), GDPO])
def test_what_is_watched_decides_nothing(rule: Advantage) -> None:
    weights = torch.tensor([0.3, 0.7, 0.0])
    values = rewards([[0.5, 1.0, 1.0], [0.5, 0.0, NAN], [0.5, 0.5, 0.0], [0.5, NAN, 1.0]], [[0.1, 0.2, 0.0], [0.1, 0.2, 1.0]] * 2)
    found, alone = standing(values, weights, rule), standing(values[..., :2], weights[:2], rule)
    assert found.scored.tolist() == [[True, True, True, False], [True] * 4]
    assert found.advantages.tolist() == alone.advantages.tolist()
    assert found.advantages[0, 3] == 0
    assert found.flat.tolist() == [False, True]


@pytest.mark.parametrize("rule", [Advantage(), GDPO, Advantage(scale="batch"), Advantage(scale="none")])
def test_a_group_of_equals_teaches_nothing_and_is_counted(rule: Advantage) -> None:
    found = standing(rewards([[0.5, 0.2], [0.5, 0.2]]), torch.ones(2), rule)
    assert found.flat.tolist() == [True]
    assert found.advantages.abs().max() == 0


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=8), st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=30, deadline=None)
def test_advantages_forget_shift_and_scale(values: list[float], shift: float, scale: float) -> None:
    here = torch.tensor([[[value] for value in values]], dtype=torch.float64)
    rule = Advantage(epsilon=1e-12)
    first, second = (standing(own, torch.ones(1), rule).advantages for own in (here, here * scale + shift))
    assert float(first.sum().abs()) < 1e-4
    if float(here.max() - here.min()) > 1e-3:
        assert first.flatten().tolist() == pytest.approx(second.flatten().tolist(), abs=1e-3)


def test_the_gradient_of_a_three_armed_bandit_is_that_of_hand() -> None:
    logits = torch.tensor([0.2, -0.1, 0.4], requires_grad=True)
    chosen, gains = torch.tensor([0, 2, 1]), torch.tensor([1.0, -0.5, 0.25])
    policy = logits.log_softmax(-1)[chosen][:, None]
    terms = objective(policy, policy.detach(), None, torch.ones(3, 1), gains, Sizes(3, 3, 1), Loss(kl=0))
    terms.loss.backward()
    share = logits.detach().softmax(-1)
    by_hand = -sum(gain * (torch.eye(3)[arm] - share) for arm, gain in zip(chosen, gains, strict=True)) / 3
    assert logits.grad is not None
    assert logits.grad.tolist() == pytest.approx(by_hand.tolist(), abs=1e-6)


def test_the_divergence_is_zero_at_the_start_and_never_negative() -> None:
    torch.manual_seed(0)
    policy, reference = torch.randn(50) * 3, torch.randn(50) * 3
    assert float(divergence(policy, policy).abs().max()) == 0
    assert float(divergence(policy, reference).min()) >= 0


def test_the_clip_stops_what_has_gone_far_enough_and_only_that() -> None:
    policy = torch.tensor([[0.5], [-0.5]], requires_grad=True)
    terms = objective(policy, torch.zeros(2, 1), None, torch.ones(2, 1), torch.tensor([1.0, 1.0]), Sizes(2, 2, 1), Loss(kl=0))
    terms.loss.backward()
    assert policy.grad is not None
    assert policy.grad[0] == 0
    assert policy.grad[1] < 0
    assert int(terms.clipped) == 1


CASES = [(ratio, how) for ratio in ("token", "sequence") for how in ("grpo", "dapo", "dr_grpo")]


@pytest.mark.parametrize(("ratio", "how"), CASES)
def test_micro_batches_add_up_to_the_whole(ratio: Any, how: Any) -> None:
    policy, old, reference, mask, gains = numbers()
    sizes, rule = Sizes(6, int(mask.sum()), 7), Loss(ratio=ratio, aggregation=how)
    whole = objective(policy, old, reference, mask, gains, sizes, rule).loss
    parts = [
        objective(policy[part], old[part], reference[part], mask[part], gains[part], sizes, rule).loss
        for part in (slice(0, 1), slice(1, 4), slice(4, 6))
    ]
    assert float(sum(parts)) == pytest.approx(float(whole), abs=1e-6)


def numbers() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    policy = -torch.rand(6, 5) * 3
    lengths = torch.tensor([5, 3, 1, 4, 5, 2])
    mask = (torch.arange(5)[None] < lengths[:, None]).int()
    old, reference = policy + 0.3 * torch.randn(6, 5), policy + 0.3 * torch.randn(6, 5)
    return policy, old, reference, mask, torch.randn(6)


def trl_loss(ratio: str, how: str) -> float:
    """TRL's own code, on a trainer that consists of the settings it reads."""
    from trl import GRPOTrainer

    policy, old, reference, mask, gains = numbers()
    same: Any = SimpleNamespace(gather=lambda value: value, reduce=lambda value, reduction: value, num_processes=1)
    own = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *_, **__: (policy, torch.zeros_like(policy), None),
        _metrics={"train": _Lists()},
        model=SimpleNamespace(training=True),
        args=SimpleNamespace(use_bias_correction_kl=False, delta=None, steps_per_generation=1),
        accelerator=same,
        aux_loss_enabled=False,
        top_entropy_quantile=1.0,
        off_policy_mask_threshold=None,
        importance_sampling_level=ratio,
        beta=0.1,
        loss_type=how,
        epsilon_low=0.2,
        epsilon_high=0.2,
        use_vllm=False,
        current_gradient_accumulation_steps=1,
        max_completion_length=7,
        _entropy_bonus_enabled=False,
    )
    inputs = {
        "prompt_ids": torch.zeros(6, 1),
        "prompt_mask": torch.ones(6, 1),
        "completion_ids": torch.zeros(6, 5),
        "completion_mask": mask,
        "advantages": gains,
        "old_per_token_logps": old,
        "ref_per_token_logps": reference,
        "num_items_in_batch": mask.sum(),
    }
    return float(GRPOTrainer._compute_loss(own, None, inputs))


class _Lists(dict[str, list[float]]):
    def __missing__(self, key: str) -> list[float]:
        return self.setdefault(key, [])


@pytest.mark.slow
@pytest.mark.parametrize(("ratio", "how"), CASES)
def test_the_loss_is_trls(ratio: Any, how: Any) -> None:
    pytest.importorskip("trl")
    policy, old, reference, mask, gains = numbers()
    sizes = Sizes(6, int(mask.sum()), 7)
    ours = objective(policy, old, reference, mask, gains, sizes, Loss(ratio=ratio, aggregation=how)).loss
    assert float(ours) == pytest.approx(trl_loss(ratio, how), abs=1e-6)


def test_one_token_that_was_nearly_given_up_is_no_runaway_policy() -> None:
    policy, reference = torch.full((1, 700), -0.1), torch.full((1, 700), -0.1)
    policy[0, 0] = -12.0
    gone = torch.zeros(1, 700), torch.full((1, 700), -12.0)
    for (now, before), kl, drift in (((policy, reference), (100, 300), (-0.1, 0)), (gone, (10, 12), (11.9, 12.1))):
        terms = objective(now, now, before, torch.ones(1, 700), torch.ones(1), Sizes(1, 700, 700), Loss(kl=0.1))
        assert kl[0] < float(terms.kl) / 700 < kl[1]
        assert drift[0] < float(terms.drift) / 700 < drift[1]
