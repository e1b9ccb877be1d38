"""How a model learns: not at all, by low-rank adapters, or in all its weights.

An adapter says how a model is made ready to learn (`prepare`), how what it learnt is written down (`export`) and read again
(`load`), and by which way of learning it gets there (`learn`). Those here learn under supervision; a policy that learns from
rewards is another class with another `learn`.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from kithe.errors import ConfigError, at_least, more_than
from kithe.llm.folders import load_folder
from kithe.llm.models import ModelSpec

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

    from kithe.evaluation.task import Format
    from kithe.records.history import History
    from kithe.training.callbacks import Sink
    from kithe.training.trainer import Hardware

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

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name in ("learning_rate", "epochs", "clip"):
            more_than(f"adapt.recipe.{name}", getattr(self, name), 0)
        for name, least in (("effective_batch", 1), ("micro_batch", 1), ("max_length", 2), ("warmup", 0), ("weight_decay", 0)):
            at_least(f"adapt.recipe.{name}", getattr(self, name), least)


class Adapter(Protocol):
    """An option of the group `adapt`."""

    @property
    def trains(self) -> bool:
        """Whether weights change."""

    @property
    def trains_base(self) -> bool:
        """Whether the weights of the base model change: they are then kept in fp32 while bf16 arithmetic uses them."""

    @property
    def parts(self) -> int:
        """Micro-batches in an effective batch: processes share them evenly."""

    def prompts(self) -> list[Prompt]:
        """The ways of asking to choose among on validation data."""

    def load(self, model: ModelSpec, folder: Path, dtype: str) -> "PreTrainedModel | PeftModel":
        """The adapted model from what `export` wrote, in evaluation mode; `folder` is not read where nothing is trained."""


@dataclass(frozen=True)
class Lesson:
    """What there is to learn, and where to keep it.

    Attributes:
        format: how histories become examples (or, for other ways of learning, requests and predictions).
        train, validation: histories.
        precision: `fp32` or `bf16`.
        sink: takes rows of metrics on rank 0.
        checkpoint_every: optimiser steps a killed run may lose.
        stop: asked after every step; on True what was learnt so far is saved and `kithe.errors.Stopped` raised.
    """

    model: ModelSpec
    format: "Format"
    train: "Sequence[History]"
    validation: "Sequence[History]"
    precision: str
    seed: int
    folder: Path
    sink: "Sink"
    hardware: "Hardware"
    checkpoint_every: int
    progress: bool
    stop: Callable[[], bool]


class Trainable(Adapter, Protocol):
    """An adapter that changes weights."""

    def learn(self, lesson: Lesson) -> dict[str, Any]:
        """Adapt the model and leave `weights/` in the lesson's folder; called on every rank; returns what it took."""

    @property
    def recipe(self) -> Recipe:
        """How it learns."""

    def prepare(self, model: "PreTrainedModel") -> "PreTrainedModel | PeftModel":
        """The model with exactly those parameters requiring gradients that are to be learnt."""

    def export(self, model: "PreTrainedModel | PeftModel", folder: Path) -> None:
        """Write what was learnt as safetensors that plain peft or transformers can load."""


class Supervised:
    """Learning from examples with answers, by the adapter's recipe."""

    @property
    def parts(self: "Trainable") -> int:
        """See `Adapter.parts`.

        Raises:
            ConfigError: the effective batch is no multiple of the micro-batch.
        """
        whole, part = self.recipe.effective_batch, self.recipe.micro_batch
        if whole % part:
            raise ConfigError(f"adapt.recipe.effective_batch={whole}: it must be a multiple of adapt.recipe.micro_batch={part}")
        return whole // part

    def learn(self: "Trainable", lesson: Lesson) -> dict[str, Any]:
        """See `Trainable.learn`."""
        from kithe.training.fit import fit

        report = fit(
            self,
            lesson.model,
            examples=lesson.format.examples(lesson.train),
            validation=lesson.format.examples(lesson.validation),
            precision=lesson.precision,
            seed=lesson.seed,
            folder=lesson.folder,
            sink=lesson.sink,
            hardware=lesson.hardware,
            checkpoint_every=lesson.checkpoint_every,
            progress=lesson.progress,
            stop=lesson.stop,
        )
        return asdict(report)


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
    trains_base: ClassVar[bool] = False
    parts: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: there is nothing to try, or a number of examples is negative.
        """
        if not self.shots or not self.decode:
            raise ConfigError("adapt.shots and adapt.decode: each needs at least one value to try, such as [0] and [free]")
        at_least("adapt.shots", min(self.shots), 0)

    def prompts(self) -> list[Prompt]:
        """Every number of examples with every way of decoding."""
        return [Prompt(shots, decode) for shots, decode in product(self.shots, self.decode)]

    def load(self, model: ModelSpec, folder: Path, dtype: str) -> "PreTrainedModel":
        """The model itself."""
        return model.load(dtype)


@dataclass(frozen=True)
class Lora(Supervised):
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

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        at_least("adapt.rank", self.rank, 1)
        at_least("adapt.dropout", self.dropout, 0)
        if self.dropout >= 1:
            raise ConfigError(f"adapt.dropout={self.dropout}: a share below 1")
        if not self.target_modules:
            raise ConfigError("adapt.target_modules: name at least one layer, or say all-linear")

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
class FullSFT(Supervised):
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
