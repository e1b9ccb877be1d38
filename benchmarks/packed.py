"""Rows laid end to end and held apart by attention, to be measured against padded rows; imports torch and transformers alone.

Attention is given where rows end, so no token sees another row: on GPUs by torch's attention over rows of various lengths,
elsewhere row by row. No mask is made, positions start anew in each row, and keys are not cached, without which rows would see
each other.
"""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad, scaled_dot_product_attention

from kithe.training.data import Batch
from kithe.training.module import SFTModule, predicting

NAME = "rows_apart"


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: None,
    *,
    scaling: float,
    ends: Tensor,
    longest: int,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention inside each row.

    Args:
        query: [1, heads, tokens, size]; key and value may have fewer heads.
        ends: where rows begin and end, [rows + 1], from 0 to the number of tokens.
        longest: tokens of the longest row.

    Returns:
        [1, tokens, heads, size], and no weights.
    """
    if mask is not None:
        raise ValueError("packed rows take no mask")
    if query.is_cuda:
        return varlen(query, key, value, ends, longest, scaling), None
    parts = [part.split(ends.diff().tolist(), 2) for part in (query, key, value)]
    seen = [
        scaled_dot_product_attention(*row, is_causal=True, scale=scaling, enable_gqa=True) for row in zip(*parts, strict=True)
    ]
    return torch.cat(seen, 2).transpose(1, 2), None


def varlen(query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, scaling: float) -> Tensor:
    """The same by torch's kernel, whose arguments differ between versions."""
    from torch.nn.attention.varlen import varlen_attn

    allowed = inspect.signature(varlen_attn).parameters
    causal: dict[str, Any] = {"is_causal": True} if "is_causal" in allowed else {"window_size": (-1, 0)}
    groups = query.shape[1] // key.shape[1]
    if "enable_gqa" in allowed:
        causal["enable_gqa"] = groups > 1
    else:
        key, value = (part.repeat_interleave(groups, 1) for part in (key, value))
    if "scale" in allowed:
        causal["scale"] = scaling
    flat = [part[0].transpose(0, 1).contiguous() for part in (query, key, value)]
    found: Tensor = varlen_attn(*flat, ends, ends, longest, longest, **causal)
    return found[None]


def ready(model: nn.Module) -> nn.Module:
    """The model with that attention."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attention)
    model.set_attn_implementation(NAME)  # type: ignore[operator]
    return model


def loss_sum(model: nn.Module, batch: Batch) -> Tensor:
    """What `kithe.training.module.loss_sum` gives for the same rows, padded."""
    real = batch.attention.bool()
    lengths = batch.attention.sum(1)
    ids, learnt = batch.ids[real][None], batch.supervised[real][None].clone()
    ends = pad(lengths.cumsum(0), (1, 0)).int()
    learnt[0, ends[:-1].long()] = False  # a row's first token is predicted by nothing
    positions = torch.cat([torch.arange(length, device=ids.device) for length in lengths.tolist()])[None]
    with predicting(model, pad(learnt[:, 1:], (0, 1))):
        logits = model(input_ids=ids, position_ids=positions, use_cache=False, ends=ends, longest=int(lengths.max())).logits
    return cross_entropy(logits.float(), ids[learnt], reduction="sum")


class PackedModule(SFTModule):
    """Learns the same from packed rows."""

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """See `SFTModule.training_step`."""
        total = loss_sum(self.model, batch)
        return {"loss": total * (self._divided_by() / batch.targets), "nll": total.detach()}


def filled(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Row numbers in batches of at most so many tokens, in their order."""
    batch: list[int] = []
    for row, length in enumerate(lengths):
        if batch and sum(lengths[other] for other in batch) + length > tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
