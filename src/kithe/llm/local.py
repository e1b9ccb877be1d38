"""A transformers model in this process: answers to batches of prompts, most likely or drawn, free or inside a JSON schema.

The beginning that all prompts of a batch share (instruction, worked examples) is read once; rows that have finished leave the
batch; the cache of keys and values is allocated once. None of this changes what is computed but for the order of floating
point sums, and all of it is a function of the batch alone, so that the same batch gives the same answers to the last bit.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from kithe.llm.chat import terminator
from kithe.llm.sampling import Draws, Sampling
from kithe.records.chat import Generation

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from xgrammar import CompiledGrammar, GrammarMatcher

Decode = Literal["free", "schema"]
Prompt = tuple[str, Sequence[int]]

THINKING: Final = "x-thinking"
"""Key of a schema whose answers start with a trace between `<think>` and `</think>`."""

_TRACE: Final = 'root ::= "<think>" ([^<] | "<" [^/])* "</think>\\n"'
_WORTH_SHARING: Final = 16  # tokens
_WORTH_KEEPING: Final = 0.75  # of a batch's rows; fewer unfinished ones are moved to a smaller cache


@dataclass(frozen=True)
class Prefix:
    """The beginning of prompts as a model has read it: `LocalModel.read` makes it, and it is stale once weights change.

    Attributes:
        ids: its tokens; none where nothing is shared.
        states: keys and values per layer, each [1, heads, len(ids), size].
    """

    ids: tuple[int, ...] = ()
    states: tuple[tuple[Tensor, Tensor], ...] = ()


@dataclass(frozen=True)
class Drawn:
    """An answer in tokens.

    Attributes:
        ids: the end token included where it was drawn.
        finished: whether it was.
        text: without special tokens.
    """

    ids: tuple[int, ...]
    finished: bool
    text: str


class LocalModel:
    """Generation with a causal language model, greedy unless sampling is asked for.

    Args:
        model: in evaluation mode, on any device, in any floating point type; logits are compared in fp32.
        tokenizer: the model's; its template's turn terminator ends an answer, as do the model's own end tokens.
    """

    def __init__(self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._stops = _stops(model, tokenizer)

    @torch.inference_mode()
    def read(self, ids: Sequence[int]) -> Prefix:
        """The keys and values of a beginning, to be used by any number of batches whose prompts start with it.

        Models with sliding windows count columns, padding included, so for them nothing is read and the result is empty.
        """
        cache = DynamicCache(config=self._model.config)
        if not ids or any(type(layer) is not DynamicLayer for layer in cache.layers):
            return Prefix()
        tokens = torch.tensor([list(ids)], device=self._model.device)
        self._model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return Prefix(tuple(ids), tuple((keys, values) for keys, values, _ in cache))

    @torch.inference_mode()
    def generate(
        self,
        batch: Sequence[Prompt],
        max_new_tokens: int,
        decode: Decode = "free",
        schema: dict[str, Any] | None = None,
        prefix: Prefix | None = None,
        sampling: Sequence[Sampling] | None = None,
    ) -> list[Generation]:
        """The answers to a batch, in its order.

        `Generation.logprobs` are those of the model's own distribution, in both kinds of decoding: with a schema, the probability
        that the model had for the token before anything was forbidden, not renormalised over what was allowed.

        Args:
            batch: (request id, prompt token ids); prompts are padded on the left.
            max_new_tokens: answers that are not over by then end with `finish="length"`.
            decode: `schema` allows only continuations of texts that fit `schema`.
            schema: a JSON schema; separators and order of keys are those of `json.dumps`.
            prefix: what all prompts are known to start with, read before; None: what they share is read now.
            sampling: how each answer is drawn; None: the most likely token, always.

        Raises:
            ValueError: `decode="schema"` without a schema, or a prompt that does not continue the prefix.
        """
        if decode == "schema" and schema is None:
            raise ValueError("decode='schema' needs a schema")
        if not batch:
            return []
        prompts = [list(ids) for _, ids in batch]
        prefix = self.read(shared(prompts)) if prefix is None else prefix
        rows = self._prefill(prompts, prefix, max_new_tokens)
        masks = self._masks(schema, rows) if decode == "schema" else None
        answers = self._decode(rows, max_new_tokens, masks, None if sampling is None else Draws(sampling))
        return [self._generation(name, len(ids), answer) for (name, _), ids, answer in zip(batch, prompts, answers, strict=True)]

    @torch.inference_mode()
    def draw(self, batch: Sequence[Sequence[int]], copies: int, max_new_tokens: int, sampling: Sequence[Sampling]) -> list[Drawn]:
        """`copies` answers to each prompt of token ids, one after the other, in tokens; every prompt is read once.

        Args:
            sampling: how each answer is drawn, [prompts * copies].
        """
        rows = self._prefill([list(ids) for ids in batch], Prefix(), max_new_tokens)
        rows.spread([row for row in range(len(batch)) for _ in range(copies)])
        answers = self._decode(rows, max_new_tokens, None, Draws(sampling))
        return [Drawn(tuple(answer.ids), answer.finished, self._text(answer.ids)) for answer in answers]

    def _masks(self, schema: dict[str, Any] | None, rows: "_Rows") -> "_Masks | None":
        if schema is None:
            return None
        count, vocabulary = rows.logits.shape  # the model's vocabulary, which can be larger than the tokenizer's
        return _grammars(self._tokenizer, self._stops, vocabulary).masks(schema, count)

    def _prefill(self, prompts: Sequence[list[int]], prefix: Prefix, room: int) -> "_Rows":
        """Read the prompts; the columns of the cache are: prefix, padding and rest of the prompt, new tokens."""
        known = len(prefix.ids)
        if any(tuple(ids[:known]) != prefix.ids or len(ids) <= known for ids in prompts):
            raise ValueError("a prompt does not start with the shared prefix, or has nothing after it")
        width = max(len(ids) for ids in prompts)
        cache = self._cache(prefix, len(prompts), width + room)
        tokens = torch.zeros(len(prompts), width - known, dtype=torch.long)
        mask = torch.ones(len(prompts), width + room, dtype=torch.long)
        for row, ids in enumerate(prompts):
            tokens[row, width - len(ids) :] = torch.tensor(ids[known:])
            mask[row, known : known + width - len(ids)] = 0
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        rows = _Rows(cache, mask.to(self._model.device), positions.to(self._model.device), list(range(len(prompts))))
        rows.logits = self._forward(tokens.to(self._model.device), rows, known, width)
        rows.column = width
        return rows

    def _cache(self, prefix: Prefix, rows: int, columns: int) -> Cache:
        cache = DynamicCache(config=self._model.config)
        cache.layers = [_Roomy(columns) if type(layer) is DynamicLayer else layer for layer in cache.layers]
        for layer, (keys, values) in enumerate(prefix.states):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
        return cache

    def _forward(self, tokens: Tensor, rows: "_Rows", start: int, stop: int) -> Tensor:
        """Logits [rows, vocabulary] in fp32 after the tokens in columns start to stop."""
        output = self._model(
            input_ids=tokens,
            attention_mask=rows.mask[:, :stop],
            position_ids=rows.positions[:, start:stop],
            past_key_values=rows.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def _decode(self, rows: "_Rows", limit: int, masks: "_Masks | None", draws: Draws | None) -> list["_Answer"]:
        answers = [_Answer() for _ in rows.numbers]
        for step in range(limit):
            total = rows.logits.logsumexp(-1)
            if masks is not None:
                masks.forbid(rows.logits, rows.numbers)
            best, tokens = rows.logits.max(-1) if draws is None else draws.choose(rows.logits, rows.numbers)
            chosen, logprobs = tokens.tolist(), (best - total).tolist()
            for number, token, logprob in zip(rows.numbers, chosen, logprobs, strict=True):
                answers[number].add(token, logprob, self._stops)
            open_rows = [row for row, number in enumerate(rows.numbers) if not answers[number].finished]
            if not open_rows or step == limit - 1:
                break
            if len(open_rows) <= _WORTH_KEEPING * len(rows.numbers):
                tokens = rows.keep(open_rows, tokens)
            if masks is not None:
                masks.accept({number: answers[number].ids[-1] for number in rows.numbers if not answers[number].finished})
            rows.logits = self._forward(tokens[:, None], rows, rows.column, rows.column + 1)
            rows.column += 1
        return answers

    def _generation(self, name: str, prompt_tokens: int, answer: "_Answer") -> Generation:
        pieces = self._pieces(answer.ids)
        return Generation(
            id=name,
            text="".join(pieces),
            finish="stop" if answer.finished else "length",
            prompt_tokens=prompt_tokens,
            new_tokens=len(answer.ids),
            pieces=tuple(pieces),
            logprobs=tuple(round(value, 6) for value in answer.logprobs),
        )

    def _pieces(self, ids: Sequence[int]) -> list[str]:
        """The text that each token adds; a character spread over several tokens belongs to its last one."""
        pieces, before, done = [""] * len(ids), 0, 0
        for index in range(len(ids)):
            known, text = self._text(ids[before:done]), self._text(ids[before : index + 1])
            if index < len(ids) - 1 and text.endswith("�"):
                continue
            pieces[index] = text[len(known) :]
            before, done = done, index + 1
        return pieces

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))


def shared(prompts: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The tokens that several prompts start with, one less than the shortest has at most; none where it is not worth while."""
    if len(prompts) < 2:
        return ()
    first, last = (
        min(map(tuple, prompts)),
        max(map(tuple, prompts)),
    )  # in lexical order, what these two share is shared by all between them
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    length = min(length, *(len(ids) - 1 for ids in prompts))
    return first[:length] if length >= _WORTH_SHARING else ()


def _stops(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    """The tokens that end an answer."""
    own = model.generation_config.eos_token_id if model.generation_config else None
    ends = own if isinstance(own, list) else [own]
    return frozenset(token for token in (*ends, terminator(tokenizer)) if token is not None)


@dataclass
class _Answer:
    """What a row has written so far."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finished: bool = False

    def add(self, token: int, logprob: float, stops: frozenset[int]) -> None:
        if not self.finished:
            self.ids.append(token)
            self.logprobs.append(logprob)
            self.finished = token in stops


@dataclass
class _Rows:
    """The part of a batch that is still computed.

    Attributes:
        mask: [rows, columns], 0 for padding.
        positions: [rows, columns], counted without padding.
        numbers: the place of each row in the batch.
        column: how many columns the cache has filled.
        logits: of the next token, [rows, vocabulary].
    """

    cache: Cache
    mask: Tensor
    positions: Tensor
    numbers: list[int]
    column: int = 0
    logits: Tensor = field(default_factory=lambda: torch.empty(0))

    def spread(self, rows: list[int]) -> None:
        """Go on with these rows, some of them several times, as answers of their own."""
        index = torch.tensor(rows, device=self.mask.device)
        self.cache.batch_select_indices(index)
        self.mask, self.positions, self.logits = self.mask[index], self.positions[index], self.logits[index]
        self.numbers = list(range(len(rows)))

    def keep(self, rows: list[int], tokens: Tensor) -> Tensor:
        """Drop all rows but these; `tokens` [rows] of these."""
        index = torch.tensor(rows, device=tokens.device)
        self.cache.batch_select_indices(index)
        self.mask, self.positions = self.mask[index], self.positions[index]
        self.numbers = [self.numbers[row] for row in rows]
        return tokens[index]


class _Roomy(DynamicLayer):  # type: ignore[misc]  # transformers leaves it untyped
    """A layer of the cache with room for all columns from the start, where `DynamicLayer` copies everything for each token."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self._columns = columns

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate [rows, heads, columns, size] for both."""
        self.dtype, self.device = key_states.dtype, key_states.device
        self._all_keys = key_states.new_empty(*key_states.shape[:2], self._columns, key_states.shape[-1])
        self._all_values = value_states.new_empty(*value_states.shape[:2], self._columns, value_states.shape[-1])
        self._show(0)
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Put new columns after those that are there; all columns so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.keys.shape[-2]
        stop = start + key_states.shape[-2]
        self._all_keys[:, :, start:stop] = key_states
        self._all_values[:, :, start:stop] = value_states
        self._show(stop)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep these rows."""
        filled = self.keys.shape[-2]
        self._all_keys, self._all_values = self._all_keys[indices], self._all_values[indices]
        self._show(filled)

    def _show(self, columns: int) -> None:
        self.keys, self.values = self._all_keys[:, :, :columns], self._all_values[:, :, :columns]


class _Grammars:
    """Compiled schemas for one vocabulary: the setup takes seconds, so it outlives a `LocalModel`."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", stops: frozenset[int], vocabulary: int) -> None:
        import xgrammar

        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocabulary, stop_token_ids=sorted(stops))
        self._compiler = xgrammar.GrammarCompiler(info)
        self._vocabulary = vocabulary
        self._compiled: dict[str, CompiledGrammar] = {}

    def masks(self, schema: dict[str, Any], rows: int) -> "_Masks":
        """Fresh masks for so many answers."""
        text = json.dumps(schema)
        if text not in self._compiled:
            self._compiled[text] = self._compile(schema)
        return _Masks(self._compiled[text], rows, self._vocabulary)

    def _compile(self, schema: dict[str, Any]) -> "CompiledGrammar":
        import xgrammar

        plain = {key: value for key, value in schema.items() if key != THINKING}
        grammar = xgrammar.Grammar.from_json_schema(json.dumps(plain), any_whitespace=False, separators=(", ", ": "))
        if schema.get(THINKING):
            grammar = xgrammar.Grammar.concat(xgrammar.Grammar.from_ebnf(_TRACE), grammar)
        return self._compiler.compile_grammar(grammar)


@lru_cache(maxsize=4)
def _grammars(tokenizer: "PreTrainedTokenizerBase", stops: frozenset[int], vocabulary: int) -> _Grammars:
    return _Grammars(tokenizer, stops, vocabulary)


class _Masks:
    """Which tokens each answer of a batch may go on with."""

    def __init__(self, grammar: "CompiledGrammar", rows: int, vocabulary: int) -> None:
        import xgrammar

        self._apply = xgrammar.apply_token_bitmask_inplace
        self._matchers: list[GrammarMatcher] = [xgrammar.GrammarMatcher(grammar) for _ in range(rows)]
        self._bits = xgrammar.allocate_token_bitmask(rows, vocabulary)

    def forbid(self, logits: Tensor, numbers: Sequence[int]) -> None:
        """Set to minus infinity what the answers in these places of the batch may not go on with; logits [rows, vocabulary]."""
        bits = self._bits[: len(numbers)]
        bits.fill_(-1)
        for row, number in enumerate(numbers):
            if not self._matchers[number].is_terminated():
                self._matchers[number].fill_next_token_bitmask(bits, row)
        self._apply(logits, bits.to(logits.device))

    def accept(self, tokens: dict[int, int]) -> None:
        """Go on with these tokens, by place in the batch."""
        for number, token in tokens.items():
            if not self._matchers[number].accept_token(token):
                raise RuntimeError(f"the grammar refuses token {token}, which it had allowed")
