"""Which examples go into which optimiser step, on which rank, in which micro-batch; and how they become tensors.

The plan is a pure function of its arguments, so a resumed run needs one integer to go on. What an optimiser step learns from
depends on neither the micro-batch nor the number of ranks.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from kithe.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from kithe.llm.chat import Encoded
    from kithe.records.chat import ChatExample

# Examples of similar length are gathered from so many effective batches: enough to save padding, too few to sort the data.
_NEIGHBOURHOOD = 8


@dataclass(frozen=True)
class Tokenised:
    """Examples as tokens, and how many were too long."""

    rows: "list[Encoded]"
    dropped: int


def tokenise(tokenizer: "PreTrainedTokenizerBase", examples: "Sequence[ChatExample]", max_length: int) -> Tokenised:
    """Tokenise examples and leave out those longer than `max_length` tokens.

    Raises:
        ValueError: an example has nothing to learn or no end; it is named.
    """
    from kithe.llm.chat import encode_example

    rows = [encode_example(tokenizer, example) for example in examples]
    kept = [row for row in rows if len(row.ids) <= max_length]
    return Tokenised(kept, len(rows) - len(kept))


@dataclass(frozen=True)
class Plan:
    """Which rows every optimiser step learns from.

    Attributes:
        batches: for each step the row numbers of its effective batch, longest row first.
        targets: for each step the supervised tokens in it, on all ranks together.
        tokens: tokens of all steps, padding not counted.
        micro_batch: rows in a micro-batch.
        world: number of ranks.
    """

    batches: tuple[tuple[int, ...], ...]
    targets: tuple[int, ...]
    tokens: int
    micro_batch: int
    world: int

    @classmethod
    def make(
        cls,
        lengths: Sequence[int],
        supervised: Sequence[int],
        *,
        seed: int,
        epochs: float,
        effective_batch: int,
        micro_batch: int,
        world: int,
    ) -> "Plan":
        """Plan ceil(rows * epochs / effective_batch) steps; the last is filled up from the next permutation.

        Args:
            lengths: tokens in each row.
            supervised: supervised tokens in each row.
            seed: root of the permutations.

        Raises:
            ConfigError: there are no rows, or the effective batch is not a multiple of micro-batch times ranks.
        """
        check_division(effective_batch, micro_batch, world)
        if not lengths:
            raise ConfigError("no training example is left; see adapt.recipe.max_length and corpus.facts")
        steps = max(1, math.ceil(len(lengths) * epochs / effective_batch))
        order = _permutations(len(lengths), steps * effective_batch, seed)
        batches = tuple(_grouped(order, lengths, effective_batch, seed))
        return cls(
            batches=batches,
            targets=tuple(sum(supervised[row] for row in batch) for batch in batches),
            tokens=sum(lengths[row] for row in order),
            micro_batch=micro_batch,
            world=world,
        )

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return len(self.batches)

    @property
    def accumulation(self) -> int:
        """Micro-batches of one rank in one step."""
        return len(self.batches[0]) // (self.micro_batch * self.world)

    def micro_batches(self, step: int, rank: int) -> list[tuple[int, ...]]:
        """What a rank computes in a step; ranks get neighbouring lengths at the same time."""
        batch, size = self.batches[step], self.micro_batch
        parts = [batch[start : start + size] for start in range(0, len(batch), size)]
        return parts[rank :: self.world]


def check_division(effective_batch: int, micro_batch: int, world: int) -> None:
    """Refuse an effective batch that micro-batches and ranks do not divide.

    Raises:
        ConfigError: with the nearest values that would do.
    """
    unit = micro_batch * world
    if unit > 0 and effective_batch > 0 and effective_batch % unit == 0:
        return
    below = effective_batch // unit * unit if unit > 0 else 0
    allowed = [str(value) for value in (below, below + unit) if value > 0]
    raise ConfigError(
        f"adapt.recipe.effective_batch={effective_batch} is not a multiple of adapt.recipe.micro_batch={micro_batch} times "
        f"{world} process(es); nearest effective batches: {' or '.join(allowed) or 'none: both must be positive'}"
    )


def _permutations(rows: int, length: int, seed: int) -> list[int]:
    order: list[int] = []
    for epoch in range(math.ceil(length / rows)):
        permutation = list(range(rows))
        random.Random(f"{seed}/order/{epoch}").shuffle(permutation)
        order += permutation
    return order[:length]


def _grouped(order: Sequence[int], lengths: Sequence[int], size: int, seed: int) -> Iterator[tuple[int, ...]]:
    for number, start in enumerate(range(0, len(order), size * _NEIGHBOURHOOD)):
        near = sorted(order[start : start + size * _NEIGHBOURHOOD], key=lambda row: (-lengths[row], row))
        batches = [tuple(near[first : first + size]) for first in range(0, len(near), size)]
        random.Random(f"{seed}/steps/{number}").shuffle(batches)
        yield from batches


class Batch(NamedTuple):
    """A micro-batch, padded on the right.

    Attributes:
        ids: token ids, [rows, length].
        attention: 1 for tokens, 0 for padding, [rows, length].
        supervised: which tokens are learnt, [rows, length].
        targets: supervised tokens of the whole optimiser step, on all ranks.
        step: number of the optimiser step.
        draw: number of the micro-batch in that step, over all ranks.
    """

    ids: Tensor
    attention: Tensor
    supervised: Tensor
    targets: int
    step: int
    draw: int


def collate(rows: "Sequence[Encoded]", targets: int = 1, step: int = 0, draw: int = 0) -> Batch:
    """Rows as one micro-batch. Padding is id 0, which no mask lets through."""
    length = max(len(row.ids) for row in rows)

    def padded(values: Sequence[Sequence[Any]]) -> Tensor:
        return torch.tensor([[*value, *[0] * (length - len(value))] for value in values])

    return Batch(
        ids=padded([row.ids for row in rows]),
        attention=padded([[1] * len(row.ids) for row in rows]),
        supervised=padded([row.supervised for row in rows]).bool(),
        targets=targets,
        step=step,
        draw=draw,
    )


class Loader:
    """The micro-batches of one rank, which can go on where a checkpoint stopped.

    Lightning saves and restores the position through `state_dict` and `load_state_dict`. It counts optimiser steps, so that a
    run may go on with other micro-batches or ranks.
    """

    def __init__(self, rows: "Sequence[Encoded]", plan: Plan, rank: int) -> None:
        self._rows, self._plan, self._rank = rows, plan, rank
        self._start = 0
        self._given = 0

    def __len__(self) -> int:
        return self._plan.steps * self._plan.accumulation

    def __iter__(self) -> Iterator[Batch]:
        plan, first, self._start = self._plan, self._start, 0
        self._given = first * plan.accumulation
        for step in range(first, plan.steps):
            for turn, part in enumerate(plan.micro_batches(step, self._rank)):
                self._given += 1
                draw = turn * plan.world + self._rank
                yield collate([self._rows[row] for row in part], plan.targets[step], step, draw)

    def state_dict(self) -> dict[str, int]:
        """The number of complete optimiser steps given out."""
        return {"step": self._given // self._plan.accumulation}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on after so many optimiser steps."""
        self._start = state["step"]


def evaluation_batches(rows: "Sequence[Encoded]", size: int, rank: int, world: int) -> list[Batch]:
    """A rank's share of held-out rows; every rank gets equally many batches, some perhaps with nothing to score."""
    order = sorted(range(len(rows)), key=lambda row: (-len(rows[row].ids), row))
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    batches = [collate([rows[row] for row in part]) for part in parts]
    missing = -len(batches) % world
    batches += [batches[-1]._replace(supervised=torch.zeros_like(batches[-1].supervised))] * missing
    return batches[rank::world]
