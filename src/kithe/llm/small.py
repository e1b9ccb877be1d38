"""A language model of our own making: random, small, with a vocabulary of its own, for learning on a CPU."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kithe.errors import ConfigError
from kithe.llm.folders import materialise
from kithe.llm.models import Shape, _InFolder, _on_meta

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

SPECIAL: Final = ("<|start|>", "<|end|>")
TEMPLATE: Final = (
    "{% for message in messages %}{{ '<|start|>' + message['role'] + '\n' + message['content'] + '<|end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
)
_PACKAGE: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Small(_InFolder):
    """A randomly initialised Llama with a byte-level vocabulary of pairs that are frequent in texts of this package.

    Attributes:
        texts: patterns of files of the package that the vocabulary is made from.
        words: its size, bytes and marks included.
        marks: strings that are one token each, such as the tags of an answer.
    """

    name: str
    texts: Sequence[str]
    words: int = 2048
    hidden: int = 96
    layers: int = 2
    heads: int = 4
    seed: int = 0
    context: int = 1024
    marks: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        object.__setattr__(self, "texts", tuple(self.texts))
        object.__setattr__(self, "marks", tuple(self.marks))
        if self.words < 512:
            raise ConfigError(f"model.words={self.words}: at least 512, of which 258 are bytes and marks")
        if self.hidden % self.heads:
            raise ConfigError(f"model.hidden={self.hidden}: a multiple of model.heads={self.heads}")

    @property
    def shape(self) -> Shape:
        """Its dimensions."""
        return Shape("llama", self.hidden, 3 * self.hidden, self.layers, self.heads, self.heads, self.words)

    def folder(self) -> Path:
        """The random weights and the vocabulary, the same for the same fields and texts."""
        size = f"{self.hidden}x{self.layers}x{self.heads}x{self.context}x{self.words}"
        content = hashlib.sha256("\n".join([*self.lines(), *self.marks]).encode()).hexdigest()[:10]
        return materialise(f"{self.name}-{size}-{self.seed}-{content}", self._make)

    def meta(self) -> "PreTrainedModel":
        """See `ModelSpec.meta`."""
        return _on_meta(self.shape.config(self.context))

    def parameters(self) -> int:
        """See `ModelSpec.parameters`."""
        return self.shape.parameters()

    def lines(self) -> list[str]:
        """What the vocabulary is made from.

        Raises:
            ConfigError: a pattern names no file.
        """
        found: list[str] = []
        for pattern in self.texts:
            files = sorted(_PACKAGE.glob(pattern))
            if not files:
                raise ConfigError(f"model.texts: no file of the package is named '{pattern}'")
            found += [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
        return [part for line in found for part in re.split(r"[|\[\]{},:\"]", line) if part.strip()]

    def vocabulary(self) -> "PreTrainedTokenizerFast":
        """Byte pairs, with marks for turns and a chat template.

        Raises:
            ConfigError: the texts hold fewer pairs than are wanted.
        """
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast

        core = Tokenizer(models.BPE())
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        core.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.words - len(self.marks),
            special_tokens=list(SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        core.train_from_iterator(self.lines(), trainer)
        core.add_tokens([AddedToken(mark, normalized=False) for mark in self.marks])
        if core.get_vocab_size() < self.words:
            raise ConfigError(f"model.words={self.words}: the texts make {core.get_vocab_size()} at most")
        made = PreTrainedTokenizerFast(tokenizer_object=core, bos_token=SPECIAL[0], eos_token=SPECIAL[1])
        made.chat_template = TEMPLATE
        return made

    def _make(self, target: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        words = self.vocabulary()
        ends = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = AutoModelForCausalLM.from_config(self.shape.config(self.context, **ends), dtype=torch.float32)
        model.save_pretrained(target)
        words.save_pretrained(target)
