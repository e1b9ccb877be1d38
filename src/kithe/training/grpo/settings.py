"""What a policy is told about learning from rewards; no torch here, so that configs are checked in no time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kithe.errors import ConfigError, a_share, at_least, more_than


@dataclass(frozen=True)
class Advantage:
    """How rewards become advantages.

    Attributes:
        aggregation: `sum_then_normalise` (GRPO) or `normalise_then_sum` (GDPO); see `kithe.training.grpo.objective.standing`.
        scale: what sums are divided by: the deviation of their `group`, of the `batch`, or nothing (`none`).
        deviation: `population` as in the paper, or `sample` as TRL has it.
        epsilon: added to every deviation.
    """

    aggregation: Literal["sum_then_normalise", "normalise_then_sum"] = "sum_then_normalise"
    scale: Literal["group", "batch", "none"] = "group"
    deviation: Literal["population", "sample"] = "population"
    epsilon: float = 1e-4

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: epsilon is not above 0, or `scale` would do nothing.
        """
        more_than("adapt.advantage.epsilon", self.epsilon, 0)
        if self.aggregation == "normalise_then_sum" and self.scale != "group":
            raise ConfigError(
                f"adapt.advantage.scale={self.scale}: normalise_then_sum divides by deviations of the group, then of the step"
            )


@dataclass(frozen=True)
class Loss:
    """How advantages become a loss.

    Attributes:
        ratio: of probabilities, by `token` or by `sequence` (the geometric mean over its tokens).
        clip_low, clip_high: the ratio counts within 1 - clip_low and 1 + clip_high only; idle unless `epochs` > 1.
        kl: weight of the k3 divergence from the frozen reference; 0: no reference is kept.
        aggregation: `grpo` averages over the tokens of a rollout, then over rollouts; `dapo` over all tokens; `dr_grpo` divides
            by rollouts times the longest answer, so that long answers weigh what they are.
    """

    ratio: Literal["token", "sequence"] = "token"
    clip_low: float = 0.2
    clip_high: float = 0.2
    kl: float = 0.1
    aggregation: Literal["grpo", "dapo", "dr_grpo"] = "grpo"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name in ("clip_low", "clip_high", "kl"):
            at_least(f"adapt.loss.{name}", getattr(self, name), 0)
        if self.clip_low >= 1:
            raise ConfigError(f"adapt.loss.clip_low={self.clip_low}: below 1, since a ratio of probabilities is never negative")


@dataclass(frozen=True)
class Rollouts:
    """How answers are drawn.

    Attributes:
        group: answers to one state.
        states: states in one optimiser step.
        temperature, top_p: of the draws; log-probabilities are those at this temperature.
        micro_batch: answers in memory at once when gradients are computed.
        at_once: answers generated at once.
        mask_truncated: whether answers that were cut off count in the loss.
    """

    group: int = 8
    states: int = 1
    temperature: float = 0.7
    top_p: float = 0.9
    micro_batch: int = 8
    at_once: int = 64
    mask_truncated: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        at_least("adapt.rollouts.group", self.group, 2)
        for name in ("states", "micro_batch", "at_once"):
            at_least(f"adapt.rollouts.{name}", getattr(self, name), 1)
        more_than("adapt.rollouts.temperature", self.temperature, 0)
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"adapt.rollouts.top_p={self.top_p}: above 0 and up to 1")


@dataclass(frozen=True)
class Steps:
    """The optimiser.

    Attributes:
        learning_rate: reached after the `warmup` share of the steps; then constant.
        steps: states are drawn for so many steps.
        epochs: updates from the same rollouts (mu).
        clip: largest norm of the gradient.
        max_kl: mean divergence from the reference, in nats a token, at which learning ends with an error.
        patience: steps in a row without a single reward after which learning ends with an error.
        validate_every: steps between measurements of the mean reward on validation states (0: never).
        validate_on: so many validation states.
    """

    learning_rate: float
    steps: int = 100
    epochs: int = 1
    clip: float = 1.0
    warmup: float = 0.0
    betas: Sequence[float] = (0.9, 0.95)
    weight_decay: float = 0.0
    max_kl: float = 10.0
    patience: int = 3
    validate_every: int = 0
    validate_on: int = 32

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name in ("learning_rate", "clip", "max_kl"):
            more_than(f"adapt.steps.{name}", getattr(self, name), 0)
        for name, least in (("steps", 1), ("epochs", 1), ("patience", 1), ("weight_decay", 0)):
            at_least(f"adapt.steps.{name}", getattr(self, name), least)
        a_share("adapt.steps.warmup", self.warmup)
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"adapt.steps.betas={list(self.betas)}: two numbers from 0 to below 1")
        for name, least in (("validate_every", 0), ("validate_on", 1)):
            at_least(f"adapt.steps.{name}", getattr(self, name), least)
