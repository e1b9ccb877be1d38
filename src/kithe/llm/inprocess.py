"""A model in this process as a client: batches of asks, drawn or greedy, inside a JSON schema where an ask has one.

The same asks in the same order give the same answers to the last bit. In other batches a near tie between two tokens may fall
the other way, because sums are taken in another order; random numbers belong to the ask alone.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from kithe.errors import ConfigError
from kithe.identity import digest
from kithe.llm.client import Ask, Keep, Reply, failed
from kithe.llm.models import ModelSpec

if TYPE_CHECKING:
    from kithe.llm.local import LocalModel
    from kithe.records.chat import Generation

_AHEAD: Final = 4  # batches of asks that are looked at together, so that equal schemas and lengths meet


@dataclass(frozen=True, slots=True)
class _Prompt:
    ask: Ask
    ids: list[int]

    @property
    def room(self) -> int:
        """Columns that it takes."""
        return len(self.ids) + self.ask.max_tokens

    @property
    def kind(self) -> tuple[str, int]:
        """Only prompts of one kind share a batch."""
        return (json.dumps(self.ask.schema), self.ask.max_tokens)


class _Loaded:
    """The model, once it has been loaded."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.model: LocalModel | None = None
        self.tokenizer: Any = None


@dataclass(frozen=True, eq=False)
class InProcess:
    """A transformers model in this process.

    Attributes:
        model: which one.
        precision: of the weights, `bf16` or `fp32`.
        rows: the most answers at once.
        batch_tokens: the most tokens (prompts, paddings and answers) at once; it bounds the memory.
        device: `auto` for the first GPU where there is one.
    """

    model: ModelSpec
    precision: str = "bf16"
    rows: int = 16
    batch_tokens: int = 16384
    device: str = "auto"
    _loaded: _Loaded = field(init=False, repr=False, default_factory=_Loaded)

    def __post_init__(self) -> None:
        for key in ("rows", "batch_tokens"):
            if getattr(self, key) < 1:
                raise ConfigError(f"{key}={getattr(self, key)}: must be at least 1")

    @property
    def name(self) -> str:
        """`<model> (local)`."""
        return f"{self.model.name} (local)"

    @property
    def identity(self) -> str:
        """The model and its precision."""
        return f"local {self.model.name} {self.precision} {digest(repr(self.model))}"

    def complete(self, asks: Iterable[Ask], keep: Keep | None = None) -> Iterator[Reply]:
        """See `Client.complete`; replies come batch by batch."""
        source = iter(asks)
        while some := list(islice(source, _AHEAD * self.rows)):
            for pairs in self._answered(some):
                for ask, reply in pairs:
                    if keep is not None:
                        keep(ask, reply)
                yield from (reply for _, reply in pairs)

    def _answered(self, asks: list[Ask]) -> Iterator[list[tuple[Ask, Reply]]]:
        model = self._load()
        prompts = [self._prompt(ask) for ask in asks]
        limit = min(self.model.context, self.batch_tokens)
        long = [prompt.ask for prompt in prompts if prompt.room > limit]
        yield [(ask, failed(ask, "too_long", f"prompt and answer exceed {limit} tokens", model=self.name)) for ask in long]
        for batch in _batches([prompt for prompt in prompts if prompt.room <= limit], self.rows, self.batch_tokens):
            yield self._batch(model, batch)

    def _batch(self, model: "LocalModel", batch: list[_Prompt]) -> list[tuple[Ask, Reply]]:
        from kithe.llm.sampling import Sampling

        first, start = batch[0].ask, time.perf_counter()
        sampling = [
            Sampling(ask.temperature, ask.top_p, digest([ask.seed, ids])) for ask, ids in ((each.ask, each.ids) for each in batch)
        ]
        decode, named = ("free" if first.schema is None else "schema"), [(each.ask.id, each.ids) for each in batch]
        try:
            said = model.generate(named, first.max_tokens, decode, first.schema, sampling=sampling)  # type: ignore[arg-type]
        except (RuntimeError, ValueError) as error:
            if first.schema is None or "schema" not in f"{error}".lower():
                raise
            return [(each.ask, failed(each.ask, "invalid", f"the grammar cannot follow this schema: {error}")) for each in batch]
        seconds = round(time.perf_counter() - start, 4)
        return [(each.ask, self._reply(each.ask, answer, seconds)) for each, answer in zip(batch, said, strict=True)]

    def _reply(self, ask: Ask, said: "Generation", seconds: float) -> Reply:
        ends = [place for stop in ask.stop if (place := said.text.find(stop)) >= 0]
        return Reply(
            ask.id,
            said.text[: min(ends)] if ends else said.text,
            "stop" if ends else said.finish,
            prompt_tokens=said.prompt_tokens,
            new_tokens=said.new_tokens,
            seconds=seconds,
            model=self.name,
        )

    def _prompt(self, ask: Ask) -> _Prompt:
        from kithe.llm.chat import render

        return _Prompt(ask, render(self._loaded.tokenizer, ask.messages))

    def _load(self) -> "LocalModel":
        with self._loaded.lock:
            if self._loaded.model is None:
                import torch

                from kithe.llm.local import LocalModel

                device = self.device if self.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
                self._loaded.tokenizer = self.model.tokenizer()
                weights: Any = self.model.load(self.precision)
                self._loaded.model = LocalModel(weights.to(device), self._loaded.tokenizer)
            return self._loaded.model


def _batches(prompts: list[_Prompt], rows: int, tokens: int) -> Iterator[list[_Prompt]]:
    """Prompts of one kind and similar length together, within `rows` and `tokens`; a prompt may not exceed `tokens` alone."""
    for _, group in groupby(sorted(prompts, key=lambda prompt: (prompt.kind, prompt.room)), key=lambda prompt: prompt.kind):
        batch: list[_Prompt] = []
        for prompt in group:
            if batch and (len(batch) == rows or prompt.room * (len(batch) + 1) > tokens):
                yield batch
                batch = []
            batch.append(prompt)
        yield batch
