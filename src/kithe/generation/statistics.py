"""What a corpus looks like in numbers, counted in one pass: the statistics of paper A's Table 3, and shares of labels."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from kithe.corpora.words import words
from kithe.personas.persona import Persona
from kithe.personas.taxonomy import taxonomy
from kithe.records.history import History

SAMPLE: Final = 10_000  # user words after which the vocabulary is counted a first time, so that corpora of any size compare
_LABELS: Final = ("type", "polarity", "intensity", "inference")


@dataclass
class Spread:
    """A running mean and standard deviation."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.n, self.total, self.squares = self.n + 1, self.total + value, self.squares + value * value

    def report(self) -> dict[str, float]:
        """`{mean, sd}`, rounded; the deviation is the population's."""
        mean = self.total / self.n if self.n else 0.0
        variance = max(0.0, self.squares / self.n - mean * mean) if self.n else 0.0
        return {"mean": round(mean, 4), "sd": round(math.sqrt(variance), 4)}


@dataclass
class Statistics:
    """Counts over the histories of one split; memory grows with the vocabulary and the taxonomy's nodes only."""

    spreads: dict[str, Spread] = field(
        default_factory=lambda: {name: Spread() for name in ("turns", "user_turns", "sessions", "items", "words_per_user_turn")}
    )
    labels: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in (*_LABELS, "category", "key")})
    nodes: Counter[tuple[str, ...]] = field(default_factory=Counter)
    vocabulary: set[str] = field(default_factory=set)
    words: int = 0
    sampled: int = 0
    routine: int = 0

    def add(self, history: History) -> None:
        """Count a history."""
        own = [index for index, turn in enumerate(history.turns) if turn.speaker == history.user]
        telling = {evidence.turn for item in history.items for evidence in item.evidence}
        self.spreads["turns"].add(len(history.turns))
        self.spreads["user_turns"].add(len(own))
        self.spreads["sessions"].add(len({turn.session for turn in history.turns}))
        self.spreads["items"].add(len(history.items))
        self.routine += sum(index not in telling for index in own)
        for index in own:
            self._words(words(history.turns[index].text))
        for item in history.items:
            for name, counts in self.labels.items():
                counts[getattr(item, name) or "none"] += 1

    def meet(self, persona: Persona) -> None:
        """Count the nodes of the interest taxonomy that a persona's paths go through, each once."""
        root = taxonomy().root.name
        below = [path[1:] if path[0] == root else path for path in persona.paths if path]
        self.nodes.update({path[:depth] for path in below for depth in range(1, len(path) + 1)})

    def _words(self, said: Iterable[str]) -> None:
        found = list(said)
        self.spreads["words_per_user_turn"].add(len(found))
        for word in found:
            self.words += 1
            self.vocabulary.add(word)
            if self.words == SAMPLE:
                self.sampled = len(self.vocabulary)

    def report(self) -> dict[str, Any]:
        """Plain JSON values; `vocabulary` counts the user's words, `routine_turns` is the share of user turns showing nothing."""
        dialogues, turns = self.spreads["turns"].n, self.spreads["words_per_user_turn"].n
        coverage = {name: self.labels[name] - Counter({"none": self.labels[name]["none"]}) for name in ("category", "key")}
        return {
            "dialogues": dialogues,
            "items": int(self.spreads["items"].total),
            "per_dialogue": {name: self.spreads[name].report() for name in ("turns", "user_turns", "sessions", "items")},
            "words_per_user_turn": self.spreads["words_per_user_turn"].report(),
            "vocabulary": {"words": self.words, "types": len(self.vocabulary), f"types_in_{SAMPLE}_words": self.sampled or None},
            "routine_turns": round(self.routine / turns, 4) if turns else 0.0,
            "coverage": {name: {"distinct": len(counts), "entropy_bits": _entropy(counts)} for name, counts in coverage.items()},
            "taxonomy": self._taxonomy(),
            "categories": dict(sorted(coverage["category"].items())),
            "shares": {name: _shares(self.labels[name]) for name in _LABELS},
        }

    def _taxonomy(self) -> dict[str, dict[str, float]]:
        """For each depth below the root how many nodes there are, and how many some persona has, and five; {} without paths."""
        if not self.nodes:
            return {}
        rows = [(depth, size, [count for node, count in self.nodes.items() if len(node) == depth])
                for depth, size in enumerate(taxonomy().counts) if depth]  # fmt: skip
        return {
            str(depth): {
                "nodes": size,
                "covered": len(counts),
                "share": round(len(counts) / size, 4),
                "by_five": _at_least(5, counts),
            }
            for depth, size, counts in rows
        }


def _at_least(least: int, counts: Iterable[int]) -> int:
    return sum(count >= least for count in counts)


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = counts.total()
    return {name: round(count / total, 4) for name, count in sorted(counts.items()) if count}


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return round(-sum(count / total * math.log2(count / total) for count in counts.values() if count), 4)
