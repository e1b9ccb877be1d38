"""`data=ip_dialog`: items of the generated benchmark as histories with a question."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from random import Random
from typing import Any

from kithe.corpora.source import Split
from kithe.errors import ConfigError, unknown
from kithe.ip_dialog.asks import Mode
from kithe.ip_dialog.bias import Stereotypes
from kithe.ip_dialog.duplicates import Encode
from kithe.ip_dialog.extra import space
from kithe.ip_dialog.people import Sampling
from kithe.ip_dialog.pipeline import ITEMS, Pipeline, Settings
from kithe.ip_dialog.schema import tasks
from kithe.ip_dialog.teacher import Scripted, Teacher
from kithe.records.history import History

VALIDATION_SEED = 1_000_000  # away from every training seed
VALIDATION_SHARE = 50


@dataclass(frozen=True)
class IPDialogData:
    """The generated sets: `train` from the cell's seed, `test` the same for all cells.

    Attributes:
        per_task: items a task (None: 1,079 for training and 100 for testing, the published sizes).
        leave_out: tasks that training does not see.
        only: tasks that are made at all (empty: all ten).
        twins: whether counterfactual twins follow the test items.

    The others are those of `kithe.ip_dialog.pipeline.Settings`.
    """

    teacher: Teacher
    mode: Mode = "hard"
    sampling: Sampling = "fixed"
    per_task: int | None = None
    leave_out: Sequence[str] = ()
    only: Sequence[str] = ()
    duplicates: float | None = 0.97
    distractors: int = 4
    neutral: int = 3
    twins: bool = False
    swap: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    stereotypes: Stereotypes = field(default_factory=dict, hash=False)
    stereotyped: float = 0.0
    balanced: str | None = None
    name: str = "ip_dialog"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        for name in ("leave_out", "only"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            for task in getattr(self, name):
                if task not in tasks():
                    raise unknown(f"task in data.{name}", task, tasks())
        if self.per_task is not None and self.per_task < 1:
            raise ConfigError(f"data.per_task={self.per_task}: at least 1, or null for the published size")
        if getattr(self.teacher, "mode", self.mode) != self.mode:
            raise ConfigError(f"data.mode={self.mode}, but its teacher's is {getattr(self.teacher, 'mode', '')}; set both alike")
        if isinstance(self.teacher, Scripted):  # it writes about what this set is about
            object.__setattr__(self, "teacher", replace(self.teacher, extra=self.extra))
            space(self.extra, scripted=True)
        self.settings(0)

    @property
    def scripted(self) -> bool:
        """Whether a program wrote it, which every table says."""
        return self.teacher.scripted

    @property
    def fields(self) -> frozenset[str]:
        """Attributes with values, shown by implication in known turns, and a question at the end."""
        return frozenset({"key", "value", "inference", "evidence", "question"})

    def settings(self, seed: int) -> Settings:
        """What the pipeline is told."""
        own = {part.name: getattr(self, part.name) for part in fields(Settings) if part.name != "seed"}
        return Settings(seed, **own)

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The items of a split; the training ones in an order drawn from the seed."""
        yield from _made(self, split, seed if split == "train" else 0)[0]

    def losses(self, split: Split) -> Mapping[str, int]:
        """What the pipeline left out, for the seed that was made last."""
        return _lost.get((self, split), {})


_lost: dict[tuple[IPDialogData, Split], Mapping[str, int]] = {}


@lru_cache(maxsize=4)
def _made(data: IPDialogData, split: Split, seed: int) -> tuple[tuple[History, ...], Mapping[str, int]]:
    settings = data.settings(seed + VALIDATION_SEED if split == "validation" else seed)
    pipeline = Pipeline(data.teacher, settings, _encoder() if data.duplicates is not None else None)
    left_out = data.leave_out if split != "test" else ()
    named = [task for task in data.only or tasks() if task not in left_out]
    size = data.per_task or ITEMS["test" if split == "test" else "train"]
    size = max(1, size // VALIDATION_SHARE) if split == "validation" else size
    items = pipeline.items("test" if split == "test" else "train", size, named)
    if split == "train":
        Random(f"{seed}/ip_dialog/order").shuffle(items)
    _lost[data, split] = dict(pipeline.lost)
    return tuple(items), dict(pipeline.lost)


@lru_cache(maxsize=1)
def _encoder() -> Encode:
    from kithe.llm.embed import Embedder

    return Embedder().encode
