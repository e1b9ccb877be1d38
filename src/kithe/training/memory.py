"""How much memory a model takes on a device while it learns: weights, gradients and optimiser state, before activations.

The bytes a parameter takes under ZeRO are those of DeepSpeed's own estimators (`estimate_zero2_model_states_mem_needs`,
`estimate_zero3_model_states_mem_needs`), which count full fine-tuning in bf16; here frozen parameters, fp32 and one device are
counted by the same rules.
"""

from dataclasses import dataclass
from typing import Final

from kithe.llm.models import Shape

GB: Final = 10**9
# AdamW in fp32: the weight, its gradient, and two moments.
ADAMW: Final = 16
# DeepSpeed allots buffers on the host with this much to spare.
SPARE: Final = 1.5


@dataclass(frozen=True)
class States:
    """A run's parameters by what they cost.

    Attributes:
        frozen: how many do not learn.
        learnt: how many do.
        largest: those of the largest single layer, which ZeRO-3 has whole on every device for a moment.
        bf16: whether arithmetic is bf16; what is learnt has fp32 masters all the same.
    """

    frozen: int
    learnt: int
    largest: int = 0
    bf16: bool = False

    @property
    def _width(self) -> int:
        return 2 if self.bf16 else 4

    def whole(self) -> int:
        """Bytes in a process that shares nothing (one process, or ddp): fp32 masters, and frozen weights as they compute."""
        return self.frozen * self._width + self.learnt * ADAMW

    def device(self, stage: int, devices: int, offload: bool = False) -> int:
        """Bytes on each of so many devices under ZeRO.

        Args:
            stage: 2 (gradients and optimiser state divided) or 3 (weights too).
            offload: whether the divided part lies on the host.
        """
        whole, divided = self._shares(stage)
        return whole + (0 if offload else divided // devices)

    def host(self, stage: int, devices: int, nodes: int = 1) -> int:
        """Bytes on each node's host where ZeRO offloads to it."""
        return int(max(self._shares(stage)[1] // nodes, 4 * self.learnt * devices // nodes) * SPARE)

    def _shares(self, stage: int) -> tuple[int, int]:
        """Bytes that every device holds, and bytes that devices divide among themselves."""
        weights = (self.frozen + self.learnt) * self._width
        if stage == 2:  # which also keeps gradients as they come
            return weights, self.learnt * (self._width + ADAMW)
        return 2 * self._width * self.largest, weights + self.learnt * ADAMW


def states(shape: Shape, *, bf16: bool, rank: int | None = None, attention_only: bool = False) -> States:
    """The states of full fine-tuning, or of low-rank adapters of that rank on all linear layers or on attention's alone."""
    parameters = shape.parameters()
    largest = max(shape.vocabulary * shape.hidden, shape.hidden * shape.feed_forward)
    if rank is None:
        return States(0, parameters, largest, bf16)
    return States(parameters, adapters(shape, rank, attention_only), largest, bf16)


def adapters(shape: Shape, rank: int, attention_only: bool = False) -> int:
    """The number of parameters of low-rank adapters: rank times inputs and outputs of every adapted layer."""
    size = shape.head_size or shape.hidden // shape.heads
    attention = 2 * (shape.hidden + shape.heads * size) + 2 * (shape.hidden + shape.kv_heads * size)
    feed_forward = 0 if attention_only else 3 * (shape.hidden + shape.feed_forward)
    return rank * shape.layers * (attention + feed_forward)


def activations(shape: Shape, tokens: int, supervised: int, *, bf16: bool, recompute: bool = False) -> int:
    """Bytes, roughly, that a micro-batch of so many tokens leaves for the backward pass, with attention that keeps no matrix.

    A block keeps the inputs of its two norms and of its seven projections, the activated gate and its product; with `recompute`
    each block keeps its input alone, and one block at a time is whole. Logits are there for supervised tokens only: as computed,
    in fp32, and their gradient.
    """
    width = 2 if bf16 else 4
    size = shape.head_size or shape.hidden // shape.heads
    block = width * (8 * shape.hidden + (2 * shape.heads + 2 * shape.kv_heads) * size + 4 * shape.feed_forward)
    blocks = shape.layers * width * shape.hidden + block if recompute else shape.layers * block
    return tokens * blocks + supervised * shape.vocabulary * (width + 8)
