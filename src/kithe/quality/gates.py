"""Limits that keep a bad corpus from being trained on (`corpus.quality`). They decide about a corpus and never change it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from kithe.errors import ConfigError
from kithe.quality import diversity, duplicates, pii, probes
from kithe.quality.figures import Figure
from kithe.quality.sources import histories, reference
from kithe.quality.table3 import draw
from kithe.quality.texts import Corpus, tokens
from kithe.records.base import write_json
from kithe.records.history import History

WORDS: Final = 5000
TURNS: Final = 500
# A person may be called by a handle; everything else points at somebody.
HARMLESS: Final = frozenset({"handle"})
VERSION: Final = 1


class Limit(NamedTuple):
    """What a field of `Gates` limits: a metric, and whether the limit is the most or the least that is allowed."""

    metric: str
    most: bool


LIMITS: Final[Mapping[str, Limit]] = {
    "max_personal_data": Limit("personal_data", True),
    "max_repeated_turns": Limit("repeated_turns", True),
    "max_compression": Limit("compression_ratio", True),
    "max_template_share": Limit("top_100_five_grams", True),
    "min_distinct_2": Limit("distinct_2", False),
    "max_near_duplicates": Limit("near_duplicates", True),
    "max_stereotypes": Limit("stereotypes", True),
    "min_persona_top_1": Limit("persona_top_1", False),
    "min_coverage": Limit("coverage_depth_1_at_least_1", False),
    "max_told_apart": Limit("told_apart_by_words_auc", True),
    "min_mauve": Limit("mauve", False),
    "max_nearer_to_train": Limit("nearer_to_train", True),
    "max_membership": Limit("membership_auc", True),
    "max_copied": Limit("near_copies_of_train", True),
    "max_test_turns_contained": Limit("test_turns_contained", True),
}
CHEAP: Final = ("max_personal_data", "max_repeated_turns", "max_compression", "max_template_share", "min_distinct_2")


@dataclass(frozen=True)
class Gates:
    """What a corpus must not exceed or fall below to be trained on; None: no limit.

    The first five are looked at from the words alone, in seconds. Each of the others, once it has a limit, has the whole report
    measured (minutes, and the extra `quality`); those from `max_told_apart` on compare with the real sets in `against`, and the
    worst comparison counts. A limit is held against the value, not against its interval.
    """

    max_personal_data: int | None = 0
    max_repeated_turns: float | None = 0.6
    max_compression: float | None = 5.0
    max_template_share: float | None = 0.4
    min_distinct_2: float | None = 0.3
    max_near_duplicates: float | None = None
    max_stereotypes: int | None = None
    min_persona_top_1: float | None = None
    min_coverage: float | None = None
    max_told_apart: float | None = None
    min_mauve: float | None = None
    max_nearer_to_train: float | None = None
    max_membership: float | None = None
    max_copied: float | None = None
    max_test_turns_contained: float | None = None
    against: tuple[str, ...] = ()

    def limits(self) -> dict[str, float]:
        """The limits that are set, by field."""
        return {
            each.name: value for each in fields(self) if each.name in LIMITS and (value := getattr(self, each.name)) is not None
        }

    def problems(self, known: Mapping[str, Figure]) -> list[str]:
        """Every limit that the figures break, in words; a figure that is not there breaks none."""
        return [
            f"{LIMITS[name].metric} is {known[LIMITS[name].metric].value:.4g} (n {known[LIMITS[name].metric].n}) and "
            f"corpus.quality.{name} allows at {'most' if LIMITS[name].most else 'least'} {limit:g}"
            for name, limit in self.limits().items()
            if LIMITS[name].metric in known and broken(known[LIMITS[name].metric], LIMITS[name], limit)
        ]

    def admit(self, folder: Path) -> dict[str, Figure]:
        """Look at the corpus of a folder (train.jsonl), keep the figures in its quality.json, and refuse it if a limit is broken.

        Raises:
            ConfigError: names every broken limit with its value, and how to train all the same.
        """
        known = self._figures(folder)
        found = self.problems(known)
        if found:
            raise ConfigError(
                f"corpus {folder.name} is not fit to be trained on: {'; '.join(found)}. Why: kithe report corpus {folder.name}. "
                f"To allow it: corpus.quality.{self._first(known)}=null for one limit, corpus.quality=null for none at all"
            )
        return known

    def _first(self, known: Mapping[str, Figure]) -> str:
        return next(name for name, limit in self.limits().items() if self._breaks(name, limit, known))

    def _breaks(self, name: str, limit: float, known: Mapping[str, Figure]) -> bool:
        found = known.get(LIMITS[name].metric)
        return found is not None and broken(found, LIMITS[name], limit)

    def _figures(self, folder: Path) -> dict[str, Figure]:
        heavy = sorted(set(self.limits()) - set(CHEAP))
        wanted = {"version": VERSION, "against": sorted(self.against) if heavy else [], "whole": bool(heavy)}
        kept = folder / "quality.json"
        stored: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        if stored.get("measured") == wanted:
            return {name: Figure(**value) for name, value in stored["figures"].items()}
        found = histories(folder / "train.jsonl")
        figures = cheap(found) | (whole(Corpus(folder.name, tuple(found)), self.against) if heavy else {})
        write_json(kept, {"measured": wanted, "figures": {name: vars(figure) for name, figure in figures.items()}})
        return figures


def broken(figure: Figure, limit: Limit, value: float) -> bool:
    """Whether a figure is beyond a limit."""
    return figure.value > value if limit.most else figure.value < value


def cheap(found: Sequence[History]) -> dict[str, Figure]:
    """The figures that need words alone; those that mean nothing on a small corpus are left out of one.

    Diversity is that of 5,000 words, the five-grams those of 500 user turns.
    """
    corpus = Corpus("corpus", tuple(found))
    kinds = {kind: count for kind, count in pii.count(found).items() if kind not in HARMLESS}
    figures = {"personal_data": Figure(float(sum(kinds.values())), n=sum(len(history.turns) for history in found))}
    said = [words for passage in corpus.utterances if len(words := tokens(passage.text)) > 3]
    if len(said) >= TURNS:
        figures["repeated_turns"] = duplicates.exact_duplicates(said)
        figures["top_100_five_grams"] = probes.concentration_at(corpus, TURNS)
    words = draw(corpus.tokens, WORDS, np.random.default_rng(0))
    if len(words) == WORDS:
        figures["distinct_2"] = Figure(diversity.distinct(words, 2), n=WORDS)
        figures["compression_ratio"] = Figure(diversity.compression_ratio(words), n=WORDS)
    return figures


def whole(corpus: Corpus, against: Sequence[str]) -> dict[str, Figure]:
    """The whole report's figures, the worst one where a metric was measured against several real sets.

    Raises:
        ConfigError: the extra `quality` or a real set is missing.
    """
    from kithe.llm.embed import Embedder
    from kithe.personas.taxonomy import taxonomy
    from kithe.quality.coverage import Topics
    from kithe.quality.measure import measure

    measured = measure([corpus], [reference(name) for name in against], Embedder(), Topics.of(taxonomy()))
    most = {limit.metric: limit.most for limit in LIMITS.values()}
    figures: dict[str, Figure] = {}
    for entry in measured.entries:
        if entry.corpus != corpus.name or entry.metric not in most or (entry.section == "table 3" and entry.against):
            continue
        before = figures.get(entry.metric)
        worse = before is None or (entry.figure.value > before.value) == most[entry.metric]
        figures[entry.metric] = entry.figure if worse else figures[entry.metric]
    return {name: figure for name, figure in figures.items() if name not in {LIMITS[each].metric for each in CHEAP}}
