"""What a cell and each of its stages is called: a hash of what can change its content, and of nothing else.

Stages build on one another (corpus, weights, predictions, run), so a key that matters to one matters to all after it. The table
below says from which stage on a key matters; a key that is not in the table matters to all of them, so that a new key can
make too many ids but never too few. Where an object reads and whom it asks how is a second list, by what it is: such an object
may stand anywhere in a config.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Stage = Literal["corpus", "weights", "predictions", "run"]
STAGES: tuple[Stage, ...] = ("corpus", "weights", "predictions", "run")
NEVER = len(STAGES)

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """A key (dotted path), the first stage it matters to (None: it never does), and why.

    `unread` restricts the row to cells whose numbers depend on no training data: they neither train nor show examples.
    """

    path: str
    matters_from: Stage | None
    reason: str
    unread: bool = False

    def hides(self, stage: Stage, reads: bool) -> bool:
        """Whether the key is left out of the identity of `stage` in a cell that reads training data or does not."""
        first = NEVER if self.matters_from is None else STAGES.index(self.matters_from)
        return STAGES.index(stage) < first and not (self.unread and reads)


REACHED: Final[Mapping[str, Mapping[str, str]]] = {
    "kithe.corpora.real.RealSet": {"folder": "where files lie, not what is in them", "home": "where files come from"},
    "kithe.corpora.real.Mixture": {"folder": "where files lie, not what is in them", "homes": "where files come from"},
    "kithe.ip_dialog.human.HumanData": {"folder": "where files lie, not what is in them"},
    "kithe.corpora.generated.source": {"root": "where files lie, not what is in them"},
    "kithe.gym.source.source": {"root": "where files lie, not what is in them"},
    "kithe.evaluation.verifier.judge.Verifier": {
        "store": "where files lie, not what is in them",
        "folder": "what it is trained on counts by the verifier's own id",
    },
    "kithe.llm.cache.Cached": {"path": "where answers are remembered, not what they are"},
    "kithe.llm.endpoint.Endpoint": {
        "concurrency": "how many calls are under way at once",
        "timeout": "how long is waited for an answer",
        "deadline": "how long is waited for an answer",
        "attempts": "how often a failed call is repeated",
        "prices": "what answers cost, not what they are",
        "budget": "how much may be spent",
        "key_env": "who pays",
        "trust_env": "by which way the server is reached",
    },
    "kithe.llm.inprocess.InProcess": {
        "rows": "how many answers are made at once",
        "batch_tokens": "how many answers are made at once",
        "device": "where a cell runs",
    },
}
"""Values that matter to no stage, wherever a config describes such an object (`_target_`), and why."""

TABLE = (
    Row("runtime", None, "where and on how many devices a cell runs; effective batch and precision are keys of their own"),
    Row("logger", None, "dashboards are projections of the files"),
    Row("paths", None, "where files lie, not what is in them"),
    Row("checkpoint_every", None, "how much a killed run repeats; what it computes is the same"),
    Row("progress", None, "what is shown while it runs"),
    Row("plan", None, "asks what would run"),
    Row("from", None, "where the other values came from; they count themselves"),
    Row("sweep", None, "how a sweep is run and reported, not what a cell computes"),
    Row("teacher", None, "the part of a teacher that `data` uses stands inside `data`"),
    Row("data", None, "no training data is read", unread=True),
    Row("corpus", None, "no training data is read", unread=True),
    Row("seed", None, "nothing is drawn: no training data, greedy decoding", unread=True),
    Row("versions.generator", None, "no training data is read", unread=True),
    Row("corpus.quality", None, "whether a corpus may be trained on, not what is in it"),
    Row("model", "weights", "a corpus does not depend on the model that learns from it"),
    Row("precision", "weights", "a corpus is text"),
    Row("adapt", "weights", "a corpus does not depend on how it is learnt from"),
    Row("adapt.shots", "predictions", "how a model is asked, not how it is trained"),
    Row("adapt.decode", "predictions", "how a model is asked, not how it is trained"),
    Row("task", "weights", "a corpus holds every field; the task chooses among them"),
    Row("task.test", "predictions", "test sets are read after training"),
    Row("task.validation", "predictions", "validation chooses between prompts and thresholds; training never reads it"),
    Row("task.batch_tokens", "predictions", "how many answers are generated at once"),
    Row("task.format.asked_style", "predictions", "how a trained model is asked"),
    Row("task.format.intervention", "predictions", "a node that is set when a trained model is asked"),
    Row("task.format.max_new_tokens", "predictions", "how answers are generated"),
    Row("task.format.min_confidence", "predictions", "how answers are read"),
    Row("task.format.merge_threshold", "predictions", "how answers are read"),
    Row("versions.format", "weights", "the wording of prompts and targets"),
    Row("versions.test", "predictions", "the texts that test and validation sets hold or are made from"),
    Row("versions.rubric", "run", "by what a judge judges"),
    Row("versions.matcher", "predictions", "how items are compared when they are merged, and by the gold judge"),
    Row("data.folder", None, "a corpus that was written before counts by its content"),
    Row("versions.recall", "run", "a questionnaire of one's own"),
    Row("recall", "run", "questions about users are asked about predictions; other questions never predict again"),
    Row("task.verify", "run", "what was predicted is filtered; nothing is predicted again"),
    Row("versions.judge", "run", "what a judge goes by, in files of its own"),
    Row("versions.verify", "run", "what a filter goes by, in files of its own"),
    Row("judge", "run", "a judge reads predictions; another judge never predicts again"),
)


def without(config: Config, path: str) -> dict[str, Any]:
    """A copy of `config` without the key at a dotted path (`*`: every key); unchanged where there is no such key."""
    head, _, rest = path.partition(".")
    if head == "*":
        return {key: without(value, rest) if isinstance(value, Mapping) else value for key, value in config.items()}
    if head not in config:
        return dict(config)
    if not rest:
        return {key: value for key, value in config.items() if key != head}
    return {**config, head: without(config[head], rest)} if isinstance(config[head], Mapping) else dict(config)


def unreached(value: Any) -> Any:
    """A config value without the keys of `REACHED`, at any depth."""
    if isinstance(value, Mapping):
        hidden = REACHED.get(value.get("_target_", ""), ())
        return {key: unreached(inner) for key, inner in value.items() if key not in hidden}
    return [unreached(inner) for inner in value] if isinstance(value, list) else value


def view(config: Config, stage: Stage, reads: bool) -> dict[str, Any]:
    """The part of a resolved config that is the identity of `stage`; `reads`: whether the cell reads training data."""
    kept: dict[str, Any] = unreached(config)
    for row in TABLE:
        if row.hides(stage, reads):
            kept = without(kept, row.path)
    return kept


def digest(value: object, length: int = 10) -> str:
    """A short hexadecimal hash of a JSON value; equal values in any key order have equal digests."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


@dataclass(frozen=True)
class Identity:
    """The ids of a cell's stages; a stage the cell does not have is None."""

    corpus: str | None
    weights: str | None
    predictions: str
    run: str


def identify(config: Config, choices: Mapping[str, str], *, trains: bool, reads: bool) -> Identity:
    """The ids of a cell.

    Args:
        config: the resolved config as plain values.
        choices: config group -> chosen option; only the readable part of the ids is made from them.
        trains: whether the cell changes weights.
        reads: whether its numbers can depend on its training corpus, because it trains or shows examples from it.
    """
    data = [choices["data"]] if reads else []
    seed = [f"s{config['seed']}"] if reads else []
    name = "-".join([choices["task"], *data, choices["adapt"], choices["model"], *seed])

    def hashed(stage: Stage) -> str:
        return digest(view(config, stage, reads))

    return Identity(
        corpus=f"{choices['data']}-{hashed('corpus')}" if reads else None,
        weights=f"{name}-{hashed('weights')}" if trains else None,
        predictions=f"{name}-{hashed('predictions')}",
        run=f"{name}-{hashed('run')}",
    )
