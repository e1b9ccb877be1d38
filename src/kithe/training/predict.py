"""Prediction under Lightning's Trainer: answers to requests, appended batch by batch to files that survive a kill.

Which requests form a batch is a function of all requests, so that it depends neither on what is done already nor on the
number of processes. A batch is computed whole, and its answers are the same to the last bit whichever process computes it.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import BasePredictionWriter, Callback
from torch.utils.data import DataLoader

from kithe.errors import ConfigError, Stopped
from kithe.identity import digest
from kithe.llm.chat import render
from kithe.llm.local import Decode, LocalModel, Prefix, shared
from kithe.records.appended import append, cut, whole_lines
from kithe.records.chat import ChatRequest, Generation
from kithe.training.shown import shown
from kithe.training.trainer import Hardware, Ranks, make_trainer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Answered:
    """What a model said to all requests.

    Attributes:
        generations: in the order of the requests.
        seconds: computing time, added up over processes and over interrupted runs.
        tokens: read and written, added up over requests.
    """

    generations: list[Generation]
    seconds: float
    tokens: int


@dataclass(frozen=True)
class Job:
    """One batch: its number among all batches, and its prompts (token ids) with the ids of their requests."""

    number: int
    prompts: tuple[tuple[str, list[int]], ...]


def predict(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    requests: Sequence[ChatRequest],
    *,
    folder: Path,
    decode: Decode = "free",
    schema: dict[str, Any] | None = None,
    max_new_tokens: int = 128,
    batch_tokens: int = 8192,
    hardware: Hardware | None = None,
    progress: bool = True,
    stop: Callable[[], bool] = lambda: False,
) -> Answered:
    """Answer requests, in as many processes as torchrun started; every process gets all answers.

    Repeating the call after a kill, in the same folder and with any number of processes, goes on with the batches that miss.

    Args:
        model: moved to the hardware's device.
        requests: with different ids.
        folder: for `generations.rank<r>.jsonl` and `seconds.rank<r>.jsonl`; shared by the processes.
        decode: `schema` keeps answers inside `schema`.
        batch_tokens: a batch has at most so many prompt tokens, padding included, or one prompt.
        hardware: by default one CPU process.
        progress: show in process 0 how far it is.
        stop: asked after every batch.

    Raises:
        Stopped: see `stop`; the answers so far are on the disk.
        ConfigError: a prompt with its answer is longer than the model's context, or the folder holds answers to other prompts.
        ValueError: two requests share an id.
    """
    prompts = [(request.id, render(tokenizer, request.prompt)) for request in requests]
    _check(model, prompts, max_new_tokens)
    ranks, jobs = Ranks.of_this_process(), batches(prompts, batch_tokens)
    folder.mkdir(parents=True, exist_ok=True)
    cut(_file(folder, "generations", ranks.rank))
    cut(_file(folder, "seconds", ranks.rank))
    done = _answers(folder, prompts)
    mine = jobs[ranks.rank :: ranks.world]
    missing = [job for job in mine if not all(name in done for name, _ in job.prompts)]
    if missing or ranks.world > 1:  # processes meet in the trainer, also those without work
        module = _Predictor(
            LocalModel(model, tokenizer), model, shared([ids for _, ids in prompts]), max_new_tokens, decode, schema
        )
        callbacks: list[Callback] = [_Writer(folder, ranks.rank, stop)]
        callbacks += [_Bar(mine, missing)] if progress and ranks.rank == 0 else []
        # Lightning refuses a process without a batch.
        _run(module, missing or [Job(-1, ())], callbacks, hardware or Hardware(), ranks, folder)
    return _assemble(folder, prompts)


def batches(prompts: Sequence[tuple[str, list[int]]], batch_tokens: int) -> list[Job]:
    """All prompts, the longest first, in batches whose rows times longest prompt are at most `batch_tokens`, or of one prompt."""
    order = sorted(range(len(prompts)), key=lambda index: (-len(prompts[index][1]), index))
    jobs: list[Job] = []
    while order:
        rows = max(1, batch_tokens // len(prompts[order[0]][1]))
        jobs.append(Job(len(jobs), tuple(prompts[index] for index in order[:rows])))
        order = order[rows:]
    return jobs


class _Predictor(pl.LightningModule):
    """Answers a batch; what all prompts share is read at the first one."""

    def __init__(
        self,
        local: LocalModel,
        model: "PreTrainedModel",
        beginning: Sequence[int],
        max_new_tokens: int,
        decode: Decode,
        schema: dict[str, Any] | None,
    ) -> None:
        super().__init__()
        self.model = model
        self._local, self._beginning = local, beginning
        self._max_new_tokens, self._decode, self._schema = max_new_tokens, decode, schema
        self._prefix: Prefix | None = None
        self.seconds = 0.0

    def predict_step(self, batch: Job, batch_idx: int) -> list[Generation]:
        """The answers to a batch, and in `seconds` how long they took."""
        begun = time.perf_counter()
        if self._prefix is None:
            self._prefix = self._local.read(self._beginning)
        answers = self._local.generate(batch.prompts, self._max_new_tokens, self._decode, self._schema, self._prefix)
        self.seconds = time.perf_counter() - begun
        asked = {name: digest(ids) for name, ids in batch.prompts}
        return [answer.model_copy(update={"asked": asked[answer.id]}) for answer in answers]

    def transfer_batch_to_device(self, batch: Job, device: Any, dataloader_idx: int) -> Job:
        """Nothing to transfer: the local model makes its tensors where it is."""
        return batch


class _Writer(BasePredictionWriter):
    """Appends each batch's answers to this process's file, and they are on the disk before the next batch begins."""

    def __init__(self, folder: Path, rank: int, stop: Callable[[], bool]) -> None:
        super().__init__(write_interval="batch")
        self._folder, self._rank, self._stop = folder, rank, stop

    def write_on_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        prediction: list[Generation],
        batch_indices: Sequence[int] | None,
        batch: Job,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Append the time first: the time of a batch that is lost afterwards was spent all the same."""
        if not batch.prompts:
            return
        spent = json.dumps({"batch": batch.number, "seconds": pl_module.seconds})
        append(_file(self._folder, "seconds", self._rank), [spent])
        append(_file(self._folder, "generations", self._rank), [generation.line() for generation in prediction])
        if self._stop():
            raise Stopped(f"stopped after batch {batch.number}; the same command goes on from there")


class _Bar(Callback):
    """Counts the answers of this process, those of earlier runs included."""

    def __init__(self, all_jobs: Sequence[Job], missing: Sequence[Job]) -> None:
        total, left = (sum(len(job.prompts) for job in jobs) for jobs in (all_jobs, missing))
        self._bar = shown("predict", "request", total, total - left)

    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Job,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count the batch."""
        self._bar.update(len(batch.prompts))

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the full bar."""
        self._bar.close()


def _run(
    module: pl.LightningModule, jobs: Sequence[Job], callbacks: Sequence[Callback], hardware: Hardware, ranks: Ranks, folder: Path
) -> None:
    trainer = make_trainer(
        hardware.answering, ranks, folder, steps=1, accumulation=1, mixed=False, clip=0.0, callbacks=callbacks, progress=False
    )
    trainer.predict(module, DataLoader(list(jobs), batch_size=None), return_predictions=False)  # type: ignore[arg-type]
    trainer.strategy.barrier("predict")


def _check(model: "PreTrainedModel", prompts: Sequence[tuple[str, list[int]]], new: int) -> None:
    if len({name for name, _ in prompts}) < len(prompts):
        raise ValueError("two requests have the same id")
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    name, longest = max(prompts, key=lambda prompt: len(prompt[1]), default=("", []))
    if context and len(longest) + new > context:
        raise ConfigError(
            f"request '{name}': {len(longest)} prompt tokens and {new} for the answer exceed the model's context of {context}; "
            "lower task.format.max_prompt_tokens or max_new_tokens, show fewer examples, or choose a model with a longer context"
        )


def _file(folder: Path, what: str, rank: int) -> Path:
    return folder / f"{what}.rank{rank}.jsonl"


def _lines(folder: Path, what: str) -> Iterator[bytes]:
    """Every complete line that any process wrote."""
    for path in sorted(folder.glob(f"{what}.rank*.jsonl")):
        yield from whole_lines(path)


def _answers(folder: Path, prompts: Sequence[tuple[str, list[int]]]) -> dict[str, Generation]:
    """The answers so far by request; where a batch was lost and computed again, the first ones."""
    kept = (Generation.model_validate_json(line) for line in _lines(folder, "generations"))
    return same_prompts(folder, kept, {name: digest(ids) for name, ids in prompts})


def same_prompts(folder: Path, kept: Iterable[Generation], asked: Mapping[str, str]) -> dict[str, Generation]:
    """Kept answers by request, the first of each.

    Args:
        folder: where they were kept.
        kept: the answers. One that does not say what was asked, as an earlier version left it, is not used.
        asked: the hash of every request's prompt.

    Raises:
        ConfigError: one of them answers another prompt.
    """
    found: dict[str, Generation] = {}
    for generation in kept:
        if generation.asked and asked.get(generation.id) != generation.asked:
            raise ConfigError(
                f"{folder} holds an answer to another prompt of id '{generation.id}': data files or texts have changed since it "
                f"was begun; to start it anew: rm -r {folder}"
            )
        if generation.asked:
            found.setdefault(generation.id, generation)
    return found


def _assemble(folder: Path, prompts: Sequence[tuple[str, list[int]]]) -> Answered:
    found = _answers(folder, prompts)
    generations = [found[name] for name, _ in prompts]
    seconds = sum(json.loads(line)["seconds"] for line in _lines(folder, "seconds"))
    return Answered(generations, seconds, sum(item.prompt_tokens + item.new_tokens for item in generations))
