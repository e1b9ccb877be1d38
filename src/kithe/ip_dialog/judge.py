"""Scores the task `ip_dialog`: answers, attributes and how they fail, each share with its interval over items."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from kithe.errors import ConfigError, enough_resamples
from kithe.evaluation.judges import Scores, aligned
from kithe.evaluation.scores import Metric, Share
from kithe.evaluation.statistics import Ratio, intervals
from kithe.ip_dialog import baselines, reading, wordnet
from kithe.ip_dialog.meteor import Meteor, installed
from kithe.ip_dialog.metrics import Scored, f1, letter_agreement, rank_agreement, score_corrected, score_official
from kithe.ip_dialog.pathways import GRAPHS, Pathway
from kithe.ip_dialog.schema import tasks
from kithe.ip_dialog.signatures import FAILURES, failure
from kithe.ip_dialog.task import question
from kithe.records.chat import Prediction
from kithe.records.history import History
from kithe.records.question import Question

FORMS: Final = {"yes_no": "B", "options": "M", "order": "R", "list": "O", "text": "O"}
Agreement = Callable[[Sequence[str], Sequence[str]], float]


@dataclass(frozen=True)
class IPDialogJudge:
    """Against the gold answers and attributes, in the official form and a corrected one (spec 5.6).

    Attributes:
        pathway: along which the answers came; it names the field the official reading looks for.
        synonyms: METEOR with its synonym stage, as published; needs WordNet's files. Without it the official figure is called
            `accuracy_exact_and_stem`, since it is not the official one.
        resamples: of the bootstrap over items.
    """

    subject: ClassVar[str] = "answers"

    pathway: Pathway = "task_related"
    synonyms: bool = False
    resamples: int = 10_000

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: one of them is impossible.
        """
        if self.pathway not in GRAPHS:
            raise ConfigError(f"judge.pathway={self.pathway}: allowed: {', '.join(GRAPHS)}")
        enough_resamples("judge.resamples", self.resamples)

    def score(self, histories: Sequence[History], predictions: Sequence[Prediction]) -> Scores:
        """Score every item.

        Raises:
            ValueError: the predictions are not those of the histories.
            ConfigError: synonyms are asked for and WordNet is not installed.
        """
        pairs = [(question(history), prediction) for history, prediction in aligned(histories, predictions)]
        metric, code = self._meteor(), GRAPHS[self.pathway].code
        names = "related" in GRAPHS[self.pathway].nodes or "vector" in GRAPHS[self.pathway].nodes
        texts = [prediction.raw[-1] if prediction.raw else "" for _, prediction in pairs]
        official = [score_official(asked, text, code, metric) for (asked, _), text in zip(pairs, texts, strict=True)]
        corrected = [score_corrected(asked, text, metric) for (asked, _), text in zip(pairs, texts, strict=True)]
        asked = [one for one, _ in pairs]
        shares = [
            {
                **_answer_shares(one, first, second, "official" if self.synonyms else "exact_and_stem"),
                **(_attribute_shares(first, second) if names else {}),
                **_vector_share(one, text),
                **{f"failure.{name}": Share(failure(text, one.form) == name, 1) for name in FAILURES},
            }
            for one, first, second, text in zip(asked, official, corrected, texts, strict=True)
        ]
        for share, known in zip(shares, _known_shares(asked), strict=True):
            share |= known
        for index, share in _twin_shares(histories, asked, corrected, texts):
            shares[index] |= share
        rows = [
            _row(history, first, second, text)
            for history, first, second, text in zip(histories, official, corrected, texts, strict=True)
        ]
        return Scores(_metrics([history.id for history in histories], shares, self.resamples), rows)

    def _meteor(self) -> Meteor:
        if not self.synonyms:
            return Meteor()
        if wordnet.folder() is None:
            raise ConfigError(
                "judge.synonyms=true needs WordNet's files, which are not installed: apt install wordnet-base, or name their "
                "folder in the environment's KITHE_WORDNET; judge.synonyms=false scores without them"
            )
        return installed()


def _answer_shares(asked: Question, official: Scored, corrected: Scored, label: str) -> dict[str, Share]:
    """Accuracies: of all items, per task, per scenario, per form of the answer, and over the answers that could be read."""
    info = tasks()[asked.task]
    right = Share(corrected.accuracy, 1)
    return {
        "accuracy": right,
        f"accuracy_{label}": Share(official.accuracy, 1),
        "accuracy_of_read": Share(corrected.accuracy if corrected.read else 0.0, float(corrected.read)),
        "parse_rate": Share(corrected.read, 1),
        "items_per_history": Share(corrected.named, 1),
        f"accuracy.{asked.task}": right,
        f"accuracy_{label}.{asked.task}": Share(official.accuracy, 1),
        f"parse_rate.{asked.task}": Share(corrected.read, 1),
        f"accuracy.{FORMS[asked.form]}": right,
        f"accuracy.{info.scenario.replace(' ', '_')}": right,
    }


def _attribute_shares(official: Scored, corrected: Scored) -> dict[str, Share]:
    return {
        "precision": Share(corrected.hits, corrected.named),
        "recall": Share(corrected.hits, corrected.wanted),
        "f1": Share(2 * corrected.hits, corrected.named + corrected.wanted),
        "atf": Share(corrected.types, 1),
        "atf_official": Share(official.types, 1),
        "vf1": Share(corrected.pairs, 1),
        "vf1_official": Share(official.pairs, 1),
        "rva": Share(corrected.values or 0.0, float(corrected.values is not None)),
        "rva_official": Share(official.values or 0.0, 1),
    }


def _vector_share(asked: Question, text: str) -> dict[str, Share]:
    """Of all attributes of the person, those that the full vector gives rightly; nothing where no vector was written."""
    vector = reading.read(text).vector
    if vector is None or not asked.persona:
        return {}
    return {"vector_accuracy": Share(sum(vector.get(name) == value for name, value in asked.persona.items()), len(asked.persona))}


def _known_shares(asked: Sequence[Question]) -> list[dict[str, Share]]:
    """What chance and constants get on each item: rows that every table shows."""
    groups: defaultdict[str, list[Question]] = defaultdict(list)
    for one in asked:
        groups[one.task].append(one)
    said = {
        (task, name): baselines.constant(group, agreement)[0]
        for task, group in groups.items()
        for name, agreement in (("constant", rank_agreement), ("constant_official", letter_agreement))
    }
    sizes = {task: len(baselines.letters(group)) for task, group in groups.items()}
    types = baselines.best_types(asked)
    return [
        {
            "chance": Share(baselines.chance_of(one, sizes[one.task]), 1),
            "chance_exact_match": Share(baselines.exact_chance_of(one, sizes[one.task]), 1),
            "constant": Share(_agreement(one, said[one.task, "constant"], rank_agreement), 1),
            "constant_official": Share(_agreement(one, said[one.task, "constant_official"], letter_agreement), 1),
            "atf_commonest_types": Share(f1(one.related, types), 1),
            "atf_turn_count": Share(f1(one.related, [name for name in one.shown if name]), 1),
        }
        for one in asked
    ]


def _agreement(one: Question, said: str, agreement: Agreement) -> float:
    if one.form == "yes_no":
        return float(one.answer == (said,))
    if one.form == "order":
        return agreement(one.answer, said.split())
    return f1(one.answer, said.split()) if one.form == "options" else 0.0


def _twin_shares(
    histories: Sequence[History], asked: Sequence[Question], corrected: Sequence[Scored], texts: Sequence[str]
) -> Iterator[tuple[int, dict[str, Share]]]:
    """For each counterfactual twin: whether it and its original are both answered fully right, and whether the original is.

    For a twin that differs in what must not matter: whether both get the same answer, right or wrong; nothing where neither could
    be read.
    """
    places = {history.id: index for index, history in enumerate(histories)}
    for index, one in enumerate(asked):
        if one.twin_of not in places:
            continue
        if one.answer == asked[places[one.twin_of]].answer:
            said = [reading.values(reading.read(texts[place]).answer, one.form) for place in (places[one.twin_of], index)]
            read = any(one is not None for one in said)
            yield index, {"unmoved_by_the_irrelevant": Share(read and said[0] == said[1], float(read))}
        else:
            first, second = corrected[places[one.twin_of]].accuracy == 1, corrected[index].accuracy == 1
            yield index, {"twins_both_right": Share(first and second, 1), "twins_first_right": Share(first, 1)}


def _row(history: History, official: Scored, corrected: Scored, text: str) -> dict[str, Any]:
    asked = question(history)
    return {
        "id": history.id,
        "task": asked.task,
        "tp": corrected.hits,
        "predicted": corrected.named,
        "gold": corrected.wanted,
        "accuracy": corrected.accuracy,
        "accuracy_official": official.accuracy,
        "read": corrected.read,
        "types": corrected.types,
        "values": corrected.values,
        "failure": failure(text, asked.form),
        "related": asked.related,
        "named": reading.read(text).attributes or {},
        "twin_of": asked.twin_of,
        "said": reading.values(reading.read(text).answer, asked.form),
    }


def _metrics(ids: Sequence[str], shares: Sequence[Mapping[str, Share]], resamples: int) -> dict[str, Metric]:
    """Every share over the items it is defined for, with its bootstrap interval over items."""
    names = dict.fromkeys(name for share in shares for name in share)
    none = Share(0, 0)
    ratios = {}
    for name in names:
        own = [share.get(name, none) for share in shares]
        above, below = (np.array([getattr(one, side) for one in own], dtype=np.float64) for side in ("part", "whole"))
        if below.sum() > 0:
            ratios[name] = Ratio(tuple(ids), above, below)
    bounds = intervals(list(ratios.values()), resamples) if ratios else []
    return {
        name: Metric(value=ratio.value, low=low, high=high, n=int(ratio.denominator.sum()))
        for (name, ratio), (low, high) in zip(ratios.items(), bounds, strict=True)
    }
