"""Drawing groups of answers, and their log-probabilities under a policy."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers.cache_utils import DynamicCache, DynamicLayer

from kithe.llm.chat import Encoded
from kithe.llm.local import Drawn, LocalModel
from kithe.llm.sampling import Sampling
from kithe.training.data import collate
from kithe.training.grpo.settings import Rollouts
from kithe.training.module import predicting, supervised_logits

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Rollout:
    """One answer to a state: the state's place among all, its prompt's token ids, and what was drawn."""

    state: int
    prompt: tuple[int, ...]
    drawn: Drawn

    @property
    def encoded(self) -> Encoded:
        """Prompt and answer, of which the answer counts."""
        answer = list(self.drawn.ids)
        return Encoded([*self.prompt, *answer], [False] * len(self.prompt) + [True] * len(answer))


def draw(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[tuple[int, Sequence[int]]],
    sampling: Sequence[Sequence[Sampling]],
    longest: int,
    at_once: int,
) -> list[Rollout]:
    """A group of answers to each (state, prompt), as many as the state has samplings; about `at_once` answers at a time."""
    local, found, group = LocalModel(model, tokenizer), list[Rollout](), len(sampling[0]) if sampling else 1
    size = max(1, at_once // group)
    for start in range(0, len(prompts), size):
        part = prompts[start : start + size]
        each = [own for some in sampling[start : start + size] for own in some]
        answers = iter(local.draw([ids for _, ids in part], group, longest, each))
        found += [Rollout(state, tuple(ids), next(answers)) for state, ids in part for _ in range(group)]
    return found


def samplings(states: Sequence[int], rules: Rollouts, seed: str) -> list[list[Sampling]]:
    """How the group of each state is drawn: every answer with random numbers that its name decides."""
    return [
        [Sampling(rules.temperature, rules.top_p, f"{seed}/{state}/{number}") for number in range(rules.group)]
        for state in states
    ]


@dataclass(frozen=True)
class Scores:
    """What a policy thinks of answers.

    Attributes:
        values: log-probabilities of the tokens, 0 outside of the mask, [answers, length].
        mask: [answers, length].
        entropy: of the distribution that each token was drawn from, in nats, 0 outside of the mask, [answers, length].
    """

    values: Tensor
    mask: Tensor
    entropy: Tensor


def parts(rollouts: Sequence[Rollout], size: int) -> list[list[int]]:
    """The places of rollouts in micro-batches: of one prompt each, at most `size`, answers of like length together."""
    by_prompt: dict[tuple[int, ...], list[int]] = {}
    for place, own in enumerate(rollouts):
        by_prompt.setdefault(own.prompt, []).append(place)
    found = []
    for places in by_prompt.values():
        order = sorted(places, key=lambda place: (-len(rollouts[place].drawn.ids), place))
        found += [order[start : start + size] for start in range(0, len(order), size)]
    return found


def log_probabilities(model: "PreTrainedModel", rollouts: Sequence[Rollout], temperature: float) -> Scores:
    """Of the tokens of answers to one prompt, at a temperature, in fp32. The prompt is read once for all.

    Models whose cache forgets (sliding windows), and activations that are to be computed anew, need it beside every answer.
    """
    cache = DynamicCache(config=model.config)
    plain = all(type(layer) is DynamicLayer for layer in cache.layers)
    answers, mask = _padded(rollouts, model.device)
    logits = (
        _beside(model, rollouts, mask) if not plain or model.training else _after(model, rollouts[0].prompt, answers, mask, cache)
    )
    logits = logits.float() / temperature
    targets = answers[mask]
    flat = -cross_entropy(logits, targets, reduction="none")
    with torch.no_grad():
        logs = logits.log_softmax(-1)
        entropy = -(logs.exp() * logs).sum(-1)
    values, spread = (flat.new_zeros(mask.shape).masked_scatter(mask, own) for own in (flat, entropy))
    return Scores(values, mask, spread)


def _padded(rollouts: Sequence[Rollout], device: torch.device) -> tuple[Tensor, Tensor]:
    """Answers [answers, length], padded on the right, and where they are."""
    length = max(len(own.drawn.ids) for own in rollouts)
    rows = [[*own.drawn.ids, *[0] * (length - len(own.drawn.ids))] for own in rollouts]
    sizes = torch.tensor([len(own.drawn.ids) for own in rollouts])
    return torch.tensor(rows, device=device), (torch.arange(length)[None] < sizes[:, None]).to(device)


def _after(model: "PreTrainedModel", prompt: Sequence[int], answers: Tensor, mask: Tensor, cache: DynamicCache) -> Tensor:
    """Logits of the masked tokens [tokens, vocabulary], row by row: answers after one reading of the prompt."""
    rows, length = answers.shape
    read = torch.tensor([list(prompt)], device=answers.device)
    first: Tensor = model(input_ids=read, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
    if length == 1:
        return first.expand(rows, -1)
    for layer in cache.layers:
        layer.keys, layer.values = (each.expand(rows, -1, -1, -1) for each in (layer.keys, layer.values))
    seen = torch.cat([mask.new_ones(rows, len(prompt)), mask[:, :-1]], 1).long()
    with predicting(model, mask[:, 1:]):
        rest = model(input_ids=answers[:, :-1], attention_mask=seen, past_key_values=cache, use_cache=True).logits
    whole = rest.new_empty(*mask.shape, rest.shape[-1])
    whole[:, 0] = first
    whole[:, 1:][mask[:, 1:]] = rest
    found: Tensor = whole[mask]
    return found


def _beside(model: "PreTrainedModel", rollouts: Sequence[Rollout], mask: Tensor) -> Tensor:
    """The same, each answer beside a prompt of its own."""
    batch = collate([own.encoded for own in rollouts])
    moved = batch._replace(
        ids=batch.ids.to(mask.device), attention=batch.attention.to(mask.device), supervised=batch.supervised.to(mask.device)
    )
    return supervised_logits(model, moved)[0]


class Frozen:
    """What a policy's learnt parameters were at the start: the reference, which costs no second copy of what is not learnt.

    For low-rank adapters without a cold start this is the model with its adapters off, since they begin as zero.
    """

    def __init__(self, model: nn.Module) -> None:
        self._kept = {name: own.detach().clone() for name, own in model.named_parameters() if own.requires_grad}

    @contextmanager
    def within(self, model: nn.Module) -> Iterator[None]:
        """The model as it was."""
        mine = {name: own for name, own in model.named_parameters() if name in self._kept}
        now = {name: own.data for name, own in mine.items()}
        try:
            for name, own in mine.items():
                self._kept[name] = self._kept[name].to(own.device)
                own.data = self._kept[name]
            yield
        finally:
            for name, own in mine.items():
                own.data = now[name]
