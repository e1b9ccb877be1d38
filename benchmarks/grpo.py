"""Learning from rewards: loss against TRL's, gains of a small model in the scripted world, controls, and the time of a step.

`python -m benchmarks.grpo` measures everything; `python -m benchmarks.grpo loss controls learning step` some of it, and the parts
that are not named keep what stands in the file. Users, assistant and judge are scripted. The small model and its world are those
of a laptop: what is claimed is that rewards are learnt, not how well a large model would rewrite. Figures are of users of
the test split; `--split validation` is for choosing a recipe.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.common import RESULTS, write
from benchmarks.grpo_loss import Row, loss
from kithe.evaluation.statistics import percentiles, totals
from kithe.gym.corpus import Atlas
from kithe.gym.noise.distractor import Distractor
from kithe.gym.style import SHOWN
from kithe.ppopt import baselines, output
from kithe.ppopt.answers import ScriptedHouse
from kithe.ppopt.judge import PPOptJudge
from kithe.ppopt.rewards import FormatReward, ProfileReward, TaskReward
from kithe.ppopt.source import PPOptStates
from kithe.ppopt.states import question, state
from kithe.ppopt.task import PPOpt
from kithe.ppopt.teacher import ColdStart
from kithe.ppopt.teacher import Scripted as Teacher
from kithe.ppopt.verdicts import Scripted
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.worker import Meter

SESSIONS: Final = 2  # of the past, seen by the policy and by its teacher
CHARACTERS: Final = 90  # of every message of them
FORMAT: Final = PPOpt(
    edit="append", evidence=False, menu=False, instructed=False, max_new_tokens=48, sessions=SESSIONS, characters=CHARACTERS
)
STATES: Final = PPOptStates(
    Atlas(personas=10_000, distractor=Distractor(rate=0.0)),
    cold=ColdStart(Teacher(SESSIONS, CHARACTERS, notices=0.5, varied=False), share=0.5),
)
TEXTS: Final = ("gym/*.yaml", "gym/queries/*.yaml", "ppopt/*.yaml")
MARKS: Final = (
    "Past messages of the user (the assistant's replies are hidden).\n", "Session 1:\n", "New message:\n",
    "<REASONING>\n", "</REASONING>\n<PROMPT>", "</PROMPT>", *(f"{name} =" for name in SHOWN),
)  # fmt: skip


@cache
def states(split: str) -> list[History]:
    """The states of a split."""
    return list(STATES.histories(split, 0))  # type: ignore[arg-type]


# --- controls ---------------------------------------------------------------------------------------------------------------


def controls(split: str) -> tuple[list[Row], Row]:
    """Untrained rewriters, controls and probes on held-out states: personalisation (1-10), completion, wins over the original."""
    people = states(split)
    swapped = {one.id: one for one in replace(STATES, cold=None, swapped=True).histories(split, 0)}  # type: ignore[arg-type]
    found = {
        "rules": _judged(people, baselines.rules),
        "wrong_history": _judged([swapped[one.id] for one in people], baselines.rules),
        "no_op": _judged(people, baselines.original),
        **{name: _judged(people, rewriter) for name, rewriter in {**baselines.BASELINES, **baselines.PROBES}.items()},
    }
    rows = [{"part": "controls", "rewriter": name, **metrics} for name, metrics in found.items()]
    value = {name: metrics["personalisation"]["value"] for name, metrics in found.items()}
    for sessions in range(5):
        made = [_predicted(one, baselines.rules, sessions) for one in people]
        metrics = PPOptJudge(baselines=False, resamples=1000).score(people, made).metrics
        rows.append(
            {"part": "controls", "rewriter": "rules", "sessions": sessions, "personalisation": metrics["personalisation"]}
        )
    ordered = value["oracle"] >= value["rules"] > value["wrong_history"]
    shown = {f"personalisation_{name}": value[name] for name in ("oracle", "rules", "wrong_history", "no_op")}
    return rows, {"controls_split": split, "controls_users": len(people)} | shown | {
        "controls_in_order": bool(
            ordered and abs(value["wrong_history"] - value["no_op"]) < value["rules"] - value["wrong_history"]
        )
    }


def _predicted(one: History, rewriter: baselines.Rewriter, sessions: int = 4) -> Prediction:
    return PPOpt().predicted(one, output.written({}, {}, rewriter(one, state(one, sessions))))


def _judged(people: Sequence[History], rewriter: baselines.Rewriter) -> Row:
    scores = PPOptJudge(baselines=False, resamples=1000).score(people, [_predicted(one, rewriter) for one in people])
    return {name: scores.metrics[name] for name in ("personalisation", "completion", "win_rate", "length_ratio")}


# --- learning ---------------------------------------------------------------------------------------------------------------


ARMS: Final = ("grpo", "gdpo", "task_only", "no_reasoning", "no_cold_start")


def form(arm: str) -> PPOpt:
    """What an arm is asked for and how it answers."""
    return replace(FORMAT, reasoning=arm != "no_reasoning")


def rules(arm: str, steps: int, epochs: float) -> Any:
    """How an arm learns."""
    from kithe.training.adapters import FullSFT, Recipe
    from kithe.training.grpo.adapter import GRPO
    from kithe.training.grpo.settings import Advantage, Loss, Rollouts, Steps

    weights = {"profile": 0.0 if arm == "task_only" else 0.3, "task": 1.0 if arm == "task_only" else 0.7}
    return GRPO(
        FullSFT(Recipe(4e-3, epochs, 16, 16, 400)),
        Steps(2e-4, steps, warmup=0.05, betas=(0.9, 0.99), validate_every=0),
        {"profile": ProfileReward(), "task": TaskReward(ScriptedHouse(), Scripted()), "format": FormatReward()},
        {**weights, "format": 0.0},
        cold_start=arm != "no_cold_start",
        advantage=Advantage("normalise_then_sum" if arm == "gdpo" else "sum_then_normalise"),
        loss=Loss(kl=0.02),
        rollouts=Rollouts(8, 32, 1.0, 1.0, 8, 256),
    )


def small() -> Any:
    """The model: random weights and a vocabulary of its own."""
    from kithe.llm.small import Small

    return Small("small", TEXTS, 2048, 64, 2, 4, marks=MARKS)


def learning(
    split: str, seeds: int, steps: int, epochs: float, arms: Sequence[str], keep: Callable[[list[Row], Row], None]
) -> tuple[list[Row], Row]:
    """Cold start, then rewards, per arm and seed; the gain is measured on states of held-out users with exported weights.

    The arms of a seed that answer in the same form share its cold start, so that only the first one's seconds hold it.
    """
    rows, gains, figures = list[Row](), dict[str, list[list[float]]](), Row()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            for arm in arms:
                row, own = _arm(Path(folder), split, arm, seed, steps, epochs)
                rows, gains = [*rows, row], {**gains, arm: [*gains.get(arm, []), own]}
                figures = {**_gained(gains), "learning_split": split, "learning_steps": steps, "learning_epochs": epochs}
                print(json.dumps({key: value for key, value in row.items() if key != "curve"}), flush=True)
                keep(rows, figures)
    return rows, figures


def _arm(folder: Path, split: str, arm: str, seed: int, steps: int, epochs: float) -> tuple[Row, list[float]]:
    curve, before, after, seconds, cpu = _taught(folder, split, arm, seed, steps, epochs)
    start, end = (statistics.mean(own[0] for own in each) for each in (before, after))
    parts = {
        f"{when}_{name}": statistics.mean(own[place] for own in each)
        for when, each in (("sft", before), ("after", after))
        for place, name in ((1, "profile"), (2, "task"))
    }
    row = {"part": "learning", "arm": arm, "seed": seed, "split": split, "n": len(before)}
    row |= {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)}
    gain = [b[0] - a[0] for a, b in zip(before, after, strict=True)]
    return {**row, "sft": start, "after": end, **parts, "curve": curve}, gain


def _gained(gains: Mapping[str, list[list[float]]]) -> Row:
    figures: Row = {}
    for arm, own in gains.items():
        name = "reward_gain" if arm == "grpo" else f"reward_gain_{arm}"
        mean, low, high = _interval(own)
        figures |= {name: mean, f"{name}_low": low, f"{name}_high": high, f"{name}_seeds": len(own)}
    return figures


def _interval(gains: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Mean gain with its 95 % interval over users, each with all seeds."""
    each = np.array(gains).mean(0)
    drawn = totals(np.stack([each, np.ones(len(each))], 1))
    low, high = percentiles(drawn[:, 0] / drawn[:, 1])
    return float(each.mean()), low, high


CURVE: Final = ("step", "reward", "reward.profile", "reward.task", "kl", "entropy", "length")
Rated = list[tuple[float, float, float]]  # reward, profile, task of each held-out state


def _taught(
    folder: Path, split: str, arm: str, seed: int, steps: int, epochs: float
) -> tuple[list[Row], Rated, Rated, float, float]:
    from kithe.training.adapters import Lesson
    from kithe.training.trainer import Hardware

    own, asked, curve = rules(arm, steps, epochs), form(arm), list[Row]()
    home = folder / f"{arm}-{seed}"
    home.mkdir()
    shared = folder / f"cold-{seed}-{'reasoned' if asked.reasoning else 'plain'}"
    if own.cold_start and shared.exists():  # these arms of a seed start from the same weights
        (home / "cold").symlink_to(shared)

    def sink(row: Row) -> None:
        if row["stage"] == "train":
            curve.append({key: row[key] for key in CURVE if key in row})

    begun, busy = time.perf_counter(), time.process_time()
    own.learn(Lesson(small(), asked, states("train"), [], "fp32", seed, home, sink, Hardware(), 10_000, False, _never))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - busy
    if own.cold_start and not shared.exists():
        (home / "cold").rename(shared)
    before = own.load(small(), shared / "weights", "fp32") if own.cold_start else small().load("fp32")
    after = own.load(small(), home / "weights", "fp32")
    return curve, _rewards(own, asked, before, split), _rewards(own, asked, after, split), seconds, cpu


def _never() -> bool:
    return False


def _rewards(own: Any, asked: PPOpt, model: Any, split: str) -> Rated:
    """0.3 profile + 0.7 task of the most likely answers to held-out states, the same scale for every arm."""
    from kithe.llm.chat import render
    from kithe.llm.sampling import Sampling
    from kithe.training.grpo.module import Room
    from kithe.training.grpo.rollouts import draw

    people, words = states(split), small().tokenizer()
    prompts = [render(words, asked.requests(one)[0].prompt) for one in people]
    room = Room(asked, words, people, prompts)
    rollouts = draw(model, words, list(enumerate(prompts)), [[Sampling()] for _ in people], asked.max_new_tokens, 64)
    cases = room.predictions(rollouts)
    profile, task = (own.rewards[name](cases) for name in ("profile", "task"))
    return [(0.3 * a + 0.7 * b, a, b) for a, b in zip(profile, task, strict=True)]


# --- step -------------------------------------------------------------------------------------------------------------------


def step(steps: int) -> tuple[list[Row], Row]:
    """A step of ours and of TRL's trainer: same random model, prompts, group, longest answer, reward, KL; medians.

    Each has a process of its own. Its memory is the peak of what is resident beyond what was there before the trainer was made.
    """
    rows = [{"part": "step", "who": name, **_alone(name, steps)} for name in STEPPERS]
    mine, other = (statistics.median(row["seconds"][1:]) for row in rows)
    return rows, {
        "step_seconds": mine,
        "step_seconds_trl": other,
        "times_trl_step": other / mine,
        "memory_of_trl_step": rows[0]["memory_mb"] / rows[1]["memory_mb"],
    }


def _alone(who: str, steps: int) -> Row:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_stepped, who, steps).result()


def _stepped(who: str, steps: int) -> Row:
    import torch  # noqa: F401
    import trl  # noqa: F401

    states("train"), small().tokenizer()
    meter = Meter()
    before = meter.read()["peak_memory_mb"]
    seconds = STEPPERS[who](steps)
    return {"seconds": seconds, "memory_mb": meter.read()["peak_memory_mb"] - before, "memory_before_mb": before}


LONGEST: Final = 48


def _texts(count: int) -> list[str]:
    return [question(one).text for one in states("train")[:count]]


def _ours(steps: int) -> list[float]:
    from kithe.training.adapters import FullSFT, Lesson, Recipe
    from kithe.training.grpo.adapter import GRPO
    from kithe.training.grpo.settings import Loss, Rollouts, Steps
    from kithe.training.trainer import Hardware

    marks = [time.perf_counter()]
    rewards: Mapping[str, Callable[..., Any]] = {"length": lambda cases: [len(own.raw[0]) % 7 / 7 for _, own in cases]}
    own = GRPO(
        FullSFT(Recipe(1e-3)), Steps(1e-4, steps), rewards, {"length": 1.0}, cold_start=False, loss=Loss(kl=0.05),
        rollouts=Rollouts(8, 4, 1.0, 1.0, 8, 32),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        form = replace(FORMAT, max_new_tokens=LONGEST, sessions=0)

        def sink(row: Row) -> None:
            marks.append(time.perf_counter())

        own.learn(
            Lesson(small(), form, states("train")[:64], [], "fp32", 0, Path(folder), sink, Hardware(), 10_000, False, _never)
        )
    return [b - a for a, b in pairwise(marks)]


def _trl(steps: int) -> list[float]:
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    marks: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            marks.append(-time.perf_counter())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks[-1] += time.perf_counter()

    spec = small()
    prompts = [
        [{"role": "user", "content": FORMAT.requests(one)[0].prompt[0].content}]
        for one in (replace_sessions(one) for one in states("train")[:64])
    ]
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            output_dir=folder, per_device_train_batch_size=32, num_generations=8, max_completion_length=LONGEST, beta=0.05,
            learning_rate=1e-4, max_steps=steps, use_cpu=True, report_to=[], logging_steps=10_000, save_strategy="no", bf16=False,
            temperature=1.0, loss_type="grpo", disable_tqdm=True, gradient_checkpointing=False,
        )  # fmt: skip
        trainer = GRPOTrainer(
            model=spec.load("fp32"),
            reward_funcs=lambda completions, **_: [len(own[0]["content"]) % 7 / 7 for own in completions],
            args=config,
            train_dataset=Dataset.from_dict({"prompt": prompts}),
            processing_class=spec.tokenizer(),
            callbacks=[Clock()],
        )
        trainer.train()
    return marks


def replace_sessions(one: History) -> History:
    """A state without a past, as `_ours` asks about it."""
    return one.model_copy(update={"turns": ()})


STEPPERS: Final[Mapping[str, Callable[[int], list[float]]]] = {"kithe": _ours, "trl": _trl}


def main() -> None:
    """Measure what is named, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["loss", "controls", "learning", "step"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--epochs", type=float, default=8.0)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--split", default="test", choices=("validation", "test"), help="whose held-out users are measured")
    parser.add_argument("--clocked", type=int, default=6, help="steps that are timed")
    chosen = parser.parse_args()
    before = json.loads((RESULTS / "grpo.json").read_text(encoding="utf-8")) if (RESULTS / "grpo.json").exists() else {}
    arms = chosen.arms.split(",")
    rows = [row for row in before.get("rows", []) if row["part"] not in chosen.parts or row.get("arm", arms[0]) not in arms]
    summary = dict(before.get("summary", {}))
    command = " ".join(["python -m benchmarks.grpo", *sys.argv[1:]])

    def keep(more: list[Row], figures: Row) -> None:
        write("grpo", command, [*rows, *more], {**summary, **figures})

    measured: dict[str, Callable[[], tuple[list[Row], Row]]] = {
        "loss": loss,
        "controls": lambda: controls(chosen.split),
        "learning": lambda: learning(chosen.split, chosen.seeds, chosen.steps, chosen.epochs, arms, keep),
        "step": lambda: step(chosen.clocked),
    }
    for part in chosen.parts:
        more, figures = measured[part]()
        rows, summary = [*rows, *more], {**summary, **figures}
        assert all(math.isfinite(value) for value in figures.values() if isinstance(value, float))
        print(write("grpo", command, rows, summary), figures)


if __name__ == "__main__":
    main()
