"""The mathematics of group relative policy optimisation, on tensors alone (Shao et al. 2024; spec 8.2, appendix C1)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from kithe.training.grpo.settings import Advantage, Loss


@dataclass(frozen=True)
class Standing:
    """How rollouts stand in their groups.

    Attributes:
        advantages: 0 where a rollout could not be scored, [states, group].
        totals: weighted sums of the rewards, NaN where a component that is learnt has no value, [states, group].
        scored: which rollouts have a reward, [states, group].
        flat: which states give nothing to learn: no two of their scored rollouts differ in what is learnt, [states].
    """

    advantages: Tensor
    totals: Tensor
    scored: Tensor
    flat: Tensor


def standing(rewards: Tensor, weights: Tensor, rule: Advantage) -> Standing:
    """Advantages of rollouts over their group.

    `sum_then_normalise` (GRPO): weighted sum, then mean and deviation of the group. `normalise_then_sum` (GDPO, arXiv
    2601.05242): every component is normalised in its group first, so that different mixtures of rewards cannot end up the
    same; the weighted sum is then normalised over all rollouts of the step.

    A rollout of which a component with a weight could not be scored is out of its group (spec C, 4.5): summed without it, a
    failed call would be worth 0.

    Args:
        rewards: NaN where a component could not be scored, [states, group, components].
        weights: of the components, [components]; one of 0 is watched, and decides nothing.
    """
    totals, rewards, weights = weighed(rewards.double(), weights)
    missing = totals.isnan()
    if rule.aggregation == "sum_then_normalise":
        centred = totals - totals.nanmean(1, keepdim=True)
        found = centred / _scale(totals, rule) if rule.scale != "none" else centred
    else:
        each = (rewards - rewards.nanmean(1, keepdim=True)) / (deviation(rewards, 1, rule) + rule.epsilon)
        mixed = (each * weights).sum(-1)
        found = (mixed - mixed.nanmean()) / (deviation(mixed.flatten(), 0, rule) + rule.epsilon)
    flat = ((_largest(rewards) - _smallest(rewards)) <= 0).all(-1)
    return Standing(found.nan_to_num(nan=0.0).float(), totals, ~missing, flat)


def weighed(rewards: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted sums [...], and the components that are learnt with their weights [..., learnt]; all NaN where one is unknown."""
    learnt = weights != 0
    rewards, weights = rewards[..., learnt], weights[learnt]
    totals = (rewards * weights).sum(-1)
    return totals, rewards.masked_fill(totals.isnan().unsqueeze(-1), torch.nan), weights


def deviation(values: Tensor, dim: int, rule: Advantage) -> Tensor:
    """The standard deviation along `dim`, which is kept, of what is not NaN; 0 for fewer than two values."""
    count = (~values.isnan()).sum(dim, keepdim=True)
    squares = (values - values.nanmean(dim, keepdim=True)).square().nansum(dim, keepdim=True)
    divisor = count - int(rule.deviation == "sample")
    return (squares / divisor.clamp(min=1)).sqrt()


def _scale(totals: Tensor, rule: Advantage) -> Tensor:
    over = deviation(totals, 1, rule) if rule.scale == "group" else deviation(totals.flatten(), 0, rule)
    return over + rule.epsilon


def _largest(rewards: Tensor) -> Tensor:
    return rewards.nan_to_num(nan=-torch.inf).amax(1)


def _smallest(rewards: Tensor) -> Tensor:
    return rewards.nan_to_num(nan=torch.inf).amin(1)


@dataclass(frozen=True)
class Sizes:
    """What a step's loss is divided by: its rollouts, their tokens, and the longest answer there may be."""

    rollouts: int
    tokens: int
    longest: int


@dataclass(frozen=True)
class Terms:
    """The loss of some rollouts and what it is made of.

    Attributes:
        loss: to differentiate; the sum over the micro-batches of a step is the step's loss.
        kl: summed over tokens, in nats, as the loss has it (k3).
        drift: the log-ratio of policy and reference, summed over tokens, in nats: the same divergence by an estimate that one
            token which the policy had nearly given up cannot blow up (k1).
        clipped: tokens whose ratio the clip acts on.
    """

    loss: Tensor
    kl: Tensor
    drift: Tensor
    clipped: Tensor


def objective(
    policy: Tensor, old: Tensor, reference: Tensor | None, mask: Tensor, advantages: Tensor, sizes: Sizes, rule: Loss
) -> Terms:
    """The clipped surrogate with a penalty for leaving the reference.

    Args:
        policy, old, reference: log-probabilities of the tokens now, when they were drawn, and under the frozen reference
            (None: no penalty), [rollouts, length].
        mask: which tokens count, [rollouts, length].
        advantages: [rollouts].
    """
    mask = mask.to(policy.dtype)
    change = policy - old
    if rule.ratio == "sequence":
        change = ((change * mask).sum(-1) / mask.sum(-1).clamp(min=1)).unsqueeze(-1)
    ratio, gain = change.exp(), advantages.unsqueeze(-1)
    bounded = ratio.clamp(1 - rule.clip_low, 1 + rule.clip_high)
    each = -torch.minimum(ratio * gain, bounded * gain)
    reference = policy.detach() if reference is None else reference
    kl = divergence(policy, reference)
    each = (each + rule.kl * kl) * mask
    acts = ((ratio < 1 - rule.clip_low) & (gain < 0)) | ((ratio > 1 + rule.clip_high) & (gain > 0))
    sums = [(own * mask).sum().detach() for own in (kl, policy - reference, acts)]
    return Terms(_gathered(each, mask, sizes, rule), *sums)


def divergence(policy: Tensor, reference: Tensor) -> Tensor:
    """k3, an estimate of KL(policy || reference) from tokens of the policy that is never negative (Schulman 2020)."""
    difference = reference - policy
    return difference.exp() - difference - 1


def _gathered(each: Tensor, mask: Tensor, sizes: Sizes, rule: Loss) -> Tensor:
    if rule.aggregation == "grpo":
        return (each.sum(-1) / mask.sum(-1).clamp(min=1)).sum() / sizes.rollouts
    if rule.aggregation == "dapo":
        return each.sum() / max(1, sizes.tokens)
    return each.sum() / (sizes.rollouts * sizes.longest)
