"""From answers to a table of rewards: components, gates, and what could not be scored."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.training.grpo.adapter import Gate, Reward
from kithe.training.grpo.objective import weighed

Cases = Sequence[tuple[History, Prediction]]


@dataclass(frozen=True)
class Table:
    """Rewards of some answers.

    Attributes:
        names: of the components.
        values: NaN where one is unknown, [answers, components].
        weights: [components].
        shut: answers that a gate stopped, [answers].
    """

    names: tuple[str, ...]
    values: Tensor
    weights: Tensor
    shut: Tensor

    def figures(self) -> dict[str, float]:
        """Mean and deviation of every component and of the weighted sum, over what was scored; nothing for what never was.

        `scored` is the share of answers whose learnt components are all known, `scored.<component>` that of each.
        """
        totals, _, _ = weighed(self.values, self.weights)
        found: dict[str, float] = {}
        for name, column in (*zip((f"reward.{name}" for name in self.names), self.values.T, strict=True), ("reward", totals)):
            known = column[~column.isnan()]
            if len(known):
                found |= {name: float(known.mean()), f"{name}.std": float(known.std(correction=0))}
        known = (~self.values.isnan()).double().mean(0)
        found |= {f"scored.{name}": float(share) for name, share in zip(self.names, known, strict=True)}
        return {**found, "gated": float(self.shut.float().mean()), "scored": float((~totals.isnan()).float().mean())}


def table(rewards: Mapping[str, Reward], weights: Mapping[str, float], gates: Mapping[str, Gate], cases: Cases) -> Table:
    """Score answers. A component that is no finite number is unknown; a weight of 0 has its component watched, not learnt.

    Behind a gate that is shut no component is worth more than 0; penalties stay.
    """
    columns = [[_number(value) for value in rewards[name](cases)] for name in rewards]
    values = torch.tensor(columns, dtype=torch.float64).T.reshape(len(cases), len(rewards))
    passed = [list(gate(cases)) for gate in gates.values()]
    shut = torch.tensor([any(column[row] is False for column in passed) for row in range(len(cases))], dtype=torch.bool)
    lost = torch.tensor([any(column[row] is None for column in passed) for row in range(len(cases))], dtype=torch.bool)
    values = torch.where(shut[:, None], values.clamp(max=0), values).masked_fill((lost & ~shut)[:, None], math.nan)
    return Table(tuple(rewards), values, torch.tensor([weights[name] for name in rewards], dtype=torch.float64), shut)


def _number(value: float | None) -> float:
    return math.nan if value is None or not math.isfinite(value) else float(value)
