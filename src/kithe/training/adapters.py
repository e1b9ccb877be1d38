"""How a model learns: not at all, by low-rank adapters, or in all its weights.

An adapter says how a model is made ready to learn, how what it learnt is written down, and how that is read again. It does not
say how the gradient comes about: `kithe.training.fit` reads the recipe of supervised learning, and another way of learning can
use the same three methods.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from kithe.llm.folders import load_folder
from kithe.llm.models import ModelSpec

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

Decode = Literal["free", "schema"]


@dataclass(frozen=True)
class Prompt:
    """How a model is asked: with so many worked examples, and freely or held to the schema of an answer."""

    shots: int = 0
    decode: Decode = "free"


@dataclass(frozen=True)
class Recipe:
    """Supervised learning with AdamW and a cosine schedule.

    Attributes:
        learning_rate: its peak, reached after the `warmup` share of the steps; then a half cosine down to zero.
        epochs: passes over the examples; may be a fraction.
        effective_batch: examples in one optimiser step.
        micro_batch: examples in memory at once on one device; changes speed and memory, not the result.
        max_length: longer examples, in tokens, are dropped and counted; an answer is never cut.
        clip: largest norm of the gradient.
    """

    learning_rate: float
    epochs: float = 2
    effective_batch: int = 16
    micro_batch: int = 4
    max_length: int = 2048
    warmup: float = 0.03
    weight_decay: float = 0.0
    clip: float = 1.0
    betas: Sequence[float] = (0.9, 0.95)


class Adapter(Protocol):
    """An option of the group `adapt`."""

    @property
    def trains(self) -> bool:
        """Whether weights change."""

    def prompts(self) -> list[Prompt]:
        """The ways of asking to choose among on validation data."""

    def load(self, model: ModelSpec, folder: Path, dtype: str) -> "PreTrainedModel | PeftModel":
        """The adapted model from what `export` wrote, in evaluation mode; `folder` is not read where nothing is trained."""


class Trainable(Adapter, Protocol):
    """An adapter that changes weights."""

    @property
    def recipe(self) -> Recipe:
        """How it learns."""

    @property
    def trains_base(self) -> bool:
        """Whether the weights of the base model change: they are then kept in fp32 while bf16 arithmetic uses them."""

    def prepare(self, model: "PreTrainedModel") -> "PreTrainedModel | PeftModel":
        """The model with exactly those parameters requiring gradients that are to be learnt."""

    def export(self, model: "PreTrainedModel | PeftModel", folder: Path) -> None:
        """Write what was learnt as safetensors that plain peft or transformers can load."""


@dataclass(frozen=True)
class ZeroShot:
    """The model as it is, with or without worked examples in the prompt.

    Attributes:
        shots: numbers of worked examples to try.
        decode: ways of decoding to try.
    """

    shots: Sequence[int] = (0,)
    decode: Sequence[Decode] = ("free",)
    trains: ClassVar[bool] = False

    def prompts(self) -> list[Prompt]:
        """Every number of examples with every way of decoding."""
        return [Prompt(shots, decode) for shots, decode in product(self.shots, self.decode)]

    def load(self, model: ModelSpec, folder: Path, dtype: str) -> "PreTrainedModel":
        """The model itself."""
        return model.load(dtype)


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021) on a frozen base.

    Attributes:
        target_modules: names of the linear layers to adapt, or `all-linear`, which leaves out only the output layer.
    """

    recipe: Recipe
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: str | Sequence[str] = "all-linear"
    decode: Decode = "free"
    trains: ClassVar[bool] = True
    trains_base: ClassVar[bool] = False

    def prompts(self) -> list[Prompt]:
        """The one way it was trained with."""
        return [Prompt(0, self.decode)]

    def prepare(self, model: "PreTrainedModel") -> "PeftModel":
        """The frozen model with random adapters in fp32, whatever the base has: their updates are too small for bf16."""
        from peft import LoraConfig, TaskType, get_peft_model

        targets = self.target_modules if isinstance(self.target_modules, str) else list(self.target_modules)
        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=targets,
            task_type=TaskType.CAUSAL_LM,
        )
        return get_peft_model(model, config, autocast_adapter_dtype=True)

    def export(self, model: "PreTrainedModel | PeftModel", folder: Path) -> None:
        """Write `adapter_model.safetensors` and `adapter_config.json`."""
        model.save_pretrained(folder, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)

    def load(self, model: ModelSpec, folder: Path, dtype: str) -> "PeftModel":
        """Base plus adapter, not merged, since merging rounds in bf16."""
        from peft import PeftModel

        return PeftModel.from_pretrained(model.load(dtype), folder).eval()


@dataclass(frozen=True)
class FullSFT:
    """All weights."""

    recipe: Recipe
    decode: Decode = "free"
    trains: ClassVar[bool] = True
    trains_base: ClassVar[bool] = True

    def prompts(self) -> list[Prompt]:
        """The one way it was trained with."""
        return [Prompt(0, self.decode)]

    def prepare(self, model: "PreTrainedModel") -> "PreTrainedModel":
        """The model with every parameter requiring a gradient."""
        return model.requires_grad_(True)

    def export(self, model: "PreTrainedModel | PeftModel", folder: Path) -> None:
        """Write `model.safetensors` and the configuration."""
        model.save_pretrained(folder)

    def load(self, model: ModelSpec, folder: Path, dtype: str) -> "PreTrainedModel":
        """The model in the folder, which needs no base."""
        return load_folder(folder, dtype)
