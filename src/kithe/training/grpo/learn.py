"""Cold start, then learning from rewards, then weights on the disk; every part goes on where it ended."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from kithe.errors import ConfigError, Stopped
from kithe.llm.chat import Encoded, encode, render, template_hash
from kithe.llm.folders import quiet
from kithe.records.base import write_json
from kithe.records.history import History
from kithe.training.adapters import Lesson
from kithe.training.callbacks import Bar, Checkpointing, Sink
from kithe.training.checkpoints import Checkpoints
from kithe.training.export import export
from kithe.training.grpo.adapter import GRPO
from kithe.training.grpo.module import Draw, Draws, GRPOModule, Room
from kithe.training.trainer import Ranks, make_trainer

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Way:
    """How far learning goes."""

    steps: int
    accumulation: int = 1


def learn(rules: GRPO, lesson: Lesson) -> dict[str, Any]:
    """Leave `weights/` in the lesson's folder; returns what it took. Repeating the call goes on where the last one ended.

    Raises:
        ConfigError: nothing to learn from, several processes, or the checkpoint is another run's.
        Stopped: asked to stop; a checkpoint is saved.
        kithe.training.grpo.module.Unscored: nobody scores.
    """
    if Ranks.of_this_process().world > 1:
        raise ConfigError(
            "adapt=grpo learns in one process, since it compares the answers of a step; set runtime=cpu or runtime=gpu"
        )
    done = lesson.folder / "fit.json"
    if not done.is_file():
        cold = _cold(rules, lesson)
        _reinforce(rules, lesson, cold)
    found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
    return found


def _cold(rules: GRPO, lesson: Lesson) -> dict[str, Any] | None:
    """Supervised learning of the targets into `cold/`."""
    if not rules.cold_start:
        return None
    sink = _named(lesson.sink, "cold")
    folder = lesson.folder / "cold"
    folder.mkdir(parents=True, exist_ok=True)
    return rules.start.learn(replace(lesson, folder=folder, sink=sink))


def _named(sink: Sink, name: str) -> Sink:
    return lambda row: sink({**row, "stage": f"{name}-{row['stage']}"})


def _reinforce(rules: GRPO, lesson: Lesson, cold: dict[str, Any] | None) -> None:
    room, held_out = _room(lesson, _rewarded(rules, lesson)), _room(lesson, lesson.validation[: rules.steps.validate_on])
    way = Way(rules.steps.steps)
    journal = Journal(way, lesson.sink, held_out, rules.steps.validate_every, lesson.stop)
    checkpoints = Checkpoints(lesson.folder / "checkpoint")
    saving = Checkpointing(checkpoints, way, lesson.checkpoint_every, journal)
    mixed = lesson.precision == "bf16" and rules.trains_base
    trainer = make_trainer(
        lesson.hardware,
        Ranks(),
        lesson.folder,
        steps=-1,
        accumulation=1,
        bf16=lesson.precision == "bf16",
        mixed=mixed,
        clip=0.0,
        callbacks=[journal, saving, *([Bar(way, journal)] if lesson.progress else [])],
        progress=lesson.progress,
    )
    model = _policy(rules, lesson, mixed)
    module = GRPOModule(model, rules, room, seed=lesson.seed, identity=_identity(rules, lesson, room))
    draws = Draws(len(room.states), rules.rollouts.states, way.steps, lesson.seed)
    trainer.fit(module, draws, ckpt_path=checkpoints.find(), weights_only=True)
    if journal.done < way.steps:
        raise Stopped(f"stopped after step {journal.done} of {way.steps}; the same command goes on from there")
    write_json(lesson.folder / "fit.json", {**_finish(rules, lesson, module, room), "seconds": saving.seconds(), "cold": cold})
    shutil.rmtree(lesson.folder / "checkpoint")


def _rewarded(rules: GRPO, lesson: Lesson) -> Sequence[History]:
    """The training states that rewards teach about.

    Raises:
        ConfigError: there are none.
    """
    fresh = [own for own in lesson.train if not lesson.format.examples([own])] if rules.disjoint and rules.cold_start else []
    states = fresh or list(lesson.train)
    if not states:
        raise ConfigError("adapt=grpo: the corpus has no training state; raise data.users or data.atlas.personas")
    return states


def _room(lesson: Lesson, states: Sequence[History]) -> Room:
    tokenizer = lesson.model.tokenizer()
    prompts = []
    for own in states:
        requests = lesson.format.requests(own)
        if len(requests) != 1:
            raise ConfigError(f"adapt=grpo needs a task that asks once about a history; this one asks {len(requests)} times")
        prompts.append(render(tokenizer, requests[0].prompt))
    room, longest = lesson.model.context - lesson.format.max_new_tokens, max(map(len, prompts), default=0)
    if longest > room:
        raise ConfigError(
            f"model={lesson.model.name}: a prompt has {longest} tokens and there is room for {room}; lower task.format.characters"
        )
    return Room(lesson.format, tokenizer, states, prompts)


def _policy(rules: GRPO, lesson: Lesson, mixed: bool) -> "PreTrainedModel":
    """The model to learn with, as the cold start left it."""
    pl.seed_everything(lesson.seed, workers=True, verbose=False)
    with quiet():
        model: Any = rules.start.prepare(lesson.model.load("fp32" if mixed else lesson.precision))
        if rules.cold_start:
            started: Any = rules.start.load(
                lesson.model, lesson.folder / "cold" / "weights", "fp32" if mixed else lesson.precision
            )
            known = dict(started.named_parameters())
            for name, own in model.named_parameters():
                if own.requires_grad:
                    own.data.copy_(known[name].data)
    model.eval()
    policy: PreTrainedModel = model
    return policy


def _identity(rules: GRPO, lesson: Lesson, room: Room) -> dict[str, Any]:
    """What a checkpoint must agree about to be continued."""
    rollouts = asdict(rules.rollouts)
    return {
        "model": lesson.model.name,
        "template": template_hash(room.tokenizer),
        "precision": lesson.precision,
        "seed": lesson.seed,
        "rules": [asdict(rules.advantage), asdict(rules.loss), asdict(rules.steps), rollouts, dict(rules.weights)],
        "prompts": hashlib.sha256(json.dumps([list(ids) for ids in room.prompts]).encode()).hexdigest(),
    }


def _finish(rules: GRPO, lesson: Lesson, module: GRPOModule, room: Room) -> dict[str, Any]:
    shortest = min(range(len(room.prompts)), key=lambda place: len(room.prompts[place]))
    example: Encoded = encode(room.tokenizer, lesson.format.requests(room.states[shortest])[0].prompt, "a b")
    check = export(
        rules.start,
        module.model,
        room.tokenizer,
        lesson.folder / "weights",
        spec=lesson.model,
        precision=lesson.precision,
        example=example,
    )
    steps = rules.steps.steps
    return {
        "states": len(room.states),
        "steps": steps,
        "rollouts": steps * rules.rollouts.states * rules.rollouts.group,
        "logits_check": check,
    }


class Journal(Callback):
    """Writes a row of figures for every step, and every so often the mean reward of greedy answers to validation states.

    Attributes:
        loss: of the last step.
        done: steps done.
        stopped: whether learning was asked to stop.
    """

    def __init__(self, way: Way, sink: Sink, held_out: Room, every: int, stop: Callable[[], bool]) -> None:
        self._way, self._sink, self._held_out, self._every, self._stop = way, sink, held_out, every, stop
        self.loss, self.done, self.stopped = math.nan, 0, False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure where learning starts."""
        self.done = trainer.fit_loop.epoch_loop.batch_progress.current.completed
        if self.done == 0 and self._every:
            self._validate(pl_module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Draw, batch_idx: int
    ) -> None:
        """Write the step's row."""
        row = outputs["row"]
        self.loss, self.done = row["loss"], batch.step + 1
        self.stopped = self.stopped or self._stop()
        self._sink({"stage": "train", "step": self.done, **row})
        if self._every and (self.done % self._every == 0 or self.done == self._way.steps):
            self._validate(pl_module)
        if self.done == self._way.steps:
            trainer.should_stop = True

    def _validate(self, module: Any) -> None:
        if self._held_out.states:
            self._sink({"stage": "validation", "step": self.done, **module.greedy(self._held_out).figures()})
