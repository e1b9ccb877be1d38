"""One cell, from its identity through its stages to its result.

    corpus (here) -> weights -> predictions -> scores (in worker processes) -> result.json (here)

Nothing here imports torch: this process only decides, waits and writes down.
"""

import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kithe import inputs
from kithe.cell import Cell
from kithe.errors import ConfigError, Stopped
from kithe.launch.processes import run_worker
from kithe.launch.signals import AGAIN, StopFlag
from kithe.provenance import environment, git_state
from kithe.records.base import write_json, write_lines
from kithe.store import Folder

# What a result says about how much was learnt from; see `kithe.training.fit.FitReport`.
LEARNT = ("examples", "tokens", "supervised_tokens", "steps", "dropped", "dropped_validation", "logits_check")

# How the last line of a traceback begins when the error is the user's to mend, and when it is none.
FIXABLE = f"{ConfigError.__module__}.{ConfigError.__qualname__}: "
STOPPED = f"{Stopped.__module__}.{Stopped.__qualname__}"


def execute(cell: Cell) -> None:
    """Run what is missing of a prepared cell.

    Raises:
        SystemExit: it failed; state and traceback are in the run folder before this is raised. With status `AGAIN`: it was asked
            to stop by a signal, and goes on from there when it is run again.
    """
    stop = StopFlag().listen()
    try:
        with cell.folder.lock(stop):
            if cell.folder.read("state.json").get("state") != "done":
                run_stages(cell, stop)
    except Stopped:
        sys.stderr.write(f"kithe: cell {cell.identity.run} stopped as asked; the same command goes on from there\n")
        raise SystemExit(AGAIN) from None
    stop.leave()


def run_stages(cell: Cell, stop: StopFlag) -> None:
    """Run what is missing of a cell whose folder is held; whether to stop is asked before each stage takes what it works on.

    Raises:
        Stopped: `stop` was set meanwhile.
        SystemExit: it failed, as its state says by then.
    """
    cell.folder.mark("running")
    try:
        cell.write()
        inputs.check(cell)
        make_corpus(cell, stop)
        check_corpus(cell, stop)
        adapt_and_ask(cell, stop)
        write_json(cell.folder.path / "result.json", result(cell))
    except Stopped:
        raise
    except Exception as error:
        fixable = isinstance(error, ConfigError)
        text = str(error) if fixable else "".join(traceback.format_exception(error))
        cell.folder.mark("failed", error=text)
        where = "" if fixable else f" (traceback: {cell.folder.path / 'state.json'})"
        raise SystemExit(f"kithe: cell {cell.identity.run} failed: {text.strip().splitlines()[-1]}{where}") from None
    cell.folder.mark("done")


def adapt_and_ask(cell: Cell, stop: StopFlag) -> None:
    """The stages that need a model, in worker processes.

    Raises:
        Stopped: `stop` was set meanwhile, and nothing went wrong.
        RuntimeError: a worker failed; with the traceback of the one that ended first, which the others had to follow.
        ConfigError: what failed is for the user to mend; the traceback stays in the run folder.
    """
    for old in cell.folder.path.glob("error.*.txt"):
        old.unlink()
    store, identity = cell.store, cell.identity
    weights = store.weights(identity.weights) if identity.weights else None
    with store.hold(weights, store.predictions(identity.predictions), stop=stop):
        code = run_worker(cell.folder.path, cell.placement, stop)
    if code:
        reports = sorted(cell.folder.path.glob("error.*.txt"), key=lambda file: file.stat().st_mtime_ns)
        text = reports[0].read_text(encoding="utf-8").strip() if reports else ""
        said = text.splitlines()[-1] if text else ""
        if said.startswith(STOPPED) or (code == AGAIN and not said):
            raise Stopped
        if said.startswith(FIXABLE):
            raise ConfigError(said.removeprefix(FIXABLE))
        raise RuntimeError(text or f"the worker ended with status {code} and left no traceback (killed?)")


def make_corpus(cell: Cell, stop: Callable[[], bool] = lambda: False) -> None:
    """The corpus stage: training and validation histories of the cell's source, by the rules all arms share.

    Raises:
        Stopped: `stop` was set before it began.
    """
    if cell.identity.corpus is None:
        return
    folder = cell.store.corpus(cell.identity.corpus)
    with folder.lock(stop):
        if folder.read("state.json").get("state") != "done":
            write_corpus(cell, folder)


def write_corpus(cell: Cell, folder: Folder) -> None:
    """Draw the corpus into its folder."""
    folder.mark("running")
    start = time.perf_counter()
    corpus, watched = cell.build_corpus(), cell.config["corpus"]["validation"]
    if short := corpus.card["missing_facts"]:
        found, wanted = corpus.card["train"]["facts"], corpus.card["wanted_facts"]
        sys.stderr.write(
            f"kithe: corpus.facts={wanted}, and data={cell.counted['data']} has {found}, {short} too few: "
            f"an arm that has them all is not matched with it; ask for {found} at the most\n"
        )
    write_lines(folder.path / "train.jsonl", (history.line() for history in corpus.train))
    write_lines(folder.path / "validation.jsonl", (history.line() for history in corpus.validation[:watched]))
    write_json(folder.path / "card.json", {**corpus.card, "scripted": getattr(cell.build("data"), "scripted", False)})
    folder.mark("done", wall_s=time.perf_counter() - start)


def check_corpus(cell: Cell, stop: Callable[[], bool] = lambda: False) -> None:
    """Hold the corpus against the gates, also one that was made before, maybe under other limits.

    Raises:
        ConfigError: it breaks a limit.
        Stopped: `stop` was set before it began.
    """
    gates = cell.gates
    if cell.identity.corpus is None or gates is None:
        return
    folder = cell.store.corpus(cell.identity.corpus)
    with folder.lock(stop):
        gates.admit(folder.path)


def result(cell: Cell) -> dict[str, Any]:
    """Everything a table needs to know about a finished cell (the contract of `result.json`)."""
    identity, store = cell.identity, cell.store
    scores = cell.folder.read("scores.json")
    predictions = store.predictions(identity.predictions).read("report.json")
    weights = store.weights(identity.weights).read("report.json") if identity.weights else {}
    corpus = store.corpus(identity.corpus).read("state.json") if identity.corpus else {}
    named = {"corpus": corpus, "train": weights, "predict": predictions, "score": scores["cost"]}
    stages = {name: stage for name, stage in named.items() if stage}
    return {
        "run_id": identity.run,
        "cell": cell.counted,
        "metrics": scores["metrics"],
        "unscored": scores["unscored"],
        "seeds": {"seed": cell.config["seed"]},
        "config": cell.config,
        "environment": {
            **environment(),
            "world_size": cell.placement.processes,
            "strategy": cell.placement.strategy,
            "device": cell.placement.accelerator,
        },
        "cost": cost(stages),
        "provenance": {
            "corpus": corpus_account(store.corpus(identity.corpus).read("card.json")) if identity.corpus else {},
            "training": {key: weights[key] for key in LEARNT if key in weights},
            "contamination": scores["contamination"],
            "judge": scores["judge"],
            "prompt": predictions["prompt"],
            "chosen_among": predictions["chosen_among"],
            "stages": {"corpus": identity.corpus, "weights": identity.weights, "predictions": identity.predictions},
            "files": {name: file["sha256"] for name, file in predictions.get("files", {}).items()},
            "git": git_state(),
        },
    }


def corpus_account(card: dict[str, Any]) -> dict[str, Any]:
    """What a table says about the training corpus, and its whole card."""
    train = card["train"]
    return {
        "source": card["source"],
        "scripted": card["scripted"],
        "facts": train["facts"],
        "histories": train["histories"],
        "dropped": train["dropped"],
        "card": card,
    }


def cost(stages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the stages took, together and each."""
    return {
        "wall_s": sum(stage["wall_s"] for stage in stages.values()),
        "tokens": sum(stage.get("tokens", 0) for stage in stages.values()),
        "peak_memory_mb": max(stage.get("peak_memory_mb", 0.0) for stage in stages.values()),
        "seconds_per_history": stages["predict"]["seconds_per_history"],
        "stages": {
            name: {key: stage[key] for key in ("wall_s", "peak_memory_mb", "tokens") if key in stage}
            for name, stage in stages.items()
        },
    }


def main() -> None:
    """`python -m kithe.experiment <run folder>`: a cell in a process tree of its own."""
    execute(Cell.load(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
