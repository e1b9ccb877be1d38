"""From what a verifier learns, and how; a light description that decides its id."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Final

from kithe.corpora.real import RealSet
from kithe.corpora.source import Split
from kithe.errors import ConfigError, at_least, more_than, unknown
from kithe.evaluation.judging.verdicts import Question
from kithe.evaluation.verifier import rules
from kithe.evaluation.verifier.challenge import challenge
from kithe.evaluation.verifier.harder import made, turned
from kithe.evaluation.verifier.pairs import Pair, Source, from_histories, people
from kithe.identity import digest
from kithe.llm.embed import PACKAGE
from kithe.records.history import History
from kithe.training.adapters import Recipe

# Raise it when training code changes what comes out.
VERSION: Final = 3
LOOKED_UP, FACTS_EACH = 20, 6  # histories, and facts of each label in each of them
HELD_OUT: Final = 600  # pairs of Multi-Session Chat's validation split that the read-out is fitted on
SOURCES: Final[tuple[Source, ...]] = ("people", "msc")


@dataclass(frozen=True)
class Learning:
    """How the cross-encoder learns.

    Attributes:
        recipe: AdamW and its schedule; `learning_rate` is that of the top layer.
        decay: from each layer to the one below it the rate falls by this factor; word embeddings stay as they are.
        head_rate: learning rate of the layer on top.
        smoothing: labels are taken as so far from 0 and 1.
        precision: fp32 | bf16, of the arithmetic while learning; verdicts are computed in fp32.
    """

    recipe: Recipe
    decay: float = 0.9
    head_rate: float = 1e-3
    smoothing: float = 0.05
    precision: str = "bf16"


@dataclass(frozen=True)
class Course:
    """What a verifier is trained on.

    The dialogues of Multi-Session Chat are in two halves, those of its validation split too, one for each source: a verifier that
    filters (`msc`) and one that judges (`people`) have no pair in common.

    Attributes:
        source: `people`: pairs labelled by hand, and those below; `msc`: those below only.
        seed: of every draw.
        dialogues: pairs from Multi-Session Chat's facts with human evidence, half of them supported.
        harder: pairs made by `kithe.evaluation.verifier.harder`.
        epochs, batch, learning_rate, decay, smoothing, precision: see `Learning`.
        limit: learn from so many pairs only, and choose on so many (for tests); None for all.
    """

    source: Source = "people"
    seed: int = 0
    dialogues: int = 2000
    harder: int = 2200
    epochs: float = 2.5
    batch: int = 32
    learning_rate: float = 1.5e-4
    decay: float = 0.9
    smoothing: float = 0.05
    precision: str = "bf16"
    limit: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        if self.source not in SOURCES:
            raise unknown("value of source", self.source, SOURCES)
        if self.precision not in ("fp32", "bf16"):
            raise unknown("value of precision", self.precision, ("fp32", "bf16"))
        for name, least in (("dialogues", 0), ("harder", 0), ("batch", 1), ("decay", 0), ("smoothing", 0)):
            at_least(name, getattr(self, name), least)
        for name in ("epochs", "learning_rate"):
            more_than(name, getattr(self, name), 0)
        if self.source == "msc" and not self.dialogues:
            raise ConfigError("source=msc, dialogues=0: there is nothing to learn from; dialogues=2400 is usual")

    @property
    def learning(self) -> Learning:
        """How it learns."""
        recipe = Recipe(
            learning_rate=self.learning_rate,
            epochs=self.epochs,
            effective_batch=self.batch,
            micro_batch=self.batch,
            warmup=0.08,
            weight_decay=0.01,
            betas=(0.9, 0.98),
        )
        return Learning(recipe, decay=self.decay, smoothing=self.smoothing, precision=self.precision)

    def training(self, folder: str | None = None) -> list[Pair]:
        """The pairs to learn from; `folder`: of the real sets (None: KITHE_DATA, or a download).

        Raises:
            ConfigError: they are not there.
        """
        labelled = people("train", folder) if self.source == "people" else []
        found = list(labelled)
        if self.dialogues:
            found += from_histories(self._conversations("train", folder), self.dialogues, self.seed)
        every = [*found, *made(found, self.harder, self.seed), *turned(found, self.seed)]
        return self._some(every)

    def fitting(self, folder: str | None = None) -> list[Pair]:
        """The pairs that the read-out is fitted on: of validation, and for the judge the challenge's half for development."""
        talks = self._conversations("validation", folder) if self.dialogues else []
        own = [*people("validation", folder), *challenge("development")] if self.source == "people" else []
        return self._some([*own, *from_histories(talks, HELD_OUT, self.seed)])

    def lookups(self, folder: str | None = None) -> list[tuple[Question, bool]]:
        """Facts of a user (True) and of another user (False), asked about the user's whole history."""
        histories = self._conversations("validation", folder)[:LOOKED_UP]
        draw = random.Random(f"{self.seed}/lookups")
        every = [
            (Question(f"{history.id}#{own}{at}", history, item), own)
            for place, history in enumerate(histories)
            for own, source in ((True, history), (False, histories[(place + 1) % len(histories)]))
            for at, item in enumerate(draw.sample(source.items, min(FACTS_EACH, len(source.items))))
        ]
        return every[: self.limit]

    def _some(self, every: list[Pair]) -> list[Pair]:
        return every if self.limit is None else sorted(every, key=lambda pair: digest(pair.line()))[: self.limit]

    def _conversations(self, split: Split, folder: str | None) -> list[History]:
        """The half of Multi-Session Chat that belongs to its source; both speakers' histories are in the same half."""
        half = SOURCES.index(self.source)
        return [each for each in RealSet("msc", folder).histories(split, 0) if _half(each.id) == half]

    def identity(self, pairs: Sequence[Pair]) -> str:
        """The id of what is learnt from these pairs: a hash of everything that can change it."""
        text = "\n".join(pair.line() for pair in pairs)
        return f"{self.source}-s{self.seed}-{digest([self.content, sha256(text.encode()).hexdigest()])}"

    @property
    def content(self) -> list[Any]:
        """What decides the weights, those of the read-out too, besides the text of the pairs."""
        by_hand = [pair.line() for pair in challenge("development")] if self.source == "people" else []
        return [VERSION, version(PACKAGE), asdict(self), rules.digest(), digest(by_hand)]


def _half(dialogue: str) -> int:
    """Which half of the dialogues one belongs to; both speakers' histories of a dialogue are in the same half."""
    return sha256(dialogue.rpartition("-")[0].encode()).digest()[0] % 2
