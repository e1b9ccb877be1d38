"""One training run before it begins: tokens, plan and model, and their identity."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl

from kithe.llm.chat import Encoded, template_hash
from kithe.llm.folders import quiet
from kithe.llm.models import ModelSpec
from kithe.records.chat import ChatExample
from kithe.training.adapters import Recipe, Trainable
from kithe.training.callbacks import Journal, Sink
from kithe.training.data import Loader, Plan, Tokenised, evaluation_batches, tokenise
from kithe.training.module import SFTModule
from kithe.training.trainer import Hardware, Ranks

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Run:
    """What is learnt, by what, in which order."""

    adapter: Trainable
    spec: ModelSpec
    tokenizer: "PreTrainedTokenizerBase"
    train: Tokenised
    held_out: Tokenised
    plan: Plan
    ranks: Ranks
    precision: str
    seed: int

    @classmethod
    def make(
        cls,
        adapter: Trainable,
        spec: ModelSpec,
        examples: Sequence[ChatExample],
        validation: Sequence[ChatExample],
        precision: str,
        seed: int,
    ) -> "Run":
        """Tokenise and plan for the ranks there are; see `kithe.training.fit.fit` for arguments and errors."""
        recipe, ranks, tokenizer = adapter.recipe, Ranks.of_this_process(), spec.tokenizer()
        limit = min(recipe.max_length, spec.context)
        train = tokenise(tokenizer, examples, limit)
        plan = Plan.make(
            [len(row.ids) for row in train.rows],
            [row.targets for row in train.rows],
            seed=seed,
            epochs=recipe.epochs,
            effective_batch=recipe.effective_batch,
            micro_batch=recipe.micro_batch,
            world=ranks.world,
        )
        return cls(adapter, spec, tokenizer, train, tokenise(tokenizer, validation, limit), plan, ranks, precision, seed)

    @property
    def recipe(self) -> Recipe:
        """How the adapter learns."""
        return self.adapter.recipe

    @property
    def mixed(self) -> bool:
        """Whether fp32 weights are used with bf16 arithmetic."""
        return self.precision == "bf16" and self.adapter.trains_base

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree about to be continued; micro-batch and ranks may change."""
        return {
            "model": self.spec.name,
            "template": template_hash(self.tokenizer),
            "precision": self.precision,
            "seed": self.seed,
            "recipe": asdict(replace(self.recipe, micro_batch=1)),
            "tokens": _digest([row.ids for row in self.train.rows]),
            "steps": _digest(self.plan.batches),
        }

    def model(self, loading: AbstractContextManager[None] | None = None) -> "PreTrainedModel | PeftModel":
        """The model before learning; the same on every rank, also where `loading` divides its weights among them."""
        with quiet():
            with loading or nullcontext():
                model = self.spec.load("fp32" if self.mixed else self.precision)
            pl.seed_everything(self.seed, workers=True, verbose=False)
            return self.adapter.prepare(model)

    def ready(self, recompute: bool, loading: AbstractContextManager[None] | None = None) -> "PreTrainedModel | PeftModel":
        """The model, ready to learn."""
        model = self.model(loading)
        model.train()
        if recompute:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        return model

    def module(self, hardware: Hardware) -> SFTModule:
        """The learner; ZeRO-3 has it load the model once the processes have met."""
        later = partial(self.divided, hardware.recompute) if hardware.strategy == "zero3" else None
        return SFTModule(
            None if later else self.ready(hardware.recompute),
            self.recipe,
            steps=self.plan.steps,
            world=self.ranks.world,
            seed=self.seed,
            identity=self.identity(),
            later=later,
        )

    def divided(self, recompute: bool, strategy: Any) -> "PreTrainedModel | PeftModel":
        """The model, divided among the processes."""
        from kithe.training.zero import divided_loading

        return self.ready(recompute, divided_loading(strategy))

    def division(self, hardware: Hardware) -> str:
        """How the effective batch is made, in one line, and what DeepSpeed is told in another."""
        plan, recipe = self.plan, self.recipe
        line = (
            f"kithe: effective batch {recipe.effective_batch} = micro-batch {plan.micro_batch} x accumulation "
            f"{plan.accumulation} x {plan.world} process(es), {hardware.strategy} on {hardware.accelerator}, {plan.steps} steps\n"
        )
        if not hardware.divides:
            return line
        from kithe.training.zero import settings

        told = settings(int(hardware.strategy[-1]), plan.micro_batch, hardware.offload)
        derived = {"gradient_accumulation_steps": plan.accumulation, "gradient_clipping": recipe.clip}
        return f"{line}kithe: DeepSpeed {json.dumps({**told, **derived, 'bf16': {'enabled': self.precision == 'bf16'}})}\n"

    def loader(self) -> Loader:
        """This rank's micro-batches."""
        return Loader(self.train.rows, self.plan, self.ranks.rank)

    def journal(self, sink: Sink, stop: Callable[[], bool]) -> Journal:
        """The metrics, with validation at the end of every epoch."""
        rows, ranks = self.held_out.rows, self.ranks
        held_out = evaluation_batches(rows, self.recipe.micro_batch, ranks.rank, ranks.world) if rows else []
        every = math.ceil(len(self.train.rows) / self.recipe.effective_batch)
        return Journal(self.plan, sink, held_out, every, stop)

    def shortest(self) -> Encoded:
        """The shortest training example."""
        return min(self.train.rows, key=lambda row: len(row.ids))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
