"""The learner as a LightningModule: a step draws groups of answers, scores them, and updates the policy."""

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from kithe.errors import ConfigError
from kithe.evaluation.task import Format
from kithe.llm.sampling import Sampling
from kithe.records.chat import Generation, Prediction
from kithe.records.history import History
from kithe.training.grpo.adapter import GRPO
from kithe.training.grpo.objective import Sizes, Standing, objective, standing
from kithe.training.grpo.rewarding import Table, table
from kithe.training.grpo.rollouts import Frozen, Rollout, Scores, draw, log_probabilities, parts, samplings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Draw(NamedTuple):
    """What a step is about: its number, and places of states."""

    step: int
    states: tuple[int, ...]


class Unscored(Exception):  # noqa: N818 - rollouts are what is unscored
    """Several steps in a row had no reward at all."""


class Draws:
    """Which states each step is about: permutations of all states; goes on where a checkpoint ended."""

    def __init__(self, states: int, size: int, steps: int, seed: int) -> None:
        self._size, self._steps = size, steps
        order: list[int] = []
        while len(order) < size * steps:
            lap = list(range(states))
            random.Random(f"{seed}/states/{len(order)}").shuffle(lap)
            order += lap
        self._order, self._start, self._given = order, 0, 0

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[Draw]:
        first, self._start = self._start, 0
        for step in range(first, self._steps):
            self._given = step + 1
            yield Draw(step, tuple(self._order[step * self._size : (step + 1) * self._size]))

    def state_dict(self) -> dict[str, int]:
        """The number of steps given out."""
        return {"step": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on after so many steps."""
        self._start = state["step"]


@dataclass(frozen=True)
class Room:
    """What the learner works with: states with their prompts, and who turns answers into predictions."""

    format: Format
    tokenizer: "PreTrainedTokenizerBase"
    states: Sequence[History]
    prompts: Sequence[Sequence[int]]

    def predictions(self, rollouts: Sequence[Rollout]) -> list[tuple[History, Prediction]]:
        """Every rollout as evaluation would see it."""
        found = []
        for rollout in rollouts:
            own = self.states[rollout.state]
            finish, name = "stop" if rollout.drawn.finished else "length", self.format.requests(own)[0].id
            said = Generation(
                id=name,
                text=rollout.drawn.text,
                finish=finish,
                prompt_tokens=len(rollout.prompt),
                new_tokens=len(rollout.drawn.ids),
            )
            found.append((own, self.format.prediction(own, [said])))
        return found


class GRPOModule(pl.LightningModule):
    """Learns from rewards.

    Args:
        model: with gradients required where it is to learn.
        rules: everything about how.
        room: states and their prompts.
        seed: root of the draws.
        identity: what a checkpoint must agree about to be continued, as plain values.
    """

    def __init__(self, model: "PreTrainedModel", rules: GRPO, room: Room, *, seed: int, identity: dict[str, Any]) -> None:
        super().__init__()
        self.strict_loading = False
        self.automatic_optimization = False
        self.model = model
        self._rules, self._room, self._seed = rules, room, seed
        self._identity = json.dumps(identity, sort_keys=True)
        self._reference = Frozen(model) if rules.loss.kl else None
        self._unscored = 0

    def training_step(self, batch: Draw, batch_idx: int) -> dict[str, Any]:
        """One step; `row` holds its figures.

        Raises:
            Unscored: too many steps in a row had no reward.
            FloatingPointError: loss or divergence are out of bounds; the weights are those before the update.
        """
        rollouts, found = self.roll(batch)
        place = standing(
            found.values.reshape(len(batch.states), self._rules.rollouts.group, -1), found.weights, self._rules.advantage
        )
        row = {**found.figures(), **self._shape(rollouts), "flat_groups": float(place.flat.float().mean())}
        if not place.scored.any():
            self._missed(batch.step)
            return {"row": {**row, "skipped": 1.0, "loss": 0.0}}
        self._unscored = 0
        return {"row": {**row, **self._update(rollouts, place, batch.step)}}

    def roll(self, batch: Draw) -> tuple[list[Rollout], Table]:
        """The groups of a step, and their rewards."""
        rules, room = self._rules, self._room
        wanted = [(state, room.prompts[state]) for state in batch.states]
        sampling = samplings(batch.states, rules.rollouts, f"{self._seed}/rollout/{batch.step}")
        rollouts = draw(self.model, room.tokenizer, wanted, sampling, room.format.max_new_tokens, rules.rollouts.at_once)
        return rollouts, table(rules.rewards, rules.weights, rules.gates, room.predictions(rollouts))

    def greedy(self, room: Room) -> Table:
        """Rewards of the most likely answers to all states of a room."""
        wanted, sampling = list(enumerate(room.prompts)), [[Sampling()] for _ in room.prompts]
        rollouts = draw(self.model, room.tokenizer, wanted, sampling, room.format.max_new_tokens, self._rules.rollouts.at_once)
        return table(self._rules.rewards, self._rules.weights, self._rules.gates, room.predictions(rollouts))

    def _update(self, rollouts: list[Rollout], place: Standing, step: int) -> dict[str, float]:
        rules, optimiser = self._rules, self.optimizers()
        assert isinstance(optimiser, pl.core.optimizer.LightningOptimizer)
        shares = [(places, [rollouts[place] for place in places]) for places in parts(rollouts, rules.rollouts.micro_batch)]
        known = [self._known(own) for _, own in shares]
        counts = self._counts(rollouts)
        gains = place.advantages.flatten().to(self.model.device)
        sizes = Sizes(len(rollouts), int(counts.sum()), self._room.format.max_new_tokens)
        figures: dict[str, float] = {}
        for _ in range(rules.steps.epochs):
            optimiser.zero_grad()
            figures = self._gradients(shares, known, gains, sizes, step)
            figures["gradient_norm"] = float(torch.nn.utils.clip_grad_norm_(self._learnt(), rules.steps.clip))
            if not math.isfinite(figures["gradient_norm"]):
                raise self._broken("gradient", figures["gradient_norm"], step)
            optimiser.step()
        schedule: Any = self.lr_schedulers()
        figures["lr"] = float(optimiser.param_groups[0]["lr"])
        schedule.step()
        return figures

    def _gradients(
        self,
        shares: Sequence[tuple[list[int], list[Rollout]]],
        known: Sequence[tuple[Tensor | None, Tensor | None]],
        gains: Tensor,
        sizes: Sizes,
        step: int,
    ) -> dict[str, float]:
        """Add up the gradients of all micro-batches; the figures of the whole step."""
        loss = kl = clipped = entropy = 0.0
        for (places, own), (old, reference) in zip(shares, known, strict=True):
            now = log_probabilities(self.model, own, self._rules.rollouts.temperature)
            mask = self._mask(now, places)
            before = now.values.detach() if old is None else old
            terms = objective(now.values, before, reference, mask, gains[places], sizes, self._rules.loss)
            self._check(terms.loss, float(terms.drift) / max(1, int(mask.sum())), step)
            self.manual_backward(terms.loss)
            loss, kl, clipped = loss + float(terms.loss.detach()), kl + float(terms.kl), clipped + float(terms.clipped)
            entropy += float((now.entropy * mask).sum())
        tokens = max(1, sizes.tokens)
        return {"loss": loss, "kl": kl / tokens, "clipped": clipped / tokens, "entropy": entropy / tokens}

    def _known(self, own: Sequence[Rollout]) -> tuple[Tensor | None, Tensor | None]:
        """Log-probabilities that do not change in a step: when drawn (needed from the second update on), and the reference's."""
        heat = self._rules.rollouts.temperature
        with torch.no_grad():
            old = log_probabilities(self.model, own, heat).values if self._rules.steps.epochs > 1 else None
            if self._reference is None:
                return old, None
            with self._reference.within(self.model):
                return old, log_probabilities(self.model, own, heat).values

    def _mask(self, now: Scores, places: Sequence[int]) -> Tensor:
        return now.mask & self._counted[places].to(now.mask.device)[:, None]

    def _counts(self, rollouts: Sequence[Rollout]) -> Tensor:
        """Tokens of each rollout that count; none of one that was cut off where those are masked."""
        kept = [own.drawn.finished or not self._rules.rollouts.mask_truncated for own in rollouts]
        self._counted = torch.tensor(kept)
        return torch.tensor([len(own.drawn.ids) * keep for own, keep in zip(rollouts, kept, strict=True)])

    def _check(self, loss: Tensor, drift: float, step: int) -> None:
        if not math.isfinite(float(loss.detach())):
            raise self._broken("loss", float(loss.detach()), step)
        if not drift <= self._rules.steps.max_kl:
            raise FloatingPointError(
                f"the policy is {drift:.3g} nats a token away from the reference at step {step + 1} (adapt.steps.max_kl="
                f"{self._rules.steps.max_kl:g}); a smaller adapt.steps.learning_rate or a larger adapt.loss.kl may help"
            )

    @staticmethod
    def _broken(what: str, value: float, step: int) -> FloatingPointError:
        return FloatingPointError(f"the {what} is {value} at step {step + 1}; a smaller adapt.steps.learning_rate may help")

    def _missed(self, step: int) -> None:
        self._unscored += 1
        if self._unscored >= self._rules.steps.patience:
            raise Unscored(
                f"no answer could be scored in {self._unscored} steps in a row, up to step {step + 1}: whoever deploys or judges "
                "does not answer, or says nothing usable; the same command goes on from the last checkpoint"
            )

    @staticmethod
    def _shape(rollouts: Sequence[Rollout]) -> dict[str, float]:
        lengths = [len(own.drawn.ids) for own in rollouts]
        cut = sum(not own.drawn.finished for own in rollouts)
        return {"length": sum(lengths) / len(lengths), "longest": float(max(lengths)), "truncated": cut / len(rollouts)}

    def _learnt(self) -> list[torch.nn.Parameter]:
        return [own for own in self.parameters() if own.requires_grad]

    def configure_optimizers(self) -> Any:
        """AdamW over what requires gradients, constant after the warm-up."""
        steps = self._rules.steps
        first, second = steps.betas
        optimiser = torch.optim.AdamW(
            self._learnt(), lr=steps.learning_rate, betas=(first, second), weight_decay=steps.weight_decay
        )
        rising = max(1, round(steps.warmup * steps.steps))
        return {"optimizer": optimiser, "lr_scheduler": LambdaLR(optimiser, lambda step: min(1.0, (step + 1) / rising))}

    def transfer_batch_to_device(self, batch: Draw, device: torch.device, dataloader_idx: int) -> Draw:
        """Nothing to transfer."""
        return batch

    def learnt(self) -> set[str]:
        """Names of the parameters that learn."""
        return {name for name, own in self.named_parameters() if own.requires_grad}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep only what is learnt."""
        learnt = self.learnt()
        checkpoint["state_dict"] = {name: own for name, own in checkpoint["state_dict"].items() if name in learnt}
        checkpoint["kithe"] = self._identity

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Check that the checkpoint is of this run.

        Raises:
            ConfigError: it is of another run or of other parameters.
        """
        if checkpoint.get("kithe") != self._identity or set(checkpoint["state_dict"]) != self.learnt():
            raise ConfigError(
                "the checkpoint in this folder was made with other settings; delete its 'checkpoint' folder to start anew"
            )
