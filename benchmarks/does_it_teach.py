"""Does the generator teach? `KITHE_DATA=… python -m benchmarks.does_it_teach [--small] [--report] [--only …] [--again …]`.

SmolLM2-135M with LoRA on 300 facts of each source, tested on users of PersonaChat, LAPS and MSC: a script with the shares of the
first generator, this generator, `spc`, real conversations; and ablations of this generator. A cell is an arm, a seed and a group
of test sets: "talk" is PersonaChat and LAPS, word for word a cell of `benchmarks.grid`, whose finished cells stand in here too;
"sessions" is MSC, and trains nothing where the store has the weights. Finished cells are kept in the result file; what is missing
is named there.

`summary.f1_ratio_to_spc_<set>` is the mean F1 over seeds of this generator by that of spc.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final, NamedTuple

from benchmarks import grid
from benchmarks.common import RESULTS, write
from kithe.cell import Cell
from kithe.config.compose import ROOT, compose
from kithe.llm.embed import Embedder
from kithe.personas.taxonomy import taxonomy
from kithe.quality.coverage import Topics, nearest
from kithe.quality.diversity import at_budget, compression_ratio, distinct
from kithe.quality.embedding import vendi_figure
from kithe.quality.probes import examples, label_probe, shape_probe
from kithe.quality.texts import corpus
from kithe.records.history import History

_COMPLETE: Final = ["data=synthetic", "teacher.complete=true"]
ARMS: Final[Mapping[str, Sequence[str]]] = {
    "synthetic": ["data=synthetic"],
    "spc": ["data=spc"],
    "real": ["data=real"],
    # The shares that the first generator had (docs/dialogues.md, "before"), in today's wording.
    "first": ["data=synthetic", *(f"teacher.mix.{share}" for share in (
        "high=0.15", "low=0.03", "negative=0.25", "implicit=0.09", "routine=0.6", "distract=0.2", "ambiguous=0", "corrected=0"))],
    "paths": [*_COMPLETE, "teacher.paths={_target_: kithe.personas.paths.Sampling}"],
    "no_paths": _COMPLETE,
    "no_implicit": ["data=synthetic", "teacher.mix.implicit=0"],
    "no_routine": ["data=synthetic", "teacher.mix.routine=0"],
    "trace": ["data=synthetic", "task.format.style=trace_then_answer", "task.format.max_new_tokens=300"],
}  # fmt: skip
MAIN: Final = ("synthetic", "spc", "real", "first")
GROUPS: Final = {"talk": ("personachat", "laps"), "sessions": ("msc",)}
HEAD: Final = 0.5  # of the gold items about a topic: the most frequent top categories that hold so many are the head
BUDGET: Final = 5000  # words at which diversity is compared
PASSAGES: Final = 300  # of the Vendi score
EMBEDDER: Final = Embedder()


class Key(NamedTuple):
    """A cell: which corpus, which seed, which test sets."""

    arm: str
    seed: int
    tests: str


def cells() -> Iterator[Key]:
    """All cells, what the comparison needs most first."""
    for tests in GROUPS:
        yield from (Key(arm, seed, tests) for seed in (0, 1) for arm in MAIN)
    for tests in GROUPS:
        yield from (Key(arm, 0, tests) for arm in ARMS if arm not in MAIN)


def words(key: Key, small: bool) -> list[str]:
    """The overrides of a cell."""
    common = list(grid.SMALL if small else grid.BASE)
    if key.tests == "sessions":
        common = [word for word in common if not word.startswith("task.test.")]
        common += ["task/test=msc", f"task.test.msc.limit={4 if small else 100}"]
    own = list(ARMS[key.arm])
    named = {word.split("=")[0] for word in own}
    return [*(word for word in common if word.split("=")[0] not in named), *own, "adapt=lora", f"seed={key.seed}"]


def cell_of(key: Key, small: bool) -> Cell:
    """The cell as kithe knows it."""
    return Cell.of(compose(words(key, small)))


def finished(key: Key, small: bool) -> dict[str, Any]:
    """A cell's figures if it is done; otherwise empty."""
    cell = cell_of(key, small)
    if not cell.folder.done:
        return {}
    found = cell.folder.read("result.json")
    account = found["provenance"]["corpus"]
    return {
        **key._asdict(), "run_id": found["run_id"], "metrics": found["metrics"], "cost": found["cost"],
        "facts": account.get("facts"), "histories": account.get("histories"), "dropped": account.get("dropped"),
        "git": found["provenance"]["git"], "environment": found["environment"],
        "topics": {name: topics(cell, name) for name in GROUPS[key.tests]},
        "corpus": figures(cell) if key.tests == "talk" else {},
    }  # fmt: skip


def run(key: Key, small: bool) -> dict[str, Any]:
    """Run a cell; its figures, empty if it failed."""
    subprocess.run([sys.executable, str(ROOT / "run.py"), *words(key, small)], check=False)
    return finished(key, small)


def from_grid(small: bool) -> dict[Key, dict[str, Any]]:
    """The finished cells of the grid that are cells of this comparison too."""
    file = RESULTS / f"grid{'_small' if small else ''}.json"
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    return {
        Key(row["data"], row["seed"], "talk"): {
            **{name: row[name] for name in ("run_id", "metrics", "cost", "facts", "dropped", "git", "environment")},
            "arm": row["data"], "seed": row["seed"], "tests": "talk", "measured_by": "benchmarks.grid",
        }
        for row in rows if row["adapt"] == "lora"
    }  # fmt: skip


def topics(cell: Cell, name: str) -> dict[str, Any]:
    """Recall of gold items on frequent and on rare topics of a test set, by the taxonomy's top category nearest to each."""
    histories = list(cell.build("task").test[name].histories("test", 0))
    rows = {row["id"]: row for row in map(json.loads, lines(cell.folder.path / "scores" / f"{name}.jsonl"))}
    found = [
        (item.statement, place in {match[0] for match in rows[history.id]["matches"]})
        for history in histories if history.id in rows for place, item in enumerate(history.items)
    ]  # fmt: skip
    tree = Topics.of(taxonomy())
    mapped = nearest(EMBEDDER.encode([text for text, _ in found]), EMBEDDER.encode(tree.texts()))
    about = [(tree.paths[path][0], hit) for path, (_, hit) in zip(mapped, found, strict=True) if path >= 0]
    head = _head(Counter(topic for topic, _ in about))
    parts = {"head": [hit for topic, hit in about if topic in head], "tail": [hit for topic, hit in about if topic not in head]}
    return {kind: {"recall": fmean(hits) if hits else None, "n": len(hits)} for kind, hits in parts.items()}


def _head(counts: Counter[str]) -> set[str]:
    """The most frequent topics that together hold half of the items."""
    head, held = set[str](), 0
    for topic, count in counts.most_common():
        if held >= HEAD * counts.total():
            break
        head.add(topic)
        held += count
    return head


def lines(file: Path) -> list[str]:
    """The lines of a text file."""
    return file.read_text(encoding="utf-8").splitlines()


def figures(cell: Cell) -> dict[str, Any]:
    """Diversity of the training text, and what its surface gives away."""
    file = cell.store.corpus(cell.identity.corpus).path / "train.jsonl"
    histories = [History.model_validate_json(line) for line in lines(file)]
    text = corpus("train", histories)
    label = label_probe(examples(histories))
    revealing = shape_probe(histories)
    vectors = EMBEDDER.encode([passage.text for passage in text.utterances[:PASSAGES]])
    found = {
        "distinct_2": at_budget(text, lambda said: distinct(said, 2), BUDGET),
        "compression_ratio": at_budget(text, compression_ratio, BUDGET),
        "vendi": vendi_figure(vectors, min(PASSAGES, len(vectors))),
        "revealing_turn_from_shape_auc": revealing,
        "label_from_template": label.template if label else None,
    }
    return {name: {"value": figure.value, "n": figure.n} for name, figure in found.items() if figure}


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`cells`, the mean F1 over seeds per arm and test set, and the ratios to spc where both are there."""
    values: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        for name, metric in row["metrics"].items():
            test_set, _, kind = name.partition("/")
            if kind == "f1":
                values.setdefault((row["arm"], test_set), {})[row["seed"]] = metric["value"]
    found: dict[str, Any] = {"cells": len(rows)}
    found |= {f"f1_{arm}_{test_set}": fmean(seeds.values()) for (arm, test_set), seeds in values.items()}
    for test_set in ("personachat", "laps", "msc"):
        own, other = values.get(("synthetic", test_set), {}), values.get(("spc", test_set), {})
        if both := sorted(own.keys() & other.keys()):
            total = sum(other[seed] for seed in both)
            found[f"f1_ratio_to_spc_{test_set}"] = sum(own[seed] for seed in both) / total if total else None
            found[f"f1_ratio_to_spc_{test_set}_seeds"] = len(both)
    return found


def main() -> None:
    """Run what is missing, unless only a report is asked for; write the figures after every cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a random model and a handful of users: minutes, no meaning")
    parser.add_argument("--report", action="store_true", help="run nothing, write what is finished")
    parser.add_argument("--again", nargs="*", default=[], choices=list(ARMS), help="arms whose cells are measured anew")
    parser.add_argument("--only", nargs="*", default=list(ARMS), choices=list(ARMS), help="arms that are run now")
    options = parser.parse_args()
    name = f"does_it_teach{'_small' if options.small else ''}"
    command = f"python -m benchmarks.does_it_teach{' --small' if options.small else ''}"
    file = RESULTS / f"{name}.json"
    before = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    known = {key: row for key, row in from_grid(options.small).items() if key in set(cells()) and key.arm not in options.again}
    known |= {Key(row["arm"], row["seed"], row["tests"]): row for row in before if row["arm"] not in options.again}
    for key in cells():
        wanted = key.arm in options.only or options.report
        if key not in known and wanted and (found := (finished if options.report else run)(key, options.small)):
            known[key] = found
        rows = [known[each] for each in cells() if each in known]
        missing = [" ".join(map(str, each)) for each in cells() if each not in known]
        write(name, command, rows, summary(rows), missing=missing)


if __name__ == "__main__":
    main()
