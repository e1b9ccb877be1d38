"""Our GRPO loss and TRL's own code on the same numbers; a part of `benchmarks.grpo`."""

from types import SimpleNamespace
from typing import Any

Row = dict[str, Any]


def loss() -> tuple[list[Row], Row]:
    """Our loss and TRL's own code on the same numbers, over both ratios and all three aggregations."""
    import torch
    from trl import GRPOTrainer

    from kithe.training.grpo.objective import Sizes, objective
    from kithe.training.grpo.settings import Loss

    rows = []
    for seed in range(5):
        for ratio in ("token", "sequence"):
            for how in ("grpo", "dapo", "dr_grpo"):
                torch.manual_seed(seed)
                policy, gains = -torch.rand(8, 12) * 4, torch.randn(8)
                mask = (torch.arange(12)[None] < torch.randint(1, 13, (8, 1))).int()
                old, reference = policy + 0.3 * torch.randn(8, 12), policy + 0.3 * torch.randn(8, 12)
                own = objective(
                    policy,
                    old,
                    reference,
                    mask,
                    gains,
                    Sizes(8, int(mask.sum()), 16),
                    Loss(ratio=ratio, aggregation=how),  # type: ignore[arg-type]
                )
                inputs = _inputs(policy, old, reference, mask, gains)
                theirs = float(GRPOTrainer._compute_loss(_trainer(policy, ratio, how), None, inputs))
                rows.append(
                    {"part": "loss", "seed": seed, "ratio": ratio, "aggregation": how, "ours": float(own.loss), "trl": theirs}
                )
    return rows, {"loss_diff_to_trl": max(abs(row["ours"] - row["trl"]) for row in rows)}


def _inputs(policy: Any, old: Any, reference: Any, mask: Any, gains: Any) -> Row:
    import torch

    return {
        "prompt_ids": torch.zeros(len(policy), 1), "prompt_mask": torch.ones(len(policy), 1),
        "completion_ids": torch.zeros_like(policy), "completion_mask": mask, "advantages": gains,
        "old_per_token_logps": old, "ref_per_token_logps": reference, "num_items_in_batch": mask.sum(),
    }  # fmt: skip


def _trainer(policy: Any, ratio: str, how: str) -> Any:
    """What TRL's loss reads of a trainer."""
    import torch

    same = SimpleNamespace(gather=lambda value: value, reduce=lambda value, reduction: value, num_processes=1)
    return SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *_, **__: (policy, torch.zeros_like(policy), None),
        _metrics={"train": _Lists()}, model=SimpleNamespace(training=True), accelerator=same, aux_loss_enabled=False,
        args=SimpleNamespace(use_bias_correction_kl=False, delta=None, steps_per_generation=1), top_entropy_quantile=1.0,
        off_policy_mask_threshold=None, importance_sampling_level=ratio, beta=0.1, loss_type=how, epsilon_low=0.2,
        epsilon_high=0.2, use_vllm=False, current_gradient_accumulation_steps=1, max_completion_length=16,
        _entropy_bonus_enabled=False,
    )  # fmt: skip


class _Lists(dict[str, list[float]]):
    def __missing__(self, key: str) -> list[float]:
        return self.setdefault(key, [])
