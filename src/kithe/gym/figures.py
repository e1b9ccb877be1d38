"""Figures of a corpus of conversations: rates with intervals, how preferences come to light, and the published ones."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from statistics import mean
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kithe.evaluation.statistics import wilson
from kithe.gym.assistant import Pool
from kithe.gym.bank import Dimension, bank
from kithe.gym.noise.distractor import LAYERS, OPERATORS, RATES, Distractor, Layer
from kithe.gym.records import Spoken, Trajectory
from kithe.gym.sampling import GymPersona, Sampler, Uniform
from kithe.gym.style import SHOWN, count_words
from kithe.gym.stylist import LENGTH, LENGTHS, Styling
from kithe.gym.talk import Rules

PUBLISHED: Final = {  # PersonaAtlas, of its data card, its sample statistics, its released states and its token log
    "conversations": 10462, "personas": 2055, "conversations_per_persona": 5.1, "turns": (2.17, 2.34),
    "features_per_persona": 18.26, "tokens_per_conversation_all_calls": 17662.8, "calls_per_conversation": 9.84,
}  # fmt: skip
RESAMPLES: Final = 2000
_TURNS: Final = 5


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval (Wilson) and what it was set to."""

    value: float
    low: float
    high: float
    n: int
    wanted: float | None = None

    @property
    def sigmas(self) -> float:
        """How many standard errors of the wanted share it is off."""
        if self.wanted is None or not self.n:
            return 0.0
        if not 0 < self.wanted < 1:
            return 0.0 if self.value == self.wanted else math.inf
        return abs(self.value - self.wanted) / float(np.sqrt(self.wanted * (1 - self.wanted) / self.n))


def rate(hits: int, n: int, wanted: float | None = None) -> Rate:
    """A share; 0 of 0 is 0 without an interval."""
    low, high = wilson(hits, n) if n else (0.0, 1.0)
    return Rate(hits / n if n else 0.0, low, high, n, wanted)


def strategy_law(layer: Layer, rates: Mapping[str, float] = RATES) -> dict[str, float]:
    """How likely each strategy of a layer is chosen: alone by its rate, and by share where none of the layer came up."""
    own = {name: rates.get(name, 0.0) for name in OPERATORS[layer]}
    none, total = float(np.prod([1 - value for value in own.values()])), sum(own.values())
    return {name: value + none * (value / total if total else 1 / len(own)) for name, value in own.items()}


def persona_laws(sampler: Sampler, users: Sequence[GymPersona], seed: int = 0) -> dict[str, Any]:
    """The laws of drawing personas (spec B, 3.4): the mask as drawn anew so often, and what the personas have of it.

    `worst_sigmas` is how far the most deviant value of all is from its uniform share where values are drawn alone; of so many
    values three would be no surprise.
    """
    over = bank()
    free = [name for name in over.names if not over.by_name[name].constraint]
    kept = sum(len(sampler.masked(over, Random(f"{seed}/law/{n}"), over.names)) for n in range(len(users)))
    sizes = [len(user.values) for user in users]
    few = [sum(name in user.values for name in over.constraints) for user in users]
    alone = list(replace(sampler, coherent=False, strategy=Uniform()).personas(len(users), seed))
    off, count = max(map(_sigmas(alone), over.dimensions)), sum(len(each.values) for each in over.dimensions)
    return {
        "mask": vars(rate(kept, len(users) * len(free), sampler.availability)),
        "size": {"mean": mean(sizes), "low": min(sizes), "high": max(sizes)},
        "enough_constraints": vars(rate(sum(sampler.constraints <= n <= sampler.most_constraints for n in few), len(users))),
        "required": vars(rate(sum(all(name in user.values for name in over.required) for user in users), len(users))),
        "too_near": vars(rate(sum(user.near for user in users), len(users))),
        "values": {"values": count, "worst_sigmas": off},
    }


def _sigmas(users: Sequence[GymPersona]) -> Callable[[Dimension], float]:
    def worst(dimension: Dimension) -> float:
        found = Counter(user.values[dimension.name] for user in users if dimension.name in user.values)
        law = 1 / len(dimension.values)
        return max(rate(found[value], found.total(), law).sigmas for value in dimension.values)

    return worst


@dataclass(frozen=True)
class Reveal:
    """How often a wish was brought up in a message, by whether the answer before went against it.

    Attributes:
        table: ((violated and brought up, violated and not), (fulfilled and brought up, fulfilled and not)).
        odds_ratio: with one half added to each count.
        low, high: its 95 % interval, by resampling users.
        curves: per group (`violated` at some time, `never violated`): the share brought up by the user's 1st, 2nd, … follow-up.
    """

    table: tuple[tuple[int, int], tuple[int, int]]
    odds_ratio: float
    low: float
    high: float
    curves: Mapping[str, tuple[float, ...]]


def pairs(trajectory: Trajectory) -> Iterator[tuple[str, bool, bool]]:
    """Dimension, whether an answer went against it, and whether the message after that brought it up.

    Of every answer that a message follows: where a talk ends nothing can be brought up, and talks end where nothing is violated,
    so counting ends would make any user look as if violations moved them.
    """
    for message, after in zip(trajectory.messages, trajectory.messages[1:], strict=False):
        if message.role == "assistant":
            yield from ((name, True, name in after.reveals) for name in message.violated)
            yield from ((name, False, name in after.reveals) for name in message.fulfilled)


def reveal(trajectories: Iterable[Trajectory], seed: int = 0) -> Reveal:
    """The reveal figures of a corpus."""
    users: dict[str, list[int]] = {}
    groups: dict[str, list[list[bool]]] = {"violated": [], "never violated": []}
    for trajectory in trajectories:
        row = users.setdefault(trajectory.persona_id, [0, 0, 0, 0])
        ever: dict[str, bool] = {}
        for name, violated, revealed in pairs(trajectory):
            row[2 * (not violated) + (not revealed)] += 1
            ever[name] = ever.get(name, False) or violated
        for name, violated in ever.items():
            by = _by_turn(name, trajectory.said)
            groups["violated" if violated else "never violated"].append(by)
    counts = np.array(list(users.values()), dtype=np.float64).reshape(-1, 4)
    drawn = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=RESAMPLES) @ counts
    low, high = np.percentile(_odds(drawn), [2.5, 97.5])
    total = counts.sum(0)
    a, b, c, d = map(int, total)
    curves = {name: tuple(float(v) for v in np.mean(rows, axis=0)) for name, rows in groups.items() if rows}
    return Reveal(((a, b), (c, d)), float(_odds(total[None])[0]), float(low), float(high), curves)


def _by_turn(name: str, said: Sequence[Spoken]) -> list[bool]:
    first = next((message.turn for message in said if name in message.reveals), _TURNS)
    return [first <= turn for turn in range(1, _TURNS)]


def _odds(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c, d = (counts + 0.5).T
    odds: NDArray[np.float64] = (a * d) / (b * c)
    return odds


@dataclass
class Statistics:
    """Counts over conversations, one pass."""

    turns: Counter[int] = field(default_factory=Counter)
    features: list[int] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    words: list[int] = field(default_factory=list)
    user_words: list[int] = field(default_factory=list)
    layers: Counter[str] = field(default_factory=Counter)
    strategies: Counter[str] = field(default_factory=Counter)
    how: Counter[str] = field(default_factory=Counter)
    lengths: Counter[str] = field(default_factory=Counter)
    wishes: Counter[str] = field(default_factory=Counter)
    targets: Counter[int] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    satisfied: int = 0
    serves: Counter[str] = field(default_factory=Counter)
    drifted: int = 0
    chances: int = 0

    def add(self, trajectory: Trajectory) -> None:
        """Count a conversation."""
        self.turns[trajectory.turns] += 1
        self.targets[trajectory.target] += 1
        self.models[trajectory.messages[1].model] += 1
        self.features.append(len(trajectory.persona))
        self.users.add(trajectory.persona_id)
        self.words.append(sum(count_words(message.content) for message in trajectory.messages))
        self.satisfied += trajectory.satisfied
        self.how[trajectory.how] += 1
        if trajectory.length:
            self.lengths[trajectory.length] += 1
            self.wishes[trajectory.persona.get(LENGTH, "")] += 1
        if trajectory.session > 1:
            self.drifted += len(trajectory.drifted)
            self.chances += sum(name in trajectory.persona for name in SHOWN)
        for message in trajectory.said:
            self.user_words.append(count_words(message.content))
            self.serves.update(message.serves[:1])
            if message.noise:
                self.layers[message.noise.layer] += 1
                self.strategies.update(message.noise.applied_strategies)

    def _length_law(self, styling: Styling) -> dict[str, float]:
        """How likely each class of length is for these users."""
        laws = [(styling.law(wish), count / self.wishes.total()) for wish, count in self.wishes.items()]
        return {name: sum(law[name] * share for law, share in laws) for name in LENGTHS}

    def report(
        self, noise: Distractor | None = None, rules: Rules | None = None, drift: float | None = None, pool: Pool | None = None
    ) -> dict[str, Any]:
        """Plain JSON values; rates are `{value, low, high, n, wanted}`, wanted as the parts are set.

        Args:
            noise: who puts noise into messages.
            rules: how conversations go.
            drift: how likely a wish changes between sessions (None: not known).
            pool: who answers (None: whoever did).
        """
        noise, rules = noise or Distractor(), rules or Rules()
        talks, noised = sum(self.turns.values()), self.layers.total()
        whole, styling = sum(noise.layers.values()) or 1.0, rules.styling
        adapted = talks - self.how["plain"]
        shares = pool.weights if pool else dict.fromkeys(sorted(self.models))
        answered = sum(filter(None, shares.values()))
        return {
            "conversations": talks,
            "personas": len(self.users),
            "conversations_per_persona": round(talks / len(self.users), 2) if self.users else 0,
            "turns": {"mean": round(mean(self.turns.elements()), 3), "counts": dict(sorted(self.turns.items()))},
            "features_per_persona": round(mean(self.features), 3),
            "words_per_conversation": round(mean(self.words), 1),
            "words_per_user_message": round(mean(self.user_words), 2),
            "satisfied": vars(rate(self.satisfied, talks)),
            "noise": {
                "rate": vars(rate(noised, len(self.user_words), noise.rate)),
                "layers": {name: vars(rate(self.layers[name], noised, noise.layers.get(name, 0.0) / whole)) for name in LAYERS},
                "strategies": {
                    name: vars(rate(self.strategies[name], self.layers[layer], law))
                    for layer in LAYERS
                    for name, law in strategy_law(layer, noise.strategies).items()
                },
            },
            "styling": {
                "adapted": vars(rate(adapted, talks, styling.rate)),
                "full": vars(rate(self.how["full"], adapted, styling.full)),
                "lengths": {
                    name: vars(rate(self.lengths[name], adapted, law)) for name, law in self._length_law(styling).items()
                },
            },
            "targets": {str(turns): vars(rate(self.targets[turns], talks, law)) for turns, law in rules.turns.law().items()},
            "assistants": {
                name: vars(rate(self.models[name], talks, weight and weight / answered)) for name, weight in shares.items()
            },
            "drift": vars(rate(self.drifted, self.chances, drift)),
            "follow_ups_serve": dict(sorted(self.serves.items())),
        }
