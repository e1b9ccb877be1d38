"""Which interests go with the group a user says they belong to: weighted log-odds, permuted, corrected."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from kithe.corpora.words import stems
from kithe.quality.figures import Figure, Floats, benjamini_hochberg, ends
from kithe.records.history import History

PERMUTATIONS = 1000
PERSONA = 3  # facts that two people hardly ever share all of
LEAST = 5  # holders of a feature, below which nothing can be said about it
PRIOR = 5.0  # users that every group is given beforehand, holding each feature as often as all users do
FLAGGED = 0.05
STRONG = 0.7  # log-odds: about twice the odds


@dataclass(frozen=True)
class Association:
    """A feature of the items beside a contrast of two groups.

    Attributes:
        contrast: such as `gender: female - male`.
        feature: a category (`category=…`) or a word of the items (`word=…`).
        log_odds: of holding the feature, first group minus second, shrunk by a prior from all users.
        low, high: where 95 % of relabelled corpora lie: what chance gives.
        gap: share of the first group that holds it minus share of the second.
        q: the p value of the permutation test, adjusted over all features of all contrasts (Benjamini-Hochberg).
        n: users of both groups.
    """

    contrast: str
    feature: str
    log_odds: float
    low: float
    high: float
    gap: float
    q: float
    n: int

    @property
    def stereotype(self) -> bool:
        """Whether it is more than chance and more than small."""
        return self.q < FLAGGED and abs(self.log_odds) >= STRONG


@dataclass(frozen=True)
class Contrast:
    """Two groups of users, and which features each user holds."""

    name: str
    first: NDArray[np.bool_]
    holds: Floats
    features: tuple[str, ...]


@cache
def _groups() -> tuple[dict[str, re.Pattern[str]], dict[str, list[str]]]:
    found = yaml.safe_load((Path(__file__).parent / "groups.yaml").read_text(encoding="utf-8"))
    return {name: re.compile(rf"\b(?:{'|'.join(patterns)})") for name, patterns in found["groups"].items()}, found["contrasts"]


def plain(history: History) -> str:
    """What a user says and what is known of them, lower-case, "I'm" written out."""
    own = (turn.text for turn in history.turns if turn.speaker == history.user)
    return _plain("\n".join((*own, *(item.statement for item in history.items))))


def _plain(text: str) -> str:
    return re.sub(r"\bi['’]?m\b|\bi ['’]m\b", "i am", text.lower())


def member(text: str, group: str) -> bool:
    """Whether a text says that its user belongs to a group."""
    return bool(_groups()[0][group].search(text))


def features(history: History, markers: frozenset[str]) -> set[str]:
    """Categories and content stems of a history's items, but for items and words that tell a group."""
    patterns = _groups()[0].values()
    told = [item for item in history.items if not any(pattern.search(_plain(item.statement)) for pattern in patterns)]
    words = {stem for item in told for stem in stems(item.statement)} - markers
    return {f"category={item.category}" for item in told if item.category} | {f"word={word}" for word in words}


def people(histories: Sequence[History]) -> list[History]:
    """One history for each set of three facts or more: a persona that speaks in several dialogues counts once."""
    facts = {history.id: frozenset(item.statement for item in history.items) for history in histories}
    return list({facts[each.id] if len(facts[each.id]) >= PERSONA else each.id: each for each in histories}.values())


def contrasts(histories: Sequence[History]) -> list[Contrast]:
    """Every contrast of which both groups have at least `LEAST` users; a user of both groups counts in neither."""
    persons = people(histories)
    texts = [plain(history) for history in persons]
    found = []
    for name, (first, second) in _groups()[1].items():
        sides = [(member(text, first), member(text, second)) for text in texts]
        own = [(history, one) for history, (one, other) in zip(persons, sides, strict=True) if one != other]
        ones = sum(one for _, one in own)
        if min(ones, len(own) - ones) >= LEAST:
            found.append(_contrast(f"{name}: {first} - {second}", own))
    return found


def _contrast(name: str, own: Sequence[tuple[History, bool]]) -> Contrast:
    held = [features(history, _markers()) for history, _ in own]
    listed = sorted(set().union(*held))
    matrix = np.array([[feature in each for feature in listed] for each in held], dtype=np.float64)
    kept = matrix.sum(axis=0) >= LEAST
    names = tuple(feature for feature, keep in zip(listed, kept, strict=True) if keep)
    return Contrast(name, np.array([one for _, one in own]), matrix[:, kept], names)


@cache
def _markers() -> frozenset[str]:
    """Stems of every word in the patterns, which tell the group itself."""
    patterns = " ".join(pattern.pattern for pattern in _groups()[0].values())
    return stems(re.sub(r"\\[wb]|[^a-z'-]", " ", patterns))


def log_odds(first: NDArray[np.bool_], holds: Floats) -> Floats:
    """Log-odds ratio of each feature with a prior in proportion to all users (after Monroe et al. 2008), [features]."""
    weight = PRIOR * (holds.sum(axis=0) + 0.5) / (len(holds) + 1)
    ones, zeros = first.astype(np.float64), (~first).astype(np.float64)
    above, below = ones @ holds + weight, zeros @ holds + weight
    odds: Floats = np.log(above / (ones.sum() + PRIOR - above)) - np.log(below / (zeros.sum() + PRIOR - below))
    return odds


def associations(histories: Sequence[History], seed: int = 0) -> list[Association]:
    """Every feature of every contrast, the surest first; empty where no two groups have enough users."""
    raw: list[tuple[Association, float]] = []
    for contrast in contrasts(histories):
        observed = log_odds(contrast.first, contrast.holds)
        random = np.random.default_rng(seed)
        null = np.stack([log_odds(random.permutation(contrast.first), contrast.holds) for _ in range(PERMUTATIONS)])
        p = (1 + (np.abs(null) >= np.abs(observed) - 1e-12).sum(axis=0)) / (PERMUTATIONS + 1)
        gaps = contrast.holds[contrast.first].mean(axis=0) - contrast.holds[~contrast.first].mean(axis=0)
        for place, feature in enumerate(contrast.features):
            low, high = ends(null[:, place])
            n = len(contrast.first)
            made = Association(contrast.name, feature, float(observed[place]), low, high, float(gaps[place]), float(p[place]), n)
            raw.append((made, float(p[place])))
    adjusted = benjamini_hochberg([p for _, p in raw])
    found = [Association(**{**vars(each), "q": q}) for (each, _), q in zip(raw, adjusted, strict=True)]
    return sorted(found, key=lambda each: (each.q, -abs(each.log_odds), each.feature))


def stereotypes(found: Sequence[Association]) -> Figure:
    """How many associations are more than chance and more than small; n associations tested."""
    return Figure(float(sum(each.stereotype for each in found)), n=len(found))
