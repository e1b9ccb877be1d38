"""The distractor: decides whether a message gets noise, of which layer, by which strategies, and keeps a record of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

from pydantic import Field

from kithe.errors import ConfigError, unknown
from kithe.gym.noise import ambiguous, missing, surface
from kithe.gym.noise.meaning import Meaning, extract
from kithe.gym.noise.surface import Register
from kithe.gym.noise.traces import TRACES
from kithe.records.base import Record

Layer = Literal["surface", "incomplete information", "semantic ambiguity"]
Operator = Callable[[str, Meaning, Register, Random], str | None]
Check = Callable[[Meaning, str, str], bool]

LAYERS: Final[tuple[Layer, ...]] = ("surface", "incomplete information", "semantic ambiguity")
CHECKS: Final[Mapping[Layer, Check]] = {
    "surface": surface.kept, "incomplete information": missing.struck, "semantic ambiguity": ambiguous.unclear}  # fmt: skip
OPERATORS: Final[Mapping[Layer, Mapping[str, Operator]]] = {
    "surface": {
        "colloquial": surface.colloquial, "incomplete sentence": surface.incomplete, "typo": surface.typo,
        "word segmentation": surface.segmentation, "punctuation and format": surface.punctuation, "synonym": surface.synonym,
        "emotional attitude": surface.emotion, "negative expression": surface.negative, "real-life fragment": surface.fragment,
    },
    "incomplete information": {
        "missing slot": missing.absent, "vague slot value": missing.vague,
        "reference to missing context": missing.reference, "unclear priority": missing.priority,
    },
    "semantic ambiguity": {
        "multiple intents": ambiguous.several, "intent ambiguity": ambiguous.unsure,
        "self-contradiction": ambiguous.contradiction, "mind changing": ambiguous.changed,
    },
}  # fmt: skip
RATES: Final[Mapping[str, float]] = {  # spec B, 3.7
    "colloquial": 0.4, "incomplete sentence": 0.3, "typo": 0.25, "word segmentation": 0.15, "punctuation and format": 0.4,
    "synonym": 0.5, "emotional attitude": 0.3, "negative expression": 0.4, "real-life fragment": 0.2,
    "missing slot": 0.5, "vague slot value": 0.6, "reference to missing context": 0.6, "unclear priority": 0.7,
    "multiple intents": 0.6, "intent ambiguity": 0.5, "self-contradiction": 0.7, "mind changing": 0.4,
}  # fmt: skip


class Semantics(Record):
    """What a message meant before it got noise."""

    intent: str
    slots: tuple[str, ...] = ()
    compressed_text: str = ""


class Noise(Record):
    """What was done to a message."""

    original_text: str
    noisy_text: str
    layer: Layer
    layer_index: int = Field(ge=1, le=3)
    applied_strategies: tuple[str, ...] = Field(min_length=1)
    extracted_semantics: Semantics
    metadata: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Distractor:
    """Noise by rules.

    Attributes:
        rate: how likely a message gets noise.
        layers: how likely each layer is then; they need not sum to 1.
        strategies: how likely each strategy of the layer is, one by one; at least one is applied.
    """

    rate: float = 0.25
    layers: Mapping[str, float] = field(default_factory=lambda: dict(zip(LAYERS, (0.5, 0.3, 0.2), strict=True)))
    strategies: Mapping[str, float] = field(default_factory=lambda: dict(RATES))

    name = "scripted"

    def __post_init__(self) -> None:
        """Check the rates.

        Raises:
            ConfigError: one is no probability, or names what there is not.
        """
        for what, given, allowed in (("noise layer", self.layers, LAYERS), ("noise strategy", self.strategies, RATES)):
            for name, value in given.items():
                if name not in allowed:
                    raise unknown(what, name, allowed)
                if not 0 <= value <= 1:
                    raise ConfigError(f"{what} '{name}': {value} is no probability (from 0 to 1)")
        if not 0 <= self.rate <= 1:
            raise ConfigError(f"distractor.rate={self.rate}: it is a probability, from 0 to 1")
        if self.rate > 0 and not any(self.layers.values()):
            raise ConfigError("distractor.layers: at least one needs a share above 0 (or set distractor.rate=0)")

    def noised(self, text: str, register: Register, rng: Random, known: tuple[str, ...] = ()) -> Noise | None:
        """What becomes of a message; None where it stays as it is.

        Args:
            text: the clean message.
            register: how the user writes, so that nobody formal gets slang.
            rng: where every choice comes from.
            known: slots known to be meant.
        """
        if not (plan := self.plan(rng)):
            return None
        layer, chosen = plan
        meaning = extract(text, known)
        noisy, applied = text, list[str]()
        for name in chosen:
            changed = applied_to(noisy, text, layer, name, meaning, register, rng)
            if changed is not None:
                noisy, applied = changed, [*applied, name]
        return recorded(text, noisy, layer, applied, meaning, register=register, backend=self.name) if applied else None

    def plan(self, rng: Random) -> tuple[Layer, list[str]] | None:
        """What is to be done to a message: one layer and its strategies; None for nothing, as the coin falls."""
        if rng.random() >= self.rate:
            return None
        layer: Layer = rng.choices(LAYERS, [self.layers.get(name, 0.0) for name in LAYERS])[0]
        return layer, self.chosen(layer, rng)

    def chosen(self, layer: Layer, rng: Random) -> list[str]:
        """The strategies to apply: each with its own probability; one by share where none came up."""
        rates = {name: self.strategies.get(name, 0.0) for name in OPERATORS[layer]}
        found = [name for name, rate in rates.items() if rng.random() < rate]
        return found or rng.choices(list(rates), [rate or 1e-9 for rate in rates.values()])


def recorded(
    text: str, noisy: str, layer: Layer, applied: Sequence[str], meaning: Meaning, **metadata: str
) -> Noise:  # fmt: skip
    """The record of a message that got noise."""
    return Noise(
        original_text=text, noisy_text=noisy, layer=layer, layer_index=LAYERS.index(layer) + 1,
        applied_strategies=tuple(applied), metadata=metadata,
        extracted_semantics=Semantics(intent=meaning.intent, slots=meaning.slots, compressed_text=meaning.compressed),
    )  # fmt: skip


def applied_to(
    text: str, original: str, layer: Layer, name: str, meaning: Meaning, register: Register, rng: Random
) -> str | None:
    """The text after one strategy; None where it cannot be applied such that it shows and the layer's post-condition holds.

    Args:
        text: with the strategies before already applied; what the strategy leaves is looked for beside this.
        original: the clean text, whose `meaning` the post-condition is about.
    """
    changed = OPERATORS[layer][name](text, meaning, register, rng)
    if changed is None or not TRACES[name](text, changed) or not CHECKS[layer](meaning, original, changed):
        return None
    return changed
