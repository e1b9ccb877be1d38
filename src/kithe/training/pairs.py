"""Learning to tell whether words support a statement: a cross-encoder on top of the sentence encoder, trained under Lightning.

The network reads context, premise and statement at once. What it has read of premise and of statement is averaged apart, as the
sentence encoder was trained to average, and a linear layer compares the two averages (u, v, |u - v|, u * v). The context, which
somebody else said, is attended to and marked as another segment than the premise, and is in neither average.
"""

import json
import math
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim.lr_scheduler import LambdaLR

from kithe.errors import Stopped
from kithe.llm.embed import model_folder
from kithe.llm.folders import quiet
from kithe.records.base import write_json
from kithe.training.callbacks import Bar, Checkpointing, Journal, Sink
from kithe.training.checkpoints import Checkpoints
from kithe.training.data import Plan
from kithe.training.module import SFTModule, rate
from kithe.training.trainer import Hardware, Ranks, make_trainer

if TYPE_CHECKING:
    from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
    from transformers import PreTrainedTokenizerBase

    from kithe.evaluation.verifier.course import Learning

Text = tuple[str, str, str]
LONGEST: Final = {"context": 40, "premise": 120, "statement": 48}  # tokens
SCORED_AT_ONCE: Final = 64
WEIGHTS: Final = "verifier.safetensors"


class Row(NamedTuple):
    """Context, premise and statement as tokens, and where premise and statement begin."""

    ids: list[int]
    premise: int
    statement: int


class PairBatch(NamedTuple):
    """A micro-batch, padded on the right; the journal reads `targets` and `step` of it.

    Attributes:
        ids: token ids, [rows, length].
        attention: 1 for tokens, 0 for padding, [rows, length].
        part: 0 for tokens of the context, 1 of the premise, 2 of the statement, [rows, length].
        labels: 1 where the statement is supported, [rows].
        targets: rows of the whole optimiser step.
        step: number of the optimiser step.
        draw: number of the micro-batch in that step.
    """

    ids: Tensor
    attention: Tensor
    part: Tensor
    labels: Tensor
    targets: int
    step: int
    draw: int


class CrossEncoder(nn.Module):
    """The sentence encoder with a linear layer that compares what was read of premise and statement."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(4 * width, 1)

    def forward(self, batch: PairBatch) -> Tensor:
        """Logits that the statements are supported, [rows]."""
        said, stated = batch.part == 1, batch.part == 2
        states = self.encoder(
            input_ids=batch.ids, attention_mask=batch.attention, token_type_ids=(~said).long()
        ).last_hidden_state.float()
        first, second = (_mean(states, mask & batch.attention.bool()) for mask in (said, stated))
        logits: Tensor = self.head(torch.cat([first, second, (first - second).abs(), first * second], dim=-1)).squeeze(-1)
        return logits


class PairModule(SFTModule):
    """Learns the labels of pairs; steps, checkpoints and identity are those of supervised fine-tuning."""

    def __init__(self, model: CrossEncoder, learning: "Learning", *, steps: int, seed: int, identity: dict[str, Any]) -> None:
        super().__init__(model, learning.recipe, steps=steps, world=1, seed=seed, identity=identity)
        self._learning, self._draws = learning, f"{seed}/dropout"
        self._all = steps

    def training_step(self, batch: PairBatch, batch_idx: int) -> dict[str, Tensor]:  # type: ignore[override]
        """`loss` for Lightning to differentiate, and the plain sum `nll` for the journal."""
        torch.manual_seed(zlib.crc32(f"{self._draws}/{batch.step}/{batch.draw}".encode()))
        smooth = self._learning.smoothing
        labels = batch.labels * (1 - 2 * smooth) + smooth
        total = binary_cross_entropy_with_logits(self.model(batch), labels, reduction="sum")
        return {"loss": total / batch.targets, "nll": total.detach()}

    def configure_optimizers(self) -> "OptimizerLRSchedulerConfig":
        """AdamW with a lower rate the lower the layer."""
        recipe = self._learning.recipe
        groups = [{"params": part, "lr": rate_} for part, rate_ in layers(self.model, self._learning)]  # type: ignore[arg-type]
        optimiser = torch.optim.AdamW(groups, betas=tuple(recipe.betas), weight_decay=recipe.weight_decay)  # type: ignore[arg-type]
        schedule = LambdaLR(optimiser, lambda step: rate(step, self._all, recipe.warmup))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class PairLoader:
    """The batches of a plan, which can go on where a checkpoint stopped."""

    def __init__(self, rows: Sequence[Row], labels: Sequence[bool], plan: Plan) -> None:
        self._rows, self._labels, self._plan = rows, labels, plan
        self._start = self._given = 0

    def __len__(self) -> int:
        return self._plan.steps

    def __iter__(self) -> Iterator[PairBatch]:
        first, self._start = self._start, 0
        for step in range(first, self._plan.steps):
            self._given = step + 1
            batch = self._plan.batches[step]
            yield collate([self._rows[row] for row in batch], [self._labels[row] for row in batch], step)

    def state_dict(self) -> dict[str, int]:
        """The number of steps given out."""
        return {"step": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on after so many steps."""
        self._start = state["step"]


@cache
def tokenizer() -> "PreTrainedTokenizerBase":
    """That of the sentence encoder."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(model_folder()))


def tokenise(texts: Sequence[Text]) -> list[Row]:
    """Context, premise and statement as tokens; of a long context the end is kept, of the others the beginning."""
    if not texts:
        return []
    words = tokenizer()
    begin, end = words.cls_token_id, words.sep_token_id
    columns = list(zip(*texts, strict=True))
    context, premise, statement = (words(list(column), add_special_tokens=False)["input_ids"] for column in columns)
    rows = []
    for before, said, stated in zip(context, premise, statement, strict=True):
        head = [begin, *before[-LONGEST["context"] :], end]
        both = [*head, *said[: LONGEST["premise"]], end]
        rows.append(Row([*both, *stated[: LONGEST["statement"]], end], len(head), len(both)))
    return rows


def collate(rows: Sequence[Row], labels: Sequence[bool] = (), step: int = 0) -> PairBatch:
    """Rows as one batch."""
    length = max(len(row.ids) for row in rows)

    def padded(values: Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor([[*value, *[0] * (length - len(value))] for value in values])

    return PairBatch(
        ids=padded([row.ids for row in rows]),
        attention=padded([[1] * len(row.ids) for row in rows]),
        part=padded([[(at >= row.premise) + (at >= row.statement) for at in range(len(row.ids))] for row in rows]),
        labels=torch.tensor([float(label) for label in labels]),
        targets=len(rows),
        step=step,
        draw=0,
    )


def network(weights: Path | None = None, seed: int = 0) -> CrossEncoder:
    """The network before learning, or with learnt weights."""
    from transformers import AutoModel

    with quiet():
        encoder = AutoModel.from_pretrained(
            str(model_folder()), dtype=torch.float32, attn_implementation="sdpa", add_pooling_layer=False
        )
    encoder.embeddings.requires_grad_(False)
    torch.manual_seed(seed)
    model = CrossEncoder(encoder, encoder.config.hidden_size)
    if weights is not None:
        learnt = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
        found = load_file(weights)
        if found.keys() != learnt:
            raise ValueError(f"{weights} holds other parameters than the network learns")
        model.load_state_dict(found, strict=False)
    return model


def layers(model: CrossEncoder, learning: "Learning") -> Iterator[tuple[list[nn.Parameter], float]]:
    """The parts of the network that learn, each with its peak rate."""
    yield list(model.head.parameters()), learning.head_rate
    stack = list(model.encoder.encoder.layer)  # type: ignore[union-attr, arg-type]
    for depth, layer in enumerate(reversed(stack)):
        yield list(layer.parameters()), learning.recipe.learning_rate * learning.decay**depth


def learn(
    texts: Sequence[Text],
    labels: Sequence[bool],
    learning: "Learning",
    *,
    seed: int,
    folder: Path,
    sink: Sink,
    checkpoint_every: int = 50,
    progress: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Train on pairs; `folder` then holds `verifier.safetensors` (what was learnt). Repeating the call goes on after a kill.

    Returns:
        what it took: pairs, tokens, steps, seconds (earlier processes of the same training included), and this process's time on
        the processor.

    Raises:
        Stopped: `stop` said so; a checkpoint is saved.
    """
    if (done := folder / "learnt.json").exists():
        finished: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return finished
    started, rows, recipe = time.process_time(), tokenise(texts), learning.recipe
    size = recipe.effective_batch
    plan = Plan.make(
        [len(row.ids) for row in rows],
        [1] * len(rows),
        seed=seed,
        epochs=recipe.epochs,
        effective_batch=size,
        micro_batch=size,
        world=1,
    )
    identity = {**asdict(learning), "seed": seed, "pairs": zlib.crc32(json.dumps([texts, list(labels)]).encode())}
    journal = Journal(plan, sink, (), plan.steps, stop)
    checkpoints = Checkpoints(folder / "checkpoint")
    saving = Checkpointing(checkpoints, plan, checkpoint_every, journal)
    trainer = make_trainer(
        Hardware(),
        Ranks(),
        folder,
        steps=plan.steps,
        accumulation=1,
        mixed=learning.precision == "bf16",
        clip=recipe.clip,
        callbacks=[journal, saving, *([Bar(plan, journal)] if progress else [])],
        progress=progress,
    )
    module = PairModule(network(seed=seed).train(), learning, steps=plan.steps, seed=seed, identity=identity)
    trainer.fit(module, PairLoader(rows, labels, plan), ckpt_path=checkpoints.find(), weights_only=True)
    if journal.stopped and trainer.global_step < plan.steps:
        raise Stopped(f"stopped after step {trainer.global_step} of {plan.steps}; the same command goes on from there")
    _export(module, folder)
    report = {
        "pairs": len(rows),
        "tokens": plan.tokens,
        "steps": plan.steps,
        "seconds": saving.seconds(),
        "cpu_s": time.process_time() - started,
    }
    write_json(folder / "learnt.json", report)
    shutil.rmtree(folder / "checkpoint")
    return report


def _export(module: PairModule, folder: Path) -> None:
    learnt = module.learnt()
    state = {
        name.removeprefix("model."): value.detach().contiguous() for name, value in module.state_dict().items() if name in learnt
    }
    part = folder / f".{WEIGHTS}.part"
    save_file(state, part)
    part.replace(folder / WEIGHTS)


@torch.no_grad()
def probabilities(model: CrossEncoder, texts: Sequence[Text]) -> list[float]:
    """The probability that each statement is supported, in fp32; every pair is read once, those of like length together."""
    model.eval()
    rows = tokenise(texts)
    order = sorted(range(len(rows)), key=lambda index: len(rows[index].ids))
    found = [math.nan] * len(rows)
    for start in range(0, len(order), SCORED_AT_ONCE):
        part = order[start : start + SCORED_AT_ONCE]
        for index, logit in zip(part, model(collate([rows[index] for index in part])).tolist(), strict=True):
            found[index] = 1 / (1 + math.exp(-logit))
    return found


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).float()
    mean: Tensor = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
    return mean
