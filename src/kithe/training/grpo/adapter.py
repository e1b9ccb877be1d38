"""`adapt=grpo`: a policy that learns from rewards of its own answers, from a supervised start where there are targets for one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from kithe.errors import ConfigError
from kithe.llm.models import ModelSpec
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.training.adapters import Lesson, Prompt, Recipe, Trainable
from kithe.training.grpo.settings import Advantage, Loss, Rollouts, Steps

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


class Reward(Protocol):
    """What an answer is worth in one respect."""

    def __call__(self, cases: Sequence[tuple[History, Prediction]]) -> Sequence[float | None]:
        """A number for each case; None where it cannot be told, which leaves the rollout out where the component has a weight."""


class Gate(Protocol):
    """Whether an answer is worth anything."""

    def __call__(self, cases: Sequence[tuple[History, Prediction]]) -> Sequence[bool | None]:
        """False: no component is worth more than 0; None: the rollout is not scored."""


@dataclass(frozen=True)
class GRPO:
    """Group relative policy optimisation (spec 8.2).

    Attributes:
        start: what is learnt (low-rank adapters or all weights), and how the cold start learns it.
        rewards: name -> component.
        weights: of the components, by the same names.
        gates: name -> condition without which no component counts.
        cold_start: learn the targets first; without, the policy begins as the model is (an ablation).
        disjoint: rewards teach about those training states that had no target, where there are any.
        advantage, loss, rollouts, steps: see these classes.
    """

    start: Trainable
    steps: Steps
    rewards: Mapping[str, Reward]
    weights: Mapping[str, float]
    gates: Mapping[str, Gate] = field(default_factory=dict)
    cold_start: bool = True
    disjoint: bool = True
    advantage: Advantage = field(default_factory=Advantage)
    loss: Loss = field(default_factory=Loss)
    rollouts: Rollouts = field(default_factory=Rollouts)
    trains: ClassVar[bool] = True
    parts: ClassVar[int] = 1  # one process: the groups of a step are compared with one another

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: nothing is rewarded (defect U2), or weights and rewards do not go together.
        """
        if set(self.weights) != set(self.rewards):
            raise ConfigError(
                f"adapt.weights: it has {', '.join(self.weights) or 'nothing'}, and adapt.rewards has {', '.join(self.rewards)}"
            )
        for name, weight in self.weights.items():
            if not math.isfinite(weight) or weight < 0:
                raise ConfigError(f"adapt.weights.{name}={weight}: a number from 0 (watched, not learnt)")
        if not any(self.weights.values()):
            raise ConfigError("adapt.weights: every weight is 0, so there would be nothing to learn from; give one above 0")

    @property
    def trains_base(self) -> bool:
        """As the start."""
        return self.start.trains_base

    @property
    def recipe(self) -> Recipe:
        """Of the cold start."""
        return self.start.recipe

    def prompts(self) -> list[Prompt]:
        """As the start."""
        return self.start.prompts()

    def prepare(self, model: "PreTrainedModel") -> "PreTrainedModel | PeftModel":
        """As the start."""
        return self.start.prepare(model)

    def export(self, model: "PreTrainedModel | PeftModel", folder: Path) -> None:
        """As the start."""
        self.start.export(model, folder)

    def load(self, model: ModelSpec, folder: Path, dtype: str) -> "PreTrainedModel | PeftModel":
        """As the start."""
        return self.start.load(model, folder, dtype)

    def learn(self, lesson: Lesson) -> dict[str, Any]:
        """See `kithe.training.grpo.learn.learn`."""
        from kithe.training.grpo.learn import learn

        return learn(self, lesson)
